//! Turns a source's access units into frames for the viewers. All that a browser needs of a stream is made sure here: sources
//! deliver what they receive, and nothing behind the framer changes a frame.

use bytes::Bytes;

use super::parameter_sets::ParameterSets;
use super::{AccessUnit, Frame, Timeline, Timestamp90k};
use crate::bitstream::nal::{NalCodec, NalKind};
use crate::bitstream::{Codec, Dimensions, annex_b, av1, sps, vpx};
use crate::rtp::packetize;

/// Makes frames of one stream's access units. Whether a picture is a key frame is read from the picture itself.
///
/// It drops everything before a key frame: at the start, after a loss, and after a damaged picture. A frozen picture is better
/// than one with decoding errors.
///
/// For H.264 and H.265, access unit delimiters and filler are removed, and a key frame gets all parameter sets in front that the
/// pictures up to the next one may use, whenever they were sent, since a browser has no other source of them.
#[derive(Debug, Default)]
pub struct Framer {
    timeline: Timeline,
    /// The stream's present codec; `None` before the first picture of a run of the source.
    codec: Option<Codec>,
    /// Whether a key frame was received, and every picture since then.
    whole: bool,
    parameter_sets: ParameterSets,
    /// The SPS that was parsed last, and the sizes in it.
    size: Option<(Bytes, Sizes)>,
}

/// Why there is no frame of an access unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The unit contains only parameter sets, which the framer remembers, or metadata. This is no fault.
    #[error("the access unit holds no picture")]
    NoPicture,
    #[error("the key frame came before the parameter sets it needs")]
    NoParameterSets,
    #[error(transparent)]
    Damaged(#[from] av1::DamagedObu),
    #[error("no key frame has come since the start or the last loss")]
    AwaitsKeyFrame,
}

/// The sizes of a picture, as [`Frame`] has them.
#[derive(Debug, Clone, Copy, Default)]
struct Sizes {
    coded: Option<Dimensions>,
    display: Option<Dimensions>,
}

impl From<Option<Dimensions>> for Sizes {
    fn from(coded: Option<Dimensions>) -> Self {
        Self { coded, display: None }
    }
}

/// A coded picture, ready to be packetized.
struct Picture {
    keyframe: bool,
    /// Those of a key frame.
    sizes: Sizes,
    coded: Coded,
}

enum Coded {
    NalUnits(NalCodec, Vec<Bytes>),
    Vp8(Bytes),
    Vp9(Bytes),
    Av1(Bytes),
}

impl Framer {
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the codec and the timestamps when the source is restarted.
    pub fn restart(&mut self) {
        self.timeline.restart();
        self.codec = None;
    }

    /// Makes a frame of an access unit that arrived at `arrival`, or says why there is none.
    pub fn frame(&mut self, unit: AccessUnit, arrival: Timestamp90k) -> Result<Frame, FrameError> {
        let AccessUnit { codec, timestamp, discontinuity, data } = unit;
        if self.codec.replace(codec) != Some(codec) {
            self.parameter_sets = ParameterSets::default();
            self.size = None;
            self.whole = false;
        }
        self.whole &= !discontinuity;
        let picture = match self.read(codec, data) {
            Ok(picture) => picture,
            Err(error) => {
                self.whole &= error == FrameError::NoPicture;
                return Err(error);
            }
        };
        // Pictures that are dropped below also advance the timeline.
        let timestamp = self.timeline.place(timestamp, arrival);
        self.whole |= picture.keyframe;
        if !self.whole {
            return Err(FrameError::AwaitsKeyFrame);
        }
        let payloads = picture.cut();
        if payloads.is_empty() {
            return Err(FrameError::NoPicture);
        }
        Ok(Frame {
            codec,
            timestamp,
            keyframe: picture.keyframe,
            dimensions: picture.sizes.coded,
            display: picture.sizes.display,
            payloads: payloads.into(),
        })
    }

    fn read(&mut self, codec: Codec, data: Bytes) -> Result<Picture, FrameError> {
        match codec {
            Codec::H264 => self.nal_units(NalCodec::H264, &data),
            Codec::H265 => self.nal_units(NalCodec::H265, &data),
            // The frame tag alone has three bytes (RFC 6386 §9.1); an encoder that drops a frame may write fewer.
            Codec::Vp8 if data.len() < 3 => Err(FrameError::NoPicture),
            Codec::Vp8 => {
                let dimensions = vpx::vp8_key_frame(&data);
                Ok(Picture {
                    keyframe: dimensions.is_some(),
                    sizes: dimensions.into(),
                    coded: Coded::Vp8(data),
                })
            }
            Codec::Vp9 => {
                let dimensions = vpx::vp9_key_frame(&data);
                Ok(Picture {
                    keyframe: dimensions.is_some(),
                    sizes: dimensions.into(),
                    coded: Coded::Vp9(data),
                })
            }
            Codec::Av1 => {
                let av1::Unit { keyframe, dimensions } = av1::read(&data)?;
                let dimensions = dimensions.filter(|_| keyframe);
                Ok(Picture { keyframe, sizes: dimensions.into(), coded: Coded::Av1(data) })
            }
        }
    }

    fn nal_units(&mut self, codec: NalCodec, data: &Bytes) -> Result<Picture, FrameError> {
        let mut nals: Vec<Bytes> = annex_b::split(data)
            .filter(|nal| nal.len() > codec.header_len() && codec.kind(nal) != NalKind::Padding)
            .collect();
        self.parameter_sets.remember(codec, &nals);
        if !nals.iter().any(|nal| codec.kind(nal).is_slice()) {
            return Err(FrameError::NoPicture);
        }
        let keyframe = nals.iter().any(|nal| codec.kind(nal) == NalKind::KeySlice);
        let mut sizes = Sizes::default();
        if keyframe {
            let needed = self.parameter_sets.needed(codec, &nals).ok_or(FrameError::NoParameterSets)?;
            needed.put_first(&mut nals);
            sizes = known_sizes(&mut self.size, codec, needed.sps);
        }
        Ok(Picture { keyframe, sizes, coded: Coded::NalUnits(codec, nals) })
    }
}

/// The sizes in an SPS, which is parsed only when it is not that of `known`.
fn known_sizes(known: &mut Option<(Bytes, Sizes)>, codec: NalCodec, sps: &Bytes) -> Sizes {
    if let Some((known, sizes)) = known
        && known == sps
    {
        return *sizes;
    }
    let size = sps::dimensions(codec, sps);
    let sizes = Sizes { coded: size, display: size.and_then(|size| sps::display(codec, sps, size)) };
    *known = Some((sps.clone(), sizes));
    sizes
}

impl Picture {
    fn cut(&self) -> Vec<Bytes> {
        match &self.coded {
            Coded::NalUnits(codec, nals) => packetize::nal_units(*codec, nals),
            Coded::Vp8(frame) => packetize::vp8(frame),
            Coded::Vp9(frame) => packetize::vp9(frame, self.keyframe),
            Coded::Av1(unit) => packetize::av1(unit, self.keyframe),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPS: &[u8] = &[
        0x67, 0x42, 0xc0, 0x28, 0xda, 0x01, 0xe0, 0x08, 0x9f, 0x97, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10,
        0x00, 0x00, 0x03, 0x03, 0x20, 0xf1, 0x83, 0x2a,
    ];
    const PPS: &[u8] = &[0x68, 0xeb, 0xe3];
    const AUD: &[u8] = &[0x09, 0xf0];
    const IDR: &[u8] = &[0x65, 0x88, 0x84];
    const DELTA: &[u8] = &[0x41, 0x9a, 0x24];

    fn unit(nals: &[&'static [u8]]) -> AccessUnit {
        let nals: Vec<Bytes> = nals.iter().map(|nal| Bytes::from_static(nal)).collect();
        AccessUnit {
            codec: Codec::H264,
            timestamp: Timestamp90k(0),
            discontinuity: false,
            data: annex_b::join(&nals),
        }
    }

    /// A key frame, as a source delivers it.
    fn picture_of(codec: Codec) -> AccessUnit {
        const VP8: &[u8] = &[0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x42, 0x68, 0x81];
        const VP9: &[u8] = &[0x82, 0x49, 0x83, 0x42, 0x00, 0x4f, 0xf0, 0x2c, 0xf6];
        const AV1: &[u8] = &[
            0x0a, 0x0b, 0x00, 0x00, 0x00, 0x0c, 0xc4, 0xff, 0x67, 0x36, 0xbe, 0x40, 0x10, 0x32, 0x02, 0x10,
            0x00,
        ];
        let data = match codec {
            Codec::H264 => return unit(&[SPS, PPS, IDR]),
            Codec::H265 => {
                let nals = [[32 << 1, 1, 1], [33 << 1, 1, 1], [34 << 1, 1, 1], [19 << 1, 1, 0xa8]];
                annex_b::join(&nals.map(|nal| Bytes::copy_from_slice(&nal)))
            }
            // Copies: static bytes are never unique.
            Codec::Vp8 => Bytes::copy_from_slice(VP8),
            Codec::Vp9 => Bytes::copy_from_slice(VP9),
            Codec::Av1 => Bytes::copy_from_slice(AV1),
        };
        AccessUnit { codec, data, ..unit(&[]) }
    }

    fn nals(frame: &Frame) -> Vec<Bytes> {
        annex_b::split(&frame.access_unit().expect("whole")).collect()
    }

    #[test]
    fn a_key_frame_is_recognised_by_its_slices_and_its_size_is_read() {
        let frame = Framer::new().frame(unit(&[SPS, PPS, IDR]), Timestamp90k(7)).expect("a frame");
        assert!(frame.keyframe);
        assert_eq!(frame.dimensions, Some(Dimensions { width: 1920, height: 1080 }));
        assert_eq!(frame.timestamp, Timestamp90k(7));
    }

    #[test]
    fn parameter_sets_that_were_sent_once_are_put_before_every_key_frame() {
        let mut framer = Framer::new();
        assert_eq!(
            framer.frame(unit(&[SPS, PPS]), Timestamp90k(0)).expect_err("no picture"),
            FrameError::NoPicture
        );
        for _ in 0..2 {
            let frame = framer.frame(unit(&[IDR]), Timestamp90k(0)).expect("a frame");
            assert_eq!(nals(&frame), [SPS, PPS, IDR]);
        }
    }

    #[test]
    fn a_key_frame_without_any_parameter_sets_is_not_passed_on() {
        let error = Framer::new().frame(unit(&[IDR]), Timestamp90k(0)).expect_err("cannot be decoded");
        assert_eq!(error, FrameError::NoParameterSets);
    }

    #[test]
    fn delimiters_are_removed_at_any_position() {
        let frame = Framer::new().frame(unit(&[AUD, SPS, PPS, AUD, IDR]), Timestamp90k(0)).expect("a frame");
        assert_eq!(nals(&frame), [SPS, PPS, IDR]);
    }

    #[test]
    fn a_frame_holds_its_payloads_and_nothing_of_the_access_unit() {
        for codec in Codec::ALL {
            let unit = picture_of(codec);
            let data = unit.data.clone();
            let frame = Framer::new().frame(unit, Timestamp90k(0)).expect("a frame");
            assert!(data.is_unique(), "{codec}: {} bytes are held besides the payloads", data.len());
            assert!(frame.keyframe);
        }
    }

    #[test]
    fn the_access_unit_can_be_joined_again() {
        for codec in Codec::ALL {
            let unit = picture_of(codec);
            let data = unit.data.clone();
            let frame = Framer::new().frame(unit, Timestamp90k(0)).expect("a frame");
            assert_eq!(frame.access_unit(), Some(data), "{codec}");
        }
    }

    #[test]
    fn nal_units_whose_types_rtp_uses_for_packets_are_removed() {
        let frame = Framer::new().frame(unit(&[SPS, PPS, &[28, 0x80, 1], IDR]), Timestamp90k(0));
        assert_eq!(nals(&frame.expect("a frame")), [SPS, PPS, IDR]);
    }

    #[test]
    fn frames_wait_for_a_key_frame_of_their_codec() {
        let mut framer = Framer::new();
        assert!(framer.frame(unit(&[DELTA]), Timestamp90k(0)).is_err(), "at the start");
        framer.frame(unit(&[SPS, PPS, IDR]), Timestamp90k(0)).expect("a key frame");
        framer.frame(unit(&[DELTA]), Timestamp90k(0)).expect("it follows on a key frame");
        let other = AccessUnit { codec: Codec::Vp8, data: Bytes::from_static(&[1, 2, 3, 4]), ..unit(&[]) };
        assert!(framer.frame(other, Timestamp90k(0)).is_err(), "of another codec");
    }

    #[test]
    fn after_a_loss_nothing_passes_until_the_next_key_frame() {
        let mut framer = Framer::new();
        let key_frame = || unit(&[SPS, PPS, IDR]);
        let after_loss = |unit| AccessUnit { discontinuity: true, ..unit };
        let passed = [
            key_frame(),
            unit(&[DELTA]),
            after_loss(unit(&[DELTA])),
            unit(&[DELTA]),
            // The lost pictures are older than the key frame, which does not refer to them.
            after_loss(key_frame()),
            unit(&[DELTA]),
        ]
        .map(|unit| framer.frame(unit, Timestamp90k(0)).is_ok());
        assert_eq!(passed, [true, true, false, false, true, true]);
    }

    #[test]
    fn after_a_damaged_picture_nothing_passes_until_the_next_key_frame() {
        let mut framer = Framer::new();
        let of =
            |data: &'static [u8]| AccessUnit { data: Bytes::from_static(data), ..picture_of(Codec::Av1) };
        let inter = || of(&[0x32, 0x02, 0x30, 0x00]);
        let passed =
            [picture_of(Codec::Av1), inter(), of(&[0x32, 0x05, 0x30]), inter(), picture_of(Codec::Av1)]
                .map(|unit| framer.frame(unit, Timestamp90k(0)).is_ok());
        assert_eq!(passed, [true, true, false, false, true]);
    }

    #[test]
    fn parameter_sets_between_two_pictures_are_no_loss() {
        let mut framer = Framer::new();
        let passed = [unit(&[SPS, PPS, IDR]), unit(&[SPS, PPS]), unit(&[DELTA])]
            .map(|unit| framer.frame(unit, Timestamp90k(0)).is_ok());
        assert_eq!(passed, [true, false, true]);
    }

    #[test]
    fn parameter_sets_are_taken_from_pictures_that_do_not_pass() {
        let mut framer = Framer::new();
        let waiting = framer.frame(unit(&[SPS, PPS, DELTA]), Timestamp90k(0)).expect_err("no key frame");
        assert_eq!(waiting, FrameError::AwaitsKeyFrame);
        assert_eq!(nals(&framer.frame(unit(&[IDR]), Timestamp90k(0)).expect("a frame")), [SPS, PPS, IDR]);
    }

    #[test]
    fn a_source_that_comes_back_with_another_codec_needs_its_own_parameter_sets() {
        let mut framer = Framer::new();
        framer.frame(unit(&[SPS, PPS, IDR]), Timestamp90k(0)).expect("a frame");
        framer.restart();
        let other = AccessUnit { codec: Codec::H265, ..unit(&[&[19 << 1, 1, 0xa8]]) };
        assert_eq!(framer.frame(other, Timestamp90k(0)).expect_err("no VPS"), FrameError::NoParameterSets);
    }

    proptest! {
        #[test]
        fn whatever_passes_can_be_joined_again(
            codec in prop::sample::select(&Codec::ALL[..]),
            units in prop::collection::vec(any::<Vec<u8>>(), 1..5),
        ) {
            let mut framer = Framer::new();
            framer.frame(picture_of(codec), Timestamp90k(0)).expect("a key frame");
            for mut data in units {
                if codec.nal().is_some() {
                    data.splice(..0, annex_b::START_CODE);
                }
                let unit = AccessUnit { codec, data: data.into(), ..unit(&[]) };
                if let Ok(frame) = framer.frame(unit, Timestamp90k(0)) {
                    prop_assert!(frame.access_unit().is_some(), "{:?}", frame.payloads);
                }
            }
        }
    }

    #[test]
    fn damaged_foreign_bytes_are_an_error_for_every_codec() {
        for codec in Codec::ALL {
            for data in [&[][..], &[0xff], &[0, 0, 1], &[0, 0, 1, 0x65]] {
                let unit = AccessUnit { codec, data: Bytes::from_static(data), ..unit(&[]) };
                assert!(Framer::new().frame(unit, Timestamp90k(0)).is_err(), "{codec}: {data:?}");
            }
        }
    }
}
