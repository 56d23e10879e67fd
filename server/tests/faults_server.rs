//! A server that is ended or killed: its viewers are told or find out, nothing is left behind, and all is well again with the next one.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;
#[allow(dead_code, reason = "each test file uses its own part of it")]
#[path = "support/witness.rs"]
mod witness;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use multistream_testkit::{Cameras, Viewer, free_port};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::time::sleep;

use witness::{assert_live, good_camera, watch, whole_again};

const PATIENCE: Duration = Duration::from_secs(20);
const FPS: u32 = 30;

/// The real program, with a config that outlives it.
struct Program {
    config: tempfile::NamedTempFile,
    /// Where it has its temporary files.
    temporary: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Program {
    async fn start(cameras: &Cameras) -> Self {
        let (port, media) = (free_port(), free_port());
        let config = tempfile::NamedTempFile::new().expect("a file for the config");
        // By its size the process of ffmpeg is found.
        let picture = format!("ffmpeg:virtual?video=testsrc2&size={}#video=h264", size_of(port));
        let yaml = json!({
            "api": {"listen": format!("127.0.0.1:{port}")},
            "webrtc": {"listen": format!("127.0.0.1:{media}")},
            // It writes nothing, so it does not notice that nobody reads, and has a child of its own.
            "ffmpeg": {"timeout": 60},
            "streams": {"good": cameras.url(1), "made": picture, "deaf": format!("exec:sh -c 'sleep 1{port} & wait'")},
        });
        std::fs::write(config.path(), yaml.to_string()).expect("it can be written");
        let temporary = tempfile::tempdir().expect("a directory");
        let child = spawn(&config, &temporary);
        let program = Self { config, temporary, port, child };
        program.until_it_listens().await;
        program
    }

    async fn until_it_listens(&self) {
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(start.elapsed() < PATIENCE, "it does not listen");
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id() as i32).expect("a pid"), signal).expect("it runs");
    }

    /// Waits until the process has ended.
    async fn ended(&mut self) -> Duration {
        let start = Instant::now();
        while self.child.try_wait().expect("it is our child").is_none() {
            assert!(start.elapsed() < PATIENCE, "it does not end");
            sleep(Duration::from_millis(5)).await;
        }
        start.elapsed()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(config: &tempfile::NamedTempFile, temporary: &tempfile::TempDir) -> Child {
    Command::new(env!("CARGO_BIN_EXE_multistream"))
        .args(["serve", "--config"])
        .arg(config.path())
        .env("TMPDIR", temporary.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the server starts")
}

/// A size of pictures that no other test has.
fn size_of(port: u16) -> String {
    format!("{}x{}", 64 + 2 * (port % 100), 64 + 2 * (port / 100 % 100))
}

/// Whether an ffmpeg of this server is there.
fn has_ffmpeg(program: &Program) -> bool {
    is_running(&format!("size={}", size_of(program.port)))
}

/// Whether the server has temporary files.
fn has_files(program: &Program) -> bool {
    std::fs::read_dir(program.temporary.path()).expect("it exists").next().is_some()
}

/// Whether a process with this on its command line is there.
fn is_running(word: &str) -> bool {
    let entries = std::fs::read_dir("/proc").expect("Linux has it");
    entries.flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).replace('\0', " ").contains(word))
    })
}

async fn until_no_ffmpeg(program: &Program, patience: Duration) {
    let start = Instant::now();
    while has_ffmpeg(program) {
        assert!(start.elapsed() < patience, "ffmpeg has outlived the server");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Viewers of both streams, which play.
async fn viewers(program: &Program) -> [Viewer; 2] {
    let [good, made] = [watch(&program.url(), "good").await, watch(&program.url(), "made").await];
    whole_again(&good, FPS, PATIENCE).await;
    whole_again(&made, 24, PATIENCE).await;
    assert!(has_ffmpeg(program), "it is found by its size");
    [good, made]
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_the_server_within_two_seconds_and_its_viewers_are_told() {
    let cameras = good_camera();
    let mut program = Program::start(&cameras).await;
    let mut viewers = viewers(&program).await;
    // A client that sends half a request holds nothing up.
    let mut idle = TcpStream::connect((Ipv4Addr::LOCALHOST, program.port)).expect("it listens");
    idle.write_all(b"GET / HTTP/1.1\r\n").expect("it reads");
    let start = Instant::now();
    program.signal(Signal::TERM);
    for viewer in &mut viewers {
        let end = viewer.control.until_type("multistream/disconnected").await.expect("the viewer is told");
        assert_eq!(end["reason"], "server_shutdown");
    }
    program.ended().await;
    let lasted = start.elapsed();
    println!("the server ended after {lasted:?}");
    assert!(lasted < Duration::from_secs(2), "{lasted:?}");
    assert!(!has_ffmpeg(&program), "ffmpeg has outlived the server");
    assert_eq!(cameras.viewers(1), 0, "the camera is let go of");
    let _ = idle.read(&mut [0; 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_leaves_no_ffmpeg_and_the_next_one_has_every_viewer_back() {
    let cameras = good_camera();
    let mut program = Program::start(&cameras).await;
    let [mut good, _made] = viewers(&program).await;
    assert!(has_files(&program), "ffmpeg writes to a socket there");
    program.signal(Signal::KILL);
    program.ended().await;
    let end = good.control.receive().await.expect("the socket says so");
    let mut last = end;
    while last.get("closed").is_none() {
        last = good.control.receive().await.expect("the socket says so");
    }
    until_no_ffmpeg(&program, Duration::from_secs(5)).await;
    let start = Instant::now();
    while has_files(&program) {
        assert!(start.elapsed() < PATIENCE, "temporary files are left");
        sleep(Duration::from_millis(20)).await;
    }
    program.child = spawn(&program.config, &program.temporary);
    program.until_it_listens().await;
    // The old session is unknown, which a client takes as a reason to open another.
    let mut control = multistream_testkit::Control::connect(&program.url()).await.expect("it listens");
    let resume = json!({ "type": "multistream/init", "request_id": "r", "resume": good.resume_token });
    control.send(&resume).await.expect("open");
    let refused = control.until_type("multistream/error").await.expect("it answers");
    assert_eq!(refused["code"], "no-session", "{refused}");
    let _again = self::viewers(&program).await;
    assert_live(&program.url(), "good").await;
    assert_live(&program.url(), "made").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_leaves_no_program_of_an_exec_source() {
    let cameras = good_camera();
    let mut program = Program::start(&cameras).await;
    let sleeper = format!("sleep 1{}", program.port);
    let _viewer = watch(&program.url(), "deaf").await;
    let start = Instant::now();
    while !is_running(&sleeper) {
        assert!(start.elapsed() < PATIENCE, "the program does not start");
        sleep(Duration::from_millis(20)).await;
    }
    program.signal(Signal::KILL);
    program.ended().await;
    let start = Instant::now();
    while is_running(&sleeper) {
        assert!(start.elapsed() < PATIENCE, "the program has outlived the server");
        sleep(Duration::from_millis(20)).await;
    }
}
