//! The payload types of the codecs on one m-line.

use crate::bitstream::Codec;

/// The payload types of one m-line. They are made from an answer only, so that a packet cannot have one that the browser does
/// not know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PayloadTypes {
    by_codec: Vec<(Codec, u8)>,
}

impl PayloadTypes {
    pub fn new(by_codec: Vec<(Codec, u8)>) -> Self {
        Self { by_codec }
    }

    pub fn of(&self, codec: Codec) -> Option<u8> {
        self.by_codec.iter().find(|(known, _)| *known == codec).map(|(_, payload_type)| *payload_type)
    }

    /// The codecs that the browser supports, in its order of preference.
    pub fn codecs(&self) -> impl Iterator<Item = Codec> + '_ {
        self.by_codec.iter().map(|(codec, _)| *codec)
    }
}
