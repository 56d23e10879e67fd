//! Programs that read streams by RTSP: ffmpeg, `GStreamer` and another server of this kind over both transports, and a client of this
//! file's own for what they do not do.

#[path = "support/rtsp_client.rs"]
mod rtsp_client;
#[allow(dead_code, reason = "each test file uses its own part of it")]
#[path = "support/witness.rs"]
mod witness;

use std::future::pending;
use std::net::SocketAddr;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use multistream::config::{Config, ExecSource, RtspSource, RtspTransport, Source, StreamConfig};
use multistream::serve::Server;
use multistream_testkit::{Cameras, CamerasOptions, free_port};
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use rtsp_client::{Reader, is_key_frame};
use witness::{good_camera, unnoticed, watch};

const PATIENCE: Duration = Duration::from_mins(1);
/// How many pictures a program reads.
const PICTURES: usize = 60;

struct Served {
    /// Of HTTP.
    url: String,
    rtsp: SocketAddr,
}

impl Served {
    /// Serves these streams, to readers with this login if there is one.
    async fn start(streams: Vec<StreamConfig>, login: Option<(&str, &str)>) -> Self {
        let mut config = Config { streams, ..Config::default() };
        config.multistream.linger = Duration::from_millis(200);
        config.api.listen = "127.0.0.1:0".parse().ok();
        config.webrtc.listen = "127.0.0.1:0".parse().expect("an address");
        config.rtsp.listen = "127.0.0.1:0".parse().ok();
        let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
        (config.rtsp.username, config.rtsp.password) = login.unzip();
        let server = Server::bind(config).await.expect("port 0 is free");
        let (http, rtsp) = (server.http_addr().expect("HTTP"), server.rtsp_addr().expect("RTSP"));
        tokio::spawn(server.run(pending()));
        Self { url: format!("http://{http}"), rtsp }
    }

    fn address_of(&self, stream: &str) -> String {
        format!("rtsp://{}/{stream}", self.rtsp)
    }

    fn with_login(&self, login: &str) -> String {
        format!("rtsp://{login}@{}/good", self.rtsp)
    }

    /// The value of a metric, of all streams together.
    async fn metric(&self, name: &str) -> f64 {
        let text = rtsp_client::http_get(&self.url, "/metrics").await;
        let values = text.lines().filter(|line| line.starts_with(name));
        values.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }
}

fn camera(name: &str, url: &str, transport: RtspTransport) -> StreamConfig {
    let source = RtspSource { transport, ..RtspSource::new(url.parse().expect("a URL")) };
    StreamConfig { name: name.to_owned(), sources: vec![Source::Rtsp(source)] }
}

fn program(name: &str, command: &str) -> StreamConfig {
    let argv = command.split_whitespace().map(str::to_owned).collect();
    StreamConfig { name: name.to_owned(), sources: vec![Source::Exec(ExecSource::new(argv))] }
}

async fn run(program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    let output = command.args(arguments).stdin(Stdio::null()).kill_on_drop(true).output();
    timeout(PATIENCE, output)
        .await
        .unwrap_or_else(|_| panic!("{program} {arguments:?} does not end"))
        .expect("it starts")
}

/// The timestamps of so many pictures that ffmpeg reads and copies, in ticks.
async fn ffmpeg_reads(url: &str, transport: &str, pictures: usize) -> Vec<i64> {
    let count = pictures.to_string();
    let arguments = ["-v", "error", "-rtsp_transport", transport, "-i", url, "-frames:v", &count];
    let output = run("ffmpeg", &[&arguments[..], &["-c", "copy", "-f", "framecrc", "-"]].concat()).await;
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = stdout.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split(',').nth(2).and_then(|pts| pts.trim().parse().ok()).expect("a timestamp"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ffmpeg_reads_every_picture_with_the_cameras_distances_over_both_transports() {
    let cameras = good_camera();
    let server = Served::start(vec![camera("front door", &cameras.url(1), RtspTransport::Tcp)], None).await;
    let url = server.address_of("front%20door");
    for transport in ["tcp", "udp"] {
        let times = ffmpeg_reads(&url, transport, PICTURES).await;
        assert_eq!(times.len(), PICTURES, "{transport}");
        assert!(times.is_sorted(), "{transport}: {times:?}");
        // 30 pictures per second of a clock of 90 kHz, once ffmpeg has found the beginning: its first two have the same time.
        let (from, to) = (10, PICTURES - 1);
        let distance = (times[to] - times[from]) / (to - from) as i64;
        assert!((2700..=3300).contains(&distance), "{transport}: {distance}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gstreamer_decodes_what_it_reads_over_both_transports() {
    let cameras = good_camera();
    let server = Served::start(vec![camera("good", &cameras.url(1), RtspTransport::Tcp)], None).await;
    for transport in ["tcp", "udp"] {
        gstreamer_decodes(&server.address_of("good"), transport, "rtph264depay ! h264parse ! avdec_h264")
            .await;
    }
}

/// Has `GStreamer` decode some pictures.
async fn gstreamer_decodes(url: &str, transport: &str, decoder: &str) {
    let pipeline = format!(
        "-q rtspsrc location={url} protocols={transport} latency=0 ! {decoder} ! fakesink num-buffers={PICTURES}"
    );
    let output = run("gst-launch-1.0", &pipeline.split_whitespace().collect::<Vec<_>>()).await;
    assert!(output.status.success(), "{url}, {transport}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_pulls_from_this_one_over_both_transports_and_with_a_login() {
    let cameras = good_camera();
    let origin =
        Served::start(vec![camera("good", &cameras.url(1), RtspTransport::Tcp)], Some(("user", "pass")))
            .await;
    for transport in [RtspTransport::Tcp, RtspTransport::Udp] {
        let mut stream = camera("good", &origin.address_of("good"), transport);
        let Source::Rtsp(source) = &mut stream.sources[0] else { unreachable!("made above") };
        source.credentials = Some(("user".to_owned(), "pass".to_owned()));
        let edge = Served::start(vec![stream], None).await;
        let viewer = watch(&edge.url, "good").await;
        viewer.until_frames(PICTURES as u64).await.unwrap_or_else(|error| panic!("{transport:?}: {error}"));
        assert_eq!(viewer.counts()[&0].lost, 0, "{transport:?}");
    }
    assert_eq!(cameras.viewers(1), 1, "the camera is pulled once");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_codec_is_read_too() {
    let source = "ffmpeg -v error -re -f lavfi -i testsrc2=size=320x180:rate=15 -pix_fmt yuv420p";
    let h265 =
        "-c:v libx265 -preset ultrafast -tune zerolatency -x265-params log-level=none:keyint=15 -f hevc -";
    let vp8 = "-c:v libvpx -auto-alt-ref 0 -deadline realtime -cpu-used 8 -lag-in-frames 0 -g 15 -f ivf -";
    let vp9 = vp8.replace("libvpx", "libvpx-vp9");
    let av1 = "-c:v libsvtav1 -preset 12 -svtav1-params pred-struct=1:lookahead=0 -g 15 -f ivf -";
    let codecs = [("h265", h265), ("vp8", vp8), ("vp9", &vp9), ("av1", av1)];
    let streams = codecs.map(|(name, encoder)| program(name, &format!("{source} {encoder}")));
    let server = Served::start(streams.into(), None).await;
    for name in ["h265", "vp8"] {
        assert_eq!(ffmpeg_reads(&server.address_of(name), "tcp", 30).await.len(), 30, "{name}");
    }
    // ffmpeg 5 does not tell the key frames of VP9, so it copies none, and cannot read AV1 by RTP.
    gstreamer_decodes(&server.address_of("vp9"), "tcp", "rtpvp9depay ! vp9dec").await;
    let mut reader = Reader::connect(server.rtsp).await;
    let described = reader.ask("DESCRIBE", &server.address_of("av1"), "").await;
    assert!(described.contains("a=rtpmap:96 AV1/90000\r\n"), "{described}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_asked_of_everybody_by_digest_or_basic() {
    let cameras = good_camera();
    let streams = vec![camera("good", &cameras.url(1), RtspTransport::Tcp)];
    let server = Served::start(streams, Some(("user", "pass"))).await;
    assert_eq!(ffmpeg_reads(&server.with_login("user:pass"), "tcp", 5).await.len(), 5, "by digest");
    for login in ["user:wrong", "other:pass"] {
        let output =
            run("ffmpeg", &["-v", "error", "-i", &server.with_login(login), "-f", "null", "-"]).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("401 Unauthorized"), "{said}");
    }
    let url = server.address_of("good");
    let mut reader = Reader::connect(server.rtsp).await;
    assert!(reader.ask("OPTIONS", &url, "").await.starts_with("RTSP/1.0 200 "));
    for (method, header) in
        [("DESCRIBE", ""), ("SETUP", "Transport: RTP/AVP/TCP;unicast\r\n"), ("PLAY", ""), ("TEARDOWN", "")]
    {
        let refused = reader.ask(method, &url, header).await;
        assert!(refused.starts_with("RTSP/1.0 401 "), "{refused}");
        let challenges = refused.lines().filter(|line| line.starts_with("WWW-Authenticate: "));
        assert_eq!(challenges.count(), 2, "{refused}");
    }
    // "user:wrong" and "user:pass".
    for (credentials, code) in [("dXNlcjp3cm9uZw==", 401), ("dXNlcjpwYXNz", 200)] {
        let header = format!("Authorization: Basic {credentials}\r\n");
        let answer = reader.ask("DESCRIBE", &url, &header).await;
        assert!(answer.starts_with(&format!("RTSP/1.0 {code} ")), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_camera_is_pulled_for_the_first_reader_and_released_after_the_last() {
    let cameras = good_camera();
    let server = Served::start(vec![camera("good", &cameras.url(1), RtspTransport::Tcp)], None).await;
    assert_eq!(cameras.viewers(1), 0);
    let mut readers = Vec::new();
    for _ in 0..2 {
        let mut reader = Reader::connect(server.rtsp).await;
        reader.play(&server.address_of("good")).await;
        let first = reader.packet().await;
        assert!(is_key_frame(&first.payload), "the cached GOP comes first");
        readers.push(reader);
    }
    assert_eq!(cameras.viewers(1), 1);
    let last = readers.pop();
    readers[0].ask("TEARDOWN", &server.address_of("good"), "").await;
    assert!(readers[0].is_closed().await);
    assert_eq!(cameras.viewers(1), 1, "it is read by another");
    drop(last);
    until(|| cameras.viewers(1) == 0, "the camera is released").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_play_tells_the_first_packet_and_reports_tell_the_time() {
    let cameras = good_camera();
    let server = Served::start(vec![camera("good", &cameras.url(1), RtspTransport::Tcp)], None).await;
    let url = server.address_of("good");
    let mut reader = Reader::connect(server.rtsp).await;
    let played = reader.play(&url).await;
    let first = reader.packet().await;
    let info =
        format!("RTP-Info: url={url}/trackID=0;seq={};rtptime={}\r\n", first.sequence, first.timestamp);
    assert!(played.contains(&info) && played.contains("Range: npt=now-\r\n"), "{info} is not in {played}");
    let report = reader.report().await;
    assert_eq!(report[1], 200, "a sender report");
    let at = u32::from_be_bytes(report[16..20].try_into().expect("four bytes"));
    // The first picture may be a GOP old, and the reader is behind by less than the test's patience.
    assert!(at.wrapping_sub(first.timestamp) < 90_000 * 30, "{at} {}", first.timestamp);
    let unix = u64::from(u32::from_be_bytes(report[8..12].try_into().expect("four bytes"))) - 2_208_988_800;
    let now = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
    assert!(unix.abs_diff(now) <= 60, "{unix} {now}");

    assert!(reader.ask("PAUSE", &url, "").await.starts_with("RTSP/1.0 200 "));
    assert!(reader.ask("GET_PARAMETER", &url, "").await.contains("Session: "));
    let last = reader.last_sequence;
    let played = reader.ask("PLAY", &url, "").await;
    let next = reader.packet().await;
    assert!(played.contains(&format!("rtptime={}\r\n", next.timestamp)), "{played}");
    assert_eq!(next.sequence, last.wrapping_add(1), "numbers go on after a pause");
    assert!(is_key_frame(&next.payload));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_does_not_read_loses_whole_gops_and_nobody_else_notices() {
    let options = CamerasOptions { width: 1280, height: 720, gop_s: 1.0, ..Default::default() };
    let (good, large) = (good_camera(), Cameras::start(&options).expect("the test cameras start"));
    let streams = vec![
        camera("good", &good.url(1), RtspTransport::Tcp),
        camera("large", &large.url(1), RtspTransport::Tcp),
    ];
    let server = Served::start(streams, None).await;
    let mut readers = Vec::new();
    unnoticed(&server.url, async {
        for stream in ["large", "good", "large"] {
            let mut reader = Reader::connect(server.rtsp).await;
            reader.play(&server.address_of(stream)).await;
            reader.packet().await;
            readers.push(reader);
        }
        let start = Instant::now();
        while server.metric("multistream_stream_frames_skipped").await == 0.0 {
            assert!(start.elapsed() < PATIENCE, "no reader has missed a picture");
            sleep(Duration::from_millis(100)).await;
        }
        // So that the cache has another GOP than the one of which a part has left.
        sleep(Duration::from_secs(3)).await;
    })
    .await;
    let reader = &mut readers[0];
    let mut last = reader.packet().await;
    let start = Instant::now();
    loop {
        let packet = reader.packet().await;
        assert_eq!(packet.sequence, last.sequence.wrapping_add(1), "what is left out leaves no gap");
        let distance = packet.timestamp.wrapping_sub(last.timestamp) as i32;
        assert!(distance >= 0, "back by {distance}");
        if distance > 45_000 {
            assert!(last.marker && is_key_frame(&packet.payload), "a whole picture, then a key frame");
            break;
        }
        assert!(start.elapsed() < PATIENCE, "nothing was left out");
        last = packet;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_cannot_be_served_are_refused_with_a_sentence() {
    let cameras = good_camera();
    let dead = format!("rtsp://127.0.0.1:{}/1", free_port());
    let streams =
        vec![camera("good", &cameras.url(1), RtspTransport::Tcp), camera("dead", &dead, RtspTransport::Tcp)];
    let server = Served::start(streams, None).await;
    let good = server.address_of("good");
    let track = |number| format!("{good}/trackID={number}");
    let mut reader = Reader::connect(server.rtsp).await;
    let tcp = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
    let multicast = "Transport: RTP/AVP;multicast;client_port=5000-5001\r\n";
    let backchannel = "Require: www.onvif.org/ver20/backchannel\r\n";
    for (method, url, header, code, words) in [
        ("DESCRIBE", server.address_of("nobody"), "", 404, "there is no stream named \"nobody\""),
        ("DESCRIBE", server.address_of("dead"), "", 503, "refuses the connection"),
        ("DESCRIBE", good.clone(), backchannel, 551, "Unsupported: www.onvif.org/ver20/backchannel"),
        ("PLAY", good.clone(), "", 454, "send SETUP"),
        ("TEARDOWN", good.clone(), "", 454, "send SETUP"),
        ("SETUP", track(1), tcp, 404, "the only track is trackID=0"),
        ("SETUP", track(0), multicast, 461, "what there is"),
        ("SETUP", track(0), tcp, 200, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc="),
        ("PLAY", good.clone(), "Session: 0\r\n", 454, "send SETUP"),
        ("RECORD", good.clone(), "", 405, "Allow: OPTIONS, DESCRIBE"),
        ("FLY", good.clone(), "", 501, "Public: OPTIONS, DESCRIBE"),
        ("SET_PARAMETER", good.clone(), "", 200, "Session: "),
    ] {
        let answer = reader.ask(method, &url, header).await;
        assert!(
            answer.starts_with(&format!("RTSP/1.0 {code} ")) && answer.contains(words),
            "{method}: {answer}"
        );
    }
    let mut stranger = Reader::connect(server.rtsp).await;
    stranger.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(stranger.answer().await.starts_with("RTSP/1.0 400 "));
    assert!(stranger.is_closed().await);
}

async fn until(condition: impl Fn() -> bool, what: &str) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        sleep(Duration::from_millis(50)).await;
    }
}
