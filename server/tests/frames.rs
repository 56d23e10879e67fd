//! Tests of single pictures by `/api/frame.jpeg`, of cameras that run and cameras that do not.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;
#[allow(dead_code, reason = "each test file uses its own part of it")]
#[path = "support/web.rs"]
mod web;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use multistream::config::{Config, FfmpegConfig};
use multistream_testkit::{Cameras, CamerasOptions};

use support::{Server, rtsp};
use web::{Answer, ask};

/// An ffmpeg that writes a line to the file `started` beside it each time that it is asked for a JPEG picture, and then takes a
/// moment, as on a busy machine.
fn counting_ffmpeg(folder: &Path) -> String {
    let path = folder.join("ffmpeg");
    let started = folder.join("started");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *mjpeg*) echo >> {}; sleep 0.3;; esac\nexec ffmpeg \"$@\"\n",
        started.display()
    );
    std::fs::write(&path, script).expect("it is written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it can be run");
    path.to_str().expect("a path").to_owned()
}

fn started(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("started")).unwrap_or_default().lines().count()
}

async fn frame(server: &Server, query: &str) -> Answer {
    ask(&server.url, &format!("GET /api/frame.jpeg?{query}"), "").await
}

/// Width and height in the header of a JPEG picture.
fn size_of(jpeg: &[u8]) -> (u16, u16) {
    assert!(jpeg.starts_with(&[0xff, 0xd8]), "{:?}", &jpeg[..jpeg.len().min(100)]);
    // The start of a frame, with its length and the depth of its samples between.
    let at = jpeg.windows(2).position(|two| two == [0xff, 0xc0]).expect("a baseline picture");
    let number = |at: usize| u16::from_be_bytes([jpeg[at], jpeg[at + 1]]);
    (number(at + 7), number(at + 5))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cold_request_starts_the_camera_and_a_key_frame_is_decoded_once_for_all() {
    let cameras = Cameras::start(&CamerasOptions { count: 1, ..Default::default() }).expect("cameras");
    let folder = tempfile::tempdir().expect("a folder");
    let ffmpeg = FfmpegConfig { bin: counting_ffmpeg(folder.path()), ..FfmpegConfig::default() };
    let mut config = Config { streams: vec![rtsp("camera1", &cameras.url(1))], ffmpeg, ..Config::default() };
    config.multistream.linger = Duration::from_mins(1);
    let server = Server::start(config).await;

    let idle = frame(&server, "src=camera1").await;
    assert_eq!(idle.status, 503);
    assert!(idle.json()["error"].as_str().is_some_and(|error| error.contains("cold=1")), "{}", idle.text());
    assert_eq!((cameras.viewers(1), started(folder.path())), (0, 0));

    let cold = frame(&server, "src=camera1&cold=1").await;
    assert_eq!(
        (cold.status, cold.header("content-type")),
        (200, Some("image/jpeg")),
        "{:?}",
        cold.body.get(..200)
    );
    let (width, height) = size_of(&cold.body);
    assert!(width > 100 && height > 100, "{width}x{height}");
    let many = (0..6).map(|_| frame(&server, "src=camera1&cache=1h"));
    for answer in futures_util::future::join_all(many).await {
        assert_eq!((answer.status, answer.body == cold.body), (200, true), "the one that was made");
    }
    assert_eq!(started(folder.path()), 1);

    let small = frame(&server, "src=camera1&width=160&cache=1h").await;
    assert_eq!(size_of(&small.body).0, 160);
    let both = frame(&server, "src=camera1&w=200&h=100&cache=1h").await;
    assert_eq!(size_of(&both.body), (200, 100));
    // All who ask at the same time wait for one decoder.
    let before = started(folder.path());
    let many = (0..6).map(|_| frame(&server, "src=camera1&height=90&cache=1h"));
    assert!(futures_util::future::join_all(many).await.iter().all(|answer| size_of(&answer.body).1 == 90));
    assert_eq!(started(folder.path()), before + 1);

    // Without `cache` it is the newest key frame, which the camera sends every second or so.
    let start = Instant::now();
    while frame(&server, "src=camera1").await.body == cold.body {
        assert!(start.elapsed() < Duration::from_secs(20), "always the same picture");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn there_is_no_picture_of_what_is_unknown_or_off_and_the_answer_says_why() {
    let config = Config { streams: vec![rtsp("off", "rtsp://127.0.0.1:9/1")], ..Config::default() };
    let server = Server::start(config).await;
    for (query, status) in [
        ("", 400),
        ("src=off&width=0", 400),
        ("src=off&height=100000", 400),
        ("src=off&width=-1", 400),
        ("src=off&cache=soon", 400),
        ("src=nobody", 404),
        ("src=off", 503),
        ("src=off&cold=1", 503),
        ("src=off", 503),
    ] {
        let answer = frame(&server, query).await;
        assert_eq!(answer.status, status, "{query}: {}", answer.text());
        assert!(answer.json()["error"].as_str().is_some_and(|error| !error.is_empty()), "{query}");
    }
    let why = frame(&server, "src=off&cold=1").await;
    assert!(
        why.json()["error"].as_str().is_some_and(|error| error.contains("refuses the connection")),
        "{}",
        why.text()
    );
}
