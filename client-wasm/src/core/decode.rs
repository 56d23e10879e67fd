//! A frame of the server → one message. Works on any serde format: JSON in the tests, JavaScript objects in a browser.

use multistream_protocol::server::{self, Answer, Disconnected, Error, Ice, Keyframe, Ready, Status};
use serde::{Deserialize, Deserializer};

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerMessage {
    Ready(Ready),
    Answer(Answer),
    Status(Status),
    Keyframe(Keyframe),
    Ice(Ice),
    Disconnected(Disconnected),
    Error(Error),
}

/// The message of this `type`, or `None` for a type that is not ours (a later server's, or go2rtc's own).
pub fn decode<'de, D: Deserializer<'de>>(kind: &str, fields: D) -> Result<Option<ServerMessage>, D::Error> {
    Ok(Some(match kind {
        server::READY => ServerMessage::Ready(Ready::deserialize(fields)?),
        server::ANSWER => ServerMessage::Answer(Answer::deserialize(fields)?),
        server::STATUS => ServerMessage::Status(Status::deserialize(fields)?),
        server::KEYFRAME => ServerMessage::Keyframe(Keyframe::deserialize(fields)?),
        server::ICE => ServerMessage::Ice(Ice::deserialize(fields)?),
        server::DISCONNECTED => ServerMessage::Disconnected(Disconnected::deserialize(fields)?),
        server::ERROR => ServerMessage::Error(Error::deserialize(fields)?),
        _ => return Ok(None),
    }))
}
