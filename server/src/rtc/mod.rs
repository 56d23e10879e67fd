//! WebRTC: one UDP and TCP port for all peers, around the sans-IO core of webrtc-rs.
