//! Reads the headers of H.264 and H.265 NAL units.

use super::Codec;

/// A codec whose pictures are coded as NAL units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NalCodec {
    H264,
    H265,
}

/// The kinds of NAL units that matter for passing them on (H.264 table 7-1, H.265 table 7-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NalKind {
    /// A part of a picture that refers to others.
    Slice,
    /// A part of a picture at which decoding can start: an IDR slice, or in H.265 any IRAP slice. An H.264 recovery point
    /// without an IDR does not count, since browsers do not start there.
    KeySlice,
    Vps,
    Sps,
    Pps,
    /// Access unit delimiters, filler, and ends of sequence or stream, which must not be sent in RTP. So are the types that the
    /// codec leaves unspecified and to which RTP gives a meaning of its own (RFC 6184 §5.4, RFC 7798 §4.4).
    Padding,
    Other,
}

impl NalKind {
    pub const fn is_parameter_set(self) -> bool {
        matches!(self, NalKind::Vps | NalKind::Sps | NalKind::Pps)
    }

    pub const fn is_slice(self) -> bool {
        matches!(self, NalKind::Slice | NalKind::KeySlice)
    }
}

impl Codec {
    /// `None` for a codec that has no NAL units.
    pub const fn nal(self) -> Option<NalCodec> {
        match self {
            Codec::H264 => Some(NalCodec::H264),
            Codec::H265 => Some(NalCodec::H265),
            Codec::Vp8 | Codec::Vp9 | Codec::Av1 => None,
        }
    }
}

impl From<NalCodec> for Codec {
    fn from(codec: NalCodec) -> Self {
        match codec {
            NalCodec::H264 => Codec::H264,
            NalCodec::H265 => Codec::H265,
        }
    }
}

impl NalCodec {
    /// The codec of a byte stream, by the header of its first NAL unit, since an encoder begins with a delimiter, a parameter
    /// set or SEI. `None` for other data.
    pub fn of_byte_stream(start: &[u8]) -> Option<Self> {
        let ([0, 0, 0, 1, header @ ..] | [0, 0, 1, header @ ..]) = start else { return None };
        match *header {
            // VPS, SPS, PPS, AUD, prefix SEI of layer 0, temporal id 0. In H.264 no stream begins with these types.
            [0x40 | 0x42 | 0x44 | 0x46 | 0x4e, 1, ..] => Some(NalCodec::H265),
            [first, ..] if first & 0x80 == 0 && matches!(first & 0x1f, 1 | 5..=9) => Some(NalCodec::H264),
            _ => None,
        }
    }

    /// The length of a NAL unit's header in bytes.
    pub const fn header_len(self) -> usize {
        match self {
            NalCodec::H264 => 1,
            NalCodec::H265 => 2,
        }
    }

    /// `nal_unit_type`; `None` for an empty NAL unit.
    pub fn unit_type(self, nal: &[u8]) -> Option<u8> {
        let first = nal.first()?;
        Some(match self {
            NalCodec::H264 => first & 0x1f,
            NalCodec::H265 => first >> 1 & 0x3f,
        })
    }

    pub fn kind(self, nal: &[u8]) -> NalKind {
        match (self, self.unit_type(nal)) {
            (NalCodec::H264, Some(1..=4)) | (NalCodec::H265, Some(0..=15)) => NalKind::Slice,
            (NalCodec::H264, Some(5)) | (NalCodec::H265, Some(16..=23)) => NalKind::KeySlice,
            (NalCodec::H265, Some(32)) => NalKind::Vps,
            (NalCodec::H264, Some(7)) | (NalCodec::H265, Some(33)) => NalKind::Sps,
            (NalCodec::H264, Some(8)) | (NalCodec::H265, Some(34)) => NalKind::Pps,
            (NalCodec::H264, Some(9..=12 | 24..)) | (NalCodec::H265, Some(35..=38 | 48..)) => {
                NalKind::Padding
            }
            _ => NalKind::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_h265_idr_is_distinguished_from_a_vps() {
        assert_eq!(NalCodec::H265.kind(&[19 << 1, 1]), NalKind::KeySlice);
        assert_eq!(NalCodec::H265.kind(&[32 << 1, 1]), NalKind::Vps);
        assert_eq!(NalCodec::H265.kind(&[1 << 1, 1]), NalKind::Slice);
    }

    #[test]
    fn the_codec_is_detected_by_the_first_nal_unit() {
        for (start, codec) in [
            (&[0, 0, 0, 1, 0x67, 0x64][..], Some(NalCodec::H264)),
            (&[0, 0, 1, 0x09, 0xf0], Some(NalCodec::H264)),
            (&[0, 0, 0, 1, 0x40, 1, 0x0c], Some(NalCodec::H265)),
            (&[0, 0, 0, 1, 0x46, 1, 0x50], Some(NalCodec::H265)),
            (b"FLV\x01", None),
        ] {
            assert_eq!(NalCodec::of_byte_stream(start), codec, "{start:?}");
        }
    }
}
