//! Tests of programs that publish by RTSP to the address that they are given in place of `{output}`.

use std::time::Duration;

use multistream::config::{Config, ExecSource, FfmpegConfig, Source};
use multistream::media::{AccessUnit, Codec};
use multistream::source::{SourceError, Way, run_once};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(30);
const PICTURES: &str = "ffmpeg -v error -re -f lavfi -i testsrc=size=160x90:rate=10 -pix_fmt yuv420p";
const X264: &str = "-c:v libx264 -tune zerolatency -g 10";

fn start(line: &str, way: Way) -> (mpsc::Receiver<AccessUnit>, JoinHandle<Result<(), SourceError>>) {
    let text = format!("streams:\n  a: {}\n", serde_json::Value::from(format!("exec:{line}")));
    let (mut config, warnings) = Config::parse("m.yaml", &text, &|_| None).expect("the config is fine");
    assert_eq!(warnings, []);
    let source = config.streams.remove(0).sources.remove(0);
    assert!(matches!(&source, Source::Exec(source) if source.argv.join(" ").contains(ExecSource::OUTPUT)));
    let (output, units) = mpsc::channel(64);
    (units, tokio::spawn(async move { run_once(&source, &FfmpegConfig::default(), way, None, output).await }))
}

/// How many processes have this word in their command line.
fn running(word: &str) -> usize {
    let lines = std::fs::read_dir("/proc")
        .expect("Linux")
        .filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(word)).count()
}

async fn gone(word: &str) {
    for _ in 0..100 {
        if running(word) == 0 {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("{word} still runs");
}

async fn shows(line: &str, way: Way, codec: Codec) {
    let (mut units, run) = start(line, way);
    for _ in 0..15 {
        let unit = timeout(PATIENCE, units.recv()).await.expect("a picture in time");
        assert_eq!(unit.expect("it goes on").codec, codec, "{line}");
    }
    drop(units);
    run.await.expect("no panic").expect("it was ended by its viewer");
}

async fn fails(line: &str) -> SourceError {
    let (mut units, run) = start(line, Way::AsItIs);
    while timeout(PATIENCE, units.recv()).await.expect("an end in time").is_some() {}
    run.await.expect("no panic").expect_err("it fails")
}

#[tokio::test]
async fn what_a_program_publishes_is_shown_over_tcp_and_as_ffmpeg_does_by_default() {
    for transport in ["-rtsp_transport tcp", ""] {
        shows(
            &format!("{PICTURES} {X264} {transport} -metadata a=published1 -f rtsp {{output}}"),
            Way::AsItIs,
            Codec::H264,
        )
        .await;
    }
    gone("published1").await;
}

#[tokio::test]
async fn h265_and_a_program_behind_a_shell_are_shown_and_nothing_is_left_running() {
    let line = format!(
        "sh -c \"{PICTURES} -metadata a=published2 -c:v libx265 -tune zerolatency -x265-params log-level=none:keyint=10 -f rtsp {{output}}; true\""
    );
    shows(&line, Way::AsItIs, Codec::H265).await;
    gone("published2").await;
}

#[tokio::test]
async fn what_no_browser_shows_is_encoded() {
    shows(&format!("{PICTURES} -c:v mpeg4 -f rtsp {{output}}"), Way::AsH264, Codec::H264).await;
    let error = fails(&format!("{PICTURES} -c:v mpeg4 -f rtsp {{output}}")).await;
    assert!(matches!(error, SourceError::Unplayable { .. }), "{error}");
}

#[tokio::test]
async fn a_program_that_ends_or_cannot_start_says_why_and_leaves_no_receiver() {
    let error = fails("ls /no/such/camera/{output}").await.to_string();
    assert!(error.starts_with("ls ended (exit code 2)"), "{error}");
    let error = fails("no-such-program {output}").await;
    assert!(matches!(error, SourceError::CannotStart { .. }), "{error}");
    // It publishes a second of pictures and ends well.
    let (mut units, run) =
        start(&format!("{PICTURES} -t 1 {X264} -metadata a=published3 -f rtsp {{output}}"), Way::AsItIs);
    let mut count = 0;
    while timeout(PATIENCE, units.recv()).await.expect("an end in time").is_some() {
        count += 1;
    }
    assert!(count >= 8, "{count}");
    run.await.expect("no panic").expect("a good end");
    gone("published3").await;
}

#[tokio::test]
async fn a_program_that_publishes_nothing_is_ended_after_the_time_for_the_start() {
    let error = fails("sh -c \"sleep 61; : {output}\"#starttimeout=2").await.to_string();
    assert_eq!(error, "sh gave no picture for 2 s");
    gone("sleep 61").await;
}

#[tokio::test]
async fn a_receiver_that_dies_takes_the_program_with_it() {
    let (mut units, run) =
        start(&format!("{PICTURES} {X264} -metadata a=published4 -f rtsp {{output}}"), Way::AsItIs);
    timeout(PATIENCE, units.recv()).await.expect("in time").expect("a picture");
    // The receiver is the one that listens.
    let pids = std::fs::read_dir("/proc").expect("Linux");
    let ours: Vec<u32> = pids.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    let program = ours.iter().copied().find(|pid| line(*pid).contains("published4")).expect("it runs");
    let url =
        line(program).split('\0').find(|word| word.starts_with("rtsp://")).expect("an address").to_owned();
    let receiver =
        ours.into_iter().find(|pid| line(*pid).contains(&url) && *pid != program).expect("it listens");
    let killed = std::process::Command::new("kill").args(["-9", &receiver.to_string()]).status();
    assert!(killed.expect("it is sent").success());
    while timeout(PATIENCE, units.recv()).await.expect("an end in time").is_some() {}
    run.await.expect("no panic").expect_err("it failed");
    gone("published4").await;
}

fn line(pid: u32) -> String {
    std::fs::read(format!("/proc/{pid}/cmdline"))
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .unwrap_or_default()
}
