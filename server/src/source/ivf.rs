//! Reads IVF: VP8, VP9 or AV1 with a timestamp for each picture, as encoders write it. It is the only container that is read
//! without ffmpeg, since ffmpeg 5 has no RTP payload format for AV1, and IVF needs no second program.

use std::io;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::bitstream::{Codec, av1};
use crate::media::{AccessUnit, Timestamp90k};

const SIGNATURE: [u8; 4] = *b"DKIF";
const HEADER: usize = 32;
const PICTURE_HEADER: usize = 12;
/// The largest picture; a larger size is an error.
const MAX_PICTURE: usize = 32 << 20;
const READ_AT_ONCE: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum IvfError {
    #[error("it is no IVF of VP8, VP9 or AV1")]
    Header,
    #[error("a picture of {0} bytes")]
    TooLarge(usize),
}

/// The codec of an IVF file, by its first 12 bytes; `None` for other data and unsupported codecs.
pub(super) fn codec_of(start: &[u8]) -> Option<Codec> {
    match start.get(..12)? {
        [signature @ .., _, _, _, _, b'V', b'P', b'8', b'0'] if *signature == SIGNATURE => Some(Codec::Vp8),
        [signature @ .., _, _, _, _, b'V', b'P', b'9', b'0'] if *signature == SIGNATURE => Some(Codec::Vp9),
        [signature @ .., _, _, _, _, b'A', b'V', b'0', b'1'] if *signature == SIGNATURE => Some(Codec::Av1),
        _ => None,
    }
}

/// Splits bytes into pictures. Pure.
#[derive(Debug, Default)]
struct Splitter {
    buffer: BytesMut,
    /// `None` until the header was read.
    stream: Option<Stream>,
}

#[derive(Debug, Clone, Copy)]
struct Stream {
    codec: Codec,
    /// One tick of the file lasts `scale / rate` seconds.
    rate: u32,
    scale: u32,
    /// The first timestamp, in ticks of the file.
    first: Option<u64>,
}

impl Splitter {
    /// The next picture, if all of it is there. Timestamps count from the first one.
    fn pop(&mut self) -> Result<Option<AccessUnit>, IvfError> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                if self.buffer.len() < HEADER {
                    return Ok(None);
                }
                none.insert(header(&self.buffer.split_to(HEADER)).ok_or(IvfError::Header)?)
            }
        };
        let Some(header) = self.buffer.first_chunk::<PICTURE_HEADER>() else { return Ok(None) };
        let [s0, s1, s2, s3, time @ ..] = *header;
        let size = u32::from_le_bytes([s0, s1, s2, s3]) as usize;
        if size > MAX_PICTURE {
            return Err(IvfError::TooLarge(size));
        }
        if self.buffer.len() < PICTURE_HEADER + size {
            return Ok(None);
        }
        self.buffer.advance(PICTURE_HEADER);
        let mut data = self.buffer.split_to(size).freeze();
        if stream.codec == Codec::Av1 {
            av1::strip_temporal_delimiter(&mut data);
        }
        let timestamp = stream.timestamp(u64::from_le_bytes(time));
        Ok(Some(AccessUnit { codec: stream.codec, timestamp, discontinuity: false, data }))
    }
}

/// Parses the header; `None` if it is invalid or its clock rate is zero.
fn header(bytes: &[u8]) -> Option<Stream> {
    let codec = codec_of(bytes)?;
    let number = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let (rate, scale) = (number(16)?, number(20)?);
    (rate > 0 && scale > 0).then_some(Stream { codec, rate, scale, first: None })
}

impl Stream {
    fn timestamp(&mut self, ticks: u64) -> Timestamp90k {
        let since_first = ticks.saturating_sub(*self.first.get_or_insert(ticks));
        let scaled = u128::from(since_first) * u128::from(self.scale) * u128::from(Timestamp90k::HZ);
        Timestamp90k(u64::try_from(scaled / u128::from(self.rate)).unwrap_or(u64::MAX))
    }
}

/// Reads the pictures of an IVF stream.
#[derive(Debug)]
pub(super) struct IvfReader<R> {
    from: R,
    splitter: Splitter,
}

impl<R: AsyncRead + Unpin> IvfReader<R> {
    /// `start` are the bytes that were already read.
    pub(super) fn new(start: BytesMut, from: R) -> Self {
        Self { from, splitter: Splitter { buffer: start, stream: None } }
    }

    /// The next picture; `None` at the end. Cancel-safe.
    pub(super) async fn next(&mut self) -> io::Result<Option<AccessUnit>> {
        loop {
            if let Some(unit) = self.splitter.pop().map_err(io::Error::other)? {
                return Ok(Some(unit));
            }
            self.splitter.buffer.reserve(READ_AT_ONCE);
            if self.from.read_buf(&mut self.splitter.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of ffmpeg 5.1: `-c:v libaom-av1 -f ivf`, 30 pictures per second.
    fn file(codec: [u8; 4], rate: u32, scale: u32, pictures: &[(u64, &[u8])]) -> Vec<u8> {
        let mut file = [&SIGNATURE[..], &[0, 0, 32, 0], &codec, &[0x80, 2, 0x68, 1]].concat();
        file.extend(rate.to_le_bytes().iter().chain(&scale.to_le_bytes()).chain(&[0; 8]));
        for (time, data) in pictures {
            file.extend((data.len() as u32).to_le_bytes());
            file.extend(time.to_le_bytes());
            file.extend(*data);
        }
        file
    }

    fn pictures(splitter: &mut Splitter, bytes: &[u8]) -> Result<Vec<AccessUnit>, IvfError> {
        splitter.buffer.extend_from_slice(bytes);
        std::iter::from_fn(|| splitter.pop().transpose()).collect()
    }

    #[test]
    fn the_codec_is_read_from_its_four_letters_and_others_are_refused() {
        for (letters, codec) in [
            (b"VP80", Some(Codec::Vp8)),
            (b"VP90", Some(Codec::Vp9)),
            (b"AV01", Some(Codec::Av1)),
            (b"H264", None),
        ] {
            assert_eq!(codec_of(&file(*letters, 30, 1, &[])), codec);
        }
        assert_eq!(codec_of(b"DKIF"), None);
        assert_eq!(codec_of(b"RIFF\0\0\x20\0AV01"), None);
    }

    #[test]
    fn times_count_from_the_first_picture_in_90_khz_whatever_the_file_counts_in() {
        for (rate, scale, times) in
            [(30, 1, [7, 8, 10]), (1000, 1, [500, 533, 600]), (30_000, 1001, [0, 1, 3])]
        {
            let bytes = file(*b"VP80", rate, scale, &times.map(|time| (time, &b"x"[..])));
            let units = pictures(&mut Splitter::default(), &bytes).expect("an IVF");
            let frame = f64::from(scale) / f64::from(rate) * 90_000.0;
            let expected = times.map(|time| ((time - times[0]) as f64 * frame) as u64);
            assert_eq!(units.iter().map(|unit| unit.timestamp.0).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_temporal_delimiter_is_left_out() {
        let bytes = file(*b"AV01", 30, 1, &[(0, &[0x12, 0x00, 0x32, 0x02, 0x30, 0x00])]);
        let units = pictures(&mut Splitter::default(), &bytes).expect("an IVF");
        assert_eq!(units[0].data[..], [0x32, 0x02, 0x30, 0x00]);
    }

    #[test]
    fn a_bad_header_a_zero_clock_rate_and_an_oversized_picture_are_errors() {
        let split = |bytes: &[u8]| pictures(&mut Splitter::default(), bytes).map(|units| units.len());
        assert_eq!(split(&[0; HEADER]), Err(IvfError::Header));
        assert_eq!(split(&file(*b"AV01", 0, 1, &[])), Err(IvfError::Header));
        let endless = [file(*b"AV01", 30, 1, &[]), vec![0xff; PICTURE_HEADER]].concat();
        assert_eq!(split(&endless), Err(IvfError::TooLarge(u32::MAX as usize)));
    }

    proptest! {
        #[test]
        fn the_pictures_do_not_depend_on_how_the_bytes_are_split(
            sizes in prop::collection::vec(0..300_usize, 0..20),
            cuts in prop::collection::vec(1..200_usize, 1..60),
        ) {
            let data: Vec<Vec<u8>> = sizes.iter().enumerate().map(|(i, size)| vec![i as u8; *size]).collect();
            let timed: Vec<(u64, &[u8])> = data.iter().enumerate().map(|(i, data)| (i as u64, &data[..])).collect();
            let bytes = file(*b"VP90", 30, 1, &timed);
            let (mut splitter, mut units, mut rest) = (Splitter::default(), Vec::new(), &bytes[..]);
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                units.extend(pictures(&mut splitter, now).expect("an IVF"));
                rest = later;
            }
            let found: Vec<Vec<u8>> = units.iter().map(|unit| unit.data.to_vec()).collect();
            prop_assert_eq!(found, data);
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, tail: Vec<u8>, rate: u32, scale: u32, time: u64) {
            let _ = pictures(&mut Splitter::default(), &bytes);
            let letters = [*b"VP80", *b"VP90", *b"AV01"];
            for codec in letters {
                let file = file(codec, rate, scale, &[(0, &tail), (time, &tail)]);
                let _ = pictures(&mut Splitter::default(), &[file, tail.clone()].concat());
            }
        }
    }
}
