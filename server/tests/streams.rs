//! Tests of streams with a real RTSP server: pulled on demand, shared, retried, and stopped.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use multistream::config::{
    Config, FfmpegInput, FfmpegSource, RtspSource, RtspTransport, Source, StreamConfig,
};
use multistream::media::{Codec, Dimensions};
use multistream::stream::{Registry, StreamError, StreamEvent, StreamSnapshot, StreamState, Subscription};
use multistream_testkit::{CameraEvent, Cameras, CamerasOptions, Login};
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(15);
const LINGER: Duration = Duration::from_millis(500);

fn start(options: &CamerasOptions) -> Cameras {
    Cameras::start(options).expect("the test cameras start")
}

fn one_second_gops() -> CamerasOptions {
    CamerasOptions { gop_s: 1.0, ..Default::default() }
}

fn at(url: &str) -> RtspSource {
    RtspSource::new(url.parse().expect("a URL"))
}

fn registry_of(source: RtspSource) -> Arc<Registry> {
    let mut config = Config::default();
    config.multistream.linger = LINGER;
    config.streams = vec![StreamConfig { name: "camera1".to_owned(), sources: vec![Source::Rtsp(source)] }];
    Registry::new(&config)
}

struct Viewer(Subscription);

fn watch(registry: &Registry, room: usize) -> Viewer {
    watch_quality(registry, None, room)
}

fn watch_quality(registry: &Registry, quality: Option<&str>, room: usize) -> Viewer {
    let name = registry.resolve("camera1", quality).expect("the stream exists");
    Viewer(registry.subscribe(&name, room).expect("the stream takes viewers"))
}

impl Viewer {
    async fn next(&mut self) -> StreamEvent {
        timeout(PATIENCE, self.0.recv()).await.expect("an event in time").expect("the stream lives")
    }

    async fn until_gop(&mut self) {
        while !matches!(self.next().await, StreamEvent::Gop(gop) if gop[0].keyframe) {}
    }

    async fn until_offline(&mut self) -> StreamError {
        loop {
            if let StreamEvent::Offline(error) = self.next().await {
                return error;
            }
        }
    }
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..150 {
        if holds() {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("never: {what}");
}

async fn snapshot(registry: &Registry) -> StreamSnapshot {
    registry.snapshot().await.remove(0)
}

async fn error_of(source: RtspSource) -> StreamError {
    let registry = registry_of(source);
    let error = watch(&registry, 64).until_offline().await;
    registry.shutdown().await;
    error
}

#[tokio::test]
async fn nine_viewers_share_one_pull_that_ends_after_the_last() {
    let cameras = start(&one_second_gops());
    let registry = registry_of(at(&cameras.url(1)));
    let mut viewers: Vec<Viewer> = (0..9).map(|_| watch(&registry, 256)).collect();
    for viewer in &mut viewers {
        viewer.until_gop().await;
        for _ in 0..30 {
            assert!(matches!(viewer.next().await, StreamEvent::Frame(_)));
        }
    }
    sleep(Duration::from_secs(2)).await;
    let seen = snapshot(&registry).await;
    assert_eq!((seen.state, seen.viewers), (StreamState::Live, 9));
    assert_eq!(
        (seen.codec, seen.dimensions),
        (Some(Codec::H264), Some(Dimensions { width: 640, height: 360 }))
    );
    assert_eq!(seen.gop_frames, Some(30));
    assert!((seen.fps - 30.0).abs() < 2.0, "{}", seen.fps);
    assert_eq!(cameras.viewers(1), 1);

    viewers.truncate(1);
    sleep(LINGER * 2).await;
    assert_eq!(cameras.viewers(1), 1);
    viewers.clear();
    eventually("the camera is let go of", || cameras.viewers(1) == 0).await;
    let plays = cameras.events().into_iter().filter(|event| matches!(event, CameraEvent::Play { .. }));
    assert_eq!(plays.count(), 1);
    assert_eq!(snapshot(&registry).await.state, StreamState::Idle);
}

#[tokio::test]
async fn variants_are_viewers_of_the_camera_and_do_not_pull_it_again() {
    let cameras = start(&one_second_gops());
    let height = |height: i32| FfmpegSource {
        video: vec!["h264".to_owned()],
        height: Some(height),
        ..FfmpegSource::new(FfmpegInput::Stream("camera1".to_owned()))
    };
    let stream = |name: &str, source| StreamConfig { name: name.to_owned(), sources: vec![source] };
    let mut config = Config::default();
    config.multistream.linger = LINGER;
    config.streams = vec![
        stream("camera1", Source::Rtsp(at(&cameras.url(1)))),
        stream("camera1-180p", Source::Ffmpeg(height(180))),
        stream("camera1-90p", Source::Ffmpeg(height(90))),
    ];
    let registry = Registry::new(&config);
    let mut medium = watch_quality(&registry, Some("180p"), 256);
    let mut small = watch_quality(&registry, Some("90p"), 256);
    medium.until_gop().await;
    small.until_gop().await;
    let seen = registry.snapshot().await;
    assert_eq!(seen.iter().map(|stream| stream.viewers).collect::<Vec<_>>(), [2, 1, 1]);
    assert_eq!(seen[1].dimensions, Some(Dimensions { width: 320, height: 180 }));
    assert_eq!(seen[2].dimensions, Some(Dimensions { width: 160, height: 90 }));
    assert_eq!(cameras.viewers(1), 1);

    drop((medium, small));
    eventually("the camera is let go of", || cameras.viewers(1) == 0).await;
    let seen = registry.snapshot().await;
    assert!(seen.iter().all(|stream| stream.state == StreamState::Idle), "{seen:?}");
}

#[tokio::test]
async fn a_camera_that_was_off_is_shown_again_by_itself() {
    let options = one_second_gops();
    let first = start(&options);
    let port = first.port();
    let registry = registry_of(at(&first.url(1)));
    let mut viewer = watch(&registry, 256);
    viewer.until_gop().await;
    drop(first);
    assert!(!viewer.until_offline().await.permanent);
    let again = start(&CamerasOptions { port, ..options });
    viewer.until_gop().await;
    assert!(snapshot(&registry).await.restarts >= 1);
    registry.shutdown().await;
    eventually("shutdown leaves no session behind", || again.viewers(1) == 0).await;
}

#[tokio::test]
async fn udp_works_as_tcp_does() {
    let cameras = start(&one_second_gops());
    let registry = registry_of(RtspSource { transport: RtspTransport::Udp, ..at(&cameras.url(1)) });
    let mut viewer = watch(&registry, 256);
    viewer.until_gop().await;
    for _ in 0..30 {
        assert!(matches!(viewer.next().await, StreamEvent::Frame(_)));
    }
    drop(viewer);
    eventually("the camera is let go of", || cameras.viewers(1) == 0).await;
}

#[tokio::test]
async fn a_login_works_and_a_wrong_one_is_reported_without_the_password() {
    for method in ["basic", "digest"] {
        let login = Login { user: "ann".to_owned(), password: "right-horse".to_owned(), method };
        let cameras = start(&CamerasOptions { login: Some(login), ..Default::default() });
        let url = format!("rtsp://127.0.0.1:{}/camera1", cameras.port());
        let source = |password: &str| RtspSource {
            credentials: Some(("ann".to_owned(), password.to_owned())),
            ..at(&url)
        };
        let open = registry_of(source("right-horse"));
        watch(&open, 64).until_gop().await;
        open.shutdown().await;

        let error = error_of(source("wrong-horse")).await;
        assert!(error.permanent && error.message.contains("401"), "{error:?}");
        assert!(!error.message.contains("horse"), "{error:?}");
        assert!(error_of(at(&url)).await.message.contains("401"));
    }
}

#[tokio::test]
async fn a_path_that_the_camera_does_not_have_is_a_404() {
    let cameras = start(&CamerasOptions::default());
    let error = error_of(at(&cameras.url(7))).await;
    assert!(error.permanent && error.message.contains("404"), "{error:?}");
}

/// The URL of a camera that gives the same answer to every request, with the request's number in place of `{}`.
fn camera_that_answers(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        while let Ok((socket, _)) = listener.accept() {
            let mut lines = BufReader::new(&socket).lines();
            let mut number = String::new();
            while let Some(Ok(line)) = lines.next() {
                if let Some(named) = line.strip_prefix("CSeq: ") {
                    named.clone_into(&mut number);
                }
                if line.is_empty() && (&socket).write_all(answer.replace("{}", &number).as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    format!("rtsp://{address}/camera1")
}

#[tokio::test]
async fn an_error_that_retrying_cannot_fix_is_permanent() {
    let forbids = camera_that_answers("RTSP/1.0 403 Forbidden\r\nCSeq: {}\r\n\r\n");
    let error = error_of(at(&forbids)).await;
    assert!(error.permanent && error.message.contains("403"), "{error:?}");

    let sound_alone = camera_that_answers(
        "RTSP/1.0 200 OK\r\nCSeq: {}\r\nContent-Type: application/sdp\r\nContent-Length: 82\r\n\r\n\
         v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\na=control:track1\r\n",
    );
    let error = error_of(at(&sound_alone)).await;
    assert!(error.permanent && error.message.contains("offers no video"), "{error:?}");

    let busy = camera_that_answers("RTSP/1.0 503 Service Unavailable\r\nCSeq: {}\r\n\r\n");
    let error = error_of(at(&busy)).await;
    assert!(!error.permanent, "a camera that is busy may be free again: {error:?}");
}

#[tokio::test]
async fn a_program_that_is_not_installed_is_permanent() {
    let mut config = Config::default();
    config.ffmpeg.bin = "no-such-ffmpeg".to_owned();
    let source = FfmpegSource::new(FfmpegInput::File("film.mp4".to_owned()));
    config.streams = vec![StreamConfig { name: "camera1".to_owned(), sources: vec![Source::Ffmpeg(source)] }];
    let registry = Registry::new(&config);
    let error = watch(&registry, 64).until_offline().await;
    assert!(error.permanent && error.message.contains("not installed"), "{error:?}");
}

#[tokio::test]
async fn a_variant_of_a_camera_with_a_permanent_error_has_one_too() {
    let cameras = start(&CamerasOptions::default());
    let variant = FfmpegSource::new(FfmpegInput::Stream("camera1".to_owned()));
    let stream = |name: &str, source| StreamConfig { name: name.to_owned(), sources: vec![source] };
    let streams = vec![
        stream("camera1", Source::Rtsp(at(&cameras.url(7)))),
        stream("camera1-copy", Source::Ffmpeg(variant)),
    ];
    let config = Config { streams, ..Config::default() };
    let registry = Registry::new(&config);
    let error = watch_quality(&registry, Some("copy"), 64).until_offline().await;
    assert!(error.permanent && error.message.contains("404"), "{error:?}");
    registry.shutdown().await;
}

#[tokio::test]
async fn a_closed_port_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port");
    let error = error_of(at(&format!("rtsp://{free}/camera1"))).await;
    assert!(!error.permanent);
    let expected = format!("{free} refuses the connection: is the camera on, and is the port right?");
    assert_eq!(error.message, expected);
}

#[tokio::test]
async fn a_camera_that_never_answers_is_an_error_after_the_timeout() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("rtsp://{}/camera1", silent.local_addr().expect("bound"));
    let second = Some(Duration::from_secs(1));
    let error = error_of(RtspSource { timeout: second, ..at(&url) }).await;
    assert_eq!(error, StreamError { permanent: false, message: format!("{url} sent nothing for 1 s") });
}

#[tokio::test]
async fn a_viewer_that_reads_nothing_does_not_slow_the_others() {
    let cameras = start(&one_second_gops());
    let registry = registry_of(at(&cameras.url(1)));
    let mut stuck = watch(&registry, 4);
    let mut quick = watch(&registry, 256);
    quick.until_gop().await;
    let mut frames = Vec::new();
    while frames.len() < 90 {
        match quick.next().await {
            StreamEvent::Frame(frame) => frames.push(frame),
            other => panic!("a hole: {other:?}"),
        }
    }
    let distance = |pair: &[Arc<multistream::media::Frame>]| pair[1].timestamp.since(pair[0].timestamp);
    assert!(frames.windows(2).all(|pair| distance(pair) < Duration::from_millis(200)));
    assert!(snapshot(&registry).await.frames_skipped > 0);
    for _ in 0..4 {
        stuck.next().await;
    }
    stuck.until_gop().await;
    registry.shutdown().await;
}
