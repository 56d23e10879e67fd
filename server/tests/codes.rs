//! Tests that every error code of the protocol, every reason for the end of a session, and every status of a slot in
//! `docs/protocol.md` is actually sent by the server to a client on a real socket.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, SystemTime};

use multistream::access::{self, Claims};
use multistream::config::{Config, ExecSource, Source, StreamConfig, ViewKey, ViewKeyKind};
use multistream_protocol::{ErrorCode, SessionEnd};
use multistream_testkit::{Control, Viewer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

use support::{Server, rtsp};

/// A source that works on every test machine.
const PLAYS: &str = "ffmpeg -v error -re -f lavfi -i testsrc2=size=160x90:rate=15 -pix_fmt yuv420p -c:v libx264 \
    -preset ultrafast -tune zerolatency -g 15 -f h264 -";

const OTHER: &str = "ffmpeg -v error -re -f lavfi -i testsrc2=size=160x90:rate=15 -pix_fmt yuv420p -c:v libvpx -deadline realtime \
    -cpu-used 8 -g 15 -f ivf -";

fn exec(name: &str, command: &str) -> StreamConfig {
    let argv = command.split_whitespace().map(str::to_owned).collect();
    StreamConfig { name: name.to_owned(), sources: vec![Source::Exec(ExecSource::new(argv))] }
}

/// A server with a stream that plays, one whose camera is off, one whose program does not exist, and two whose camera accepts
/// connections and never answers.
async fn server() -> (Server, TcpListener) {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("port 0 is free");
    let silent_url = format!("rtsp://{}/camera", silent.local_addr().expect("it is bound"));
    let mut config = Config::default();
    config.multistream.switch_timeout = Duration::from_millis(300);
    config.streams = vec![
        exec("plays", PLAYS),
        exec("other", OTHER),
        rtsp("off", "rtsp://127.0.0.1:9/none"),
        exec("broken", "/nowhere/a-program-that-nobody-has"),
        rtsp("silent1", &silent_url),
        rtsp("silent2", &silent_url),
    ];
    (Server::start(config).await, silent)
}

/// A new socket, with a session of one slot that shows `stream`.
async fn open(server: &Server, stream: &str) -> Control {
    let mut control = server.control().await;
    control.open(&json!([{ "slot": 0, "stream": stream }])).await.expect("the session opens");
    control
}

/// A viewer that is connected and has one slot.
async fn watch(server: &Server, stream: &str) -> Viewer {
    Viewer::connect(&server.url, &json!([{ "slot": 0, "stream": stream }])).await.expect("connects")
}

/// Sends `message`, and returns the error that answers it.
async fn refused(mut control: Control, message: Value) -> Value {
    control.send(&message).await.expect("the socket is open");
    control.until_type("multistream/error").await.expect("an error answers")
}

fn init(slots: &Value) -> Value {
    json!({ "type": "multistream/init", "request_id": "i", "slots": slots })
}

fn offer(sdp: &str) -> Value {
    json!({ "type": "multistream/offer", "request_id": "o", "sdp": sdp })
}

fn switch(request_id: &str, slot: u32, stream: &str, quality: Option<&str>) -> Value {
    json!({ "type": "multistream/switch", "request_id": request_id, "slot": slot, "stream": stream, "quality": quality })
}

const OFFER: &str = include_str!("../../testdata/offers/chromium-156-1-slots.sdp");

const SESSION_LINES: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

/// An offer of one m-line whose one codec the server cannot send: H.264 in packetization mode 0.
fn offer_of_mode_0() -> String {
    format!(
        "{SESSION_LINES}m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=rtpmap:96 H264/90000\r\n"
    )
}

/// The messages of the server up to and including the first for which `ends` is true.
async fn heard(control: &mut Control, what: &'static str, ends: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut heard = Vec::new();
    loop {
        let message = control.until(what, |_| true).await.expect(what);
        heard.push(message);
        if ends(&heard[heard.len() - 1]) {
            return heard;
        }
    }
}

/// The answers to a switch to `stream` and to `then`, which is sent before the first answer.
async fn switched(
    server: &Server,
    first: &str,
    stream: &str,
    quality: Option<&str>,
    then: Option<&str>,
) -> Value {
    let mut viewer = watch(server, first).await;
    viewer.control.send(&switch("s1", 0, stream, quality)).await.expect("the socket is open");
    if let Some(then) = then {
        viewer.control.send(&switch("s2", 0, then, None)).await.expect("the socket is open");
    }
    viewer.control.until("answer", |message| message["request_id"] == "s1").await.expect("it is answered")
}

/// The status of a slot with this reason, for a stream that cannot be shown.
async fn status_with_reason(server: &Server, stream: &str, reason: &'static str) -> Value {
    let viewer = watch(server, stream).await;
    if viewer.answer["slots"][0]["reason"] == reason {
        return viewer.answer["slots"][0].clone();
    }
    let mut control = viewer.control;
    control.until(reason, |message| message["status"]["reason"] == reason).await.expect(reason)
}

/// The status of a slot whose viewer has reported that it can receive next to nothing.
async fn on_a_slow_link(server: &Server) -> Value {
    let mut viewer = watch(server, "plays").await;
    viewer.until_frames(1).await.expect("it plays");
    viewer.report_bandwidth(1000.0).await.expect("it is connected");
    let limited = |message: &Value| message["status"]["reason"] == "bandwidth";
    viewer.control.until("bandwidth", limited).await.expect("the slot is limited")
}

/// The answer to a message that comes after the end of the client's token.
async fn with_an_expired_token() -> Value {
    let kind = ViewKeyKind::Secret("thirty-two-bytes-that-nobody-knows".to_owned());
    let keys = vec![ViewKey { line: 1, id: None, kind }];
    let claims = Claims::new(vec!["*".to_owned()], SystemTime::now(), Duration::from_secs(1));
    let token = access::sign(&keys, None, &claims).expect("there is a key");
    let mut config = Config::default();
    config.api.view_keys = keys;
    let server = Server::start(config).await;
    let control = Control::connect_with(&server.url, &token).await.expect("the token is valid");
    // Its end is rounded up to a whole second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    refused(control, init(&json!([{ "slot": 0, "stream": "off" }]))).await
}

/// The status of a slot whose viewer has reported that it does not decode what it gets.
async fn in_another_codec(server: &Server) -> Value {
    let mut viewer = watch(server, "other").await;
    viewer.until_frames(1).await.expect("it plays");
    viewer.control.send(&json!({ "type": "multistream/undecodable", "slot": 0 })).await.expect("sent");
    let told = |message: &Value| message["status"]["reason"] == "codec";
    viewer.control.until("codec", told).await.expect("it is shown in another codec")
}

/// Each code with a message of the server that contains it.
async fn produced(server: &Server) -> Vec<(ErrorCode, Value)> {
    let raw = async |text: String| {
        let mut control = open(server, "off").await;
        control.send_raw(Message::text(text)).await.expect("the socket is open");
        control.until_type("multistream/error").await.expect("an error answers")
    };
    let negotiated = watch(server, "off").await;
    let again = offer(negotiated.answer["sdp"].as_str().expect("an answer has an SDP"));
    vec![
        (ErrorCode::BadMessage, raw("{".to_owned()).await),
        (ErrorCode::UnknownType, raw(r#"{"type":"multistream/dance"}"#.to_owned()).await),
        (ErrorCode::NoSession, refused(server.control().await, offer("v=0")).await),
        (
            ErrorCode::SessionExists,
            refused(open(server, "off").await, init(&json!([{ "slot": 0, "stream": "off" }]))).await,
        ),
        (ErrorCode::AlreadyNegotiated, refused(negotiated.control, again).await),
        (ErrorCode::InvalidSlots, refused(server.control().await, init(&json!([]))).await),
        (ErrorCode::UnknownSlot, refused(open(server, "off").await, switch("s", 7, "plays", None)).await),
        (ErrorCode::InvalidSdp, refused(open(server, "off").await, offer("hello")).await),
        (ErrorCode::NotEnoughMedia, refused(open(server, "off").await, offer(SESSION_LINES)).await),
        (ErrorCode::UnsupportedCodec, refused(open(server, "off").await, offer(&offer_of_mode_0())).await),
        (ErrorCode::UnknownStream, switched(server, "off", "nothing", None, None).await),
        (ErrorCode::UnknownQuality, switched(server, "off", "plays", Some("8k"), None).await),
        (ErrorCode::Superseded, switched(server, "off", "silent1", None, Some("silent2")).await),
        (ErrorCode::SourceOffline, status_with_reason(server, "off", "source-offline").await),
        (ErrorCode::SourceInvalid, status_with_reason(server, "broken", "source-invalid").await),
        (ErrorCode::SwitchTimeout, switched(server, "plays", "silent1", None, None).await),
        (ErrorCode::Bandwidth, on_a_slow_link(server).await),
        (
            ErrorCode::LimitReached,
            refused(
                open(server, "off").await,
                offer(&format!("{SESSION_LINES}{}", "m=video\r\n".repeat(99))),
            )
            .await,
        ),
        (ErrorCode::Codec, in_another_codec(server).await),
        (ErrorCode::TokenExpired, with_an_expired_token().await),
        (
            ErrorCode::TokenInvalid,
            refused(open(server, "off").await, json!({"type": "multistream/token", "token": "nobody's"}))
                .await,
        ),
    ]
}

/// The codes in a message.
fn codes(message: &Value) -> Vec<&str> {
    ["/code", "/status/reason", "/reason"].iter().filter_map(|at| message.pointer(at)?.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_code_is_sent_by_the_server() {
    let (server, _silent) = server().await;
    let produced = produced(&server).await;
    for (code, message) in &produced {
        assert!(codes(message).contains(&code.as_str()), "{code}: {message}");
        let sentence = ["/error", "/status/error"].iter().find_map(|at| message.pointer(at)?.as_str());
        assert!(
            sentence.is_some_and(|sentence| sentence.len() > 10),
            "{code} tells people nothing: {message}"
        );
    }
    let sent: BTreeSet<&str> = produced.iter().map(|(code, _)| code.as_str()).collect();
    for code in ErrorCode::ALL.iter().map(|code| code.as_str()) {
        assert!(sent.contains(code), "{code} has no row here");
    }
}

/// Each reason for the end of a session with the message of the server that contains it. The server stops at last.
async fn ended(server: &Server) -> Vec<(SessionEnd, Value)> {
    let told = async |mut control: Control| {
        control.until_type("multistream/disconnected").await.expect("the client is told")
    };
    let mut closes = open(server, "off").await;
    closes.send(&json!({ "type": "multistream/close" })).await.expect("the socket is open");
    // Nobody sends a packet for it.
    let mut never_connects = open(server, "off").await;
    never_connects.negotiate(OFFER).await.expect("it is answered");
    // Both end after 15 s, which is longer than one wait of the control connection.
    let mut makes_no_offer = open(server, "off").await;
    let silence = makes_no_offer.until_type("multistream/disconnected").await;
    assert!(silence.is_err(), "it ended too early: {silence:?}");
    let lost = told(makes_no_offer).await;
    let never = told(never_connects).await;
    let stays = open(server, "off").await;
    server.sessions.shutdown().await;
    vec![
        (SessionEnd::Closed, told(closes).await),
        (SessionEnd::ConnectionLost, lost),
        (SessionEnd::NeverConnected, never),
        (SessionEnd::ServerShutdown, told(stays).await),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reason_for_the_end_of_a_session_is_sent_by_the_server() {
    let (server, _silent) = server().await;
    let ended = ended(&server).await;
    for (reason, message) in &ended {
        assert_eq!(message["reason"], reason.as_str());
    }
    for reason in SessionEnd::ALL {
        assert!(ended.iter().any(|(known, _)| known == reason), "{reason} has no row here");
    }
}

/// The statuses that `docs/protocol.md` names, from the first column of their table.
fn documented_statuses() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md");
    let text = std::fs::read_to_string(path).expect("the protocol is documented");
    let section = text.lines().skip_while(|line| !line.starts_with("| `buffering`"));
    section
        .take_while(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('`').nth(1).map(str::to_owned))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_status_of_a_slot_is_sent_by_the_server() {
    let (server, _silent) = server().await;
    let slots = json!([{ "slot": 0, "stream": "plays" }, { "slot": 1, "stream": "off" }, { "slot": 2, "stream": "nothing" }, { "slot": 3, "stream": "silent1" }]);
    let viewer = Viewer::connect(&server.url, &slots).await.expect("connects");
    let mut control = viewer.control;
    let is = |message: &Value, slot: u32, status: &str| {
        message["status"]["slot"] == slot && message["status"]["status"] == status
    };
    let mut messages = heard(&mut control, "a picture", |message| is(message, 0, "active")).await;
    control.send(&json!({ "type": "multistream/pause", "request_id": "p", "slot": 0 })).await.expect("open");
    messages.extend(heard(&mut control, "the pause", |message| is(message, 0, "paused")).await);
    let in_answer = viewer.answer["slots"].as_array().into_iter().flatten();
    let in_messages = messages.iter().map(|message| &message["status"]);
    let sent: BTreeSet<String> = in_answer
        .chain(in_messages)
        .filter_map(|status| status["status"].as_str().map(str::to_owned))
        .collect();
    let documented = documented_statuses();
    assert!(documented.len() >= 5, "the table was not found: {documented:?}");
    let missing: Vec<_> = documented.difference(&sent).collect();
    assert!(missing.is_empty(), "never sent: {missing:?}; heard: {messages:?}");
    let unknown: Vec<_> = sent.difference(&documented).collect();
    assert!(unknown.is_empty(), "sent and not documented: {unknown:?}");
}
