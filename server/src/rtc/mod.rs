//! WebRTC: one UDP and TCP port for all peers, around `rtc`, the sans-IO core of webrtc-rs.
//!
//! [`Port`] owns the sockets and finds the peer of each packet. Each [`Peer`] is a plain struct that a session's task drives:
//! packets and deadlines in, packets and events out. No task is spawned per peer, so none can leak.

mod address;
mod codecs;
mod feedback;
pub(crate) mod fuzzing;
mod lite;
mod peer;
mod port;
mod routes;
mod sdp;
mod stun;
mod tcp;

pub use peer::{Answer, NegotiatedSlot, Peer, PeerError, PeerEvent, PeerState};
pub use port::{PeerSocket, Port, PortError};
pub use routes::{Inbound, Transport};
