//! Tests of streams whose codec a viewer's browser does not show, and that others show.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;

use std::time::Duration;

use multistream::config::Config;
use multistream_testkit::Viewer;
use serde_json::{Value, json};

use support::Server;

const H265: &str = "exec:ffmpeg -v error -re -f lavfi -i testsrc2=size=320x180:rate=15 -pix_fmt yuv420p -c:v libx265 -preset ultrafast \
                    -tune zerolatency -x265-params log-level=none:keyint=15 -f hevc -";
const H264: &str = "exec:ffmpeg -v error -re -f lavfi -i testsrc2=size=160x90:rate=15 -pix_fmt yuv420p -c:v libx264 -preset ultrafast \
                    -tune zerolatency -g 15 -f h264 -";

/// Two cameras in H.265, of which one has a smaller stream in H.264, and one in H.264.
async fn server(multistream: &str) -> Server {
    let text = format!(
        "multistream: {{{multistream}}}\nstreams:\n  a: {H265}\n  b: {H265}\n  b-sub: {H264}\n  c: {H264}\n"
    );
    let (config, _) = Config::parse("test.yaml", &text, &|_| None).expect("the config is fine");
    Server::start(config).await
}

fn slots(streams: &[&str]) -> Value {
    let slot = |(slot, stream): (usize, &&str)| json!({ "slot": slot, "stream": stream });
    streams.iter().enumerate().map(slot).collect()
}

/// The status of a slot, once it is shown or cannot be.
async fn settled(viewer: &mut Viewer, slot: u32) -> Value {
    let is_settled = |status: &Value| status["slot"] == slot && status["status"] != "buffering";
    let in_answer = &viewer.answer["slots"][slot as usize];
    if is_settled(in_answer) {
        return in_answer.clone();
    }
    let found = viewer.control.until("a settled slot", |message| is_settled(&message["status"])).await;
    found.expect("it settles")["status"].clone()
}

async fn switch(viewer: &mut Viewer, slot: u32, stream: &str) -> Value {
    let request =
        json!({ "type": "multistream/switch", "request_id": stream, "slot": slot, "stream": stream });
    viewer.control.send(&request).await.expect("sent");
    let answer = viewer.control.until("an answer", |message| message["request_id"] == stream).await;
    answer.expect("it is answered")["status"].clone()
}

fn is_shown_as_h264(status: &Value, stream: &str, quality: &str) {
    assert_eq!(
        [
            &status["status"],
            &status["stream"],
            &status["actual_quality"],
            &status["codec"],
            &status["reason"]
        ],
        ["active", stream, quality, "h264", "codec"],
        "{status}"
    );
    assert!(status["error"].as_str().is_some_and(|error| error.contains("H265")), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_without_h265_gets_h264_and_another_gets_h265() {
    let server = server("").await;
    let mut with = Viewer::connect(&server.url, &slots(&["a"])).await.expect("connects");
    let status = settled(&mut with, 0).await;
    assert_eq!((&status["codec"], &status["reason"]), (&json!("h265"), &Value::Null), "{status}");

    let mut without =
        Viewer::connect_without(&server.url, &slots(&["a", "c"]), "H265").await.expect("connects");
    is_shown_as_h264(&settled(&mut without, 0).await, "a", "h264");
    assert_eq!(switch(&mut without, 0, "c").await["reason"], Value::Null);
    is_shown_as_h264(&switch(&mut without, 0, "a").await, "a", "h264");
    // The camera's own smaller stream is there without an encoder.
    is_shown_as_h264(&switch(&mut without, 1, "b").await, "b", "sub");
    without.until_frames(10).await.expect("both are shown");

    let layout = json!({ "type": "multistream/layout", "request_id": "l", "atomic": true,
                         "slots": [{ "slot": 0, "stream": "b" }, { "slot": 1, "stream": "a" }] });
    without.control.send(&layout).await.expect("sent");
    for _ in 0..2 {
        let answer = without.control.until("an answer", |message| message["request_id"] == "l").await;
        let status = answer.expect("it is answered")["status"].clone();
        let (stream, quality) = if status["slot"] == 0 { ("b", "sub") } else { ("a", "h264") };
        is_shown_as_h264(&status, stream, quality);
    }
    let gaps = with.longest_gaps(Duration::from_secs(1)).await;
    assert!(gaps[&0] < Duration::from_secs(1), "the other goes on: {gaps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_offers_h265_and_decodes_nothing_gets_h264_from_then_on() {
    let server = server("").await;
    let mut viewer = Viewer::connect(&server.url, &slots(&["a", "c"])).await.expect("connects");
    assert_eq!(settled(&mut viewer, 0).await["codec"], "h265");
    viewer.control.send(&json!({ "type": "multistream/undecodable", "slot": 0 })).await.expect("sent");
    let told = |message: &Value| message["status"]["slot"] == 0 && message["status"]["status"] == "active";
    let status = viewer.control.until("a picture", told).await.expect("it is shown")["status"].clone();
    is_shown_as_h264(&status, "a", "h264");
    is_shown_as_h264(&switch(&mut viewer, 1, "a").await, "a", "h264");
    viewer.until_frames(10).await.expect("both are shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_config_refuses_to_transcode_the_error_says_what_to_change() {
    let server = server("unplayable: refuse").await;
    let mut viewer = Viewer::connect_without(&server.url, &slots(&["a"]), "H265").await.expect("connects");
    let status = settled(&mut viewer, 0).await;
    assert_eq!(
        (&status["status"], &status["reason"]),
        (&json!("error"), &json!("unsupported-codec")),
        "{status}"
    );
    assert!(status["error"].as_str().is_some_and(|error| error.contains("#video=h264")), "{status}");
}
