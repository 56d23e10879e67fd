//! Every parser of foreign bytes as a function of bytes. `tests/fuzz.rs` runs them over the corpus in `fuzz/corpus` and over
//! mutations of it; the crate in `fuzz/` runs them under libFuzzer. Not part of the library's interface.

use bytes::Bytes;
use multistream_protocol::{ClientMessage, ServerMessage};
use rtc::rtp::Packet;
use rtc::shared::marshal::Unmarshal as _;

use crate::bitstream::access_unit::Bounds;
use crate::bitstream::nal::NalCodec;
use crate::bitstream::{Codec, annex_b, av1, leb128, parameters, sps, vpx};
use crate::config::Config;
use crate::media::{AccessUnit, Framer, Timestamp90k};
use crate::rtp::depacketize::Depacketizer;
use crate::{rtc as peers, rtsp_out, source};

/// A parser that has to return for any bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name, which is also that of its folder in the corpus.
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// How many mutations of the corpus the tests try, which take about a second.
    pub mutations: u32,
}

const fn target(name: &'static str, run: fn(&[u8]), mutations: u32) -> Target {
    Target { name, run, mutations }
}

pub const TARGETS: &[Target] = &[
    target("annex-b", annex_b_headers, 150_000),
    target("av1", av1_headers, 500_000),
    target("byte-stream", source::fuzzing::byte_stream, 60_000),
    target("config", config, 20_000),
    target("datagrams", peers::fuzzing::datagrams, 2_000),
    target("ffmpeg-sdp", source::fuzzing::ffmpeg_sdp, 200_000),
    target("framer", framer, 200_000),
    target("ice-tcp", peers::fuzzing::ice_tcp, 400_000),
    target("ivf", source::fuzzing::ivf, 400_000),
    target("message", message, 150_000),
    target("offer", peers::fuzzing::offer, 300),
    target("onvif", source::fuzzing::onvif, 10_000),
    target("rtp", rtp, 300_000),
    target("rtsp-requests", rtsp_out::fuzzing::requests, 60_000),
    target("vpx", vpx_headers, 500_000),
];

/// Splits bytes into pieces, each after its length in two bytes; the last one may be shorter.
pub(crate) fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (piece, after) = after.split_at(usize::from(u16::from_be_bytes(*length)).min(after.len()));
        rest = after;
        Some(piece)
    })
}

/// Splits bytes into a codec, by the first byte, and the rest.
fn of_a_codec(bytes: &[u8]) -> Option<(Codec, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    Some((Codec::ALL[usize::from(*first) % Codec::ALL.len()], rest))
}

/// A config file.
fn config(bytes: &[u8]) {
    let _ = Config::parse("fuzz.yaml", &String::from_utf8_lossy(bytes), &|_| None);
}

/// A text frame of the WebSocket, as either side reads it.
fn message(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = (ClientMessage::from_text(&text), ServerMessage::from_text(&text));
}

/// NAL units and parameter sets of both codecs.
fn annex_b_headers(bytes: &[u8]) {
    for codec in [NalCodec::H264, NalCodec::H265] {
        let mut bounds = Bounds::new(codec);
        for nal in annex_b::split(&Bytes::copy_from_slice(bytes)) {
            let _ = (parameters::sps(codec, &nal), parameters::pps(codec, &nal), parameters::vps_id(&nal));
            let _ = parameters::pps_of_slice(codec, &nal);
            let _ = (codec.kind(&nal), bounds.place(&nal), sps::dimensions(codec, &nal));
        }
        let _ = (NalCodec::of_byte_stream(bytes), sps::dimensions(codec, bytes));
    }
}

fn av1_headers(bytes: &[u8]) {
    let mut unit = Bytes::copy_from_slice(bytes);
    let _ = (leb128::read(bytes), av1::read(bytes));
    av1::strip_temporal_delimiter(&mut unit);
    let _ = av1::read(&unit);
}

fn vpx_headers(bytes: &[u8]) {
    let _ = (vpx::vp8_key_frame(bytes), vpx::vp9_key_frame(bytes));
}

/// RTP packets of one stream, as ffmpeg sends them.
fn rtp(bytes: &[u8]) {
    let Some((codec, packets)) = of_a_codec(bytes) else { return };
    let mut depacketizer = Depacketizer::new(codec, Vec::new());
    for packet in pieces(packets) {
        if let Ok(packet) = Packet::unmarshal(&mut &*packet) {
            depacketizer.push(&packet);
            if depacketizer.waits() && packet.header.padding {
                depacketizer.flush();
            }
            while depacketizer.pop().is_some() {}
        }
    }
}

/// Access units of one stream, on their way to frames and RTP payloads.
fn framer(bytes: &[u8]) {
    let Some((codec, units)) = of_a_codec(bytes) else { return };
    let mut framer = Framer::new();
    for (number, data) in (0..).zip(pieces(units)) {
        let data = Bytes::copy_from_slice(data);
        let unit = AccessUnit { codec, timestamp: Timestamp90k(number * 3000), discontinuity: false, data };
        let _ = framer.frame(unit, Timestamp90k(number * 3000));
    }
}
