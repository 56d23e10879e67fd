//! Tests of the WebSocket protocol on a real socket: errors are answered, and affect only the client that made them.

mod support;

use std::time::Duration;

use multistream::config::Config;
use multistream_testkit::{Control, Viewer};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use support::{Server, rtsp};

/// A server whose cameras are all down.
async fn server() -> Server {
    server_with(Config::default()).await
}

async fn server_with(mut config: Config) -> Server {
    config.streams =
        ["camera1", "camera1-720p", "camera2"].map(|name| rtsp(name, "rtsp://127.0.0.1:9/none")).into();
    Server::start(config).await
}

/// Sends `message` and returns the error that answers it.
async fn error(control: &mut Control, message: Value) -> Value {
    control.send(&message).await.expect("the socket is open");
    control.until_type("multistream/error").await.expect("an error answers")
}

#[expect(clippy::needless_pass_by_value, reason = "it takes json! literals")]
fn init(slots: Value) -> Value {
    json!({ "type": "multistream/init", "request_id": "i", "slots": slots })
}

async fn open(control: &mut Control) -> Value {
    let slots = json!([{ "slot": 0, "stream": "camera1" }, { "slot": 3, "stream": "camera2" }]);
    control.send(&init(slots)).await.expect("the socket is open");
    control.until_type("multistream/ready").await.expect("the session opens")
}

/// Pauses slot 0, which works in every session.
async fn assert_alive(control: &mut Control) {
    let pause = json!({ "type": "multistream/pause", "request_id": "alive", "slot": 0 });
    control.send(&pause).await.expect("the socket is open");
    let answer = control.until("answer", |message| message["request_id"] == "alive").await.expect("it lives");
    assert_eq!(answer["status"]["status"], "paused");
}

fn says(error: &Value, text: &str) -> bool {
    error["error"].as_str().is_some_and(|sentence| sentence.contains(text))
}

#[tokio::test]
async fn ready_has_the_number_of_slots_and_a_resume_token() {
    let server = server().await;
    let ready = open(&mut server.control().await).await;
    assert_eq!(ready["request_id"], "i");
    assert_eq!(ready["slots"], 2);
    assert_eq!(ready["resume"].as_str().map(str::len), Some(32));
}

#[tokio::test]
async fn invalid_slots_are_refused_with_the_reason() {
    let server = server().await;
    let mut control = server.control().await;
    let ten: Vec<Value> = (0..10).map(|slot| json!({ "slot": slot, "stream": "camera1" })).collect();
    for (slots, reason) in [
        (json!([]), "empty"),
        (json!(ten), "allows 9"),
        (json!([{ "slot": -1, "stream": "camera1" }]), "negative"),
        (json!([{ "slot": 1, "stream": "camera1" }, { "slot": 1, "stream": "camera2" }]), "twice"),
    ] {
        let error = error(&mut control, init(slots)).await;
        assert_eq!(
            (error["code"].as_str(), error["request_id"].as_str()),
            (Some("invalid-slots"), Some("i"))
        );
        assert!(says(&error, reason), "{error}");
    }
    open(&mut control).await;
}

#[tokio::test]
async fn messages_out_of_order_are_refused_and_the_session_continues() {
    let server = server().await;
    let mut control = server.control().await;
    let offer = json!({ "type": "multistream/offer", "request_id": "o", "sdp": "v=0" });
    assert_eq!(error(&mut control, offer).await["code"], "no-session");
    open(&mut control).await;
    let second = error(&mut control, init(json!([{ "slot": 0, "stream": "camera1" }]))).await;
    assert_eq!(second["code"], "session-exists");
    assert_alive(&mut control).await;
}

#[tokio::test]
async fn each_malformed_message_gets_one_error_and_no_session_is_affected() {
    let server = server().await;
    let mut control = server.control().await;
    open(&mut control).await;
    for text in [
        "",
        "{",
        "[]",
        "42",
        r#"{"type":5}"#,
        r#"{"type":"multistream/switch"}"#,
        r#"{"type":"multistream/x"}"#,
    ] {
        control.send_raw(Message::text(text)).await.expect("the socket is open");
        control.until_type("multistream/error").await.expect("an error answers");
    }
    control.send_raw(Message::binary(vec![0; 64])).await.expect("the socket is open");
    let error = control.until_type("multistream/error").await.expect("an error answers");
    assert!(says(&error, "binary"), "{error}");
    control.send(&json!({ "type": "webrtc/offer", "value": "v=0" })).await.expect("the socket is open");
    assert_alive(&mut control).await;
}

#[tokio::test]
async fn a_message_of_a_megabyte_closes_only_its_own_socket() {
    let server = server().await;
    let mut other = server.control().await;
    open(&mut other).await;
    let mut control = server.control().await;
    // The server may close before all of it is written.
    let _ = control.send_raw(Message::text("x".repeat(1 << 20))).await;
    let end =
        control.until("the end", |message| message.get("closed").is_some()).await.expect("it is closed");
    // A client that still writes may see the connection closed before it reads the reason.
    assert!(matches!(end["closed"].as_u64(), Some(1009 | 1006 | 1005)), "{end}");
    assert_alive(&mut other).await;
}

#[tokio::test]
async fn a_flood_of_messages_closes_the_socket_with_a_code() {
    let server = server().await;
    let mut control = server.control().await;
    open(&mut control).await;
    for _ in 0..2000 {
        if control.send(&json!({ "type": "multistream/ice", "candidate": "" })).await.is_err() {
            break;
        }
    }
    let end =
        control.until("the end", |message| message.get("closed").is_some()).await.expect("it is closed");
    assert_eq!(end["closed"], 1008);
}

#[tokio::test]
async fn an_unknown_slot_is_refused_with_the_list_of_slots() {
    let server = server().await;
    let mut control = server.control().await;
    open(&mut control).await;
    let switch = json!({ "type": "multistream/switch", "request_id": "s", "slot": 1, "stream": "camera2" });
    let error = error(&mut control, switch).await;
    assert_eq!(error["code"], "unknown-slot");
    assert!(says(&error, "0, 3"), "{error}");
}

#[tokio::test]
async fn an_unknown_stream_is_refused_at_once_and_the_slot_keeps_its_stream() {
    let server = server().await;
    let mut control = server.control().await;
    open(&mut control).await;
    for (stream, quality, code, named) in [
        ("camera9", Value::Null, "unknown-stream", "camera9"),
        ("camera1", json!("8k"), "unknown-quality", "720p"),
    ] {
        let switch = json!({ "type": "multistream/switch", "request_id": code, "slot": 0, "stream": stream, "quality": quality });
        control.send(&switch).await.expect("the socket is open");
        let refused =
            control.until("answer", |message| message["request_id"] == code).await.expect("it answers");
        assert_eq!(
            (&refused["status"]["status"], &refused["status"]["reason"]),
            (&json!("error"), &json!(code))
        );
        assert!(says(&refused["status"], named), "{refused}");
        let kept = control.until_type("multistream/status").await.expect("a second status");
        assert_eq!(kept["status"]["stream"], "camera1");
    }
}

#[tokio::test]
async fn offers_that_cannot_be_answered_say_why() {
    let server = server().await;
    let mut control = server.control().await;
    open(&mut control).await;
    let head = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
    let media =
        |media: &str| format!("{head}m={media} 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n");
    for (sdp, code) in [
        ("hello".to_owned(), "invalid-sdp"),
        (head.to_owned(), "not-enough-media"),
        (media("audio") + "a=recvonly\r\n", "not-enough-media"),
        (media("video") + "a=sendonly\r\n", "not-enough-media"),
    ] {
        let offer = json!({ "type": "multistream/offer", "request_id": "o", "sdp": sdp });
        let error = error(&mut control, offer).await;
        assert_eq!(
            (error["code"].as_str(), error["request_id"].as_str()),
            (Some(code), Some("o")),
            "{error}"
        );
    }
    assert_alive(&mut control).await;
}

#[tokio::test]
async fn an_envelope_is_answered_in_an_envelope() {
    let server = server().await;
    let mut control = server.control().await;
    let slots = json!([{ "slot": 0, "stream": "camera1" }]);
    let init = json!({ "type": "multistream/init", "value": { "request_id": "i", "slots": slots } });
    control.send(&init).await.expect("the socket is open");
    let ready = control.until_type("multistream/ready").await.expect("the session opens");
    assert_eq!(ready["value"]["slots"], 1);
}

#[tokio::test]
async fn a_second_offer_is_refused_and_an_unknown_stream_keeps_its_slot() {
    let server = server().await;
    let slots = json!([{ "slot": 0, "stream": "nobody" }, { "slot": 1, "stream": "camera1" }]);
    let mut viewer = Viewer::connect(&server.url, &slots).await.expect("the offer is answered");
    assert_eq!(viewer.answer["slots"].as_array().map(Vec::len), Some(2), "{}", viewer.answer);
    assert_eq!(viewer.answer["slots"][0]["reason"], "unknown-stream");
    assert_eq!(viewer.answer["mids"], json!({ "0": "0", "1": "1" }));
    let offer = json!({ "type": "multistream/offer", "request_id": "o2", "sdp": viewer.answer["sdp"] });
    assert_eq!(error(&mut viewer.control, offer).await["code"], "already-negotiated");
}

#[tokio::test]
async fn a_wrong_token_resumes_nothing() {
    let server = server().await;
    let wrong = json!({ "type": "multistream/init", "request_id": "r", "resume": "0000" });
    assert_eq!(error(&mut server.control().await, wrong).await["code"], "no-session");
}

#[tokio::test]
async fn closing_frees_the_session_and_the_socket_stays_usable() {
    let server = server().await;
    let mut control = server.control().await;
    open(&mut control).await;
    assert_eq!(server.sessions.summary().sessions, 1);
    control.send(&json!({ "type": "multistream/close" })).await.expect("the socket is open");
    let end = control.until_type("multistream/disconnected").await.expect("it says that it ends");
    assert_eq!(end["reason"], "closed");
    open(&mut control).await;
}

#[tokio::test]
async fn sessions_are_limited_and_an_ended_one_does_not_count() {
    let mut config = Config::default();
    config.multistream.max_sessions = 1;
    let server = server_with(config).await;
    let mut first = server.control().await;
    open(&mut first).await;
    let mut second = server.control().await;
    let refused = error(&mut second, init(json!([{ "slot": 0, "stream": "camera1" }]))).await;
    assert_eq!(refused["code"], "limit-reached");
    drop(first);
    while server.sessions.summary().sessions > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    open(&mut second).await;
}

#[tokio::test]
async fn a_stopping_server_sends_disconnected() {
    let server = server().await;
    let mut control = server.control().await;
    open(&mut control).await;
    server.sessions.shutdown().await;
    let end = control.until_type("multistream/disconnected").await.expect("it says that it ends");
    assert_eq!(end["reason"], "server_shutdown");
}

#[tokio::test]
async fn streams_can_be_kept_warm_but_not_without_limit() {
    let streams = (1..=5).map(|n| rtsp(&format!("camera{n}"), "rtsp://127.0.0.1:9/none")).collect();
    let server = Server::start(Config { streams, ..Config::default() }).await;
    let mut control = server.control().await;
    open(&mut control).await;
    let warm = |n: u8| json!({ "type": "multistream/warm", "request_id": "w", "stream": format!("camera{n}"), "ttl_s": 900 });
    for n in [1, 2, 3, 4, 1] {
        control.send(&warm(n)).await.expect("the socket is open");
        let answer = control.until_type("multistream/warm").await.expect("it is kept warm");
        assert_eq!((&answer["stream"], &answer["ttl_s"]), (&json!(format!("camera{n}")), &json!(120)));
    }
    assert_eq!(error(&mut control, warm(5)).await["code"], "limit-reached");
    assert_eq!(error(&mut control, warm(6)).await["code"], "unknown-stream");
}
