//! WebRTC: one UDP and TCP port for all peers, around `rtc`, the sans-IO core of webrtc-rs.
//!
//! [`Port`] owns the sockets and finds the peer of each packet. Each [`Peer`] is a plain struct that a session's task drives:
//! packets and deadlines in, packets and events out. No task is spawned per peer, so none can leak.

mod address;
mod binding;
mod codecs;
mod feedback;
pub(crate) mod fuzzing;
mod ice_servers;
mod lite;
mod offer_size;
mod outgoing;
mod outside;
mod peer;
mod port;
mod routes;
mod sdp;
mod sign_of_life;
mod stun;
mod tcp;
mod udp;

pub use binding::{AskError, stun_over};
pub use feedback::KeyframeRequest;
pub use ice_servers::IceServers;
pub use offer_size::check_size;
pub use peer::{Answer, NegotiatedSlot, Peer, PeerError, PeerEvent, PeerState};
pub use port::{PeerSocket, Port, PortError, places_for};
pub use routes::{Inbound, Transport};
