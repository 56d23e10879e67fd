//! What was negotiated for one m-line.

use crate::bitstream::Codec;

/// The payload types of one m-line. Made from an answer only, so that a packet cannot carry one that the browser does not
/// know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PayloadTypes {
    by_codec: Vec<(Codec, u8)>,
    playout_delay: Option<u8>,
    arrival_report: Option<u8>,
}

impl PayloadTypes {
    /// With the ids of the header extensions for [`Self::playout_delay`] and [`Self::arrival_report`].
    pub fn new(by_codec: Vec<(Codec, u8)>, playout_delay: Option<u8>, arrival_report: Option<u8>) -> Self {
        Self { by_codec, playout_delay, arrival_report }
    }

    pub fn of(&self, codec: Codec) -> Option<u8> {
        self.by_codec.iter().find(|(known, _)| *known == codec).map(|(_, payload_type)| *payload_type)
    }

    /// The codecs that the browser takes, in its order of preference.
    pub fn codecs(&self) -> impl Iterator<Item = Codec> + '_ {
        self.by_codec.iter().map(|(codec, _)| *codec)
    }

    /// The id of the playout-delay header extension.
    pub fn playout_delay(&self) -> Option<u8> {
        self.playout_delay
    }

    /// The id of the header extension whose packets the browser reports the arrival of (transport-wide congestion control).
    pub fn arrival_report(&self) -> Option<u8> {
        self.arrival_report
    }
}
