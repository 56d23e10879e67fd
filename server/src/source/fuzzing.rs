//! The parsers of what programs and cameras say, for `crate::fuzzing`.

use bytes::BytesMut;
use futures_util::FutureExt as _;

use super::ivf::IvfReader;
use super::{exec, ffmpeg, onvif as soap};

/// The stdout of a program of the user, up to its end.
pub(crate) fn byte_stream(bytes: &[u8]) {
    exec::fuzz(bytes);
}

/// The SDP that ffmpeg writes about its own RTP.
pub(crate) fn ffmpeg_sdp(bytes: &[u8]) {
    ffmpeg::fuzz_sdp(&String::from_utf8_lossy(bytes));
}

/// An answer of a camera that is asked by ONVIF.
pub(crate) fn onvif(bytes: &[u8]) {
    soap::fuzz(&String::from_utf8_lossy(bytes));
}

/// An IVF file, read up to its end or to an error.
pub(crate) fn ivf(bytes: &[u8]) {
    let mut reader = IvfReader::new(BytesMut::new(), bytes);
    while let Some(Ok(Some(_))) = reader.next().now_or_never() {}
}
