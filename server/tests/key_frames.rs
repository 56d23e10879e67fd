//! A camera that sends a key frame at the beginning of a session and then none, and has no way to be asked for one.

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

use multistream::config::{Config, MultistreamConfig};
use multistream::media::Codec;
use tokio::time::{Instant, sleep, timeout};

use camera::{Camera, FPS, Picture};
use clip::Clip;
use support::{Server, rtsp};
use witness::{assert_live, frames, stream, watch, whole_again};

const PATIENCE: Duration = Duration::from_secs(10);

fn camera() -> Camera {
    let clip = Arc::new(Clip::new(Codec::H264, "160x90", 50));
    let camera = Camera::start(&clip);
    camera.fault(move |number, picture: &mut Picture| {
        if number > 0 && picture.key_frame {
            picture.nals.clone_from(&clip.pictures[1]);
        }
    });
    camera
}

async fn server(camera: &Camera, multistream: MultistreamConfig) -> Server {
    let streams = vec![rtsp("once", &camera.url())];
    Server::start(Config { streams, multistream, ..Config::default() }).await
}

#[tokio::test]
async fn a_second_viewer_gets_a_small_gop_at_once_however_long_it_lasts() {
    let camera = camera();
    let limits =
        MultistreamConfig { gop_max_duration: Duration::from_secs(1), ..MultistreamConfig::default() };
    let server = server(&camera, limits).await;
    let first = watch(&server.url, "once").await;
    whole_again(&first, FPS, PATIENCE).await;
    sleep(Duration::from_secs(4)).await;
    let second = watch(&server.url, "once").await;
    let shown = timeout(Duration::from_secs(2), second.until_frames(1)).await;
    shown.expect("the second does not wait").expect("it plays");
    whole_again(&second, FPS, PATIENCE).await;
    assert_eq!(stream(&server.url, "once").await["restarts"], 0);
}

#[tokio::test]
async fn a_second_viewer_that_there_is_no_gop_for_gets_a_key_frame_by_a_new_connection() {
    let camera = camera();
    let limits = MultistreamConfig {
        gop_max_bytes: 16_000,
        switch_timeout: Duration::from_secs(1),
        ..MultistreamConfig::default()
    };
    let server = server(&camera, limits).await;
    let first = watch(&server.url, "once").await;
    whole_again(&first, FPS, PATIENCE).await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(stream(&server.url, "once").await["restarts"], 0, "as long as nobody waits");
    let (before, start) = (frames(&first), Instant::now());
    let mut second = watch(&server.url, "once").await;
    let says_why = |message: &serde_json::Value| {
        message["status"]["error"].as_str().is_some_and(|error| error.contains("key frame interval"))
    };
    let told = second.control.until("a status that says why", says_why);
    let (told, gaps) = tokio::join!(told, first.longest_gaps(Duration::from_secs(4)));
    told.expect("the waiting viewer is told");
    assert!(gaps[&0] < Duration::from_secs(2), "the first viewer misses little: {gaps:?}");
    whole_again(&second, FPS, PATIENCE).await;
    println!("the second was whole after {:?}", start.elapsed());
    whole_again(&first, FPS, PATIENCE).await;
    assert!(frames(&first) > before);
    assert_live(&server.url, "once").await;
    assert_eq!(stream(&server.url, "once").await["restarts"], 1);
}
