//! What the server says, one struct per message. How a frame becomes one is the shell's business.

use multistream_protocol::server::{Answer, Disconnected, Error, Ice, Keyframe, Ready, Status, Warm};

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerMessage {
    Ready(Ready),
    Answer(Answer),
    Status(Status),
    Keyframe(Keyframe),
    Warm(Warm),
    Ice(Ice),
    Disconnected(Disconnected),
    Error(Error),
}
