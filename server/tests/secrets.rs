//! Tests that no secret of the config leaves the process, in whatever characters it is written and whoever repeats it: a camera,
//! a program, an error.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use multistream_testkit::{Cameras, CamerasOptions, Control, Login, Server, Viewer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const MULTISTREAM: &str = env!("CARGO_BIN_EXE_multistream");
/// The password of the camera, with what URLs, shells and JSON treat in ways of their own.
const PASSWORD: &str = "it's \"<r`ight>\" h/ors\\e@x";
const ENCODED: &str = "it%27s%20%22%3Cr%60ight%3E%22%20h%2Fors%5Ce%40x";
/// How long a picture may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Parts of every secret of the config, long enough to be nothing else.
const PARTS: &[&str] = &[
    "r`ight",
    "ors\\e",
    "ors\\\\e",
    "%3Cr%60ight",
    "ors%5Ce",
    "tlJwpbo6",
    "ill-spoken",
    "curl-pass",
    "pwned by",
    "tapo-pass",
    "turn-shared",
    "misplaced-pass",
    "from-query",
    "YW5uOml0",
];

fn config(cameras: &Cameras) -> Value {
    let host = format!("127.0.0.1:{}", cameras.port());
    json!({
        "log": {"level": "multistream=trace,retina=trace,warn"},
        "api2": {"password": "misplaced-pass"},
        "streams": {
            "own": format!("rtsp://ann:{PASSWORD}@{host}/camera1"),
            "by-ffmpeg": format!("ffmpeg:rtsp://ann:{ENCODED}@{host}/camera1#video=copy"),
            "wrong": format!("rtsp://ann:pwned by 'x'@{host}/camera1"),
            "dvr": "rtsp://127.0.0.1:1/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp",
            "http": "ffmpeg:http://127.0.0.1:1/video.cgi?loginuse=admin&loginpas=from-query",
            "talks": "exec:sh -c \"echo I could not log in with ill-spoken >&2; exit 3\" --password ill-spoken",
            "curl": "exec:sh -c \"echo $0 $1 and curl-pass failed >&2; exit 3\" -u admin:curl-pass",
            "tapo": "tapo://tapo-pass@127.0.0.1",
            "odd": "rtsp://ann:misplaced-pass@",
        },
    })
}

/// What the server answers to a plain request.
async fn get(server: &Server, path: &str) -> String {
    let address = server.url().replace("http://", "");
    let mut socket = TcpStream::connect(&address).await.expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("it answers with text");
    answer
}

/// The command lines of all processes.
fn processes() -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("Linux").flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).collect()
}

fn assert_holds_none(of: &str, text: &str) {
    for part in PARTS {
        let at = text.find(part);
        let around = at.map(|at| text[..at].lines().next_back().unwrap_or_default().to_owned());
        assert!(at.is_none(), "{of} holds {part} after {around:?}");
    }
}

fn cameras() -> Cameras {
    let login = Login { user: "ann".to_owned(), password: PASSWORD.to_owned(), method: "basic" };
    Cameras::start(&CamerasOptions { login: Some(login), ..Default::default() }).expect("cameras")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_the_config_leaves_the_process() {
    let cameras = cameras();
    let mut config = config(&cameras);
    // This one would not start.
    config["streams"].as_object_mut().expect("a map").remove("odd");
    config["webrtc2"] = json!({"turn_secret": "turn-shared"});
    let sections: Vec<String> =
        config.as_object().expect("a map").iter().map(|(key, section)| format!("{key}: {section}")).collect();
    let server = Server::start(Path::new(MULTISTREAM), &sections.join("\n")).expect("it starts");

    // The cameras play, with their password.
    for stream in ["own", "by-ffmpeg"] {
        let viewer = Viewer::connect(&server.url(), &json!([{ "slot": 0, "stream": stream }]))
            .await
            .expect("connects");
        let seen = tokio::time::timeout(PATIENCE, viewer.until_frames(30)).await;
        assert!(matches!(seen, Ok(Ok(()))), "{stream} shows nothing: {:?}", server.log());
        let port = format!("127.0.0.1:{}", cameras.port());
        for line in processes().iter().filter(|line| line.contains("ffmpeg")) {
            assert!(!line.contains(&port), "the process list names the camera: {line}");
            assert_holds_none("the process list", line);
        }
    }

    // The others fail, and their errors are told.
    let mut control = Control::connect(&server.url()).await.expect("connects");
    let failing = ["wrong", "dvr", "http", "talks", "curl", "tapo"];
    let slots: Vec<Value> =
        failing.iter().enumerate().map(|(slot, stream)| json!({ "slot": slot, "stream": stream })).collect();
    control.open(&json!(slots)).await.expect("it opens");
    let mut told = String::new();
    let mut left: Vec<u64> = (0..failing.len() as u64).collect();
    while !left.is_empty() {
        let message = control.until("an error of every stream", |_| true).await.expect("a message");
        told += &message.to_string();
        let is_error = message.to_string().contains("message\":\"") || message.to_string().contains("error");
        let slot = message["slot"].as_u64().or_else(|| message["value"]["slot"].as_u64());
        left.retain(|known| !(is_error && slot == Some(*known)));
    }
    assert!(told.contains("could not log in with ***"), "{told}");
    assert_holds_none("the WebSocket", &told);

    let streams = get(&server, "/api/streams").await;
    assert!(streams.contains("could not log in with ***"), "{streams}");
    assert_holds_none("the list of streams", &streams);
    assert_holds_none("the metrics", &get(&server, "/metrics").await);

    let log = server.log().join("\n");
    assert!(log.contains("could not log in with ***"), "{log}");
    assert_holds_none("the log", &log);
}

#[test]
fn no_problem_of_a_config_shows_its_secrets() {
    let cameras = cameras();
    let file = tempfile::NamedTempFile::new().expect("a file");
    let check = |text: &str| {
        std::fs::write(file.path(), text).expect("it can be written");
        let output =
            Command::new(MULTISTREAM).args(["check", "--config"]).arg(file.path()).output().expect("it runs");
        let said = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&said).into_owned()
    };
    let whole = config(&cameras).to_string();
    let said = check(&whole);
    assert!(said.contains("streams.odd") && said.contains("api2"), "{said}");
    assert_holds_none("check", &said);
    // Not YAML: nothing is known of its structure.
    for broken in [format!("{whole}\n]"), "streams:\n  a: rtsp://ann:pwned by 'x'@h/1\n b: [\n".to_owned()] {
        let said = check(&broken);
        assert!(said.contains("expected YAML"), "{said}");
        assert_holds_none("check of what is not YAML", &said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_one_line_of_the_log_without_the_token() {
    let token = "api: {token: the-right-token-of-16, listen: '127.0.0.1:0'}";
    let file = tempfile::NamedTempFile::new().expect("a file");
    let port = multistream_testkit::free_port();
    let text = format!("{}\nwebrtc: {{listen: '127.0.0.1:0'}}\n", token.replace(":0'", &format!(":{port}'")));
    std::fs::write(file.path(), text).expect("it can be written");
    let mut server = Command::new(MULTISTREAM)
        .args(["serve", "--config"])
        .arg(file.path())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let ask = async |path: &str| {
        let start = tokio::time::Instant::now();
        let mut socket = loop {
            match TcpStream::connect(("127.0.0.1", port)).await {
                Ok(socket) => break socket,
                Err(error) => assert!(start.elapsed() < PATIENCE, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.expect("it reads");
        socket.read_to_string(&mut String::new()).await.expect("it answers");
    };
    ask("/api/ws?token=guessed-token").await;
    ask("/api/streams").await;
    server.kill().expect("it runs");
    let said = String::from_utf8(server.wait_with_output().expect("it ran").stderr).expect("text");
    let failed: Vec<&str> = said.lines().filter(|line| line.contains("authentication failed")).collect();
    assert_eq!(failed.len(), 1, "{said}");
    let line = "WARN multistream::http::auth: authentication failed from=127.0.0.1 path=\"/api/ws\"";
    assert!(failed[0].ends_with(line), "{said}");
    assert!(!said.contains("guessed-token"), "{said}");
}
