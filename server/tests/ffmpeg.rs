//! Tests of the ffmpeg and exec sources with the real ffmpeg, as the hub runs them.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use multistream::config::{ExecSource, FfmpegConfig, FfmpegInput, FfmpegSource, Source};
use multistream::media::{AccessUnit, Codec, Dimensions, Frame, Framer, Timestamp90k};
use multistream::source::{Input, SourceError, Way, run_once};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

struct Run {
    units: mpsc::Receiver<AccessUnit>,
    task: JoinHandle<Result<(), SourceError>>,
}

impl Run {
    fn start(source: Source, input: Option<Input>) -> Self {
        Self::with(source, FfmpegConfig::default(), input)
    }

    fn with(source: Source, config: FfmpegConfig, input: Option<Input>) -> Self {
        let (output, units) = mpsc::channel(64);
        let task = tokio::spawn(async move { run_once(&source, &config, Way::AsItIs, input, output).await });
        Self { units, task }
    }

    async fn next(&mut self) -> AccessUnit {
        match timeout(PATIENCE, self.units.recv()).await.expect("a picture in time") {
            Some(unit) => unit,
            None => panic!("the source ended: {:?}", (&mut self.task).await),
        }
    }

    async fn error(self) -> SourceError {
        let Self { mut units, task } = self;
        timeout(PATIENCE, async { while units.recv().await.is_some() {} }).await.expect("an end in time");
        task.await.expect("no panic").expect_err("it has to fail")
    }
}

fn virtual_source(options: &[(&str, &str)]) -> FfmpegSource {
    let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    FfmpegSource::new(FfmpegInput::Virtual(options))
}

fn test_picture(size: &str) -> FfmpegSource {
    virtual_source(&[("video", "testsrc2"), ("size", size), ("rate", "30")])
}

/// The size of a key frame, as the hub finds it.
fn dimensions(unit: AccessUnit) -> Option<Dimensions> {
    Framer::new().frame(unit, Timestamp90k(0)).expect("a picture").dimensions
}

/// Two seconds of 640×360 at 30 fps, key frame every second.
async fn clip(codec: &str) -> Vec<Arc<Frame>> {
    let mut source = test_picture("640x360");
    source.video = vec![codec.to_owned()];
    let mut run = Run::start(Source::Ffmpeg(source), None);
    let mut framer = Framer::new();
    let mut clip = Vec::new();
    while clip.len() < 60 {
        let unit = run.next().await;
        let arrival = Timestamp90k(1_000_000 + clip.len() as u64 * 3003);
        clip.push(Arc::new(framer.frame(unit, arrival).expect("a picture")));
    }
    clip
}

/// Processes whose command line has this word in it.
fn processes_with(word: &str) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("Linux");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        std::fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(word) && *pid != std::process::id())
    })
    .collect()
}

async fn gone(pid: u32) -> Duration {
    let start = Instant::now();
    while Path::new(&format!("/proc/{pid}")).exists() {
        assert!(start.elapsed() < Duration::from_secs(5), "{pid} is still there");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    start.elapsed()
}

#[tokio::test]
async fn a_generated_picture_begins_with_a_key_frame_of_its_size() {
    let mut source = test_picture("720");
    source.height = Some(360);
    let mut run = Run::start(Source::Ffmpeg(source), None);
    let first = run.next().await;
    assert_eq!((first.codec, first.timestamp), (Codec::H264, Timestamp90k(0)));
    let mut framer = Framer::new();
    let first = framer.frame(first, Timestamp90k(0)).expect("a key frame");
    assert_eq!(first.dimensions, Some(Dimensions { width: 640, height: 360 }));
    let second = run.next().await;
    assert_eq!(second.timestamp, Timestamp90k(3000));
    assert!(!framer.frame(second, Timestamp90k(0)).expect("a picture").keyframe);
}

async fn a_variant_of(codec: &str) {
    a_variant_in("h264", codec).await;
}

async fn a_variant_in(made: &str, codec: &str) {
    let frames = clip(codec).await;
    let mut source = FfmpegSource::new(FfmpegInput::Stream("camera1".to_owned()));
    source.video = vec![made.to_owned()];
    source.height = Some(180);
    let (input, receiver) = mpsc::channel(1);
    let mut run = Run::start(Source::Ffmpeg(source), Some(receiver));
    let fed: Vec<Timestamp90k> = frames.iter().map(|frame| frame.timestamp).collect();
    let feeder = tokio::spawn(async move {
        for frame in frames {
            let _ = input.send(frame).await;
        }
        input
    });
    // Up to five frames may still be inside ffmpeg while the input is open.
    for expected in &fed[..55] {
        let unit = run.next().await;
        assert_eq!(unit.timestamp, *expected, "on the camera's timeline, to the tick");
        if *expected == fed[0] {
            assert_eq!(dimensions(unit), Some(Dimensions { width: 320, height: 180 }));
        }
    }
    drop(feeder.await.expect("no panic"));
    let error = run.error().await;
    assert!(matches!(&error, SourceError::InputDown { stream, .. } if stream == "camera1"), "{error}");
}

#[tokio::test]
async fn a_variant_of_an_h264_camera_keeps_the_cameras_timestamps() {
    a_variant_of("h264").await;
}

#[tokio::test]
async fn a_variant_of_an_h265_camera_keeps_the_cameras_timestamps() {
    a_variant_of("h265").await;
}

#[tokio::test]
async fn a_variant_of_a_vp8_camera_keeps_the_cameras_timestamps() {
    a_variant_of("vp8").await;
}

#[tokio::test]
async fn a_variant_of_a_vp9_camera_keeps_the_cameras_timestamps() {
    a_variant_of("vp9").await;
}

#[tokio::test]
async fn a_variant_of_an_av1_camera_keeps_the_cameras_timestamps() {
    a_variant_of("av1").await;
}

#[tokio::test]
async fn a_variant_in_av1_keeps_the_cameras_timestamps() {
    a_variant_in("av1", "h264").await;
}

#[tokio::test]
async fn an_ffmpeg_that_is_killed_is_an_error_within_a_second_and_no_zombie() {
    let mut run = Run::start(Source::Ffmpeg(test_picture("400x226")), None);
    run.next().await;
    let pids = processes_with("size=400x226");
    assert_eq!(pids.len(), 1, "one ffmpeg runs");
    assert!(Command::new("kill").args(["-9", &pids[0].to_string()]).status().expect("kill").success());
    let killed = Instant::now();
    let error = run.error().await;
    assert!(killed.elapsed() < Duration::from_secs(1), "{:?}", killed.elapsed());
    assert!(error.to_string().contains("killed by signal 9"), "{error}");
    gone(pids[0]).await;
}

#[tokio::test]
async fn closing_the_output_ends_ffmpeg_within_a_second() {
    let mut run = Run::start(Source::Ffmpeg(test_picture("400x228")), None);
    run.next().await;
    let pids = processes_with("size=400x228");
    assert_eq!(pids.len(), 1, "one ffmpeg runs");
    drop(run.units);
    assert!(gone(pids[0]).await < Duration::from_secs(1));
    assert_eq!(run.task.await.expect("no panic"), Ok(()));
}

#[tokio::test]
async fn cancelling_the_run_ends_ffmpeg_within_a_second() {
    let mut run = Run::start(Source::Ffmpeg(test_picture("400x230")), None);
    run.next().await;
    let pids = processes_with("size=400x230");
    assert_eq!(pids.len(), 1, "one ffmpeg runs");
    run.task.abort();
    assert!(gone(pids[0]).await < Duration::from_secs(1));
}

#[tokio::test]
async fn the_error_for_bad_arguments_is_ffmpegs_own_message() {
    let mut source = test_picture("720");
    source.raw = vec!["-no_such_option 1".to_owned()];
    let error = Run::start(Source::Ffmpeg(source), None).error().await.to_string();
    assert!(error.contains("no_such_option"), "{error}");
}

#[tokio::test]
async fn a_camera_that_refuses_is_named_without_its_password() {
    let url = "rtsp://admin:hunter2@127.0.0.1:21299/ch1";
    let source = FfmpegSource::new(FfmpegInput::Url(url.to_owned()));
    let error = Run::start(Source::Ffmpeg(source), None).error().await.to_string();
    assert!(error.contains("127.0.0.1:21299"), "{error}");
    assert!(error.contains("refused") && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_missing_ffmpeg_is_a_permanent_error_that_says_what_to_install() {
    let config = FfmpegConfig { bin: "/nowhere/ffmpeg".to_owned(), ..FfmpegConfig::default() };
    let error = Run::with(Source::Ffmpeg(test_picture("720")), config, None).error().await;
    assert!(error.permanent());
    assert!(error.to_string().contains("apt install ffmpeg"), "{error}");
}

fn exec(command: &str) -> Source {
    Source::Exec(ExecSource::new(command.split(' ').map(str::to_owned).collect()))
}

const WRITES: &str = "ffmpeg -v error -re -f lavfi -i testsrc2=size=320x180:rate=30 -t 3 -pix_fmt yuv420p";
const X264: &str = "-c:v libx264 -tune zerolatency -g 15";

async fn a_program_that_writes(output: &str, codec: Codec) {
    let mut run = Run::start(exec(&format!("{WRITES} {output} -")), None);
    let first = run.next().await;
    assert_eq!(first.codec, codec);
    let mut last = first.timestamp;
    assert_eq!(dimensions(first), Some(Dimensions { width: 320, height: 180 }));
    for _ in 0..20 {
        let unit = run.next().await;
        assert!(unit.timestamp > last, "time goes on");
        last = unit.timestamp;
    }
    assert!(last.0 < 3 * Timestamp90k::HZ);
}

#[tokio::test]
async fn a_program_that_writes_raw_h264_is_shown() {
    a_program_that_writes(&format!("{X264} -f h264"), Codec::H264).await;
}

#[tokio::test]
async fn a_program_that_writes_raw_h265_is_shown() {
    a_program_that_writes("-c:v libx265 -tune zerolatency -x265-params log-level=none -f hevc", Codec::H265)
        .await;
}

#[tokio::test]
async fn a_program_that_writes_mpeg_ts_is_shown() {
    a_program_that_writes(&format!("{X264} -f mpegts"), Codec::H264).await;
}

#[tokio::test]
async fn a_program_that_writes_flv_is_shown() {
    a_program_that_writes(&format!("{X264} -f flv"), Codec::H264).await;
}

#[tokio::test]
async fn a_program_that_writes_ivf_is_shown() {
    let realtime = "-deadline realtime -cpu-used 8 -lag-in-frames 0 -b:v 500k";
    a_program_that_writes(&format!("-c:v libvpx -auto-alt-ref 0 {realtime} -f ivf"), Codec::Vp8).await;
    a_program_that_writes(&format!("-c:v libvpx-vp9 {realtime} -f ivf"), Codec::Vp9).await;
    let av1 = "-c:v libaom-av1 -usage realtime -cpu-used 8 -lag-in-frames 0 -f ivf";
    a_program_that_writes(av1, Codec::Av1).await;
}

#[tokio::test]
async fn mjpeg_is_refused_with_what_to_do() {
    let source = exec("ffmpeg -v error -f lavfi -i testsrc2=size=320x180 -t 1 -f mjpeg -");
    let error = Run::start(source, None).error().await;
    assert!(error.permanent());
    assert!(error.to_string().contains("MJPEG") && error.to_string().contains("H.264"), "{error}");
}

#[tokio::test]
async fn the_error_of_a_program_contains_its_stderr() {
    let error = Run::start(exec("ls /no/such/camera"), None).error().await.to_string();
    assert!(error.starts_with("ls ended (exit code 2)") && error.contains("/no/such/camera"), "{error}");
}

#[tokio::test]
async fn the_error_for_text_on_stdout_says_that_logs_belong_on_stderr() {
    let error = Run::start(exec("echo starting the camera now"), None).error().await.to_string();
    assert!(error.contains("stderr"), "{error}");
}
