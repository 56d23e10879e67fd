//! NAL unit types that exist in RTP packets only, not in the codecs (RFC 6184 table 1, RFC 7798 §4.4).

/// H.264: several NAL units in one packet.
pub(super) const STAP_A: u8 = 24;
/// H.264: a piece of a NAL unit.
pub(super) const FU_A: u8 = 28;
/// H.265: several NAL units in one packet.
pub(super) const AP: u8 = 48;
/// H.265: a piece of a NAL unit.
pub(super) const FU: u8 = 49;
