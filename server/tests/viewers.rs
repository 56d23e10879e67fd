//! Tests with WebRTC stacks that share no code with a browser or with this server, as viewers of real cameras. Each is a script in
//! `viewers/` that speaks the documented protocol alone, decodes what it gets, and reads the cameras' barcodes.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use multistream::config::{Config, ExecSource, Source, StreamConfig};
use multistream_testkit::{Cameras, CamerasOptions};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::timeout;

use support::{Server, rtsp};

/// The limit for a whole run, of which each wait inside the script has 20 s.
const PATIENCE: Duration = Duration::from_secs(100);
/// High profile, level 5.1: more than any browser writes into its offer.
const HIGH_5_1: &str = "ffmpeg -v error -re -f lavfi -i testsrc2=size=960x540:rate=15 -pix_fmt yuv420p -c:v libx264 \
    -preset veryfast -tune zerolatency -profile:v high -level 5.1 -g 15 -f h264 -";
const HIGH_5_1_SHOWS: &str = "960x540";
const VP8: &str = "ffmpeg -v error -re -f lavfi -i testsrc2=size=400x224:rate=15 -pix_fmt yuv420p -c:v libvpx \
    -auto-alt-ref 0 -deadline realtime -cpu-used 8 -lag-in-frames 0 -b:v 500k -g 15 -f ivf -";
const VP8_SHOWS: &str = "400x224";

/// The Python that `cargo xtask setup` makes below cargo's target folder.
fn python() -> PathBuf {
    // cargo gives tests the folder `tmp` in it.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a folder in cargo's target folder");
    let python = target.join("viewers/bin/python");
    assert!(python.exists(), "{} is missing: `cargo xtask setup` makes it", python.display());
    python
}

fn program(name: &str, command: &str) -> StreamConfig {
    let argv = command.split_whitespace().map(str::to_owned).collect();
    StreamConfig { name: name.to_owned(), sources: vec![Source::Exec(ExecSource::new(argv))] }
}

/// Shows `camera1` … `camera3` by this script, then what `switches` says, and returns what it has printed.
async fn view(script: &str, switches: &Value) -> Value {
    let cameras = Cameras::start(&CamerasOptions { count: 4, ..Default::default() }).expect("cameras");
    let streams = (1..=4).map(|n| rtsp(&format!("camera{n}"), &cameras.url(n)));
    let streams = streams.chain([program("high", HIGH_5_1), program("vp8", VP8)]).collect();
    let config = Config { streams, ..Config::default() };
    // On every interface, since stacks gather no candidate of loopback.
    let server = Server::start_media_at(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), config).await;
    let output = Command::new(python())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/viewers").join(script))
        .args([&server.url, &json!(["camera1", "camera2", "camera3"]).to_string(), &switches.to_string()])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(PATIENCE, output).await.expect("the viewer ends in time").expect("it starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {}\n{stderr}", output.status);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// What a slot has shown, in order, without repetitions.
fn shown(seen: &Value, slot: usize) -> Vec<&str> {
    let shown = seen["slots"][slot]["shown"].as_array();
    shown.into_iter().flatten().filter_map(|entry| entry[0].as_str()).collect()
}

/// The checks that hold for every stack.
fn assert_shows(seen: &Value, expected: [&[&str]; 3]) {
    for (slot, expected) in expected.into_iter().enumerate() {
        assert_eq!(shown(seen, slot), expected, "slot {slot} of {seen}");
    }
    assert_eq!((&seen["paused"], &seen["resumed"]), (&json!("paused"), &json!("active")), "{seen}");
    let during_pause: Vec<u64> =
        (0..3).filter_map(|slot| seen["pictures_during_pause"][slot].as_u64()).collect();
    let [first, second, paused] = during_pause[..] else { panic!("three slots: {seen}") };
    assert_eq!(paused, 0, "the paused slot is quiet: {seen}");
    assert!(first >= 10 && second >= 10, "the others play on: {seen}");
    assert_eq!(seen["closed"], "closed", "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn aiortc_shows_three_cameras_switches_between_codecs_and_profiles_and_pauses() {
    let switches = json!([
        [0, "camera4", "camera4"],
        [1, "high", HIGH_5_1_SHOWS],
        [0, "vp8", VP8_SHOWS],
        [0, "camera1", "camera1"]
    ]);
    let seen = view("aiortc_viewer.py", &switches).await;
    assert_shows(
        &seen,
        [&["camera1", "camera4", VP8_SHOWS, "camera1"], &["camera2", HIGH_5_1_SHOWS], &["camera3"]],
    );
}

/// This stack sends no consent checks, only RTCP, and watches for longer than the server takes a silent viewer for one that is there.
#[tokio::test(flavor = "multi_thread")]
async fn webrtcbin_shows_three_cameras_switches_between_profiles_and_pauses() {
    let switches = json!([
        [0, "camera4", "camera4"],
        [1, "high", HIGH_5_1_SHOWS],
        [2, "camera1", "camera1"],
        [0, "camera2", "camera2"]
    ]);
    let seen = view("webrtcbin_viewer.py", &switches).await;
    assert_shows(
        &seen,
        [&["camera1", "camera4", "camera2"], &["camera2", HIGH_5_1_SHOWS], &["camera3", "camera1"]],
    );
}

/// One camera, by the ways that other servers have, as each of the stacks sees it.
async fn view_one(stack: &str, forms: &[&str]) {
    let cameras = Cameras::start(&CamerasOptions { count: 1, ..Default::default() }).expect("cameras");
    let config = Config { streams: vec![rtsp("camera1", &cameras.url(1))], ..Config::default() };
    let server = Server::start_media_at(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), config).await;
    for form in forms {
        let output = Command::new(python())
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/viewers/single_viewer.py"))
            .args([stack, form, &server.url, "camera1"])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = timeout(PATIENCE, output).await.expect("the viewer ends in time").expect("it starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stack} {form}: {}\n{stderr}", output.status);
        let seen: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(seen["shown"], json!(["camera1"]), "{seen}");
        match *form {
            "ws" => assert_eq!(seen["status"], "webrtc/answer"),
            "ws-object" => assert_eq!(seen["status"], "webrtc"),
            "whep" => {
                assert_eq!((&seen["status"], &seen["type"]), (&json!(201), &json!("application/sdp")));
                assert_eq!(
                    (&seen["trickled"], &seen["deleted"], &seen["again"]),
                    (&json!(204), &json!(200), &json!(404))
                );
            }
            "sdp" => assert_eq!(seen["status"], 201),
            _ => assert_eq!(seen["status"], 200),
        }
        // A viewer that has closed its connection, or deleted its session, leaves nothing.
        let start = Instant::now();
        while server.sessions.summary().sessions > 0 {
            assert!(start.elapsed() < Duration::from_secs(30), "{form}: {:?}", server.sessions.summary());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn aiortc_views_one_camera_by_each_form_of_go2rtc_and_by_whep() {
    view_one("aiortc", &["ws", "ws-object", "json", "sdp", "raw", "whep"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webrtcbin_views_one_camera_by_a_post_and_by_whep() {
    view_one("webrtcbin", &["json", "whep"]).await;
}
