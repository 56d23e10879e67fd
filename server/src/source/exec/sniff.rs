//! Detects what a program writes by its first bytes. Pure.

use crate::bitstream::nal::NalCodec;
use crate::source::ivf;

/// How many bytes suffice to detect every format.
pub(super) const ENOUGH: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Raw H.264 or H.265.
    AnnexB(NalCodec),
    /// VP8, VP9 or AV1 with timestamps.
    Ivf,
    /// A container that ffmpeg demultiplexes.
    Container(&'static str),
    Mjpeg,
    Unknown,
}

pub(super) fn content(start: &[u8]) -> Content {
    if let Some(codec) = NalCodec::of_byte_stream(start) {
        return Content::AnnexB(codec);
    }
    if ivf::codec_of(start).is_some() {
        return Content::Ivf;
    }
    match *start {
        [b'F', b'L', b'V', ..] => Content::Container("FLV"),
        [0x47, ..] => Content::Container("MPEG-TS"),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Content::Container("Matroska"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Content::Container("MP4"),
        [0, 0, 1, 0xba, ..] => Content::Container("MPEG-PS"),
        // Bare, or as `multipart/x-mixed-replace`.
        [0xff, 0xd8, 0xff, ..] | [b'-', b'-', ..] => Content::Mjpeg,
        _ => Content::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_format_is_detected_by_the_first_bytes() {
        for (start, expected) in [
            (&[0, 0, 0, 1, 0x67, 0x64, 0, 0x1f][..], Content::AnnexB(NalCodec::H264)),
            (b"FLV\x01\x05\0\0\0\x09", Content::Container("FLV")),
            (&[0x47, 0x40, 0x11, 0x10], Content::Container("MPEG-TS")),
            (b"\0\0\0\x20ftypisom", Content::Container("MP4")),
            (&[0xff, 0xd8, 0xff, 0xe0], Content::Mjpeg),
            (b"DKIF\0\0\x20\0AV01", Content::Ivf),
            (b"Starting camera...", Content::Unknown),
            (b"", Content::Unknown),
        ] {
            assert_eq!(content(start), expected, "{start:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(start: Vec<u8>) {
            let _ = content(&start);
        }
    }
}
