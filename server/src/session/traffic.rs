//! What all sessions have sent and been asked for since the server started, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// What happened on a connection since it was counted last. A session counts in one of these, which is its own, and adds it to
/// the `Traffic` of all sessions once for all packets that leave together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// RTP packets that left, those that were sent again and padding among them.
    pub packets: u64,
    /// Their bytes, without the headers of UDP and IP.
    pub bytes: u64,
    /// Packets that were sent again, as the browser had reported them lost (NACK).
    pub repaired: u64,
    /// Packets of frames that were given up, as their slot was too far behind.
    pub dropped_late: u64,
    /// Datagrams that the socket's buffer, or the queue of a TCP connection, had no room for.
    pub dropped_by_socket: u64,
    /// Requests for a key frame: PLI and FIR.
    pub plis: u64,
    pub firs: u64,
}

#[derive(Debug, Default)]
pub(super) struct Traffic {
    packets: AtomicU64,
    bytes: AtomicU64,
    repaired: AtomicU64,
    dropped_late: AtomicU64,
    dropped_by_socket: AtomicU64,
    plis: AtomicU64,
    firs: AtomicU64,
}

impl Traffic {
    pub(super) fn add(&self, counts: &Counts) {
        for (total, count) in [
            (&self.packets, counts.packets),
            (&self.bytes, counts.bytes),
            (&self.repaired, counts.repaired),
            (&self.dropped_late, counts.dropped_late),
            (&self.dropped_by_socket, counts.dropped_by_socket),
            (&self.plis, counts.plis),
            (&self.firs, counts.firs),
        ] {
            // Most of them are zero most of the time, and the totals are shared by all processors.
            if count > 0 {
                total.fetch_add(count, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn get(&self) -> Counts {
        let of = |total: &AtomicU64| total.load(Ordering::Relaxed);
        Counts {
            packets: of(&self.packets),
            bytes: of(&self.bytes),
            repaired: of(&self.repaired),
            dropped_late: of(&self.dropped_late),
            dropped_by_socket: of(&self.dropped_by_socket),
            plis: of(&self.plis),
            firs: of(&self.firs),
        }
    }
}
