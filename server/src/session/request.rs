//! A message of the client, as one type.

use multistream_protocol::client;

/// Every message of the client, one variant per `type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    Init(client::Init),
    Offer(client::Offer),
    Switch(client::Switch),
    Layout(client::Layout),
    Pause(client::Pause),
    Resume(client::Resume),
    Keyframe(client::Keyframe),
    Warm(client::Warm),
    Ice(client::Ice),
    Close,
}
