//! The other ways in which a camera is read: over the other transport, and by ffmpeg, and what that costs.

#[path = "support/camera.rs"]
#[allow(dead_code, reason = "each test file uses its own part of it")]
mod camera;
#[path = "support/clip.rs"]
#[allow(dead_code, reason = "each test file uses its own part of it")]
mod clip;

use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use multistream::bitstream::annex_b;
use multistream::config::{FfmpegConfig, RtspSource, RtspTransport, RtspVia, Source};
use multistream::media::Codec;
use multistream::source::{SourceError, Way, run_once};
use tokio::sync::mpsc;

use camera::Camera;
use camera::oddity::Sent;
use clip::Clip;

static CLIP: LazyLock<Arc<Clip>> = LazyLock::new(|| Arc::new(Clip::new(Codec::H264, "640x360", 25)));

fn source(camera: &Camera, via: RtspVia) -> RtspSource {
    RtspSource { via, ..RtspSource::new(camera.url().parse().expect("a URL")) }
}

#[tokio::test]
async fn udp_that_does_not_come_through_is_noticed_before_the_camera_counts_as_silent() {
    let camera = Camera::start(&CLIP);
    // Over UDP these are not sent.
    camera.packets(|_, packet| vec![Sent::On(0, packet)]);
    let udp = RtspSource { transport: RtspTransport::Udp, ..source(&camera, RtspVia::Any) };
    let (output, _units) = mpsc::channel(1);
    let end = run_once(&Source::Rtsp(udp), &FfmpegConfig::default(), Way::AsItIs, None, output).await;
    assert!(matches!(end, Err(SourceError::NoPackets { .. })), "{end:?}");
}

/// The time to the first picture, and how long after it was sent a picture comes, at the median and at most.
async fn latency(camera: &Camera, via: RtspVia) -> [Duration; 3] {
    let sent = Arc::new(Mutex::new(vec![Instant::now(); CLIP.pictures.len()]));
    let times = sent.clone();
    camera.fault(move |number, _| {
        let index = number as usize % CLIP.pictures.len();
        times.lock().expect("no panic")[index] = Instant::now();
    });
    let source = Source::Rtsp(source(camera, via));
    let (output, mut units) = mpsc::channel(1);
    let start = Instant::now();
    let run =
        tokio::spawn(
            async move { run_once(&source, &FfmpegConfig::default(), Way::AsItIs, None, output).await },
        );
    let (mut first, mut delays) = (Duration::ZERO, Vec::new());
    while delays.len() < 100 {
        let unit = units.recv().await.expect("it goes on");
        if delays.is_empty() {
            first = start.elapsed();
        }
        let slice = annex_b::split(&unit.data).last().expect("a picture");
        let index = CLIP.pictures.iter().position(|nals| nals.last().is_some_and(|nal| **nal == *slice));
        delays.push(sent.lock().expect("no panic")[index.expect("of the clip")].elapsed());
    }
    drop(units);
    run.await.expect("no panic").expect("it was stopped");
    // Without the first ones, which ffmpeg looks at before it passes them on.
    let mut delays = delays.split_off(50);
    delays.sort();
    [first, delays[delays.len() / 2], delays[delays.len() - 1]]
}

#[tokio::test(flavor = "multi_thread")]
async fn ffmpeg_delays_pictures_by_about_one_of_them() {
    let camera = Camera::start(&CLIP);
    let native = latency(&camera, RtspVia::Native).await;
    let ffmpeg = latency(&camera, RtspVia::Ffmpeg).await;
    println!("first picture, delay at the median and at most: {native:?}, by ffmpeg {ffmpeg:?}");
    assert!(ffmpeg[0] < Duration::from_secs(2), "{ffmpeg:?}");
    assert!(ffmpeg[1] < Duration::from_millis(60), "{ffmpeg:?}");
}

/// Every seventh packet comes after the next one.
fn swapped() -> impl Fn(u32, Vec<u8>) -> Vec<Sent> + Send + Sync {
    let held = Mutex::new(None);
    move |number, packet| {
        let mut held = held.lock().expect("no panic");
        if number % 7 == 3 {
            *held = Some(packet);
            return Vec::new();
        }
        [Some(packet), held.take()].into_iter().flatten().map(Sent::Packet).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ffmpeg_puts_packets_of_udp_in_order() {
    let camera = Camera::start(&CLIP);
    camera.packets(swapped());
    let udp = RtspSource { transport: RtspTransport::Udp, ..source(&camera, RtspVia::Ffmpeg) };
    let (output, mut units) = mpsc::channel(1);
    let run = tokio::spawn(async move {
        run_once(&Source::Rtsp(udp), &FfmpegConfig::default(), Way::AsItIs, None, output).await
    });
    let mut seen = Vec::new();
    while seen.len() < 75 {
        let unit = units.recv().await.expect("it goes on");
        let slice = annex_b::split(&unit.data).last().expect("a picture");
        seen.push(CLIP.pictures.iter().position(|nals| nals.last().is_some_and(|nal| **nal == *slice)));
    }
    drop(units);
    run.await.expect("no panic").expect("it was stopped");
    let in_order = |pair: &&[Option<usize>]| {
        pair[0].zip(pair[1]).is_some_and(|(one, next)| next == (one + 1) % CLIP.pictures.len())
    };
    let whole = seen.windows(2).filter(in_order).count();
    assert!(whole > 70, "{whole}: {seen:?}");
}
