//! A panic in the hub of a stream, the task on which all of its viewers depend: the stream starts anew with them, it is counted, and
//! nobody else notices.
//!
//! The server has no switch that makes it panic. Every module writes to the log, though, and who takes the log's lines runs in the task
//! that writes them: here it is the test, which panics at a line that a hub writes while it hands out pictures.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;
#[allow(dead_code, reason = "each test file uses its own part of it")]
#[path = "support/witness.rs"]
mod witness;

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use multistream::config::Config;
use multistream::faults;
use multistream_testkit::{Cameras, CamerasOptions, Viewer};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use support::{Server, rtsp};
use witness::{assert_live, good_camera, unnoticed, watch, whole_again};

const PATIENCE: Duration = Duration::from_secs(20);
const FPS: u32 = 30;
/// Of the camera whose hub panics.
const GOP: Duration = Duration::from_secs(4);
/// The hub of a camera warns of a GOP that is longer than this.
const LONG: Duration = Duration::from_secs(2);

/// Panics once, at the line that the hub of a stream with long GOPs writes between two of its viewers' pictures.
struct Trap(AtomicBool);

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl<S: Subscriber> Layer<S> for Trap {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        let is_line = event.metadata().target() == "multistream::stream::hub"
            && message.0.starts_with("the key frames are far apart");
        assert!(!is_line || self.0.swap(true, Ordering::SeqCst), "the test has a hub panic");
    }
}

async fn metrics(url: &str) -> String {
    let host = url.trim_start_matches("http://");
    let mut socket = TcpStream::connect(host).await.expect("the server listens");
    let request = format!("GET /metrics HTTP/1.0\r\nHost: {host}\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("it answers");
    answer
}

fn is(state: &'static str) -> impl Fn(&Value) -> bool {
    move |message| message["type"] == "multistream/status" && message["status"]["status"] == state
}

async fn panics(url: &str, cameras: &Cameras) {
    let mut first = watch(url, "bad").await;
    let second = watch(url, "bad").await;
    let both: [&Viewer; 2] = [&first, &second];
    for viewer in both {
        viewer.until_frames(10).await.expect("it plays");
    }
    let start = Instant::now();
    while faults::panics() == 0 {
        assert!(start.elapsed() < PATIENCE, "no hub has panicked");
        sleep(Duration::from_millis(10)).await;
    }
    let start = Instant::now();
    first.control.until("offline", is("offline")).await.expect("it is told");
    first.control.until("active", is("active")).await.expect("it is back");
    println!("the stream of the hub that panicked was back after {:?}", start.elapsed());
    for viewer in [&first, &second] {
        whole_again(viewer, FPS, PATIENCE).await;
    }
    assert_live(url, "bad").await;
    assert_eq!(cameras.viewers(1), 1, "the source of the hub that panicked is gone");
    // The hub that came after it does not panic at the same line.
    sleep(GOP).await;
    whole_again(&second, FPS, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_panics_starts_anew_with_its_viewers_and_nobody_else_notices() {
    tracing_subscriber::registry().with(LevelFilter::WARN).with(Trap(AtomicBool::new(false))).init();
    faults::log_panics();
    let good = good_camera();
    let options = CamerasOptions { width: 320, height: 180, gop_s: GOP.as_secs_f64(), ..Default::default() };
    let cameras = Cameras::start(&options).expect("the test cameras start");
    let mut config = Config::default();
    config.multistream.gop_max_duration = LONG;
    config.streams = vec![rtsp("good", &good.url(1)), rtsp("bad", &cameras.url(1))];
    let server = Server::start(config).await;
    assert!(metrics(&server.url).await.contains("multistream_panics_total 0\n"));
    Box::pin(unnoticed(&server.url, panics(&server.url, &cameras))).await;
    let metrics = metrics(&server.url).await;
    assert!(metrics.contains("multistream_panics_total 1\n"), "{metrics}");
}
