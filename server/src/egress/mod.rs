//! The sending side of one connection: which packets of which slot leave when. Pure: no clock, no task, no socket.
//!
//! [`Pacer`] takes packets from the slots and hands them out as the connection may carry them: repairs first, then live
//! frames, then bursts. [`Pace`] says how fast bursts may leave, learnt from the browser's reports on when their packets
//! arrived; `departures.rs` remembers when each of those packets left, and `repairs.rs` keeps what a browser may ask for again.

mod departures;
mod pace;
mod pacer;
mod repairs;
#[cfg(test)]
mod tests;

pub use pace::{Arrival, Pace};
pub use pacer::{Departing, Pacer};
