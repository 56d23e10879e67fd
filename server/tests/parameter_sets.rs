//! Cameras that send their parameter sets rarely, late, or several of them in turn.

#[path = "support/camera.rs"]
#[allow(dead_code, reason = "each test file uses its own part of it")]
mod camera;
#[path = "support/clip.rs"]
#[allow(dead_code, reason = "each test file uses its own part of it")]
mod clip;
#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;
#[allow(dead_code, reason = "each test file uses its own part of it")]
#[path = "support/witness.rs"]
mod witness;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use multistream::config::{Config, FfmpegConfig, RtspSource, Source};
use multistream::media::{Codec, Dimensions, Framer, Timestamp90k};
use multistream::source::{Way, run_once};
use tokio::sync::mpsc;
use tokio::time::timeout;

use camera::{Camera, Picture};
use clip::Clip;
use support::{Server, rtsp};
use witness::{stream, watch};

/// How many pictures a GOP has.
const GOP: usize = 12;
const SIZES: [(&str, u32); 2] = [("160x90", 160), ("320x180", 320)];

/// A camera with two SPS and two PPS, of which each is used for every second GOP. They are sent before the first key frame and never
/// again, after `late` GOPs.
fn camera_of_two_sets(late: u32) -> Camera {
    let clips = [0, 1].map(|id| Clip::with(Codec::H264, SIZES[id].0, GOP, 1, &format!(":sps-id={id}")));
    let is_set = |nal: &Vec<u8>| matches!(nal[0] & 0x1f, 7 | 8);
    let sets: Vec<Vec<u8>> =
        clips.iter().flat_map(|clip| clip.pictures[0].iter().filter(|nal| is_set(nal)).cloned()).collect();
    assert_eq!(sets.len(), 4, "an SPS and a PPS of each");
    let first = Arc::new(Clip::new(Codec::H264, SIZES[0].0, GOP));
    let camera = Camera::start(&first);
    camera.fault(move |number, picture: &mut Picture| {
        let (gop, at) = (number / GOP as u32, number as usize % GOP);
        picture.nals.clone_from(&clips[gop as usize % 2].pictures[at]);
        picture.nals.retain(|nal| !is_set(nal));
        if number == late * GOP as u32 {
            picture.nals.splice(..0, sets.clone());
        }
    });
    camera
}

/// The size that a fresh decoder finds in a byte stream, and how many pictures.
fn decoded(stream: &[u8]) -> String {
    let mut ffprobe = Command::new("ffprobe")
        .args(["-v", "error", "-f", "h264", "-count_frames", "-show_entries"])
        .args(["stream=width,nb_read_frames", "-of", "csv=p=0", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ffprobe is installed");
    ffprobe.stdin.take().expect("piped").write_all(stream).expect("it reads");
    let output = ffprobe.wait_with_output().expect("it ends");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[tokio::test]
async fn each_key_frame_leaves_with_the_sets_that_its_pictures_use() {
    for late in [0, 1] {
        let camera = camera_of_two_sets(late);
        let source = Source::Rtsp(RtspSource::new(camera.url().parse().expect("a URL")));
        let (output, mut units) = mpsc::channel(1);
        tokio::spawn(
            async move { run_once(&source, &FfmpegConfig::default(), Way::AsItIs, None, output).await },
        );
        let mut framer = Framer::new();
        let mut gops: Vec<(Option<Dimensions>, Vec<u8>)> = Vec::new();
        while gops.len() < 4 {
            let unit =
                timeout(Duration::from_secs(10), units.recv()).await.expect("in time").expect("a picture");
            let Ok(frame) = framer.frame(unit, Timestamp90k(0)) else {
                assert!(gops.is_empty() && late > 0, "a picture is missing");
                continue;
            };
            if frame.keyframe {
                gops.push((frame.dimensions, Vec::new()));
            }
            let data = frame.access_unit().expect("whole");
            gops.last_mut().expect("a key frame is first").1.extend_from_slice(&data);
        }
        for (number, (dimensions, data)) in gops[..3].iter().enumerate() {
            let width = SIZES[(number + late as usize) % 2].1;
            assert_eq!(dimensions.map(|size| size.width), Some(width), "GOP {number}");
            assert_eq!(decoded(data), format!("{width},{GOP}"), "GOP {number}, {late} GOPs late");
        }
    }
}

#[tokio::test]
async fn each_new_size_is_in_the_api_at_once() {
    let camera = camera_of_two_sets(0);
    let server =
        Server::start(Config { streams: vec![rtsp("sizes", &camera.url())], ..Config::default() }).await;
    let viewer = watch(&server.url, "sizes").await;
    viewer.until_frames(1).await.expect("it plays");
    let mut widths = Vec::new();
    for _ in 0..100 {
        let width = stream(&server.url, "sizes").await["width"].as_u64();
        widths.extend(width.filter(|width| widths.last() != Some(width)));
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert!(widths.len() >= 3, "{widths:?}: it changes twice a second");
}

#[tokio::test]
async fn samples_that_are_not_square_are_told_by_the_size_to_show() {
    for codec in [Codec::H264, Codec::H265] {
        let clip = Arc::new(Clip::new(codec, "704x576:sar=16/11", GOP));
        let camera = Camera::start(&clip);
        let server =
            Server::start(Config { streams: vec![rtsp("wide", &camera.url())], ..Config::default() }).await;
        let mut viewer = watch(&server.url, "wide").await;
        let sizes = |of: &serde_json::Value| {
            ["width", "height", "display_width", "display_height"].map(|key| of[key].as_u64())
        };
        let expected = [704, 576, 1024, 576].map(Some);
        let told = |message: &serde_json::Value| sizes(&message["status"]) == expected;
        viewer.control.until("a status with the size", told).await.expect("the slot says it");
        assert_eq!(sizes(&stream(&server.url, "wide").await), expected);
    }
    let square = camera_of_two_sets(0);
    let server =
        Server::start(Config { streams: vec![rtsp("square", &square.url())], ..Config::default() }).await;
    let viewer = watch(&server.url, "square").await;
    viewer.until_frames(1).await.expect("it plays");
    let told = stream(&server.url, "square").await;
    assert!(told["width"].is_u64() && told.get("display_width").is_none(), "{told}");
}
