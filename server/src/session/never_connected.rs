//! What the log says of a session whose media never connected: where its client is, what it was told, and what to check.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tracing::warn;

use super::link::Attempt;
use crate::warnings::{self, Cause};

/// A client that leaves sooner has lost interest, not its patience. Ours gives up 10 s after it has opened its WebSocket.
const PATIENCE: Duration = Duration::from_secs(5);

/// Warns of an attempt that has ended without a connection. `client` is the address that the WebSocket came from.
pub(super) fn warn_of(now: Instant, attempt: &Attempt, client: Option<IpAddr>) {
    if now.saturating_duration_since(attempt.began_at) < PATIENCE {
        return;
    }
    let client = client.map_or_else(|| "unknown".to_owned(), |address| address.to_string());
    if warnings::is_due(Cause::NeverConnected, &client) {
        let announced = attempt.announced.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(", ");
        warn!(client, announced, "the media of a session never connected: {}", advice(attempt));
    }
}

fn advice(attempt: &Attempt) -> String {
    let port = attempt.media.port();
    if attempt.is_heard {
        return format!(
            "packets of the client arrive at port {port}, and no encrypted connection was made; a firewall on the way may let only \
             some packets through"
        );
    }
    if attempt.media.ip().is_loopback() {
        return format!(
            "nothing of the client has arrived at the media port, which is for this machine alone; for other machines set \
             `webrtc.listen` to \":{port}\""
        );
    }
    format!(
        "nothing of the client has arrived at the media port; let UDP and TCP port {port} through to this machine, and name the \
         address by which clients reach it in `webrtc.candidates` if it is none of these (docs/network.md)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_is_for_what_has_arrived_and_for_whom_the_port_is() {
        let attempt = |media: &str, is_heard| {
            let media = media.parse().expect("an address");
            advice(&Attempt { began_at: Instant::now(), announced: Vec::new(), media, is_heard })
        };
        assert!(attempt("127.0.0.1:8555", false).contains("set `webrtc.listen` to \":8555\""));
        assert!(attempt("0.0.0.0:8555", false).contains("UDP and TCP port 8555"));
        assert!(attempt("0.0.0.0:8555", true).contains("packets of the client arrive at port 8555"));
    }
}
