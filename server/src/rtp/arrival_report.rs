//! A browser's report about a packet with a transport-wide sequence number
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01).

use std::time::Duration;

/// The report about one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrivalReport {
    /// Transport-wide sequence number.
    pub number: u16,
    /// On the browser's clock; `None` if the packet was lost.
    pub arrived: Option<Duration>,
}
