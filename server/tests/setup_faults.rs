//! Tests that whoever runs a server finds in its log what keeps clients out, and what to change. The program is the real one, since
//! its log is tested.

use std::path::Path;
use std::time::Duration;

use multistream_testkit::{Control, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

const OFFER: &str = include_str!("../../testdata/offers/chromium-156-1-slots.sdp");

/// What browsers send for a WebSocket beside `Connection` and `Upgrade`.
const WEBSOCKET: &str = "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n";

fn server() -> Server {
    let streams = "streams:\n  camera1: rtsp://127.0.0.1:9/none\n";
    Server::start(Path::new(env!("CARGO_BIN_EXE_multistream")), streams).expect("the server starts")
}

/// Sends a request, and returns its answer.
async fn ask(server: &Server, request: &str) -> String {
    let url = server.url();
    let host = url.trim_start_matches("http://");
    let (first, headers) = request.split_once('\n').unwrap_or((request, ""));
    let host = if headers.contains("Host:") { String::new() } else { format!("Host: {host}\r\n") };
    let headers: String = headers.lines().flat_map(|line| [line, "\r\n"]).collect();
    let text = format!("{first} HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: 0\r\n{headers}\r\n");
    let mut socket = TcpStream::connect(url.trim_start_matches("http://")).await.expect("it listens");
    socket.write_all(text.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("it answers");
    answer
}

/// The warnings with `text`, after the time that the log may take.
async fn warnings(server: &Server, text: &str) -> Vec<String> {
    sleep(Duration::from_millis(300)).await;
    server.log().into_iter().filter(|line| line.contains("WARN") && line.contains(text)).collect()
}

#[tokio::test]
async fn a_page_of_another_origin_is_one_warning_with_the_line_that_lets_it_in() {
    let server = server();
    for _ in 0..3 {
        let answer = ask(&server, "POST /api/ws\nOrigin: https://dash.example").await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    }
    ask(&server, "POST /api/ws\nOrigin: null").await;
    let found = warnings(&server, "dash.example").await;
    assert_eq!(found.len(), 1, "{found:?}");
    for part in ["from=127.0.0.1", "under `api:`", "origin: [\"https://dash.example\"]"] {
        assert!(found[0].contains(part), "{part} is not in {found:?}");
    }
    assert_eq!(warnings(&server, "`api.origin: \"*\"`").await.len(), 1, "{:?}", server.log());
}

#[tokio::test]
async fn a_name_that_is_not_the_servers_is_one_warning_with_the_line_that_allows_it() {
    let server = server();
    let behind_a_proxy = "GET /\nHost: cams.example\nX-Forwarded-Proto: https";
    for _ in 0..3 {
        assert!(ask(&server, behind_a_proxy).await.starts_with("HTTP/1.1 403 "));
    }
    let found = warnings(&server, "cams.example").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("from=127.0.0.1"), "{found:?}");
    assert!(found[0].contains("origin: [\"https://cams.example\"]"), "{found:?}");
}

#[tokio::test]
async fn a_proxy_that_keeps_the_upgrade_back_is_one_warning_with_the_lines_for_it() {
    let server = server();
    assert!(ask(&server, "GET /api/ws").await.starts_with("HTTP/1.1 426 "));
    assert_eq!(warnings(&server, "Upgrade").await, [""; 0], "somebody has opened the address as a page");
    for _ in 0..3 {
        let request = format!("GET /api/ws\n{WEBSOCKET}X-Forwarded-For: 192.0.2.7");
        assert!(ask(&server, &request).await.starts_with("HTTP/1.1 426 "));
    }
    let found = warnings(&server, "Upgrade").await;
    assert_eq!(found.len(), 1, "{found:?}");
    for part in ["from=127.0.0.1", "the proxy there", "proxy_set_header Upgrade $http_upgrade"] {
        assert!(found[0].contains(part), "{part} is not in {found:?}");
    }
}

/// Opens a session, makes an offer, and leaves after `time` as a page does that gives up.
async fn leaves_without_media(server: &Server, time: Duration) -> Value {
    let mut control = Control::connect(&server.url()).await.expect("it accepts WebSockets");
    control.open(&json!([{ "slot": 0, "stream": "camera1" }])).await.expect("the session opens");
    let answer = control.negotiate(OFFER).await.expect("it answers");
    sleep(time).await;
    let goodbye = CloseFrame { code: CloseCode::Away, reason: "".into() };
    control.send_raw(Message::Close(Some(goodbye))).await.expect("the socket is open");
    let _ = control.receive().await;
    answer
}

#[tokio::test]
async fn a_session_that_never_had_media_is_one_warning_with_what_was_announced() {
    const NEVER: &str = "the media of a session never connected";
    let server = server();
    leaves_without_media(&server, Duration::ZERO).await;
    assert_eq!(warnings(&server, NEVER).await, [""; 0], "it was not waited for");
    let (answer, _) = tokio::join!(
        leaves_without_media(&server, Duration::from_millis(5_500)),
        leaves_without_media(&server, Duration::from_millis(5_500)),
    );
    let found = warnings(&server, NEVER).await;
    assert_eq!(found.len(), 1, "{:?}", server.log());
    let sdp = answer["sdp"].as_str().expect("an answer has an SDP");
    let candidate =
        sdp.lines().find_map(|line| line.strip_prefix("a=candidate:")).expect("it has candidates");
    let words: Vec<&str> = candidate.split(' ').collect();
    for part in ["client=\"127.0.0.1\"", words[4], words[5], "`webrtc.listen`"] {
        assert!(found[0].contains(part), "{part} is not in {found:?}");
    }
}
