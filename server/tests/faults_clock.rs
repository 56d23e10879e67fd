//! A system clock that is set by hours while viewers watch, as on a small computer without a battery for its clock that finds its time
//! server late. The real program has a clock of the test's (`support/clock.c`).

#[allow(dead_code, reason = "each test file uses its own part of it")]
#[path = "support/witness.rs"]
mod witness;

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header};
use multistream_testkit::{Control, free_port};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use witness::{assert_live, good_camera, unnoticed, watch, whole_again};

const PATIENCE: Duration = Duration::from_secs(20);
const FPS: u32 = 30;
const HOUR: i64 = 3600;
/// How long a TURN credential is valid.
const CREDENTIAL: i64 = 24 * HOUR;
/// How long after the clock was set a time may be read.
const TOLERANCE: i64 = 60;
const SECRET: &str = "thirty-two-bytes-that-nobody-knows";

/// The clock of the programs that are started with it.
struct Clock {
    folder: tempfile::TempDir,
    file: std::fs::File,
    ahead: i64,
}

impl Clock {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/clock.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(folder.path().join("clock.so"))
            .arg(source)
            .status()
            .expect("there is the compiler that Rust links with");
        assert!(compiled.success());
        let file = std::fs::File::create(folder.path().join("ahead")).expect("a file");
        let mut clock = Self { folder, file, ahead: 0 };
        clock.set(0);
        clock
    }

    /// Sets it to this many seconds after the true time.
    fn set(&mut self, ahead: i64) {
        self.ahead = ahead;
        self.file.write_all_at(&ahead.to_ne_bytes(), 0).expect("the file can be written");
    }

    /// In seconds since 1970.
    fn now(&self) -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() as i64 + self.ahead
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The real program.
struct Program {
    _config: tempfile::NamedTempFile,
    url: String,
    child: Child,
}

impl Program {
    async fn start(clock: &Clock, mut config: Value) -> Self {
        let port = free_port();
        config["api"]["listen"] = json!(format!("127.0.0.1:{port}"));
        config["webrtc"]["listen"] = json!(format!("127.0.0.1:{}", free_port()));
        let mut file = tempfile::NamedTempFile::new().expect("a file for the config");
        // JSON is YAML.
        write!(file, "{config}").expect("it can be written");
        let child = Command::new(env!("CARGO_BIN_EXE_multistream"))
            .args(["serve", "--config"])
            .arg(file.path())
            .env("LD_PRELOAD", clock.path("clock.so"))
            .env("CLOCK_AHEAD", clock.path("ahead"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let program = Self { _config: file, url: format!("http://127.0.0.1:{port}"), child };
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(start.elapsed() < PATIENCE, "it does not listen");
            sleep(Duration::from_millis(20)).await;
        }
        program
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The moment until which a new session's TURN credential is valid.
async fn credential_ends(url: &str) -> i64 {
    let mut control = Control::connect(url).await.expect("the server accepts WebSockets");
    let ready = control.open(&json!([{ "slot": 0, "stream": "good" }])).await.expect("a session");
    let username = ready["ice_servers"][0]["username"].as_str().unwrap_or_default();
    username.split(':').next().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{ready}"))
}

/// The status of a request with a token that is valid for ten minutes from this moment on.
async fn status_with_token_of(url: &str, begin: i64) -> String {
    let claims = json!({"exp": begin + 600, "streams": ["*"]});
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let token = jsonwebtoken::encode(&Header::default(), &claims, &key).expect("it can be signed");
    let host = url.trim_start_matches("http://");
    let mut socket = tokio::net::TcpStream::connect(host).await.expect("the server listens");
    let request =
        format!("GET /api/streams HTTP/1.0\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("it answers");
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_go_on_while_the_clock_is_set_by_hours_and_turn_credentials_have_the_new_time() {
    let (mut clock, camera) = (Clock::new(), good_camera());
    let config = json!({
        "webrtc": {"turn_secret": SECRET, "ice_servers": [{"urls": ["turn:127.0.0.1:9"]}]},
        "streams": {"good": camera.url(1), "made": "ffmpeg:good#video=h264#height=90"},
    });
    let program = Program::start(&clock, config).await;
    let url = &program.url;
    let trouble = async {
        let made = watch(url, "made").await;
        whole_again(&made, FPS, PATIENCE).await;
        for ahead in [0, 5 * HOUR, -7 * HOUR, 0] {
            clock.set(ahead);
            let gap = made.longest_gaps(Duration::from_secs(3)).await[&0];
            println!("{ahead} s ahead, the longest time without a picture of ffmpeg: {gap:?}");
            assert!(gap < Duration::from_secs(1), "{gap:?} without a picture of ffmpeg");
            // Whoever comes now is served as before, with a credential of the clock as it is now.
            watch(url, "good").await.until_frames(30).await.expect("it plays");
            let off = credential_ends(url).await - clock.now() - CREDENTIAL;
            assert!(off.abs() < TOLERANCE, "a credential that is {off} s off");
        }
        whole_again(&made, FPS, PATIENCE).await;
        assert_live(url, "made").await;
    };
    Box::pin(unnoticed(url, trouble)).await;
    assert_live(url, "good").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_tokens_are_valid_by_the_clock_as_it_is_now() {
    let mut clock = Clock::new();
    let config = json!({
        "api": {"view_keys": [{"secret": SECRET}]},
        "webrtc": {},
        "streams": {"good": "rtsp://127.0.0.1:9/1"},
    });
    let program = Program::start(&clock, config).await;
    for ahead in [0, 5 * HOUR, -7 * HOUR, 0] {
        clock.set(ahead);
        let now = clock.now();
        let seen = [
            status_with_token_of(&program.url, now).await,
            status_with_token_of(&program.url, now - HOUR).await,
        ];
        assert_eq!(seen, ["200", "401"], "{ahead} s ahead");
    }
}
