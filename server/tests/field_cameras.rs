//! Tests with the SDPs of cameras in `testdata/cameras`, served by a camera made here that sends one key frame: each stream is
//! recognised with its codec and size, or refused with a reason that a person can act upon.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use multistream::bitstream::nal::{NalCodec, NalKind};
use multistream::bitstream::{Codec, Dimensions, annex_b};
use multistream::config::{FfmpegConfig, RtspSource, RtspTransport, Source};
use multistream::media::{Framer, Timestamp90k};
use multistream::source::{Way, run_once};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata").join(path)
}

/// The parameter sets that a camera sends before its key frame, beside those in its SDP.
#[derive(Debug, Clone, Copy)]
enum InBand {
    Nothing,
    /// The sets of this file in `testdata/parameter-sets`.
    Sets(&'static str),
}

/// The expected result for a camera.
#[derive(Debug, Clone, Copy)]
enum Expected {
    Shows(Codec, u32, u32),
    /// An error whose message contains this.
    Refused(&'static str),
}

use Expected::{Refused, Shows};
use InBand::{Nothing, Sets};

const FULL_HD: InBand = Sets("h264-cropped-1920x1080.bin");

const CAMERAS: &[(&str, InBand, Expected)] = &[
    ("sets-out-of-band.sdp", Nothing, Shows(Codec::H264, 1920, 1080)),
    ("no-sets-and-sound.sdp", FULL_HD, Shows(Codec::H264, 1920, 1080)),
    ("rtpmap-with-a-space.sdp", Nothing, Shows(Codec::H264, 1280, 720)),
    ("sets-with-start-codes.sdp", Nothing, Shows(Codec::H264, 1280, 720)),
    ("one-set-of-two.sdp", Sets("h264-main-704x576.bin"), Shows(Codec::H264, 704, 576)),
    ("empty-sets.sdp", FULL_HD, Shows(Codec::H264, 1920, 1080)),
    ("metadata-and-recvonly.sdp", FULL_HD, Shows(Codec::H264, 1920, 1080)),
    ("three-sets.sdp", FULL_HD, Shows(Codec::H264, 1920, 1080)),
    ("no-fmtp.sdp", Sets("h264-interlaced-720x576.bin"), Shows(Codec::H264, 720, 576)),
    ("h265-out-of-band.sdp", Nothing, Shows(Codec::H265, 2688, 1520)),
    ("no-origin.sdp", FULL_HD, Shows(Codec::H264, 1920, 1080)),
    ("no-session-lines.sdp", Nothing, Refused("SDP")),
    ("mjpeg-only.sdp", Nothing, Refused("MJPEG")),
    ("sound-only.sdp", Nothing, Refused("no video")),
];

#[test]
fn every_camera_of_the_folder_has_a_row() {
    let rows: BTreeSet<String> = CAMERAS.iter().map(|(file, ..)| (*file).to_owned()).collect();
    let entries = fs::read_dir(testdata("cameras")).expect("the folder is there");
    let files: BTreeSet<String> =
        entries.map(|entry| entry.expect("listed").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(files, rows);
}

/// The NAL units of a key frame, each in a packet of its own (RFC 6184 §5.6, RFC 7798 §4.4.1), interleaved on the RTSP
/// connection (RFC 2326 §10.12).
fn key_frame(in_band: InBand, codec: Codec) -> Vec<u8> {
    let mut nals = match in_band {
        Nothing => Vec::new(),
        Sets(file) => {
            let sets = fs::read(testdata("parameter-sets").join(file)).expect("it can be read");
            annex_b::split(&sets.into()).collect()
        }
    };
    let slice: &[u8] =
        if codec == Codec::H265 { &[19 << 1, 1, 0xaf, 1, 2, 3] } else { &[0x65, 0x88, 0x84, 1, 2, 3] };
    nals.push(slice.into());
    let mut bytes = Vec::new();
    for (sequence_number, nal) in (1_u16..).zip(&nals) {
        let last = usize::from(sequence_number) == nals.len();
        bytes.extend([b'$', 0]);
        bytes.extend((12 + nal.len() as u16).to_be_bytes());
        bytes.extend([0x80, if last { 0x80 } else { 0 } | 0x60]);
        bytes.extend(sequence_number.to_be_bytes());
        bytes.extend(90_000_u32.to_be_bytes());
        bytes.extend(7_u32.to_be_bytes());
        bytes.extend_from_slice(nal);
    }
    bytes
}

/// The camera's side of one RTSP connection: it accepts every request, and sends its key frame after PLAY.
async fn answer(stream: TcpStream, sdp: String, key_frame: Vec<u8>) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let (mut request, mut headers) = (String::new(), BTreeMap::new());
    while let Some(line) = lines.next_line().await? {
        if request.is_empty() {
            request = line;
            continue;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            continue;
        }
        let method = request.split(' ').next().unwrap_or_default().to_owned();
        let cseq = headers.get("cseq").cloned().unwrap_or_default();
        let (more, body) = match &*method {
            "DESCRIBE" => {
                (format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n", sdp.len()), &*sdp)
            }
            "SETUP" => (
                "Transport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=00000007\r\nSession: 12345678\r\n"
                    .to_owned(),
                "",
            ),
            _ => ("Session: 12345678\r\n".to_owned(), ""),
        };
        writer.write_all(format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n{more}\r\n{body}").as_bytes()).await?;
        if method == "PLAY" {
            writer.write_all(&key_frame).await?;
        }
        request.clear();
        headers.clear();
    }
    Ok(())
}

/// The codec and size of the first frame of a camera with this SDP, or the message why there is none.
async fn first_frame(sdp: String, key_frame: Vec<u8>) -> Result<(Codec, Option<Dimensions>), String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("port 0 is free");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, sdp.clone(), key_frame.clone()));
        }
    });
    let source = RtspSource {
        transport: RtspTransport::Tcp,
        ..RtspSource::new(format!("rtsp://{address}/camera").parse().expect("a URL"))
    };
    let (output, mut units) = mpsc::channel(1);
    let run = tokio::spawn(async move {
        run_once(&Source::Rtsp(source), &FfmpegConfig::default(), Way::AsItIs, None, output).await
    });
    match timeout(PATIENCE, units.recv()).await.expect("a frame or an error in time") {
        Some(unit) => {
            let frame = Framer::new().frame(unit, Timestamp90k(0)).map_err(|error| error.to_string())?;
            Ok((frame.codec, frame.dimensions))
        }
        None => Err(run.await.expect("no panic").expect_err("it ended without a frame").to_string()),
    }
}

#[tokio::test]
async fn every_camera_is_shown_or_refused_with_a_reason() {
    let mut wrong = Vec::new();
    for (file, in_band, expected) in CAMERAS {
        let sdp = fs::read_to_string(testdata("cameras").join(file)).expect("it can be read");
        let codec = if file.starts_with("h265") { Codec::H265 } else { Codec::H264 };
        let outcome = first_frame(sdp, key_frame(*in_band, codec)).await;
        let is_right = match (expected, &outcome) {
            (Shows(codec, width, height), Ok(frame)) => {
                *frame == (*codec, Some(Dimensions { width: *width, height: *height }))
            }
            (Refused(reason), Err(sentence)) => sentence.contains(reason),
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{file}: expected {expected:?}, got {outcome:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn key_frames_of_this_test_begin_with_the_sets_of_their_file() {
    let bytes = key_frame(FULL_HD, Codec::H264);
    // The first NAL unit follows the interleaving and the RTP header.
    assert_eq!(NalCodec::H264.kind(&bytes[4 + 12..]), NalKind::Sps);
}
