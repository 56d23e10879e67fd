//! From what a source delivers to what viewers get: one place that makes every stream fit for a browser.

use bytes::Bytes;

use super::{AccessUnit, Frame, Timeline, Timestamp90k};
use crate::bitstream::nal::{NalCodec, NalKind};
use crate::bitstream::{Codec, Dimensions, annex_b, av1, sps, vpx};
use crate::rtp::packetize;

/// Makes frames of one stream's access units. It trusts no flag of the source: whether decoding can start at a picture is
/// read from the picture.
///
/// H.264 and H.265: access unit delimiters and filler are taken out; a key frame whose parameter sets were sent at another
/// time, or only once, gets them in front, for a browser has nothing else to decode it with.
#[derive(Debug, Default)]
pub struct Framer {
    timeline: Timeline,
    /// Of the stream as it is now; a source that comes back with another codec starts anew.
    codec: Option<Codec>,
    parameter_sets: ParameterSets,
    size: Option<(Bytes, Option<Dimensions>)>,
}

/// Why there is no frame of an access unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Parameter sets or metadata alone: kept where they matter, and no reason to worry.
    #[error("the access unit holds no picture")]
    NoPicture,
    #[error("the key frame came before the parameter sets it needs")]
    NoParameterSets,
    #[error(transparent)]
    Damaged(#[from] av1::DamagedObu),
}

/// The last that were sent of each kind: a unit may carry several of one kind.
#[derive(Debug, Default)]
struct ParameterSets {
    vps: Vec<Bytes>,
    sps: Vec<Bytes>,
    pps: Vec<Bytes>,
}

/// A coded picture, ready to be cut.
struct Picture {
    keyframe: bool,
    dimensions: Option<Dimensions>,
    data: Bytes,
    payloads: Vec<Bytes>,
}

impl Framer {
    pub fn new() -> Self {
        Self::default()
    }

    /// The source was started anew.
    pub fn restart(&mut self) {
        self.timeline.restart();
        self.codec = None;
    }

    pub fn frame(&mut self, unit: AccessUnit, arrival: Timestamp90k) -> Result<Frame, FrameError> {
        if self.codec.replace(unit.codec) != Some(unit.codec) {
            self.parameter_sets = ParameterSets::default();
            self.size = None;
        }
        let picture = match unit.codec {
            Codec::H264 => self.nal_units(NalCodec::H264, unit.data)?,
            Codec::H265 => self.nal_units(NalCodec::H265, unit.data)?,
            Codec::Vp8 => {
                let dimensions = vpx::vp8_key_frame(&unit.data);
                let payloads = packetize::vp8(&unit.data);
                Picture { keyframe: dimensions.is_some(), dimensions, data: unit.data, payloads }
            }
            Codec::Vp9 => {
                let dimensions = vpx::vp9_key_frame(&unit.data);
                let payloads = packetize::vp9(&unit.data, dimensions.is_some());
                Picture { keyframe: dimensions.is_some(), dimensions, data: unit.data, payloads }
            }
            Codec::Av1 => {
                let av1::Unit { keyframe, dimensions } = av1::read(&unit.data)?;
                let payloads = packetize::av1(&unit.data, keyframe);
                let dimensions = dimensions.filter(|_| keyframe);
                Picture { keyframe, dimensions, data: unit.data, payloads }
            }
        };
        if picture.payloads.is_empty() {
            return Err(FrameError::NoPicture);
        }
        Ok(Frame {
            codec: unit.codec,
            timestamp: self.timeline.place(unit.timestamp, arrival),
            keyframe: picture.keyframe,
            dimensions: picture.dimensions,
            payloads: picture.payloads.into(),
            data: picture.data,
        })
    }

    fn nal_units(&mut self, codec: NalCodec, data: Bytes) -> Result<Picture, FrameError> {
        let mut nals: Vec<Bytes> = annex_b::split(&data).collect();
        let all = nals.len();
        nals.retain(|nal| codec.kind(nal) != NalKind::Padding);
        self.parameter_sets.remember(codec, &nals);
        let keyframe = nals.iter().any(|nal| codec.kind(nal) == NalKind::KeySlice);
        if !keyframe && !nals.iter().any(|nal| codec.kind(nal) == NalKind::Slice) {
            return Err(FrameError::NoPicture);
        }
        let mut changed = nals.len() != all;
        if keyframe && !self.parameter_sets.begin(codec, &nals) {
            self.parameter_sets.put_first(codec, &mut nals)?;
            changed = true;
        }
        Ok(Picture {
            keyframe,
            dimensions: if keyframe { self.dimensions(codec) } else { None },
            data: if changed { annex_b::join(&nals) } else { data },
            payloads: packetize::nal_units(codec, &nals),
        })
    }

    /// Of the current SPS; read once for as long as it stays the same.
    fn dimensions(&mut self, codec: NalCodec) -> Option<Dimensions> {
        let sps = self.parameter_sets.sps.first()?;
        if let Some((known, dimensions)) = &self.size
            && known == sps
        {
            return *dimensions;
        }
        let dimensions = sps::dimensions(codec, sps);
        self.size = Some((sps.clone(), dimensions));
        dimensions
    }
}

impl ParameterSets {
    fn remember(&mut self, codec: NalCodec, nals: &[Bytes]) {
        for (kind, kept) in
            [(NalKind::Vps, &mut self.vps), (NalKind::Sps, &mut self.sps), (NalKind::Pps, &mut self.pps)]
        {
            let mut sent = nals.iter().filter(|nal| codec.kind(nal) == kind).peekable();
            if sent.peek().is_some() {
                // Copies: a slice would keep the whole access unit in memory for as long as the parameter set holds.
                *kept = sent.map(|nal| Bytes::copy_from_slice(nal)).collect();
            }
        }
    }

    /// Whether all that are known stand in the unit, before its first slice.
    fn begin(&self, codec: NalCodec, nals: &[Bytes]) -> bool {
        let before_slice =
            nals.iter().map(|nal| codec.kind(nal)).take_while(|kind| *kind != NalKind::KeySlice);
        let parameter_sets = before_slice.filter(|kind| kind.is_parameter_set()).count();
        let known = self.vps.len() + self.sps.len() + self.pps.len();
        parameter_sets >= known && !self.sps.is_empty() && !self.pps.is_empty()
    }

    fn put_first(&self, codec: NalCodec, nals: &mut Vec<Bytes>) -> Result<(), FrameError> {
        if self.sps.is_empty() || self.pps.is_empty() || (codec == NalCodec::H265 && self.vps.is_empty()) {
            return Err(FrameError::NoParameterSets);
        }
        nals.retain(|nal| !codec.kind(nal).is_parameter_set());
        nals.splice(..0, self.vps.iter().chain(&self.sps).chain(&self.pps).cloned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
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
            keyframe: false,
            data: annex_b::join(&nals),
        }
    }

    fn nals(frame: &Frame) -> Vec<Bytes> {
        annex_b::split(&frame.data).collect()
    }

    #[test]
    fn a_key_frame_is_known_by_its_slices_and_tells_its_size() {
        let frame = Framer::new().frame(unit(&[SPS, PPS, IDR]), Timestamp90k(7)).expect("a frame");
        assert!(frame.keyframe);
        assert_eq!(frame.dimensions, Some(Dimensions { width: 1920, height: 1080 }));
        assert_eq!(frame.timestamp, Timestamp90k(7));
    }

    #[test]
    fn parameter_sets_that_were_sent_once_stand_before_every_key_frame() {
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
    fn delimiters_are_taken_out_wherever_they_stand() {
        let frame = Framer::new().frame(unit(&[AUD, SPS, PPS, AUD, IDR]), Timestamp90k(0)).expect("a frame");
        assert_eq!(nals(&frame), [SPS, PPS, IDR]);
    }

    #[test]
    fn a_clean_unit_is_passed_on_without_a_copy() {
        let unit = unit(&[DELTA]);
        let data = unit.data.as_ptr();
        let frame = Framer::new().frame(unit, Timestamp90k(0)).expect("a frame");
        assert!(!frame.keyframe);
        assert_eq!(frame.data.as_ptr(), data);
    }

    #[test]
    fn a_source_that_comes_back_with_another_codec_needs_its_own_parameter_sets() {
        let mut framer = Framer::new();
        framer.frame(unit(&[SPS, PPS, IDR]), Timestamp90k(0)).expect("a frame");
        framer.restart();
        let mut other = unit(&[&[19 << 1, 1, 0x88]]);
        other.codec = Codec::H265;
        assert_eq!(framer.frame(other, Timestamp90k(0)).expect_err("no VPS"), FrameError::NoParameterSets);
    }

    #[test]
    fn damaged_foreign_bytes_are_an_error_for_every_codec() {
        for codec in Codec::ALL {
            for data in [&[][..], &[0xff], &[0, 0, 1], &[0, 0, 1, 0x65]] {
                let unit = AccessUnit {
                    codec,
                    timestamp: Timestamp90k(0),
                    keyframe: true,
                    data: Bytes::from_static(data),
                };
                if let Ok(frame) = Framer::new().frame(unit, Timestamp90k(0)) {
                    assert!(!frame.keyframe, "{codec}: {data:?}");
                }
            }
        }
    }
}
