//! A slot: which packets of which stream leave on one m-line. Pure: no clock, no task, no socket.
//!
//! [`Slot`] decides what is shown and says what it needs by [`Action`]s; its [`Splicer`] turns frames of one stream after
//! another into one unbroken RTP stream; the [`Pacer`] shares the connection between all slots: live frames first, bursts as
//! fast as the path was measured to carry them ([`BurstRate`]).

mod burst_rate;
mod departures;
mod pacer;
mod payload_types;
mod repairs;
#[expect(clippy::module_inception, reason = "the slot itself, beside the parts it is made of")]
mod slot;
mod splicer;
#[cfg(test)]
mod tests;

pub use burst_rate::{Arrival, BurstRate};
pub use departures::ArrivalReport;
pub use pacer::Pacer;
pub use payload_types::PayloadTypes;
pub use slot::{Action, Slot, Target};
pub use splicer::{ArrivalRequest, Released, RtpPacket, Splicer};
