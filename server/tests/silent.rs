//! Cameras that fall silent while their connection or program stays, and slow ones that do not: old pictures are never sent again
//! as live ones.

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

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use multistream::config::{Config, FfmpegInput, FfmpegSource, Source, StreamConfig};
use multistream::media::Codec;
use multistream_testkit::Viewer;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::time::sleep;

use camera::{Camera, FPS};
use clip::Clip;
use support::{Server, rtsp};
use witness::{assert_live, frames, stream, watch, whole_again};

const PATIENCE: Duration = Duration::from_secs(30);

/// A server of one camera, which is given up late: what is tested is what is shown before that.
async fn server(source: StreamConfig) -> Server {
    let mut config = Config { streams: vec![source], ..Config::default() };
    config.ffmpeg.timeout = Some(Duration::from_mins(2));
    config.multistream.switch_timeout = Duration::from_mins(1);
    Server::start(config).await
}

/// Waits until the camera's last picture is so old.
async fn last_picture_is(url: &str, name: &str, age: f64) {
    let start = Instant::now();
    while stream(url, name).await["last_frame_age_s"].as_f64().is_none_or(|is| is < age) {
        assert!(start.elapsed() < PATIENCE, "it does not become {age} s old");
        sleep(Duration::from_millis(20)).await;
    }
}

/// The answer to a request for a key frame.
async fn key_frame(viewer: &mut Viewer) -> Value {
    let request = json!({ "type": "multistream/keyframe", "request_id": "k", "slot": 0 });
    viewer.control.send(&request).await.expect("open");
    viewer.control.until_type("multistream/keyframe").await.expect("it answers")["status"].take()
}

/// Asserts what the viewer of a silent camera gets, and another one that comes now; `goes_on` ends the silence.
async fn nothing_old_is_shown(server: &Server, name: &str, first: &mut Viewer, goes_on: impl FnOnce()) {
    last_picture_is(&server.url, name, 1.5).await;
    let before = frames(first);
    assert_eq!(key_frame(first).await, "unsupported");
    assert_eq!(frames(first), before, "nothing of what it has seen is sent again");
    last_picture_is(&server.url, name, 3.5).await;
    let second = watch(&server.url, name).await;
    let mut third = server.control().await;
    let slots = json!([{ "slot": 0, "stream": name }]);
    third
        .send(&json!({ "type": "multistream/init", "request_id": "init", "slots": slots }))
        .await
        .expect("open");
    let says_why = |message: &Value| {
        message["status"]["status"] == "offline"
            && message["status"]["error"].as_str().is_some_and(|error| error.contains("no picture for"))
    };
    third.until("a status that says why", says_why).await.expect("it is told");
    // The second has had as long as that to be sent something.
    assert_eq!((frames(first), frames(&second)), (before, 0));
    goes_on();
    for viewer in [first, &second] {
        whole_again(viewer, FPS, PATIENCE).await;
    }
    assert_live(&server.url, name).await;
    assert_eq!(stream(&server.url, name).await["restarts"], 0, "it goes on by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_falls_silent_on_an_open_connection_shows_nothing_old() {
    let camera = Camera::start(&Arc::new(Clip::new(Codec::H264, "160x90", 100)));
    let is_silent = Arc::<AtomicBool>::default();
    let silent = is_silent.clone();
    camera.fault(move |_, picture| {
        if silent.load(Ordering::Relaxed) {
            picture.nals.clear();
        }
    });
    let server = server(rtsp("silent", &camera.url())).await;
    let mut first = watch(&server.url, "silent").await;
    whole_again(&first, FPS, PATIENCE).await;
    is_silent.store(true, Ordering::Relaxed);
    let goes_on = || is_silent.store(false, Ordering::Relaxed);
    nothing_old_is_shown(&server, "silent", &mut first, goes_on).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_ffmpeg_shows_nothing_old() {
    let options = [("video", "testsrc2"), ("size", "162x90"), ("rate", "25")];
    let options = options.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    let source = FfmpegSource::new(FfmpegInput::Virtual(options));
    let source = StreamConfig { name: "stopped".to_owned(), sources: vec![Source::Ffmpeg(source)] };
    let server = server(source).await;
    let mut first = watch(&server.url, "stopped").await;
    whole_again(&first, FPS, PATIENCE).await;
    let ffmpeg = child_with("size=162x90");
    kill_process(ffmpeg, Signal::STOP).expect("it runs");
    let goes_on = || kill_process(ffmpeg, Signal::CONT).expect("it is there");
    nothing_old_is_shown(&server, "stopped", &mut first, goes_on).await;
}

/// The only child of this process, in which the server runs, with this word in its command line.
fn child_with(word: &str) -> Pid {
    let entries = fs::read_dir("/proc").expect("Linux has it");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let of_this = format!("PPid:\t{}\n", std::process::id());
    let found: Vec<i32> = pids
        .filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(word) && status.contains(&of_this)
        })
        .collect();
    assert_eq!(found.len(), 1, "one ffmpeg: {found:?}");
    Pid::from_raw(found[0]).expect("a pid")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_of_a_picture_every_three_seconds_is_not_silent() {
    let camera = Camera::start(&Arc::new(Clip::new(Codec::H264, "160x90", 75)));
    camera.fault(|number, picture| {
        if number % 75 != 0 {
            picture.nals.clear();
        }
    });
    let server = server(rtsp("slow", &camera.url())).await;
    let mut first = watch(&server.url, "slow").await;
    first.until_frames(2).await.expect("it shows pictures");
    last_picture_is(&server.url, "slow", 1.5).await;
    assert_eq!(key_frame(&mut first).await, "sent");
    let second = watch(&server.url, "slow").await;
    second.until_frames(1).await.expect("it shows the picture");
    assert_live(&server.url, "slow").await;
}
