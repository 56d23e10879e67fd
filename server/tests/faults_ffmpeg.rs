//! Programs that fail in all ways that programs do, with the real ffmpeg: each is replaced by itself, leaves no process behind, and a
//! viewer of another camera notices nothing.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;
#[allow(dead_code, reason = "each test file uses its own part of it")]
#[path = "support/witness.rs"]
mod witness;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use multistream::config::{Config, ExecSource, FfmpegInput, FfmpegSource, Source, StreamConfig};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;

use support::{Server, rtsp};
use witness::{assert_live, error_with, good_camera, stream, unnoticed, watch, whole_again};

/// The limit for a program to be started again: a back-off of a second and its own start, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a program of this test may be silent.
const SILENCE: Duration = Duration::from_secs(2);
const FPS: u32 = 25;

fn named(name: &str, source: Source) -> StreamConfig {
    StreamConfig { name: name.to_owned(), sources: vec![source] }
}

/// A picture that ffmpeg makes. By its size the process is found.
fn picture(size: &str) -> FfmpegSource {
    let options = [("video", "testsrc2"), ("size", size), ("rate", "25")];
    let options = options.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    FfmpegSource { timeout: Some(SILENCE), ..FfmpegSource::new(FfmpegInput::Virtual(options)) }
}

fn exec(command: &str) -> Source {
    Source::Exec(ExecSource::new(command.split(' ').map(str::to_owned).collect()))
}

/// The children of this process, in which the server runs, with this word in their command line.
fn children_with(word: &str) -> Vec<i32> {
    let entries = fs::read_dir("/proc").expect("Linux has it");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        parent(*pid) == Some(std::process::id()) && String::from_utf8_lossy(&line).contains(word)
    })
    .collect()
}

fn parent(pid: i32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok())
}

fn signal(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).expect("a pid"), signal).expect("it runs");
}

/// The only process of a picture of this size.
fn only_child(size: &str) -> i32 {
    let pids = children_with(&format!("size={size}"));
    assert_eq!(pids.len(), 1, "one ffmpeg for {size}: {pids:?}");
    pids[0]
}

/// Neither running nor a zombie.
async fn gone(pid: i32) {
    let start = Instant::now();
    while Path::new(&format!("/proc/{pid}")).exists() {
        assert!(start.elapsed() < Duration::from_secs(5), "{pid} is still there");
        sleep(Duration::from_millis(10)).await;
    }
}

async fn is_killed(url: &str) {
    let viewer = watch(url, "killed").await;
    whole_again(&viewer, FPS, PATIENCE).await;
    let pid = only_child("160x92");
    signal(pid, Signal::KILL);
    error_with(url, "killed", &["killed by signal 9"], PATIENCE).await;
    gone(pid).await;
    whole_again(&viewer, FPS, PATIENCE).await;
    assert_live(url, "killed").await;
    assert_ne!(only_child("160x92"), pid);
}

async fn is_stopped(url: &str) {
    let viewer = watch(url, "stopped").await;
    whole_again(&viewer, FPS, PATIENCE).await;
    let pid = only_child("160x94");
    signal(pid, Signal::STOP);
    error_with(url, "stopped", &["gave no picture for 2 s"], PATIENCE).await;
    gone(pid).await;
    whole_again(&viewer, FPS, PATIENCE).await;
    assert_live(url, "stopped").await;
}

async fn exits_at_once(url: &str, camera: &Path) {
    let viewer = watch(url, "exits").await;
    let error = error_with(url, "exits", &["exit code 3", "rtsp://", "cam/1: no route"], PATIENCE).await;
    assert!(!error.contains("hunter2"), "{error}");
    let restarts = stream(url, "exits").await["restarts"].as_u64();
    sleep(Duration::from_secs(3)).await;
    let more =
        stream(url, "exits").await["restarts"].as_u64().unwrap_or_default() - restarts.unwrap_or_default();
    assert!((1..=5).contains(&more), "about once a second, not in a loop: {more} times in 3 s");
    // What was wrong with it is mended; it is found out without anybody's help.
    script(
        camera,
        "exec ffmpeg -v error -re -f lavfi -i testsrc2=size=160x96:rate=25 -pix_fmt yuv420p \
                    -c:v libx264 -preset ultrafast -tune zerolatency -g 25 -f h264 -",
    );
    whole_again(&viewer, FPS, PATIENCE).await;
    assert_live(url, "exits").await;
}

async fn never_stops_talking(url: &str) {
    let viewer = watch(url, "talks").await;
    whole_again(&viewer, FPS, PATIENCE).await;
    let before = resident_kib();
    sleep(Duration::from_secs(4)).await;
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 100 * 1024, "{grown} KiB more: what it says is not kept");
    whole_again(&viewer, FPS, PATIENCE).await;
    let talker = only_child("160x98");
    signal(talker, Signal::KILL);
    let error = error_with(url, "talks", &["signal 9", "cam/2"], PATIENCE).await;
    assert!(!error.contains("hunter2") && error.len() < 1000, "{error}");
    gone(talker).await;
    whole_again(&viewer, FPS, PATIENCE).await;
}

async fn is_missing(url: &str) {
    let _viewer = watch(url, "missing").await;
    error_with(url, "missing", &["no-such-program", "not installed"], PATIENCE).await;
    assert_eq!(stream(url, "missing").await["state"], "offline");
}

async fn has_wrong_arguments(url: &str) {
    let _viewer = watch(url, "wrong").await;
    error_with(url, "wrong", &["ffmpeg ended", "no_such_option"], PATIENCE).await;
}

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("of every process");
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("a number")
}

/// Writes a program. It is put in its place as a whole, since it may be started at any time.
fn script(path: &Path, lines: &str) {
    let new = path.with_extension("new");
    fs::write(&new, format!("#!/bin/sh\n{lines}\n")).expect("it can be written");
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).expect("it may be executed");
    fs::rename(&new, path).expect("it can be moved");
}

/// Its first process lives on when nobody reads any more, unless it is killed with its group.
const TALKS: &str = "trap '' PIPE\nwhile :; do echo 'cannot read rtsp://admin:hunter2@cam/2: still not'; done >&2 &\n\
    exec ffmpeg -v error -re -f lavfi -i testsrc2=size=160x98:rate=25 -pix_fmt yuv420p -c:v libx264 -preset ultrafast \
    -tune zerolatency -g 25 -f h264 -";

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_fail_are_replaced_leave_nothing_behind_and_nobody_else_notices() {
    let folder = tempfile::tempdir().expect("a folder for programs");
    let [exits, talks] = ["exits.sh", "talks.sh"].map(|name| folder.path().join(name));
    script(&exits, "echo 'rtsp://admin:hunter2@cam/1: no route' >&2; exit 3");
    script(&talks, TALKS);
    let good = good_camera();
    let wrong = FfmpegSource { raw: vec!["-no_such_option 1".to_owned()], ..picture("160x100") };
    let mut config = Config::default();
    config.multistream.linger = Duration::from_millis(500);
    config.multistream.resume_timeout = Duration::from_millis(500);
    config.streams = vec![
        rtsp("good", &good.url(1)),
        named("killed", Source::Ffmpeg(picture("160x92"))),
        named("stopped", Source::Ffmpeg(picture("160x94"))),
        named("exits", exec(&exits.to_string_lossy())),
        named("talks", exec(&talks.to_string_lossy())),
        named("missing", exec("no-such-program")),
        named("wrong", Source::Ffmpeg(wrong)),
    ];
    let server = Server::start(config).await;
    let url = &*server.url;
    unnoticed(
        url,
        Box::pin(async {
            tokio::join!(
                is_killed(url),
                is_stopped(url),
                exits_at_once(url, &exits),
                never_stops_talking(url),
                is_missing(url),
                has_wrong_arguments(url),
            );
        }),
    )
    .await;
    // Its viewers have left, so nothing runs any more. Zombies have no command line, but this process as their parent.
    let start = Instant::now();
    loop {
        let left: Vec<i32> = children_with("").into_iter().filter(|pid| !is_of_the_cameras(*pid)).collect();
        if left.is_empty() {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "processes are left: {left:?}");
        sleep(Duration::from_millis(50)).await;
    }
    let mut orphans = all_with("testsrc2=size=160x9");
    orphans.extend(all_with(&folder.path().to_string_lossy()));
    assert!(orphans.is_empty(), "grandchildren are left: {orphans:?}");
}

/// Whether this is the process of the healthy camera.
fn is_of_the_cameras(pid: i32) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).contains("e2e/cameras")
}

/// The processes of the machine, whoever their parent is, with this word in their command line.
fn all_with(word: &str) -> Vec<i32> {
    let entries = fs::read_dir("/proc").expect("Linux has it");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(word))
    })
    .collect()
}
