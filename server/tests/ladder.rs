//! Tests of `multistream.ladder`: variants that nobody configured, with real cameras, sockets and ffmpeg.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;

use std::time::Duration;

use multistream::config::Config;
use multistream_testkit::{Cameras, CamerasOptions, Viewer};
use serde_json::{Value, json};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use support::Server;

/// Two cameras of 360 lines, and a ladder.
async fn scene(multistream: &str) -> (Cameras, Server) {
    let options = CamerasOptions { count: 2, gop_s: 1.0, ..CamerasOptions::default() };
    let cameras = Cameras::start(&options).expect("cameras");
    let text = format!(
        "multistream: {{linger: 500ms, {multistream}}}\nstreams:\n  camera1: {}\n  camera2: {}\n",
        cameras.url(1),
        cameras.url(2)
    );
    let (config, warnings) = Config::parse("test.yaml", &text, &|_| None).expect("the config is fine");
    assert!(warnings.is_empty(), "{warnings:?}");
    (cameras, Server::start(config).await)
}

async fn watch(server: &Server, slots: &Value) -> Viewer {
    Viewer::connect(&server.url, slots).await.expect("connects")
}

/// The next status of slot 0 for which `matches` is true.
async fn status(viewer: &mut Viewer, what: &'static str, matches: impl Fn(&Value) -> bool) -> Value {
    let message = viewer
        .control
        .until(what, |message| {
            message["type"] == "multistream/status" && message["slot"] == 0 && matches(&message["status"])
        })
        .await
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    message["status"].clone()
}

/// `GET /api/streams`.
async fn streams(server: &Server) -> Value {
    let host = server.url.trim_start_matches("http://");
    let mut socket = tokio::net::TcpStream::connect(host).await.expect("it listens");
    let request = format!("GET /api/streams HTTP/1.0\r\nHost: {host}\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("it answers");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    serde_json::from_str(body).expect("the body is JSON")
}

/// The qualities of `camera1` in `GET /api/streams`, each with its height.
async fn qualities(server: &Server) -> Vec<(String, Option<u64>)> {
    let answer = streams(server).await;
    let variants = answer["camera1"]["variants"].as_array().expect("it has variants").clone();
    let quality = |it: &Value| (it["quality"].as_str().unwrap_or_default().to_owned(), it["height"].as_u64());
    variants.iter().map(quality).collect()
}

#[tokio::test]
async fn a_quality_that_nobody_configured_is_made_on_demand_and_never_larger_than_the_camera() {
    let (_cameras, server) = scene("ladder: [180p, 720p]").await;
    let named = |quality: &str, height| (quality.to_owned(), height);
    let all = [named("native", None), named("180p", Some(180)), named("720p", Some(720))];
    assert_eq!(qualities(&server).await, all);
    let slots = json!([{ "slot": 0, "stream": "camera1", "quality": "180p" }]);
    let mut viewer = watch(&server, &slots).await;
    let shown = status(&mut viewer, "180p", |status| status["status"] == "active").await;
    assert_eq!((&shown["width"], &shown["height"]), (&json!(320), &json!(180)));
    viewer.until_frames(30).await.expect("it plays");
    // The camera's size is known now.
    assert_eq!(qualities(&server).await, [named("native", Some(360)), named("180p", Some(180))]);
    let switch = json!({ "type": "multistream/switch", "request_id": "s", "slot": 0, "stream": "camera1",
        "quality": "720p" });
    viewer.control.send(&switch).await.expect("the socket is open");
    // The 180p variant runs, so it is shown until the requested one has a key frame.
    let shown = status(&mut viewer, "720p", |status| {
        status["status"] == "active" && status["actual_quality"] == "720p" && status["height"].is_u64()
    })
    .await;
    assert_eq!((&shown["width"], &shown["height"]), (&json!(640), &json!(360)));
}

#[tokio::test]
async fn a_slow_link_is_shown_a_variant_that_nobody_configured() {
    let (_cameras, server) = scene("ladder: [180p]").await;
    let mut viewer = watch(&server, &json!([{ "slot": 0, "stream": "camera1" }])).await;
    viewer.until_frames(45).await.expect("it plays, and its rate is measured");
    viewer.report_bandwidth(400_000.0).await.expect("connected");
    let shown = status(&mut viewer, "smaller", |status| status["reason"] == "bandwidth").await;
    assert_eq!((&shown["status"], &shown["actual_quality"]), (&json!("active"), &json!("180p")));
    viewer.report_bandwidth(50_000_000.0).await.expect("connected");
    status(&mut viewer, "native", |status| status["actual_quality"] == "native").await;
}

#[tokio::test]
async fn a_variant_over_the_limit_is_refused_with_the_reason_and_starts_when_there_is_room() {
    let (_cameras, server) = scene("ladder: [180p], max_ladder: 1").await;
    let slots = |camera: &str| json!([{ "slot": 0, "stream": camera, "quality": "180p" }]);
    let first = watch(&server, &slots("camera1")).await;
    first.until_frames(30).await.expect("it plays");
    let mut second = watch(&server, &slots("camera2")).await;
    let is_refused = |status: &Value| status["status"] == "offline";
    // It may be known already when the offer is answered.
    let refused = match &second.answer["slots"][0] {
        known if is_refused(known) => known.clone(),
        _ => status(&mut second, "refused", is_refused).await,
    };
    assert_eq!(refused["reason"], "source-offline");
    let error = refused["error"].as_str().unwrap_or_default();
    assert!(error.contains("multistream.max_ladder"), "{error}");
    let before = first.counts()[&0].frames;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(first.counts()[&0].frames > before + 15, "the first one goes on");
    first.close_media().await.expect("it closes");
    drop(first);
    status(&mut second, "playing", |status| status["status"] == "active").await;
}

#[tokio::test]
async fn a_slow_link_at_the_limit_does_not_try_a_variant_that_would_be_refused() {
    let (_cameras, server) = scene("ladder: [180p], max_ladder: 1").await;
    let first = watch(&server, &json!([{ "slot": 0, "stream": "camera2", "quality": "180p" }])).await;
    first.until_frames(30).await.expect("it plays");
    let mut second = watch(&server, &json!([{ "slot": 0, "stream": "camera1" }])).await;
    second.until_frames(45).await.expect("it plays, and its rate is measured");
    second.report_bandwidth(400_000.0).await.expect("connected");
    let shown = status(&mut second, "less", |status| status["reason"] == "bandwidth").await;
    assert_eq!(shown["actual_quality"], "native", "key frames of the camera itself: {shown}");
    let answer = streams(&server).await;
    assert_eq!(answer["camera1-180p"]["state"], "idle", "it was never started");
}
