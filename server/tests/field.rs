//! Tests with the offers of browsers and the parameter sets of encoders in `testdata`, each with properties seen in practice.
//! `testdata/README.md` names their origins.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Instant;

use bytes::Bytes;
use multistream::bitstream::nal::{NalCodec, NalKind};
use multistream::bitstream::{Codec, Dimensions, annex_b, sps};
use multistream::config::WebrtcConfig;
use multistream::rtc::{Answer, Peer, Port};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata").join(name)
}

fn files(name: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder(name)).expect("the folder is there");
    entries.map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned()).collect()
}

/// An offer, its number of slots, and the payload type to use for each codec, in order of preference.
type Offer = (&'static str, usize, &'static [(Codec, u8)]);

const CHROMIUM: &[(Codec, u8)] = &[(Codec::Vp8, 96), (Codec::Vp9, 98), (Codec::H264, 102), (Codec::Av1, 45)];
const FIREFOX: &[(Codec, u8)] = &[(Codec::Vp8, 120), (Codec::Vp9, 121), (Codec::H264, 126), (Codec::Av1, 99)];
const SAFARI: &[(Codec, u8)] =
    &[(Codec::H264, 96), (Codec::H265, 100), (Codec::Vp8, 102), (Codec::Vp9, 104), (Codec::Av1, 106)];

const CHROME_ANDROID: &[(Codec, u8)] =
    &[(Codec::Vp8, 96), (Codec::Vp9, 98), (Codec::Av1, 39), (Codec::H264, 103)];
const EDGE: &[(Codec, u8)] =
    &[(Codec::Vp8, 96), (Codec::Vp9, 98), (Codec::H264, 102), (Codec::Av1, 45), (Codec::H265, 50)];
const FIREFOX_ANDROID: &[(Codec, u8)] =
    &[(Codec::H264, 126), (Codec::Vp8, 120), (Codec::Vp9, 121), (Codec::Av1, 99)];

const OFFERS: &[Offer] = &[
    ("android-webview-136-2-slots.sdp", 2, &[(Codec::Vp8, 96), (Codec::Vp9, 98), (Codec::Av1, 39)]),
    ("chrome-android-135-4-slots.sdp", 4, CHROME_ANDROID),
    ("chromium-156-1-slots.sdp", 1, CHROMIUM),
    ("chromium-156-6-slots.sdp", 6, CHROMIUM),
    ("edge-156-3-slots.sdp", 3, EDGE),
    ("firefox-128-1-slots.sdp", 1, FIREFOX),
    ("firefox-128-6-slots.sdp", 6, FIREFOX),
    ("firefox-153-3-slots.sdp", 3, FIREFOX),
    ("firefox-android-128-3-slots.sdp", 3, FIREFOX_ANDROID),
    ("safari-13-2-slots.sdp", 2, &[(Codec::H264, 96), (Codec::Vp8, 100)]),
    ("safari-17-3-slots.sdp", 3, SAFARI),
    ("safari-18-6-slots.sdp", 6, SAFARI),
    ("safari-ios-17-3-slots.sdp", 3, &[(Codec::H264, 96), (Codec::Vp8, 104), (Codec::Vp9, 106)]),
];

#[test]
fn every_offer_of_the_folder_has_a_row() {
    let rows: BTreeSet<String> = OFFERS.iter().map(|(file, ..)| (*file).to_owned()).collect();
    assert_eq!(files("offers"), rows);
}

#[tokio::test]
async fn every_browsers_offer_gets_a_slot_on_each_m_line_under_its_own_payload_types() {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let port = Port::open(&WebrtcConfig { listen, ..WebrtcConfig::default() }).await.expect("port 0 is free");
    for (file, slots, codecs) in OFFERS {
        let offer = fs::read_to_string(folder("offers").join(file)).expect("it can be read");
        let (_, answer) = Peer::answer(Instant::now(), &offer, *slots, &port)
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        let Answer { sdp, slots: negotiated, .. } = answer;
        let expected: Vec<String> = (0..*slots).map(|mid| mid.to_string()).collect();
        let mids: Vec<_> = negotiated.iter().map(|slot| slot.mid.as_str()).collect();
        assert_eq!(mids, expected, "{file}");
        for types in negotiated.iter().map(|slot| &slot.payload_types) {
            let sent: Vec<_> = types.codecs().map(|codec| (codec, types.of(codec).unwrap_or(0))).collect();
            assert_eq!(&sent, codecs, "{file}");
        }
        for extension in ["rtp-hdrext/playout-delay", "transport-wide-cc-extensions-01"] {
            assert_eq!(sdp.matches(extension).count(), *slots, "{file}, {extension}:\n{sdp}");
        }
        let sending = sdp.lines().filter(|line| *line == "a=sendonly").count();
        let rejected = sdp.lines().filter(|line| line.starts_with("m=video 0 ")).count();
        assert_eq!((sending, rejected), (*slots, 0), "{file}:\n{sdp}");
        assert_eq!(sdp.matches("a=setup:passive").count(), *slots, "{file}:\n{sdp}");
    }
}

/// The lines of each video m-section.
fn sections(sdp: &str) -> Vec<Vec<&str>> {
    let mut sections: Vec<Vec<&str>> = Vec::new();
    for line in sdp.lines() {
        if line.starts_with("m=") {
            sections.push(Vec::new());
        }
        if let Some(section) = sections.last_mut() {
            section.push(line);
        }
    }
    sections
}

fn payload_types<'a>(section: &[&'a str]) -> Vec<&'a str> {
    section[0].split(' ').skip(3).collect()
}

/// The rest of the lines that begin with this, without the direction of a header extension (`extmap:6/recvonly`).
fn values(section: &[&str], begin: &str) -> BTreeSet<String> {
    let values = section.iter().filter_map(|line| line.strip_prefix(begin));
    values.map(|value| value.replacen("/recvonly", "", 1)).collect()
}

#[tokio::test]
async fn an_answer_has_nothing_that_the_browser_did_not_offer() {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let port = Port::open(&WebrtcConfig { listen, ..WebrtcConfig::default() }).await.expect("port 0 is free");
    for (file, slots, _) in OFFERS {
        let offer = fs::read_to_string(folder("offers").join(file)).expect("it can be read");
        let (_, answer) = Peer::answer(Instant::now(), &offer, *slots, &port)
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        let mids: Vec<String> = (0..*slots).map(|mid| mid.to_string()).collect();
        let bundle = format!("a=group:BUNDLE {}", mids.join(" "));
        assert!(answer.sdp.lines().any(|line| line == bundle), "{file}: {}", answer.sdp);
        let (offered, answered) = (sections(&offer), sections(&answer.sdp));
        assert_eq!(answered.len(), offered.len(), "{file}");
        for (offered, answered) in offered.iter().zip(&answered) {
            let types = payload_types(answered);
            assert!(!types.is_empty(), "{file}: an m-line without a codec");
            let known = payload_types(offered);
            assert!(types.iter().all(|payload_type| known.contains(payload_type)), "{file}: {types:?}");
            // The names and parameters of the payload types as well: among these the profile and the level of H.264.
            for begin in ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:", "a=extmap:"] {
                let more: Vec<_> =
                    values(answered, begin).difference(&values(offered, begin)).cloned().collect();
                assert!(more.is_empty(), "{file}: {begin}{more:?} was not offered");
            }
            for h264 in values(answered, "a=rtpmap:").iter().filter(|value| value.contains("H264")) {
                let payload_type = h264.split(' ').next().unwrap_or_default();
                let parameters = values(answered, &format!("a=fmtp:{payload_type} "));
                assert!(
                    parameters
                        .iter()
                        .any(|value| value.contains("packetization-mode=1")
                            && value.contains("profile-level-id=")),
                    "{file}: {payload_type}: {parameters:?}"
                );
            }
        }
    }
}

/// `h264-cropped-1920x1080.bin` → the codec and the size of what it describes.
fn told_by_its_name(file: &str) -> Option<(NalCodec, Dimensions)> {
    let (codec, trait_and_size) = file.strip_suffix(".bin")?.split_once('-')?;
    let codec = if codec == "h265" { NalCodec::H265 } else { NalCodec::H264 };
    let (width, height) = trait_and_size.rsplit_once('-')?.1.split_once('x')?;
    Some((codec, Dimensions { width: width.parse().ok()?, height: height.parse().ok()? }))
}

#[test]
fn every_parameter_set_is_read_to_the_size_of_its_picture() {
    let files = files("parameter-sets");
    assert!(files.len() >= 15, "{files:?}");
    for file in files {
        let (codec, size) = told_by_its_name(&file).unwrap_or_else(|| panic!("{file} does not name a size"));
        let bytes = fs::read(folder("parameter-sets").join(&file)).expect("it can be read");
        assert_eq!(NalCodec::of_byte_stream(&bytes), Some(codec), "{file}");
        let sets: Vec<Bytes> = annex_b::split(&Bytes::from(bytes)).collect();
        let sps = sets.iter().find(|nal| codec.kind(nal) == NalKind::Sps).expect("it holds an SPS");
        assert_eq!(sps::dimensions(codec, sps), Some(size), "{file}");
        assert!(sets.iter().any(|nal| codec.kind(nal) == NalKind::Pps), "{file} holds no PPS");
    }
}
