//! Viewers that fail in all ways that viewers do: the server lets go of what they held, and a viewer of another camera notices nothing.

#[path = "support/ice_tcp.rs"]
mod ice_tcp;
#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;
#[path = "support/tap.rs"]
mod tap;
#[allow(dead_code, reason = "each test file uses its own part of it")]
#[path = "support/witness.rs"]
mod witness;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use multistream::config::{Candidate, Config};
use multistream_testkit::{Cameras, CamerasOptions, free_port};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use ice_tcp::IceTcp;
use support::{Server, rtsp};
use tap::Tap;
use witness::{frames, good_camera, stream, unnoticed, watch, whole_again};

const PATIENCE: Duration = Duration::from_secs(20);
/// How long the server waits for a client that has lost its socket.
const RESUME_TIMEOUT: Duration = Duration::from_secs(1);
const FPS: u32 = 30;
const SERVER: &str = "FAULTS_VIEWER_SERVER";
const STREAM: &str = "FAULTS_VIEWER_STREAM";

struct Scene {
    _cameras: [Cameras; 2],
    server: Server,
}

/// A server with the healthy camera and two others, with media at this address, announced as `announced`.
async fn scene(listen: SocketAddr, announced: Option<SocketAddr>) -> Scene {
    let options = CamerasOptions { count: 2, width: 320, height: 180, gop_s: 1.0, ..Default::default() };
    let cameras = [good_camera(), Cameras::start(&options).expect("the test cameras start")];
    let mut config = Config::default();
    config.multistream.linger = Duration::from_millis(200);
    config.multistream.resume_timeout = RESUME_TIMEOUT;
    if let Some(announced) = announced {
        config.webrtc.candidates = vec![Candidate::Address(announced)];
        // Instead of the machine's own, one for documentation (RFC 5737).
        config.webrtc.ips = vec![Ipv4Addr::new(192, 0, 2, 1).into()];
    }
    config.multistream.max_sessions = 200;
    config.streams = vec![
        rtsp("good", &cameras[0].url(1)),
        rtsp("one", &cameras[1].url(1)),
        rtsp("two", &cameras[1].url(2)),
    ];
    let server = Server::start_media_at(listen, config).await;
    Scene { _cameras: cameras, server }
}

fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// A viewer in a process of its own, which can be killed and stopped.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(url: &str, stream: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program has a path"))
            .args(["--exact", "the_viewer_that_other_tests_run_as_a_process", "--ignored", "--nocapture"])
            .env(SERVER, url)
            .env(STREAM, stream)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("this program starts once more");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { child, lines }
    }

    fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|id| Pid::from_raw(id as i32)).expect("it runs");
        kill_process(pid, signal).expect("it runs");
    }

    /// Waits until it has reported this many more pictures.
    async fn until_frames(&mut self, more: u64) {
        let mut first = None;
        timeout(PATIENCE, async {
            while let Some(line) = self.lines.next_line().await.expect("it prints text") {
                let Some(frames) = line.strip_prefix("frames ").and_then(|text| text.parse::<u64>().ok())
                else {
                    continue;
                };
                if frames >= *first.get_or_insert(frames) + more {
                    return;
                }
            }
            panic!("the viewer's process has ended");
        })
        .await
        .expect("its camera plays");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the tests of this file run it as a process of its own"]
async fn the_viewer_that_other_tests_run_as_a_process() {
    let (Ok(url), Ok(stream)) = (std::env::var(SERVER), std::env::var(STREAM)) else { return };
    let viewer = watch(&url, &stream).await;
    loop {
        println!("frames {}", frames(&viewer));
        sleep(Duration::from_millis(100)).await;
    }
}

async fn until_viewers(url: &str, name: &str, expected: u64, patience: Duration) -> Duration {
    let start = Instant::now();
    while stream(url, name).await["viewers"] != expected {
        assert!(start.elapsed() < patience, "{}", stream(url, name).await);
        sleep(Duration::from_millis(50)).await;
    }
    start.elapsed()
}

async fn is_killed(url: &str) {
    let mut viewer = Process::start(url, "one");
    viewer.until_frames(30).await;
    assert_eq!(stream(url, "one").await["viewers"], 1);
    viewer.signal(Signal::KILL);
    let after = until_viewers(url, "one", 0, PATIENCE).await;
    println!("the camera of a killed viewer was let go after {after:?}");
}

async fn is_suspended(url: &str) {
    let mut viewer = Process::start(url, "two");
    viewer.until_frames(30).await;
    viewer.signal(Signal::STOP);
    // Less than the server takes to believe that it is gone.
    sleep(Duration::from_secs(3)).await;
    assert_eq!(stream(url, "two").await["viewers"], 1);
    viewer.signal(Signal::CONT);
    viewer.until_frames(60).await;
}

/// A hundred clients open a session with an offer, and are gone at once without a word.
async fn come_and_go(scene: &Scene) {
    let offer = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/offers/chromium-156-1-slots.sdp");
    let sdp = &std::fs::read_to_string(offer).expect("the offer is there");
    let files = || std::fs::read_dir("/proc/self/fd").expect("Linux has it").count();
    let (before, sessions) = (files(), scene.server.sessions.summary().sessions);
    let start = Instant::now();
    let visit = async |number: u32| {
        sleep(Duration::from_millis(10) * number).await;
        let mut control = scene.server.control().await;
        control.open(&json!([{ "slot": 0, "stream": "good" }])).await.expect("it opens");
        control.negotiate(sdp).await.expect("it is answered");
    };
    join_all((0..100).map(visit)).await;
    println!("100 clients came and went within {:?}", start.elapsed());
    let deadline = Instant::now() + PATIENCE;
    while scene.server.sessions.summary().sessions > sessions {
        assert!(Instant::now() < deadline, "{:?}", scene.server.sessions.summary());
        sleep(Duration::from_millis(50)).await;
    }
    assert!(files() <= before + 10, "{before} files were open, now {}", files());
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_that_vanish_hang_or_come_in_crowds_are_noticed_by_nobody_else() {
    let scene = scene(any_port(), None).await;
    let url = &*scene.server.url;
    unnoticed(url, Box::pin(async { tokio::join!(is_killed(url), is_suspended(url)) })).await;
    unnoticed(url, Box::pin(come_and_go(&scene))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_over_tcp_that_stops_reading_is_whole_again_and_noticed_by_nobody_else() {
    let media = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let path = IceTcp::start(media).await;
    let scene = scene(media, Some(path.address())).await;
    let url = &*scene.server.url;
    unnoticed(
        url,
        Box::pin(async {
            let stuck = watch(url, "one").await;
            whole_again(&stuck, FPS, PATIENCE).await;
            // The witness came first.
            path.stop_reading(2);
            let another = watch(url, "one").await;
            whole_again(&another, FPS, PATIENCE).await;
            assert!(
                stuck.longest_gaps(Duration::from_secs(3)).await[&0] > Duration::from_secs(2),
                "it does not read"
            );
            path.read_again();
            whole_again(&stuck, FPS, PATIENCE).await;
        }),
    )
    .await;
}

/// Consent to media is a check with the right password every few seconds (RFC 7675), and nothing else that comes from there.
#[tokio::test(flavor = "multi_thread")]
async fn media_to_a_silent_viewer_stops_within_seven_seconds_whatever_its_address_sends() {
    let media = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let tap = Tap::start(media).await;
    let scene = scene(media, Some(tap.address())).await;
    let url = &*scene.server.url;
    unnoticed(
        url,
        Box::pin(async {
            let viewer = watch(url, "one").await;
            whole_again(&viewer, FPS, PATIENCE).await;
            // So that it is known as one that sends checks.
            sleep(Duration::from_secs(3)).await;
            let line = tap.newest();
            line.mute();
            let recorded = line.recorded();
            let of_kind =
                |kind: std::ops::Range<u8>| recorded.iter().filter(move |packet| kind.contains(&packet[0]));
            // Its last reports and its handshake once more, checks with a wrong integrity, and noise.
            let mut junk: Vec<Vec<u8>> =
                of_kind(20..64).chain(of_kind(128..192)).rev().take(50).cloned().collect();
            junk.extend(of_kind(0..4).take(5).map(|check| {
                let mut check = check.clone();
                check[10] ^= 1;
                check
            }));
            junk.extend(
                (0..=255).map(|first: u8| {
                    (0..100).map(|at: u8| first.wrapping_add(at.wrapping_mul(13))).collect()
                }),
            );
            assert!(
                of_kind(0..4).count() > 1 && of_kind(128..192).count() > 1,
                "it has sent checks and reports"
            );
            let muted_at = Instant::now();
            let (mut sent, mut last_sent_at) = (line.media(), muted_at);
            for packet in junk.iter().cycle() {
                line.send(packet).await;
                sleep(Duration::from_millis(3)).await;
                if line.media() > sent {
                    (sent, last_sent_at) = (line.media(), Instant::now());
                }
                // Long enough for media to start again, if anything of that makes it.
                if last_sent_at.elapsed() > Duration::from_secs(3) || muted_at.elapsed() > PATIENCE {
                    break;
                }
            }
            let lasted = last_sent_at - muted_at;
            println!("media to the silent viewer went on for {lasted:?}");
            assert!(lasted > Duration::from_secs(1), "a short silence is no farewell");
            assert!(lasted < Duration::from_millis(7_500), "media went on for {lasted:?}");
        }),
    )
    .await;
}

/// 200 kbit/s, 10 % loss, and a round trip of 300 ms.
#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_on_a_bad_link_has_a_picture_a_second_and_is_noticed_by_nobody_else() {
    let media = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let tap = Tap::start(media).await;
    let scene = scene(media, Some(tap.address())).await;
    let url = &*scene.server.url;
    let trouble = async {
        let viewer = watch(url, "one").await;
        whole_again(&viewer, FPS, PATIENCE).await;
        let line = tap.newest();
        line.set_bad(true);
        // The first second goes by until the path is known to be long.
        sleep(Duration::from_secs(1)).await;
        let before = viewer.counts()[&0].clone();
        sleep(Duration::from_secs(6)).await;
        let after = viewer.counts()[&0].clone();
        let (packets, lost) = (after.packets - before.packets, after.lost.saturating_sub(before.lost));
        let pictures = after.frames - before.frames;
        println!("on the bad link: {pictures} of 180 pictures, {lost} packets missing beside {packets}");
        // All or key frames only, as the estimate of the link has it: about one picture a second.
        assert!(pictures >= 4, "{pictures} of 180 pictures");
        assert!(lost < packets / 20, "lost packets are sent again: {lost} missing, {packets} there");
        line.set_bad(false);
        // What was too much for the link is not tried again at once.
        whole_again(&viewer, FPS, 2 * PATIENCE).await;
    };
    unnoticed(url, Box::pin(trouble)).await;
}
