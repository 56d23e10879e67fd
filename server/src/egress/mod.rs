//! The sending side of one connection: which packets of which slot leave when. Pure: no clock, no task, no socket.
//!
//! [`Pacer`] takes packets from the slots and releases them in this order: lost packets that are sent again (*repairs*), live
//! frames, bursts. [`Pace`] is the rate of bursts, learnt from the browser's reports on when their packets arrived;
//! `departures.rs` remembers when each of those packets left, and `repairs.rs` keeps the packets that a browser may ask for
//! again.

mod departures;
mod pace;
mod pacer;
mod repairs;
#[cfg(test)]
mod tests;

pub use pace::{Arrival, Pace};
pub use pacer::{Departing, Pacer};
