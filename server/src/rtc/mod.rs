//! WebRTC: one UDP and TCP port for all peers, around `rtc`, the sans-IO core of webrtc-rs.
//!
//! [`Port`] owns the sockets and tells peers' packets apart; each [`Peer`] is a plain struct that a session's task
//! drives: packets and deadlines in, packets and events out. Nothing is spawned per peer here, so nothing can leak.

mod address;
mod codecs;
mod feedback;
pub(crate) mod fuzzing;
mod lite;
mod peer;
mod port;
mod sdp;
mod stun;
mod tcp;

pub use peer::{Answer, NegotiatedSlot, Peer, PeerError, PeerEvent, PeerState};
pub use port::{Inbound, PeerSocket, Port, PortError, Transport};
