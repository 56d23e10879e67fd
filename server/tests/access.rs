//! Tests of who may see what: on real sockets, with tokens of the config and tokens that are signed.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use multistream::config::Config;
use multistream_testkit::{Control, Viewer};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use support::Server;

const ADMIN: &str = "the-token-of-the-owner";
const GARAGE: &str = "the-token-of-the-garage";
const PROMETHEUS: &str = "the-token-of-prometheus";
const SECRET: &str = "thirty-two-bytes-that-nobody-knows";

/// Streams whose cameras are off: what a client may not see is told by the errors.
const STREAMS: &str = "streams:\n  garage-in: rtsp://127.0.0.1:9/1\n  garage-in-360p: rtsp://127.0.0.1:9/2\n  \
                       yard: rtsp://127.0.0.1:9/3\n  yard-360p: rtsp://127.0.0.1:9/4\n";

/// The keys of those who sign.
struct Signers {
    ed25519: KeyPair,
    p256: KeyPair,
}

impl Signers {
    fn new() -> Self {
        let key = |kind| KeyPair::generate_for(kind).expect("a key");
        Self { ed25519: key(&PKCS_ED25519), p256: key(&PKCS_ECDSA_P256_SHA256) }
    }
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    format!("{:x}", sha2::Sha256::digest(text))
}

/// A server with every kind of token.
async fn server(signers: &Signers, streams: &str) -> Server {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    writeln!(file, "{PROMETHEUS}").expect("it is written");
    let text = json!({"api": {
        "token": ADMIN,
        "tokens": [
            {"sha256": sha256(GARAGE), "streams": ["garage-*"]},
            {"file": file.path(), "streams": "yard", "actions": ["metrics"]},
        ],
        "view_keys": [
            {"id": "intranet", "secret": SECRET},
            {"id": "ed", "pem": signers.ed25519.public_key_pem()},
            {"id": "ec", "pem": signers.p256.public_key_pem()},
        ],
    }});
    // JSON is YAML.
    let text = format!("api: {}\n{streams}", text["api"]);
    let (config, warnings) = Config::parse("test.yaml", &text, &|_| None).expect("the config is fine");
    assert!(warnings.is_empty(), "{warnings:?}");
    Server::start(config).await
}

fn in_s(seconds: f64) -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64() + seconds
}

fn signed(key: &EncodingKey, algorithm: Algorithm, kid: Option<&str>, claims: &Value) -> String {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, claims, key).expect("it can be signed")
}

/// A token of the shared secret.
fn hs256(claims: &Value) -> String {
    signed(&EncodingKey::from_secret(SECRET.as_bytes()), Algorithm::HS256, None, claims)
}

/// A token for these streams for some seconds.
fn token_for(streams: &Value, seconds: f64) -> String {
    hs256(&json!({"exp": in_s(seconds), "streams": streams}))
}

/// Status, headers and body of a request.
async fn get(server: &Server, path: &str, token: &str) -> (u16, String, String) {
    let address = server.url.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).await.expect("it listens");
    let bearer = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{bearer}Connection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, head.to_owned(), body.to_owned())
}

async fn names(server: &Server, token: &str) -> Vec<String> {
    let (status, _, body) = get(server, "/api/streams", token).await;
    assert_eq!(status, 200, "{body}");
    let streams: Value = serde_json::from_str(&body).expect("JSON");
    streams.as_object().expect("streams by name").keys().cloned().collect()
}

#[tokio::test]
async fn each_token_sees_its_streams_and_does_its_actions() {
    let signers = Signers::new();
    let server = server(&signers, STREAMS).await;
    assert_eq!(names(&server, ADMIN).await, ["garage-in", "garage-in-360p", "yard", "yard-360p"]);
    assert_eq!(names(&server, GARAGE).await, ["garage-in", "garage-in-360p"]);
    assert_eq!(names(&server, &token_for(&json!(["yard"]), 60.0)).await, ["yard", "yard-360p"]);
    assert_eq!(names(&server, &token_for(&json!(["*-360p"]), 60.0)).await, ["garage-in-360p", "yard-360p"]);
    assert_eq!(names(&server, &token_for(&json!([]), 60.0)).await, [""; 0]);

    assert_eq!(get(&server, "/api/streams?src=yard", GARAGE).await.0, 404);
    assert_eq!(get(&server, "/api/streams?src=garage-in", GARAGE).await.0, 200);

    let (status, _, all) = get(&server, "/metrics", ADMIN).await;
    assert!(
        status == 200 && all.contains("stream=\"garage-in\"") && all.contains("stream=\"yard\""),
        "{all}"
    );
    let (status, _, some) = get(&server, "/metrics", PROMETHEUS).await;
    assert!(status == 200 && some.contains("stream=\"yard-360p\"") && !some.contains("garage"), "{some}");
    let (status, head, body) = get(&server, "/metrics", GARAGE).await;
    assert_eq!(status, 403, "{body}");
    assert!(head.to_lowercase().contains("insufficient_scope") && body.contains("metrics"), "{head}{body}");
    assert_eq!(get(&server, "/api/streams", PROMETHEUS).await.0, 403);
    assert!(Control::connect_with(&server.url, PROMETHEUS).await.is_err());
}

#[tokio::test]
async fn what_is_no_valid_token_lets_nobody_in() {
    let signers = Signers::new();
    let server = server(&signers, STREAMS).await;
    let all = || json!({"exp": in_s(60.0), "streams": ["*"]});
    let with = |name: &str, value: Value| {
        let mut claims = all();
        claims[name] = value;
        claims
    };
    let ed = EncodingKey::from_ed_pem(signers.ed25519.serialize_pem().as_bytes()).expect("a key");
    let ec = EncodingKey::from_ec_pem(signers.p256.serialize_pem().as_bytes()).expect("a key");
    let pem = signers.ed25519.public_key_pem();
    let other = EncodingKey::from_secret(b"another-secret-of-more-than-32-bytes");
    let right = hs256(&all());
    let unsigned =
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", right.split('.').nth(1).expect("claims"));
    for (what, token, valid) in [
        ("right", right.clone(), true),
        ("Ed25519", signed(&ed, Algorithm::EdDSA, None, &all()), true),
        ("P-256", signed(&ec, Algorithm::ES256, Some("ec"), &all()), true),
        ("for us", hs256(&with("aud", json!("multistream"))), true),
        ("for us and others", hs256(&with("aud", json!(["other", "multistream"]))), true),
        ("started within the skew of clocks", hs256(&with("nbf", json!(in_s(30.0)))), true),
        ("with the id of another key", signed(&ec, Algorithm::ES256, Some("ed"), &all()), false),
        ("with an unknown id", signed(&ec, Algorithm::ES256, Some("nobody"), &all()), false),
        ("of another secret", signed(&other, Algorithm::HS256, None, &all()), false),
        // The public key is no secret (the confusion of algorithms, RFC 8725 §2.1).
        (
            "with the public key as secret",
            signed(&EncodingKey::from_secret(pem.as_bytes()), Algorithm::HS256, Some("ed"), &all()),
            false,
        ),
        ("unsigned", unsigned, false),
        ("changed", right.replacen('.', ".A", 1), false),
        ("expired", hs256(&with("exp", json!(in_s(-1.0)))), false),
        ("without an end", hs256(&json!({"streams": ["*"]})), false),
        ("with an end that is text", hs256(&with("exp", json!("9999999999"))), false),
        ("with an end that is no time", hs256(&with("exp", json!(1e300))), false),
        ("for later", hs256(&with("nbf", json!(in_s(120.0)))), false),
        ("for another server", hs256(&with("aud", json!("mail"))), false),
        ("without streams", hs256(&json!({"exp": in_s(60.0)})), false),
        ("the hash of a token", sha256(GARAGE), false),
        ("none", String::new(), false),
    ] {
        let (status, _, body) = get(&server, "/api/streams", &token).await;
        assert_eq!(status, if valid { 200 } else { 401 }, "{what}: {body}");
        assert!(valid || body.starts_with("{\"error\":\""), "{what}: {body}");
    }
    let (_, _, body) = get(&server, "/api/streams", &token_for(&json!(["*"]), -1.0)).await;
    assert!(body.contains("expired"), "{body}");
}

/// What a slot shows, or why it shows nothing: the reason of the first status that has one.
async fn reason(control: &mut Control, request_id: &str) -> Value {
    let answered = control
        .until("an answer", |message| message["request_id"] == request_id)
        .await
        .expect("it is answered");
    if answered["type"] == "multistream/error" {
        answered["code"].clone()
    } else {
        answered["status"]["reason"].clone()
    }
}

#[tokio::test]
async fn every_message_is_checked_for_each_stream() {
    let signers = Signers::new();
    let server = server(&signers, STREAMS).await;
    let slots =
        json!([{ "slot": 0, "stream": "garage-in", "quality": "360p" }, { "slot": 1, "stream": "yard" }]);
    let token = token_for(&json!(["garage-*"]), 60.0);
    let mut viewer =
        Viewer::connect_over(Control::connect_with(&server.url, &token).await.expect("let in"), &slots)
            .await
            .expect("connects");
    let statuses = &viewer.answer["slots"];
    assert_eq!(statuses[0]["stream"], "garage-in-360p", "{statuses}");
    assert_ne!(statuses[0]["reason"], "unknown-stream", "{statuses}");
    assert_eq!(statuses[1]["reason"], "unknown-stream", "{statuses}");
    // As of a stream that there is not.
    let unknown = |stream: &str, quality: Value| json!({"stream": stream, "quality": quality});
    for (what, name) in [
        ("native", unknown("yard", Value::Null)),
        ("quality", unknown("yard", json!("360p"))),
        ("no such quality", unknown("yard", json!("8k"))),
        ("by its name", unknown("yard-360p", Value::Null)),
    ] {
        for kind in ["switch", "resume", "warm"] {
            let mut message = name.clone();
            message["type"] = json!(format!("multistream/{kind}"));
            message["request_id"] = json!(format!("{kind} {what}"));
            message["slot"] = json!(0);
            viewer.control.send(&message).await.expect("sent");
            assert_eq!(
                reason(&mut viewer.control, &format!("{kind} {what}")).await,
                "unknown-stream",
                "{kind} {what}"
            );
        }
        for atomic in [false, true] {
            let mut slot = name.clone();
            slot["slot"] = json!(0);
            let request_id = format!("layout {what} {atomic}");
            viewer.control.send(&json!({"type": "multistream/layout", "request_id": request_id, "atomic": atomic, "slots": [slot]})).await.expect("sent");
            assert_eq!(reason(&mut viewer.control, &request_id).await, "unknown-stream", "{request_id}");
        }
    }
    let warm = json!({"type": "multistream/warm", "request_id": "w", "stream": "garage-in"});
    viewer.control.send(&warm).await.expect("sent");
    assert_eq!(viewer.control.until_type("multistream/warm").await.expect("allowed")["stream"], "garage-in");
}

/// A source that works on every test machine.
const PLAYS: &str = "streams:\n  a: exec:ffmpeg -v error -re -f lavfi -i testsrc2=size=160x90:rate=15 -pix_fmt yuv420p -c:v libx264 -preset ultrafast -tune zerolatency -g 15 -f h264 -\n  b: ffmpeg:a#video=h264\n";

async fn renew(control: &mut Control, token: &str) -> Value {
    control
        .send(&json!({"type": "multistream/token", "request_id": "t", "token": token}))
        .await
        .expect("sent");
    control.until("an answer", |message| message["request_id"] == "t").await.expect("it is answered")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_with_a_new_token_and_ends_at_the_first_message_after_its_end() {
    let signers = Signers::new();
    let server = server(&signers, PLAYS).await;
    let slots = json!([{ "slot": 0, "stream": "a" }]);
    let control = Control::connect_with(&server.url, &token_for(&json!(["a"]), 4.0)).await.expect("let in");
    let mut viewer = Viewer::connect_over(control, &slots).await.expect("connects");
    viewer.until_frames(1).await.expect("it plays");

    let refused = renew(&mut viewer.control, "a-guess-at-a-token").await;
    assert_eq!(refused["code"], "token-invalid", "{refused}");
    let refused = renew(&mut viewer.control, &token_for(&json!(["*"]), -5.0)).await;
    assert_eq!(refused["code"], "token-expired", "{refused}");
    let renewed = renew(&mut viewer.control, &token_for(&json!(["a", "b"]), 8.0)).await;
    let valid_s = renewed["valid_s"].as_u64().expect("it says for how long");
    assert!((6..=8).contains(&valid_s), "{renewed}");

    // Beyond the first token, and with a stream that only the second is for.
    tokio::time::sleep(Duration::from_millis(4100)).await;
    let switch = |id: &str, stream: &str| json!({"type": "multistream/switch", "request_id": id, "slot": 0, "stream": stream});
    viewer.control.send(&switch("1", "b")).await.expect("sent");
    let switched =
        viewer.control.until("an answer", |message| message["request_id"] == "1").await.expect("answered");
    assert_eq!(switched["status"]["status"], "active", "{switched}");

    tokio::time::sleep(Duration::from_secs(4)).await;
    viewer.control.send(&switch("2", "a")).await.expect("sent");
    let refused =
        viewer.control.until("an answer", |message| message["request_id"] == "2").await.expect("answered");
    assert_eq!(refused["code"], "token-expired", "{refused}");
    let closed =
        viewer.control.until("the end", |message| message["closed"].is_number()).await.expect("closed");
    assert_eq!(closed["closed"], 4401);
    let start = std::time::Instant::now();
    while server.sessions.summary().sessions > 0 {
        assert!(start.elapsed() < Duration::from_secs(5), "its session goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_less_takes_the_picture_away_and_so_does_resuming_with_one() {
    let signers = Signers::new();
    let server = server(&signers, PLAYS).await;
    let slots = json!([{ "slot": 0, "stream": "a" }]);
    let control = Control::connect_with(&server.url, &token_for(&json!(["a"]), 60.0)).await.expect("let in");
    let mut viewer = Viewer::connect_over(control, &slots).await.expect("connects");
    let resume = viewer.resume_token.clone();
    viewer.until_frames(1).await.expect("it plays");

    let gone = |message: &Value| message["status"]["reason"] == "unknown-stream";
    renew(&mut viewer.control, &token_for(&json!(["b"]), 60.0)).await;
    viewer.control.until("the end of the picture", gone).await.expect("told");
    renew(&mut viewer.control, &token_for(&json!(["a"]), 60.0)).await;
    let resumed = json!({"type": "multistream/resume", "request_id": "r", "slot": 0, "stream": "a"});
    viewer.control.send(&resumed).await.expect("sent");
    let back =
        viewer.control.until("an answer", |message| message["request_id"] == "r").await.expect("answered");
    assert_eq!(back["status"]["status"], "active", "{back}");

    let mut other =
        Control::connect_with(&server.url, &token_for(&json!(["b"]), 60.0)).await.expect("let in");
    other
        .send(&json!({"type": "multistream/init", "request_id": "i", "resume": resume, "slots": []}))
        .await
        .expect("sent");
    other.until_type("multistream/ready").await.expect("resumed");
    other.until("the end of the picture", gone).await.expect("told");
}

/// The first code block of a language in docs/access.md.
fn example(language: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/access.md");
    let text = std::fs::read_to_string(path).expect("it is documented");
    let (_, after) = text.split_once(&format!("```{language}\n")).expect("an example");
    after.split("```").next().expect("its end").to_owned()
}

#[test]
fn the_documented_config_is_accepted() {
    let text = example("yaml");
    let lookup = |_: &str| Some(SECRET.to_owned());
    let (config, warnings) = Config::parse("access.yaml", &text, &lookup).expect("the config is fine");
    assert_eq!((config.api.tokens.len(), config.api.view_keys.len()), (2, 2));
    assert!(warnings.is_empty(), "{warnings:?}");
}

/// What a program prints that reads its source from stdin.
fn run(program: &str, arguments: &[&str], source: &str) -> String {
    let mut child = Command::new(program)
        .args(arguments)
        .env("VIEW_SECRET", SECRET)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    child.stdin.take().expect("piped").write_all(source.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

#[tokio::test]
async fn tokens_of_the_documented_examples_and_of_the_program_let_one_in() {
    let signers = Signers::new();
    let server = server(&signers, "streams:\n  yard: rtsp://127.0.0.1:9/3\n  door: rtsp://127.0.0.1:9/3\n  attic: rtsp://127.0.0.1:9/3\n").await;
    let config = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(&config, format!("api: {{view_keys: [{{secret: {SECRET}}}]}}\n")).expect("written");
    let file = config.path().to_str().expect("a name");
    let program = env!("CARGO_BIN_EXE_multistream");
    let arguments = ["token", "--config", file, "--stream", "yard*", "--stream", "door", "--ttl", "10m"];
    for (what, token) in [
        ("Python", run("python3", &["-"], &example("python"))),
        ("Node", run("node", &["--input-type=module", "-"], &example("js"))),
        ("multistream token", run(program, &arguments, "")),
    ] {
        assert_eq!(names(&server, &token).await, ["door", "yard"], "{what}: {token}");
    }
}
