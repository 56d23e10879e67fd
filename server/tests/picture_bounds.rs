//! Cameras whose RTP says nothing, or something wrong, about where a picture ends: every picture comes whole, and none twice.

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

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use multistream::bitstream::annex_b;
use multistream::config::{Config, FfmpegConfig, RtspSource, Source};
use multistream::media::{AccessUnit, Codec};
use multistream::source::{Way, run_once};
use tokio::sync::mpsc;
use tokio::time::timeout;

use camera::{Camera, FPS, Marks, Picture};
use clip::Clip;
use support::{Server, rtsp};
use witness::{assert_live, frames, stream, watch};

const PICTURES: usize = 25;
const SLICES: usize = 4;

/// The first pictures of the camera, so many.
async fn pictures(camera: &Camera, count: usize) -> Vec<AccessUnit> {
    let source = Source::Rtsp(RtspSource::new(camera.url().parse().expect("a URL")));
    let (output, mut units) = mpsc::channel(1);
    let run =
        tokio::spawn(
            async move { run_once(&source, &FfmpegConfig::default(), Way::AsItIs, None, output).await },
        );
    let mut pictures = Vec::new();
    while pictures.len() < count {
        let next = timeout(Duration::from_secs(10), units.recv()).await.expect("a picture in time");
        pictures.push(next.expect("the camera goes on"));
    }
    drop(units);
    run.await.expect("no panic").expect("no error");
    pictures
}

/// The pictures of two seconds. The first ones are those by which the camera is found out, and may be there twice or not at all, but
/// whole the second time.
async fn assert_whole(what: &str, camera: &Camera, clip: &Clip) {
    const FOUND_OUT: usize = 3;
    let pictures = pictures(camera, 2 * PICTURES).await;
    let nals = |unit: &AccessUnit| annex_b::split(&unit.data).collect::<Vec<Bytes>>();
    let known: Vec<Vec<Bytes>> = clip
        .pictures
        .iter()
        .map(|nals| nals.iter().map(|nal| Bytes::copy_from_slice(nal)).collect())
        .collect();
    let wrong: Vec<(usize, usize)> = (pictures.iter().map(nals).enumerate())
        .filter(|(_, nals)| !known.contains(nals))
        .map(|(at, nals)| (at, nals.len()))
        .collect();
    assert!(
        wrong.iter().all(|(at, _)| *at < FOUND_OUT),
        "{what}: torn pictures with so many NAL units: {wrong:?}"
    );
    if let Some((last, _)) = wrong.last() {
        assert!(pictures[last + 1].discontinuity, "{what}: what follows on a torn picture says so");
    }
    let late = pictures[FOUND_OUT..].iter().filter(|unit| unit.discontinuity).count();
    assert_eq!(late, 0, "{what}: discontinuities");
    let steps: Vec<u64> = pictures[FOUND_OUT..]
        .windows(2)
        .map(|pair| pair[1].timestamp.0.wrapping_sub(pair[0].timestamp.0))
        .filter(|step| *step != u64::from(90_000 / FPS))
        .collect();
    assert!(steps.is_empty(), "{what}: one picture for each 25th of a second, not {steps:?}");
}

#[tokio::test]
async fn pictures_of_several_slices_are_whole_whatever_the_camera_marks() {
    for (codec, slices) in [(Codec::H264, SLICES), (Codec::H264, 1), (Codec::H265, SLICES)] {
        let clip = Arc::new(Clip::of_slices(codec, "640x360", PICTURES, slices));
        for marks in [Marks::Pictures, Marks::NalUnits, Marks::Packets, Marks::Nothing] {
            let camera = Camera::start(&clip);
            camera.fault(move |_, picture| picture.marks = marks);
            assert_whole(&format!("{codec} of {slices} slices, marked {marks:?}"), &camera, &clip).await;
        }
    }
}

#[tokio::test]
async fn two_pictures_of_one_timestamp_are_two() {
    let clip = Arc::new(Clip::of_slices(Codec::H264, "640x360", PICTURES, SLICES));
    let camera = Camera::start(&clip);
    camera.fault(|number, picture: &mut Picture| {
        picture.timestamp = picture.timestamp.wrapping_sub(number % 2 * (90_000 / FPS));
        picture.marks = Marks::Nothing;
    });
    let pictures = pictures(&camera, PICTURES).await;
    let counts: Vec<usize> = pictures.iter().map(|unit| annex_b::split(&unit.data).count()).collect();
    assert!(counts.iter().all(|nals| (SLICES..SLICES + 4).contains(nals)), "{counts:?}");
}

#[tokio::test]
async fn a_viewer_sees_each_picture_of_a_camera_that_marks_every_slice() {
    let clip = Arc::new(Clip::of_slices(Codec::H264, "640x360", PICTURES, SLICES));
    let camera = Camera::start(&clip);
    camera.fault(|_, picture| picture.marks = Marks::NalUnits);
    let server =
        Server::start(Config { streams: vec![rtsp("slices", &camera.url())], ..Config::default() }).await;
    let viewer = watch(&server.url, "slices").await;
    viewer.until_frames(u64::from(FPS)).await.expect("it plays");
    let before = frames(&viewer);
    let gap = viewer.longest_gaps(Duration::from_secs(4)).await[&0];
    let seen = frames(&viewer) - before;
    assert!((95..=105).contains(&seen), "{seen} of 100 pictures");
    assert!(gap < Duration::from_millis(300), "{gap:?}");
    assert_live(&server.url, "slices").await;
    let fps = stream(&server.url, "slices").await["fps"].as_f64().expect("a number");
    assert!((fps - 25.0).abs() < 1.5, "{fps}");
}
