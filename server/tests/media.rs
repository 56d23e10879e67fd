//! Tests with real cameras through the whole server to viewers: what viewers receive, and what is pulled for it.

mod support;

use std::time::{Duration, Instant};

use multistream::config::Config;
use multistream_testkit::{Cameras, CamerasOptions, Viewer};
use serde_json::{Value, json};

use support::{Server, rtsp};

/// The limit for a camera to be pulled and to send a key frame, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

async fn server(cameras: &Cameras, count: u8) -> Server {
    let mut config = Config::default();
    config.multistream.linger = Duration::from_millis(300);
    config.multistream.resume_timeout = Duration::from_secs(3);
    config.streams = (1..=count).map(|n| rtsp(&format!("camera{n}"), &cameras.url(n))).collect();
    Server::start(config).await
}

fn slots(count: u8) -> Value {
    (0..count).map(|slot| json!({ "slot": slot, "stream": format!("camera{}", slot + 1) })).collect()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nine_cameras_arrive_whole_on_one_connection() {
    let cameras = Cameras::start(&CamerasOptions { count: 9, ..Default::default() }).expect("cameras");
    let server = server(&cameras, 9).await;
    let viewer = Viewer::connect(&server.url, &slots(9)).await.expect("connects");
    viewer.until_frames(60).await.expect("two seconds of all nine");
    let counts = viewer.counts();
    assert!(counts.values().all(|slot| slot.lost == 0 && slot.backwards == 0), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_is_answered_when_the_new_key_frame_was_sent_and_loses_nothing() {
    let cameras =
        Cameras::start(&CamerasOptions { count: 2, gop_s: 5.0, ..Default::default() }).expect("cameras");
    let server = server(&cameras, 2).await;
    let slots = json!([{ "slot": 0, "stream": "camera1" }, { "slot": 1, "stream": "camera2" }]);
    let mut viewer = Viewer::connect(&server.url, &slots).await.expect("connects");
    viewer.until_frames(10).await.expect("both play");
    for turn in 0..10 {
        let (id, stream) = (format!("s{turn}"), format!("camera{}", 1 + (turn + 1) % 2));
        let switch = json!({ "type": "multistream/switch", "request_id": id, "slot": 0, "stream": stream });
        viewer.control.send(&switch).await.expect("open");
        let answer = viewer
            .control
            .until("answer", |message| message["request_id"] == id.as_str())
            .await
            .expect("it answers");
        assert_eq!(answer["status"]["status"], "active", "{answer}");
        assert_eq!(answer["status"]["stream"], stream.as_str());
    }
    viewer.until_frames(10).await.expect("it plays on");
    let counts = viewer.counts();
    assert_eq!((counts[&0].lost, counts[&0].backwards), (0, 0), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_share_one_rtsp_session_which_ends_after_the_last() {
    let cameras = Cameras::start(&CamerasOptions::default()).expect("cameras");
    let server = server(&cameras, 1).await;
    let first = Viewer::connect(&server.url, &slots(1)).await.expect("connects");
    let second = Viewer::connect(&server.url, &slots(1)).await.expect("connects");
    first.until_frames(5).await.expect("plays");
    second.until_frames(5).await.expect("plays");
    assert_eq!(cameras.viewers(1), 1);
    drop(first);
    second.until_frames(30).await.expect("the other viewer does not notice");
    drop(second);
    until("letting the camera go", || cameras.viewers(1) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_slot_is_no_viewer_of_its_camera_and_can_be_resumed() {
    let cameras = Cameras::start(&CamerasOptions::default()).expect("cameras");
    let server = server(&cameras, 1).await;
    let mut viewer = Viewer::connect(&server.url, &slots(1)).await.expect("connects");
    viewer.until_frames(5).await.expect("plays");
    viewer
        .control
        .send(&json!({ "type": "multistream/pause", "request_id": "p", "slot": 0 }))
        .await
        .expect("open");
    until("letting the camera go", || cameras.viewers(1) == 0).await;
    let before = viewer.counts()[&0].frames;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(viewer.counts()[&0].frames, before);
    viewer
        .control
        .send(&json!({ "type": "multistream/resume", "request_id": "r", "slot": 0 }))
        .await
        .expect("open");
    let answer =
        viewer.control.until("answer", |message| message["request_id"] == "r").await.expect("it answers");
    assert_eq!(answer["status"]["status"], "active");
    viewer.until_frames(5).await.expect("plays again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_stops_is_offline_and_recovers_by_itself() {
    let mut cameras = Cameras::start(&CamerasOptions { count: 1, ..Default::default() }).expect("cameras");
    let port = cameras.port();
    let server = server(&cameras, 1).await;
    let mut viewer = Viewer::connect(&server.url, &slots(1)).await.expect("connects");
    viewer.until_frames(5).await.expect("plays");
    drop(cameras);
    let state = |wanted: &'static str| {
        move |message: &Value| {
            message["type"] == "multistream/status" && message["status"]["status"] == wanted
        }
    };
    viewer.control.until("offline", state("offline")).await.expect("it is said");
    cameras = Cameras::start(&CamerasOptions { port, ..Default::default() }).expect("cameras");
    viewer.control.until("active", state("active")).await.expect("it comes back");
    viewer.until_frames(5).await.expect("plays again");
    assert_eq!(cameras.viewers(1), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_frame_request_answered_sent_has_sent_a_key_frame() {
    let cameras = Cameras::start(&CamerasOptions { gop_s: 5.0, ..Default::default() }).expect("cameras");
    let server = server(&cameras, 1).await;
    let mut viewer = Viewer::connect(&server.url, &slots(1)).await.expect("connects");
    viewer.until_frames(5).await.expect("plays");
    viewer
        .control
        .send(&json!({ "type": "multistream/keyframe", "request_id": "k", "slot": -1 }))
        .await
        .expect("open");
    let answer = viewer.control.until_type("multistream/keyframe").await.expect("it answers");
    assert_eq!(answer["status"], "sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_socket_does_not_affect_the_media_and_the_session_can_be_resumed() {
    let cameras = Cameras::start(&CamerasOptions::default()).expect("cameras");
    let server = server(&cameras, 1).await;
    let mut viewer = Viewer::connect(&server.url, &slots(1)).await.expect("connects");
    viewer.until_frames(5).await.expect("plays");
    let mut control = server.control().await;
    std::mem::swap(&mut viewer.control, &mut control);
    // Dropped without a close frame, as after a loss of the network.
    drop(control);
    viewer.until_frames(30).await.expect("the pictures do not notice");
    let resume = json!({ "type": "multistream/init", "request_id": "i2", "resume": viewer.resume_token });
    viewer.control.send(&resume).await.expect("open");
    let ready = viewer.control.until_type("multistream/ready").await.expect("resumed");
    assert_eq!(ready["resumed"], true);
    let status = viewer.control.until_type("multistream/status").await.expect("told where things stand");
    assert_eq!(status["status"]["status"], "active");
    viewer
        .control
        .send(&json!({ "type": "multistream/pause", "request_id": "p", "slot": 0 }))
        .await
        .expect("open");
    viewer
        .control
        .until("answer", |message| message["request_id"] == "p")
        .await
        .expect("the new socket steers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_closes_its_peer_connection_ends_its_session_at_once() {
    let cameras = Cameras::start(&CamerasOptions::default()).expect("cameras");
    let server = server(&cameras, 1).await;
    let mut viewer = Viewer::connect(&server.url, &slots(1)).await.expect("connects");
    viewer.until_frames(5).await.expect("plays");
    let start = Instant::now();
    viewer.close_media().await.expect("closes");
    let end = viewer.control.until_type("multistream/disconnected").await.expect("the client is told");
    // ICE alone would take ten.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(end["reason"], "connection_lost");
    until("letting the camera go", || cameras.viewers(1) == 0).await;
    assert_eq!(server.sessions.summary().peers, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_of_a_viewer_without_media_ends() {
    let cameras = Cameras::start(&CamerasOptions::default()).expect("cameras");
    let server = server(&cameras, 1).await;
    let mut viewer = Viewer::connect(&server.url, &slots(1)).await.expect("connects");
    viewer.until_frames(5).await.expect("plays");
    viewer.pull_media_plug();
    let start = Instant::now();
    let end = loop {
        // ICE takes longer than one wait of the control connection to notice the loss.
        if let Ok(end) = viewer.control.until_type("multistream/disconnected").await {
            break end;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "the session never ended");
    };
    assert_eq!(end["reason"], "connection_lost");
    until("letting the camera go", || cameras.viewers(1) == 0).await;
    assert_eq!(server.sessions.summary().peers, 0);
}

/// Nothing arrives at a client, for example since its address has changed: it makes another connection in the same session.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_resumed_takes_one_new_offer_and_sends_on_the_new_connection() {
    let cameras = Cameras::start(&CamerasOptions::default()).expect("cameras");
    let server = server(&cameras, 1).await;
    let mut viewer = Viewer::connect(&server.url, &slots(1)).await.expect("connects");
    viewer.until_frames(10).await.expect("it plays");
    viewer.pull_media_plug();
    let mut viewer = viewer.reconnect_media(&server.url).await.expect("the second offer is answered");
    viewer.until_frames(10).await.expect("it plays again");
    let summary = server.sessions.summary();
    assert_eq!((summary.sessions, summary.peers), (1, 1), "the old connection is gone");
    assert_eq!(cameras.viewers(1), 1, "and the camera is not pulled again");
    let offer = json!({ "type": "multistream/offer", "request_id": "o3", "sdp": viewer.answer["sdp"] });
    viewer.control.send(&offer).await.expect("open");
    let refusal = viewer.control.until_type("multistream/error").await.expect("a third is refused");
    assert_eq!(refusal["code"], "already-negotiated");
}
