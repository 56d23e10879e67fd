//! The sending side of one connection: which packets of which slot leave when. Pure: no clock, no task, no socket.
//!
//! [`Pacer`] takes packets from the slots and releases them in this order: lost packets that are sent again (*repairs*), live
//! frames, bursts, and padding when it probes the path. [`Estimate`] is what the path carries, learnt from the browser's reports on
//! when packets arrived; `departures.rs` remembers when each packet left, and `repairs.rs` keeps the packets that a browser may
//! ask for again.

mod allocate;
mod arrival;
mod credit;
mod departures;
mod estimate;
mod pacer;
mod probe;
mod queue;
mod received;
mod repairs;
#[cfg(test)]
mod tests;
mod trend;

pub use allocate::{Allocator, Importance, Tile};
pub use arrival::Arrival;
pub use estimate::Estimate;
pub use pacer::{Departing, Pacer, Sent};
