//! A session lives longer than its sockets: which socket it listens to, what ends it, and what does not.

mod support;

use std::time::Duration;

use multistream::config::Config;
use multistream_testkit::{Control, Viewer};
use serde_json::json;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use support::{Server, rtsp};

const RESUME_TIMEOUT: Duration = Duration::from_millis(700);

/// A server whose one camera is down: what is told about it does not matter here.
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

/// Takes the viewer's session over on a new socket. Returns the old socket, still open.
async fn resume(server: &Server, viewer: &mut Viewer) -> Control {
    let mut socket = server.control().await;
    let init = json!({ "type": "multistream/init", "request_id": "again", "resume": viewer.resume_token });
    socket.send(&init).await.expect("the new socket is open");
    let ready = socket.until_type("multistream/ready").await.expect("the session is taken over");
    assert_eq!(ready["resumed"], true);
    std::mem::replace(&mut viewer.control, socket)
}

/// Asks for something that any living session answers.
async fn ask(control: &mut Control) {
    let pause = json!({ "type": "multistream/pause", "request_id": "alive", "slot": 0 });
    control.send(&pause).await.expect("the socket is open");
    control
        .until("the answer", |message| message["request_id"] == "alive")
        .await
        .expect("the session answers");
}

/// Asks again and again for longer than a session without a socket would live.
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
async fn a_resumed_session_does_not_notice_the_late_death_of_its_old_socket() {
    let server = server().await;
    let mut viewer = viewer(&server).await;
    let old = resume(&server, &mut viewer).await;
    ask(&mut viewer.control).await;
    drop(old);
    assert_stays(&mut viewer.control).await;
}

#[tokio::test]
async fn a_session_whose_socket_died_first_is_resumed_as_well() {
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
async fn what_a_replaced_socket_says_is_refused_and_its_goodbye_ends_nothing() {
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
async fn only_the_close_codes_of_a_goodbye_end_a_session() {
    // 1012: a proxy that restarts. 1001: a page that goes away.
    for (code, ends) in [(1012, false), (1011, false), (1001, true), (1000, true)] {
        let server = server().await;
        let mut viewer = viewer(&server).await;
        viewer.control.send_raw(close(code)).await.expect("open");
        let lived = until_no_session(&server).await;
        assert_eq!(lived < RESUME_TIMEOUT / 2, ends, "code {code}: the session ended after {lived:?}");
    }
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
