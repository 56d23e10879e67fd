//! Tests of how long sources may take for their first picture, with real programs. The times are short; what is tested is which of
//! the two counts when.

use std::time::{Duration, Instant};

use multistream::config::{Config, FfmpegConfig, Source};
use multistream::media::AccessUnit;
use multistream::source::{SourceError, Way, run_once};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);
const PICTURES: &str = "ffmpeg -v error -re -f lavfi -i testsrc=size=160x90:rate=10 -pix_fmt yuv420p -c:v libx264 -tune zerolatency -g 10";

fn source(line: &str) -> Source {
    let text = format!("streams:\n  a: {}\n", serde_json::Value::from(line));
    let (mut config, warnings) = Config::parse("m.yaml", &text, &|_| None).expect("the config is fine");
    assert_eq!(warnings, []);
    config.streams.remove(0).sources.remove(0)
}

fn start(line: &str) -> (mpsc::Receiver<AccessUnit>, JoinHandle<Result<(), SourceError>>) {
    let (source, (output, units)) = (source(line), mpsc::channel(64));
    let run = async move { run_once(&source, &FfmpegConfig::default(), Way::AsItIs, None, output).await };
    (units, tokio::spawn(run))
}

async fn shows(line: &str) {
    let (mut units, run) = start(line);
    let unit = timeout(PATIENCE, units.recv()).await.expect("a picture in time");
    drop(units);
    let ended = run.await.expect("no panic");
    assert!(unit.is_some(), "{line}: {ended:?}");
}

async fn fails(line: &str) -> (String, Duration) {
    let began = Instant::now();
    let (mut units, run) = start(line);
    while timeout(PATIENCE, units.recv()).await.expect("an end in time").is_some() {}
    (run.await.expect("no panic").expect_err("it fails").to_string(), began.elapsed())
}

#[tokio::test]
async fn a_program_may_take_longer_for_its_first_picture_than_for_others() {
    let vp8 =
        "ffmpeg -v error -re -f lavfi -i testsrc=size=160x90:rate=10 -c:v libvpx -deadline realtime -f ivf -";
    for program in [&format!("{PICTURES} -f h264 -"), &format!("{PICTURES} -f mpegts -"), vp8] {
        shows(&format!("exec:sh -c \"sleep 2; exec {program}\"#timeout=1#starttimeout=20")).await;
    }
}

#[tokio::test]
async fn a_program_that_gives_nothing_fails_after_the_time_for_the_start() {
    let (error, after) = fails("exec:sleep 60#starttimeout=2#timeout=1").await;
    assert_eq!(error, "sleep gave no picture for 2 s");
    assert!(after < Duration::from_secs(4), "{after:?}");
}

#[tokio::test]
async fn a_program_that_falls_silent_fails_after_the_time_for_silence() {
    let (error, after) =
        fails(&format!("exec:sh -c \"{PICTURES} -t 1 -f h264 - ; sleep 60\"#starttimeout=20#timeout=1"))
            .await;
    assert_eq!(error, "sh gave no picture for 1 s");
    assert!(after < Duration::from_secs(8), "{after:?}");
}

#[tokio::test]
async fn what_ffmpeg_reads_may_begin_late_if_the_source_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let mut words = PICTURES.split(' ').chain(["-f", "mpegts", "-"]);
            let program = words.next().expect("a program");
            let mut made = tokio::process::Command::new(program);
            let made = made.args(words).stdout(std::process::Stdio::piped()).kill_on_drop(true);
            let mut made = made.spawn().expect("ffmpeg starts");
            let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n").await;
            let _ = tokio::io::copy(&mut made.stdout.take().expect("piped"), &mut stream).await;
        }
    });
    shows(&format!("http://127.0.0.1:{port}/a#timeout=1#starttimeout=20")).await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_fails_as_soon_as_one_that_falls_silent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let (error, after) = fails(&format!("http://127.0.0.1:{port}/a#timeout=1")).await;
    assert!(after < Duration::from_secs(5), "{after:?}: {error}");
}

#[tokio::test]
async fn the_source_that_a_program_names_is_shown() {
    shows("echo:printf 'ffmpeg:virtual?video=testsrc&size=160x90\\n'").await;
    let (error, _) = fails("echo:printf secret-thing").await;
    assert!(error.contains("its first line is no source") && !error.contains("secret-thing"), "{error}");
    let (error, _) = fails("echo:ls /no/such/link").await;
    assert!(error.starts_with("ls ended (exit code 2)"), "{error}");
}
