//! What a browser reports about a packet that carried a transport-wide sequence number
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01).

use std::time::Duration;

/// A browser's word on one numbered packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrivalReport {
    /// Transport-wide sequence number.
    pub number: u16,
    /// On the browser's clock; none if the packet was lost.
    pub arrived: Option<Duration>,
}
