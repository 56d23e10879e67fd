//! Cameras that fail in all ways that cameras do. Each comes back by itself, and a viewer of another camera notices nothing.

#[path = "support/camera.rs"]
#[allow(dead_code, reason = "each test file uses its own part of it")]
mod camera;
#[path = "support/clip.rs"]
mod clip;
#[path = "support/relay.rs"]
mod relay;
#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;
#[allow(dead_code, reason = "each test file uses its own part of it")]
#[path = "support/witness.rs"]
mod witness;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use multistream::config::{Config, RtspSource, RtspTransport, Source, StreamConfig};
use multistream::media::Codec;
use multistream_testkit::{Cameras, CamerasOptions, Viewer};
use tokio::time::{Instant, sleep, timeout};

use camera::{Camera, FPS};
use clip::Clip;
use relay::Relay;
use support::{Server, rtsp};
use witness::{assert_live, error_with, frames, good_camera, stream, unnoticed, watch, whole_again};

/// The limit for a camera to be tried again: a back-off of a second, a session, and a GOP of a second, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(15);
/// The limit for a viewer to get every picture of a camera that is back.
const WHOLE_AFTER: Duration = Duration::from_secs(15);
/// How long the sources of this test may be silent.
const SILENCE: Duration = Duration::from_secs(2);

static SMALL: LazyLock<Arc<Clip>> = LazyLock::new(|| Arc::new(Clip::new(Codec::H264, "160x90", 25)));
static LARGE: LazyLock<Arc<Clip>> = LazyLock::new(|| Arc::new(Clip::new(Codec::H264, "320x180", 25)));
static H265: LazyLock<Arc<Clip>> = LazyLock::new(|| Arc::new(Clip::new(Codec::H265, "320x180", 25)));
/// Many small key frames, so that some arrive whole.
static SHORT: LazyLock<Arc<Clip>> = LazyLock::new(|| Arc::new(Clip::new(Codec::H264, "96x64", 5)));
static LONG: LazyLock<Arc<Clip>> = LazyLock::new(|| Arc::new(Clip::new(Codec::H264, "160x90", 250)));

fn source(url: &str) -> RtspSource {
    RtspSource { timeout: Some(SILENCE), ..RtspSource::new(url.parse().expect("a camera's URL")) }
}

fn named(name: &str, source: RtspSource) -> StreamConfig {
    StreamConfig { name: name.to_owned(), sources: vec![Source::Rtsp(source)] }
}

/// Watches a stream until it plays whole.
async fn playing(url: &str, name: &str, fps: u32) -> Viewer {
    let viewer = watch(url, name).await;
    whole_again(&viewer, fps, PATIENCE).await;
    viewer
}

/// The first viewer is whole again, and its stream says so.
async fn back(url: &str, name: &str, viewer: &Viewer, fps: u32) {
    let start = Instant::now();
    whole_again(viewer, fps, WHOLE_AFTER).await;
    println!("{name} was whole again after {:?}", start.elapsed());
    assert_live(url, name).await;
    assert_eq!(viewer.counts()[&0].backwards, 0, "{name}: the viewer's timestamps only grow");
}

async fn stops_and_comes_back(url: &str) {
    let options = CamerasOptions { width: 320, height: 180, gop_s: 1.0, ..Default::default() };
    let port: u16 = stream(url, "stops").await["producers"][0]["url"]
        .as_str()
        .and_then(|url| url.rsplit_once(':')?.1.split('/').next()?.parse().ok())
        .expect("the camera's port");
    let options = CamerasOptions { port, ..options };
    let cameras = Cameras::start(&options).expect("the camera starts");
    let viewer = playing(url, "stops", 30).await;
    drop(cameras);
    error_with(url, "stops", &["is the camera on"], PATIENCE).await;
    let _cameras = Cameras::start(&options).expect("the camera starts");
    back(url, "stops", &viewer, 30).await;
}

async fn reboots(url: &str, mut camera: Camera) {
    let viewer = playing(url, "reboots", FPS).await;
    camera.switch_off();
    error_with(url, "reboots", &["refuses the connection"], PATIENCE).await;
    sleep(Duration::from_secs(1)).await;
    camera.switch_on();
    back(url, "reboots", &viewer, FPS).await;
}

async fn changes_resolution(url: &str, camera: Camera) {
    let viewer = playing(url, "resizes", FPS).await;
    assert_eq!(stream(url, "resizes").await["width"], 160);
    camera.show(&LARGE);
    let gap = viewer.longest_gaps(Duration::from_secs(2)).await[&0];
    assert!(gap < Duration::from_secs(1), "the new size begins with a key frame: {gap:?}");
    assert_eq!(stream(url, "resizes").await["width"], 320);
    assert_eq!(stream(url, "resizes").await["restarts"], 0, "on the same session");
    back(url, "resizes", &viewer, FPS).await;
}

async fn changes_codec(url: &str, camera: Camera) {
    let viewer = playing(url, "recodes", FPS).await;
    let before = viewer.counts()[&0].payload_type;
    camera.show(&H265);
    camera.reset_connections();
    let start = Instant::now();
    while stream(url, "recodes").await["codec"] != "h265" {
        assert!(start.elapsed() < PATIENCE, "{}", stream(url, "recodes").await);
        sleep(Duration::from_millis(50)).await;
    }
    back(url, "recodes", &viewer, FPS).await;
    assert_ne!(viewer.counts()[&0].payload_type, before, "the viewer is told by the payload type");
}

async fn sends_garbage(url: &str, camera: Camera) {
    let viewer = playing(url, "garbage", FPS).await;
    camera.fault(|number, picture| {
        let noise = |salt: u32| (0..200 + salt).map(move |at| (at * 31 + salt * 17 + number * 7) as u8);
        picture.nals = (0..4).map(|salt| noise(salt).collect()).collect();
        // A parameter set, a key frame and fragments that are none.
        for (nal, first) in picture.nals.iter_mut().zip([0x67, 0x65, 0x7c, 0x78]) {
            nal[0] = first;
        }
    });
    sleep(Duration::from_secs(3)).await;
    camera.no_fault();
    back(url, "garbage", &viewer, FPS).await;
}

async fn jumps_in_time(url: &str, camera: Camera) {
    const WRAPS_SOON: u32 = u32::MAX - 3 * 90_000;
    const TEN_MINUTES: u32 = 600 * 90_000;
    camera.fault(|_, picture| picture.timestamp = picture.timestamp.wrapping_add(WRAPS_SOON));
    let viewer = watch(url, "jumps").await;
    viewer.until_frames(1).await.expect("it plays");
    for offset in [WRAPS_SOON, WRAPS_SOON.wrapping_add(TEN_MINUTES), WRAPS_SOON.wrapping_sub(TEN_MINUTES)] {
        camera.fault(move |_, picture| picture.timestamp = picture.timestamp.wrapping_add(offset));
        let before = frames(&viewer);
        let gap = viewer.longest_gaps(Duration::from_secs(4)).await[&0];
        let seen = frames(&viewer) - before;
        assert!(gap < Duration::from_secs(2), "a GOP at most is missed after {offset}: {gap:?}");
        assert!(seen > 60, "{seen} of 100 pictures after {offset}");
    }
    back(url, "jumps", &viewer, FPS).await;
}

async fn loses_its_path(url: &str, relay: Relay) {
    let viewer = playing(url, "silent", FPS).await;
    relay.fall_silent();
    error_with(url, "silent", &["sent nothing for 2 s"], PATIENCE).await;
    relay.mend();
    back(url, "silent", &viewer, FPS).await;
}

async fn loses_packets(url: &str, camera: Camera) {
    let viewer = playing(url, "lossy", FPS).await;
    camera.lose(20);
    let before = frames(&viewer);
    sleep(Duration::from_secs(4)).await;
    let seen = frames(&viewer) - before;
    assert!((1..90).contains(&seen), "what is whole is shown, and no more: {seen} of 100 pictures");
    camera.lose(0);
    back(url, "lossy", &viewer, FPS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cameras_that_fail_come_back_and_nobody_else_notices() {
    let good = good_camera();
    let small = || Camera::start(&SMALL);
    let (reboot, resize, recode, garbage) = (small(), small(), small(), small());
    let (jump, behind, lossy) = (small(), small(), Camera::start(&SHORT));
    let relay = Relay::start(behind.address()).await;
    let stops = multistream_testkit::free_port();
    let streams = vec![
        rtsp("good", &good.url(1)),
        named("stops", source(&format!("rtsp://127.0.0.1:{stops}/camera1"))),
        named("reboots", source(&reboot.url())),
        named("resizes", source(&resize.url())),
        named("recodes", source(&recode.url())),
        named("garbage", source(&garbage.url())),
        named("jumps", source(&jump.url())),
        named("silent", source(&format!("rtsp://{}/", relay.address()))),
        named("lossy", RtspSource { transport: RtspTransport::Udp, ..source(&lossy.url()) }),
    ];
    let server = Server::start(Config { streams, ..Config::default() }).await;
    let url = &*server.url;
    unnoticed(
        url,
        Box::pin(async {
            tokio::join!(
                stops_and_comes_back(url),
                reboots(url, reboot),
                changes_resolution(url, resize),
                changes_codec(url, recode),
                sends_garbage(url, garbage),
                jumps_in_time(url, jump),
                loses_its_path(url, relay),
                loses_packets(url, lossy),
            );
        }),
    )
    .await;
}

async fn has_a_gop_of_ten_seconds(url: &str, camera: Camera) {
    // It is asked for its pictures in the middle of a GOP, as cameras are.
    camera.fault(|number, picture| {
        if number == 0 {
            picture.nals.clear();
        }
    });
    let first = watch(url, "long").await;
    let start = Instant::now();
    while frames(&first) == 0 {
        assert!(start.elapsed() < Duration::from_secs(14), "its first key frame came after 10 s");
        sleep(Duration::from_millis(50)).await;
    }
    whole_again(&first, FPS, PATIENCE).await;
    sleep(Duration::from_secs(3)).await;
    let second = watch(url, "long").await;
    let shown = timeout(Duration::from_secs(4), second.until_frames(1)).await;
    shown.expect("the second does not wait for a key frame").expect("it plays");
    whole_again(&second, FPS, PATIENCE).await;
    assert_eq!(stream(url, "long").await["restarts"], 0);
}

async fn sends_no_key_frame(url: &str, camera: Camera) {
    camera.fault(|_, picture| {
        if picture.key_frame {
            picture.nals.clear();
        }
    });
    let mut viewer = watch(url, "keyless").await;
    let offline = |message: &serde_json::Value| message["status"]["status"] == "offline";
    viewer.control.until("offline", offline).await.expect("the slot says after a while that nothing comes");
    error_with(url, "keyless", &["no key frame for 30 s", "key frame interval"], Duration::from_secs(40))
        .await;
    assert_eq!(frames(&viewer), 0, "nothing that could be decoded came");
    camera.no_fault();
    back(url, "keyless", &viewer, FPS).await;
}

async fn gets_another_password(url: &str, camera: Camera) {
    let mut viewer = playing(url, "locked", FPS).await;
    camera.demand("ann:new-secret");
    camera.reset_connections();
    let error = error_with(url, "locked", &["(401)", "check them in the source's URL"], PATIENCE).await;
    assert!(!error.contains("secret"), "{error}");
    let said = |message: &serde_json::Value| message["status"]["status"] == "error";
    let status = viewer.control.until("error", said).await.expect("the viewer is told");
    assert!(status["status"]["error"].as_str().is_some_and(|text| text.contains("401")), "{status}");
    camera.demand("ann:old-secret");
    // A password is tried again every ten seconds, since cameras lock accounts.
    whole_again(&viewer, FPS, Duration::from_secs(30)).await;
    back(url, "locked", &viewer, FPS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cameras_that_make_one_wait_say_why_and_come_back() {
    let good = good_camera();
    let (long, keyless, locked) = (Camera::start(&LONG), Camera::start(&SMALL), Camera::start(&SMALL));
    locked.demand("ann:old-secret");
    let credentials = Some(("ann".to_owned(), "old-secret".to_owned()));
    let streams = vec![
        rtsp("good", &good.url(1)),
        named("long", source(&long.url())),
        named("keyless", source(&keyless.url())),
        named("locked", RtspSource { credentials, ..source(&locked.url()) }),
    ];
    let server = Server::start(Config { streams, ..Config::default() }).await;
    let url = &*server.url;
    unnoticed(
        url,
        Box::pin(async {
            tokio::join!(
                has_a_gop_of_ten_seconds(url, long),
                sends_no_key_frame(url, keyless),
                gets_another_password(url, locked),
            );
        }),
    )
    .await;
}
