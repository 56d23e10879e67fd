//! Tests that a session outlives its sockets: which socket it accepts, what ends it, and what does not.

mod support;

use std::path::Path;
use std::time::Duration;

use multistream::config::Config;
use multistream_testkit::{Control, Viewer};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use support::{Server, rtsp};

const RESUME_TIMEOUT: Duration = Duration::from_millis(700);

/// A server whose only camera is offline, which does not matter here.
async fn server() -> Server {
    let streams = vec![rtsp("camera1", "rtsp://127.0.0.1:9/none")];
    let mut config = Config { streams, ..Config::default() };
    config.multistream.resume_timeout = RESUME_TIMEOUT;
    Server::start(config).await
}

async fn viewer(server: &Server) -> Viewer {
    let slots = json!([{ "slot": 0, "stream": "camera1" }]);
    Viewer::connect(&server.url, &slots).await.expect("the viewer connects")
}

/// Resumes the viewer's session on a new socket. Returns the old socket, still open.
async fn resume(server: &Server, viewer: &mut Viewer) -> Control {
    let mut socket = server.control().await;
    let init = json!({ "type": "multistream/init", "request_id": "again", "resume": viewer.resume_token });
    socket.send(&init).await.expect("the new socket is open");
    let ready = socket.until_type("multistream/ready").await.expect("the session is taken over");
    assert_eq!(ready["resumed"], true);
    std::mem::replace(&mut viewer.control, socket)
}

/// Sends a request that every session answers.
async fn ask(control: &mut Control) {
    let pause = json!({ "type": "multistream/pause", "request_id": "alive", "slot": 0 });
    control.send(&pause).await.expect("the socket is open");
    control
        .until("the answer", |message| message["request_id"] == "alive")
        .await
        .expect("the session answers");
}

/// Sends requests for longer than a session without a socket would last.
async fn assert_stays(control: &mut Control) {
    let until = Instant::now() + 2 * RESUME_TIMEOUT;
    while Instant::now() < until {
        ask(control).await;
        sleep(Duration::from_millis(50)).await;
    }
}

async fn until_no_session(server: &Server) -> Duration {
    let start = Instant::now();
    while server.sessions.summary().sessions > 0 {
        assert!(start.elapsed() < Duration::from_secs(10), "the session still lives");
        sleep(Duration::from_millis(10)).await;
    }
    start.elapsed()
}

fn close(code: u16) -> Message {
    Message::Close(Some(CloseFrame { code: CloseCode::from(code), reason: "".into() }))
}

#[tokio::test]
async fn a_resumed_session_ignores_the_late_end_of_its_old_socket() {
    let server = server().await;
    let mut viewer = viewer(&server).await;
    let old = resume(&server, &mut viewer).await;
    ask(&mut viewer.control).await;
    drop(old);
    assert_stays(&mut viewer.control).await;
}

#[tokio::test]
async fn a_session_whose_socket_has_already_ended_can_be_resumed() {
    let server = server().await;
    let mut viewer = viewer(&server).await;
    viewer.control = {
        let other = server.control().await;
        drop(std::mem::replace(&mut viewer.control, other));
        sleep(RESUME_TIMEOUT / 4).await;
        server.control().await
    };
    drop(resume(&server, &mut viewer).await);
    assert_stays(&mut viewer.control).await;
}

#[tokio::test]
async fn messages_of_a_replaced_socket_are_refused_and_its_close_ends_no_session() {
    let server = server().await;
    let mut viewer = viewer(&server).await;
    let mut old = resume(&server, &mut viewer).await;
    old.send(&json!({ "type": "multistream/pause", "request_id": "late", "slot": 0 })).await.expect("open");
    let refusal = old.until("the answer", |message| message["request_id"] == "late").await.expect("answered");
    assert_eq!(refusal["code"], "no-session", "{refusal}");
    old.send_raw(close(1000)).await.expect("open");
    assert_stays(&mut viewer.control).await;
}

#[tokio::test]
async fn only_the_close_codes_1000_and_1001_end_a_session() {
    // 1012: a restarted proxy. 1001: a page that is left.
    for (code, ends) in [(1012, false), (1011, false), (1001, true), (1000, true)] {
        let server = server().await;
        let mut viewer = viewer(&server).await;
        viewer.control.send_raw(close(code)).await.expect("open");
        let lived = until_no_session(&server).await;
        assert_eq!(lived < RESUME_TIMEOUT / 2, ends, "code {code}: the session ended after {lived:?}");
    }
}

#[tokio::test]
async fn a_client_that_closes_its_socket_on_purpose_is_told_nothing_and_the_log_says_that_it_left() {
    let program = Path::new(env!("CARGO_BIN_EXE_multistream"));
    let streams = "streams:\n  camera1: rtsp://127.0.0.1:9/none\n";
    let server = multistream_testkit::Server::start(program, streams).expect("the server starts");
    let mut control = Control::connect(&server.url()).await.expect("it accepts WebSockets");
    control.open(&json!([{ "slot": 0, "stream": "camera1" }])).await.expect("the session opens");
    control.send_raw(close(1001)).await.expect("open");
    let is_end =
        |message: &Value| message["type"] == "multistream/disconnected" || message.get("closed").is_some();
    let end = control.until("end", is_end).await.expect("the server answers the close frame");
    assert_eq!(end, json!({ "closed": 1001 }));
    let start = Instant::now();
    let ended = loop {
        if let Some(line) = server.log().into_iter().find(|line| line.contains("session ended")) {
            break line;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "no end in the log: {:?}", server.log());
        sleep(Duration::from_millis(10)).await;
    };
    assert!(ended.contains("client_left"), "{ended}");
}

#[tokio::test]
async fn a_session_without_an_offer_ends_with_its_socket_and_frees_its_cameras() {
    let server = server().await;
    let mut control = server.control().await;
    let slots = json!([{ "slot": 0, "stream": "camera1" }]);
    control.send(&json!({ "type": "multistream/init", "slots": slots })).await.expect("open");
    control.until_type("multistream/ready").await.expect("the session opens");
    drop(control);
    assert!(until_no_session(&server).await < RESUME_TIMEOUT / 2);
}
