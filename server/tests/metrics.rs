//! What `/metrics` counts of sessions and their packets, with viewers that lose packets and ask for key frames.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use multistream::config::{Candidate, Config};
use multistream_testkit::{
    Cameras, CamerasOptions, Control, EmulatedPath, PathConditions, Viewer, free_port,
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use support::{Server, rtsp};

const PATIENCE: Duration = Duration::from_secs(20);

async fn metrics(server: &Server) -> String {
    let host = server.url.trim_start_matches("http://");
    let mut socket = TcpStream::connect(host).await.expect("the server listens");
    let request = format!("GET /metrics HTTP/1.0\r\nHost: {host}\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("it answers");
    answer
}

/// The value of a metric with its labels. It has to be a whole number.
fn of(metrics: &str, name: &str) -> u64 {
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let value = value.unwrap_or_else(|| panic!("no {name} in {metrics}"));
    value.parse().unwrap_or_else(|error| panic!("{name} is {value}: {error}"))
}

/// Waits until a metric is as expected, and returns all of them.
async fn until(server: &Server, name: &str, is_fine: impl Fn(u64) -> bool) -> String {
    let start = Instant::now();
    loop {
        let metrics = metrics(server).await;
        if is_fine(of(&metrics, name)) {
            return metrics;
        }
        assert!(start.elapsed() < PATIENCE, "{name} is {} in {metrics}", of(&metrics, name));
        sleep(Duration::from_millis(50)).await;
    }
}

fn in_state(state: &str) -> String {
    format!("multistream_sessions_by_state{{state=\"{state}\"}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_counted_by_their_state_and_packets_by_what_became_of_them() {
    let conditions = PathConditions {
        bits_per_second: 1e9,
        queue: Duration::from_millis(300),
        delay: Duration::from_millis(5),
        loss: 0.05,
    };
    let cameras = Cameras::start(&CamerasOptions::default()).expect("the test cameras start");
    let path = EmulatedPath::start(conditions).await.expect("a path");
    let mut config = Config::default();
    config.webrtc.candidates = vec![Candidate::Address(path.address())];
    // Instead of the machine's own, one for documentation (RFC 5737).
    config.webrtc.ips = vec![Ipv4Addr::new(192, 0, 2, 1).into()];
    config.streams = vec![rtsp("camera1", &cameras.url(1))];
    let media = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let server = Server::start_media_at(media, config).await;
    path.lead_to(media);
    let slots = json!([{ "slot": 0, "stream": "camera1" }]);

    let mut waiting = server.control().await;
    waiting.open(&slots).await.expect("a session");
    let before = until(&server, &in_state("no_offer"), |count| count == 1).await;
    assert_eq!(of(&before, "multistream_packets_sent_total"), 0);

    let mut viewer = Viewer::connect(&server.url, &slots).await.expect("the viewer connects");
    viewer.until_frames(60).await.expect("it plays");
    let playing = until(&server, "multistream_packets_repaired_total", |count| count > 0).await;
    assert_eq!((of(&playing, &in_state("connected")), of(&playing, &in_state("connecting"))), (1, 0));
    let (packets, bytes) =
        (of(&playing, "multistream_packets_sent_total"), of(&playing, "multistream_sent_bytes_total"));
    assert!(
        packets >= 60 && bytes > 100 * packets && bytes < 1500 * packets,
        "{packets} packets, {bytes} bytes"
    );
    for by in ["queue", "socket"] {
        of(&playing, &format!("multistream_packets_dropped_total{{by=\"{by}\"}}"));
    }

    let asked = |by: &str| format!("multistream_keyframe_requests_total{{by=\"{by}\"}}");
    let (plis, firs) = (of(&playing, &asked("pli")), of(&playing, &asked("fir")));
    viewer.ask_for_key_frames(Some(1)).await.expect("the connection is open");
    until(&server, &asked("fir"), |count| count == firs + 1).await;
    viewer.ask_for_key_frames(None).await.expect("the connection is open");
    until(&server, &asked("pli"), |count| count > plis).await;

    let another = Control::connect(&server.url).await.expect("the server accepts WebSockets");
    drop(std::mem::replace(&mut viewer.control, another));
    until(&server, &in_state("detached"), |count| count == 1).await;
}
