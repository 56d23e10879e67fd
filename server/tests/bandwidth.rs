//! Tests of a wall on a slow link, with real cameras, sockets and a viewer that reports what it can receive.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use multistream::config::Config;
use multistream_testkit::{Cameras, CamerasOptions, Viewer};
use serde_json::{Value, json};

use support::{Server, rtsp};

struct Scene {
    _cameras: [Cameras; 2],
    server: Server,
}

/// Two 360p cameras of 0.6 Mbit/s with a variant of 180p each.
async fn scene() -> Scene {
    let native = CamerasOptions { count: 2, gop_s: 1.0, ..CamerasOptions::default() };
    let small = CamerasOptions { width: 320, height: 180, ..native.clone() };
    let cameras = [native, small].map(|options| Cameras::start(&options).expect("cameras"));
    let mut config = Config::default();
    for number in 1..=2 {
        config.streams.push(rtsp(&format!("camera{number}"), &cameras[0].url(number)));
        config.streams.push(rtsp(&format!("camera{number}-180p"), &cameras[1].url(number)));
    }
    config.preload = config.streams.iter().map(|stream| stream.name.clone()).collect();
    let server = Server::start(config).await;
    Scene { _cameras: cameras, server }
}

async fn watch(scene: &Scene) -> Viewer {
    let slots = json!([{ "slot": 0, "stream": "camera1" }, { "slot": 1, "stream": "camera2" }]);
    let viewer = Viewer::connect(&scene.server.url, &slots).await.expect("connects");
    viewer.until_frames(75).await.expect("both play, and their rates are measured");
    viewer
}

/// Waits until both slots have this status (`seen` has the last ones so far), each as `state actual_quality reason`.
async fn until(viewer: &mut Viewer, seen: &mut BTreeMap<u64, String>, expected: [&str; 2]) {
    let brief = |status: &Value| {
        let words =
            ["status", "actual_quality", "reason"].map(|key| status[key].as_str().unwrap_or_default());
        words.join(" ").trim().to_owned()
    };
    let is_there = |message: &Value| {
        if message["type"] == "multistream/status" {
            seen.insert(message["slot"].as_u64().unwrap_or_default(), brief(&message["status"]));
        }
        (0..2).zip(expected).all(|(slot, expected)| seen.get(&slot).map(String::as_str) == Some(expected))
    };
    viewer
        .control
        .until("both statuses", is_there)
        .await
        .unwrap_or_else(|error| panic!("{expected:?}: {error}"));
}

async fn frames_in(viewer: &Viewer, time: Duration) -> Vec<u64> {
    let before = viewer.counts();
    tokio::time::sleep(time).await;
    viewer.counts().iter().map(|(slot, counts)| counts.frames - before[slot].frames).collect()
}

#[tokio::test]
async fn a_slow_link_shows_smaller_variants_then_key_frames_and_everything_again_when_it_is_fast() {
    let scene = scene().await;
    let (mut viewer, mut seen) = (watch(&scene).await, BTreeMap::new());
    let priority = json!({ "type": "multistream/priority", "request_id": "", "slot": 1, "priority": 5 });
    viewer.control.send(&priority).await.expect("the socket is open");
    viewer.report_bandwidth(1_000_000.0).await.expect("connected");
    until(&mut viewer, &mut seen, ["active 180p bandwidth", "active native"]).await;
    viewer.report_bandwidth(340_000.0).await.expect("connected");
    until(&mut viewer, &mut seen, ["active 180p bandwidth", "active 180p bandwidth"]).await;
    let frames = frames_in(&viewer, Duration::from_secs(3)).await;
    assert!(frames.iter().all(|frames| *frames > 80), "all pictures of the variants: {frames:?}");
    viewer.report_bandwidth(220_000.0).await.expect("connected");
    let _ = frames_in(&viewer, Duration::from_secs(1)).await;
    let frames = frames_in(&viewer, Duration::from_secs(4)).await;
    assert!(
        frames[1] > 100 && (2..=6).contains(&frames[0]),
        "the key frames of the less important: {frames:?}"
    );
    viewer.report_bandwidth(1_000.0).await.expect("connected");
    until(&mut viewer, &mut seen, ["paused 180p bandwidth", "paused 180p bandwidth"]).await;
    assert_eq!(frames_in(&viewer, Duration::from_secs(2)).await, [0, 0]);
    viewer.report_bandwidth(50_000_000.0).await.expect("connected");
    until(&mut viewer, &mut seen, ["active native", "active native"]).await;
    let frames = frames_in(&viewer, Duration::from_secs(3)).await;
    assert!(frames.iter().all(|frames| *frames > 80), "{frames:?}");
}

#[tokio::test]
async fn a_switch_on_a_slow_link_is_answered_with_a_picture() {
    let scene = scene().await;
    let (mut viewer, mut seen) = (watch(&scene).await, BTreeMap::new());
    viewer.report_bandwidth(1_000.0).await.expect("connected");
    until(&mut viewer, &mut seen, ["paused 180p bandwidth", "paused 180p bandwidth"]).await;
    let before = viewer.counts()[&0].frames;
    let switch = json!({ "type": "multistream/switch", "request_id": "s", "slot": 0, "stream": "camera2" });
    viewer.control.send(&switch).await.expect("the socket is open");
    let answer =
        viewer.control.until("answer", |message| message["request_id"] == "s").await.expect("answered");
    assert_eq!(answer["status"]["stream"], "camera2");
    assert_eq!(answer["status"]["reason"], "bandwidth");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(viewer.counts()[&0].frames > before, "its picture came");
}
