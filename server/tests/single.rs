//! Tests of the ways to view one stream that other servers have: go2rtc's messages and requests, and WHEP. What players do with them is
//! tested in `viewers.rs`.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;
#[allow(dead_code, reason = "each test file uses its own part of it")]
#[path = "support/web.rs"]
mod web;

use std::time::{Duration, Instant};

use multistream::config::Config;
use multistream_testkit::Control;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use support::Server;
use web::{Answer, ask};

const OFFER: &str = include_str!("../../testdata/offers/chromium-156-1-slots.sdp");
/// What is refused in the answer stands before the pictures in offers of some players.
const SOUND: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=mid:sound\r\na=recvonly\r\n\
                     a=rtpmap:111 opus/48000/2\r\n";
const FRAGMENT: &str = "Content-Type: application/trickle-ice-sdpfrag";

/// Streams whose cameras are off: an offer is answered all the same.
const STREAMS: &str = "streams: {yard: 'rtsp://127.0.0.1:9/1', 'front door/left': 'rtsp://127.0.0.1:9/2', garage: 'rtsp://127.0.0.1:9/3'}";

async fn server(rest: &str) -> Server {
    let (config, _) =
        Config::parse("test.yaml", &format!("{rest}\n{STREAMS}\n"), &|_| None).expect("the config is fine");
    Server::start(config).await
}

/// Lines end as in SDP, whatever the file has.
fn offer() -> String {
    OFFER.lines().flat_map(|line| [line, "\r\n"]).collect()
}

/// The offer's own user fragment.
fn ufrag() -> String {
    let line = offer().lines().find(|line| line.starts_with("a=ice-ufrag:")).expect("it has one").to_owned();
    format!("{line}\r\na=end-of-candidates\r\n")
}

async fn post_whep(server: &Server, name: &str) -> Answer {
    ask(&server.url, &format!("POST /whep/{name}\nContent-Type: application/sdp"), &offer()).await
}

fn is_answer(sdp: &str) -> bool {
    sdp.starts_with("v=0\r\n") && sdp.contains("m=video 9 ") && sdp.contains("a=candidate:")
}

async fn until_sessions(server: &Server, expected: usize) {
    let start = Instant::now();
    while server.sessions.summary().sessions != expected {
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", server.sessions.summary());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn say(control: &mut Control, message: &Value) -> Value {
    control.send_raw(Message::text(message.to_string())).await.expect("the socket is open");
    control.receive().await.expect("an answer")
}

async fn control_of(server: &Server, query: &str) -> Control {
    Control::connect_to(&format!("{}/api/ws{query}", server.url))
        .await
        .expect("the server accepts WebSockets")
}

#[tokio::test]
async fn go2rtcs_two_forms_of_an_offer_are_answered_in_the_same_form() {
    let server = server("").await;
    let mut control = control_of(&server, "?src=yard").await;
    let candidate = json!({"type": "webrtc/candidate", "value": "candidate:1 1 udp 1 192.0.2.1 9 typ host"});
    control.send_raw(Message::text(candidate.to_string())).await.expect("the socket is open");
    let first = say(&mut control, &json!({"type": "webrtc/offer", "value": offer()})).await;
    assert_eq!(first["type"], "webrtc/answer", "a candidate takes no answer: {first}");
    assert!(is_answer(first["value"].as_str().expect("SDP")), "{first}");
    let object = json!({"type": "offer", "sdp": offer(), "ice_servers": [{"urls": ["stun:192.0.2.1:3478"]}]});
    let second = say(&mut control, &json!({"type": "webrtc", "value": object})).await;
    assert_eq!((&second["type"], &second["value"]["type"]), (&json!("webrtc"), &json!("answer")));
    assert!(is_answer(second["value"]["sdp"].as_str().expect("SDP")), "{second}");
    assert_eq!(server.sessions.summary().sessions, 2);
}

#[tokio::test]
async fn messages_that_cannot_be_served_are_answered_and_the_socket_stays() {
    let server = server("").await;
    let mut control = control_of(&server, "?src=nobody").await;
    for (message, words) in [
        (json!({"type": "mse", "value": "avc1.640029"}), "mse: this server sends pictures by WebRTC alone"),
        (json!({"type": "hello"}), "hello: this server does not know messages of this type"),
        (json!({"type": "webrtc/offer"}), "webrtc/offer: the message has no SDP"),
        (json!({"type": "webrtc", "value": {"type": "offer"}}), "webrtc: the message has no SDP"),
        (
            json!({"type": "webrtc/offer", "value": offer()}),
            "webrtc/offer: there is no stream named \"nobody\"",
        ),
    ] {
        let answer = say(&mut control, &message).await;
        assert_eq!(answer["type"], "error", "{message}: {answer}");
        assert!(answer["value"].as_str().is_some_and(|said| said.starts_with(words)), "{message}: {answer}");
    }
    let mut without = control_of(&server, "").await;
    let answer = say(&mut without, &json!({"type": "webrtc/offer", "value": offer()})).await;
    assert!(answer["value"].as_str().is_some_and(|said| said.contains("?src=NAME")), "{answer}");
    assert_eq!(server.sessions.summary().sessions, 0);
}

#[tokio::test]
async fn each_form_of_a_post_gets_its_answer_in_the_same_form() {
    let server = server("").await;
    let post = async |kind: &str, body: &str| {
        let head = format!("POST /api/webrtc?src=yard\nContent-Type: {kind}");
        ask(&server.url, &head, body).await
    };
    let json = json!({"type": "offer", "sdp": offer()}).to_string();
    let answer = post("application/json; charset=utf-8", &json).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.json()["type"], "answer");
    assert!(is_answer(answer.json()["sdp"].as_str().expect("SDP")));

    let answer = post("application/sdp", &offer()).await;
    assert_eq!((answer.status, answer.header("content-type")), (201, Some("application/sdp")));
    assert!(is_answer(answer.text()));

    let answer = post("text/plain", &offer()).await;
    assert!(answer.status == 200 && is_answer(answer.text()), "{}", answer.text());

    for (kind, body, status) in [
        ("application/json", "{", 400),
        ("application/json", "{\"type\":\"offer\"}", 400),
        ("application/x-www-form-urlencoded", "data=!", 400),
        ("application/sdp", "hello", 400),
        ("application/sdp", &"x".repeat(200_000), 400),
    ] {
        let answer = post(kind, body).await;
        assert_eq!(answer.status, status, "{kind} {}", answer.text());
        assert!(answer.json()["error"].is_string());
    }
    for (query, status) in [("", 400), ("?src=nobody", 404), ("?dst=yard", 403)] {
        assert_eq!(
            ask(&server.url, &format!("POST /api/webrtc{query}"), &offer()).await.status,
            status,
            "{query}"
        );
    }
}

#[tokio::test]
async fn an_offer_with_sound_before_the_pictures_has_its_candidates_with_the_pictures() {
    let server = server("").await;
    let (session, video) =
        offer().split_once("m=video").map(|(a, b)| (a.to_owned(), b.to_owned())).expect("it has");
    let transport: String = video
        .lines()
        .filter(|line| {
            line.starts_with("a=ice-") || line.starts_with("a=fingerprint") || line.starts_with("a=setup")
        })
        .flat_map(|line| [line, "\r\n"])
        .collect();
    let offer = format!("{session}{SOUND}{transport}m=video{video}")
        .replace("a=group:BUNDLE 0", "a=group:BUNDLE sound 0");
    let answer = ask(&server.url, "POST /api/webrtc?src=yard", &offer).await;
    let text = answer.text();
    assert_eq!(answer.status, 200, "{text}");
    let sections: Vec<&str> = text.split("m=").collect();
    assert!(sections[1].starts_with("audio 0 ") && !sections[1].contains("a=candidate"), "{text}");
    assert!(sections[2].starts_with("video 9 ") && sections[2].contains("a=candidate:"), "{text}");
    assert!(text.contains("a=group:BUNDLE 0\r\n"), "{text}");
}

#[tokio::test]
async fn whats_changed_by_go2rtcs_api_is_refused_with_a_sentence() {
    let server = server("").await;
    for request in [
        "PUT /api/streams?name=a&src=exec:reboot",
        "POST /api/streams?src=yard&dst=garage",
        "PATCH /api/streams?name=yard&src=rtsp://192.0.2.1/",
        "DELETE /api/streams?src=yard",
        "PUT /api/preload?src=yard",
        "GET /api/config",
        "POST /api/config",
        "PATCH /api/config",
        "POST /api/restart",
        "POST /api/exit",
    ] {
        let answer = ask(&server.url, request, "").await;
        assert_eq!(answer.status, 403, "{request}");
        assert!(answer.json()["error"].as_str().is_some_and(|sentence| sentence.len() > 30), "{request}");
    }
    assert_eq!(ask(&server.url, "GET /api/streams", "").await.status, 200);
    let about = ask(&server.url, "GET /api", "").await.json();
    assert_eq!(
        (&about["version"], &about["server_version"]),
        (&json!("1.9.13"), &json!(env!("CARGO_PKG_VERSION")))
    );
    let schemes = ask(&server.url, "GET /api/schemes", "").await.json();
    assert!(schemes.as_array().is_some_and(|schemes| schemes.contains(&json!("rtsp"))), "{schemes}");
    assert_eq!(ask(&server.url, "GET /api/preload", "").await.json(), json!({}));
}

#[tokio::test]
async fn a_whep_session_is_made_trickled_to_and_deleted() {
    let server =
        server("webrtc: {ice_servers: [{urls: ['turn:192.0.2.9:3478'], username: 'a\"b', credential: c}]}")
            .await;
    let answer = post_whep(&server, "front%20door%2Fleft").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (201, Some("application/sdp")),
        "{}",
        answer.text()
    );
    assert!(is_answer(answer.text()));
    let link = "<turn:192.0.2.9:3478>; rel=\"ice-server\"; username=\"a\\\"b\"; credential=\"c\"; credential-type=\"password\"";
    assert_eq!(answer.header("link"), Some(link));
    let etag = answer.header("etag").expect("a tag").to_owned();
    let location = answer.header("location").expect("an address").to_owned();
    // Relative to /whep/.
    assert!(location.starts_with("front%20door%2Fleft/"), "{location}");
    let session = format!("/whep/{location}");
    assert_eq!(server.sessions.summary().sessions, 1);

    let matches = format!("{FRAGMENT}\nIf-Match: {etag}");
    let restart = "a=ice-ufrag:other\r\na=ice-pwd:another-password-of-24\r\n";
    for (headers, body, status) in [
        (&*matches, &*ufrag(), 204),
        (&*matches, "a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n", 204),
        (&*matches, "hello", 400),
        (FRAGMENT, &*ufrag(), 428),
        (&*format!("{FRAGMENT}\nIf-Match: \"other\""), &*ufrag(), 412),
        ("Content-Type: application/sdp", &*ufrag(), 415),
        (&*matches, restart, 422),
        (&*format!("{FRAGMENT}\nIf-Match: *"), restart, 422),
    ] {
        let answer = ask(&server.url, &format!("PATCH {session}\n{headers}"), body).await;
        assert_eq!(answer.status, status, "{headers} {body}: {}", answer.text());
        assert_eq!(answer.header("etag"), None);
        if status >= 400 {
            assert_eq!(answer.header("content-type"), Some("application/problem+json"));
            assert_eq!(answer.json()["status"], status);
            assert!(answer.json()["detail"].is_string());
        }
    }
    assert_eq!(ask(&server.url, &format!("GET {session}"), "").await.status, 204);
    assert_eq!(ask(&server.url, &format!("PUT {session}"), "").await.status, 405);
    let of_another = session.replace("front%20door%2Fleft", "yard");
    assert_eq!(ask(&server.url, &format!("DELETE {of_another}"), "").await.status, 404);
    assert_eq!(ask(&server.url, &format!("DELETE {session}"), "").await.status, 200);
    assert_eq!(server.sessions.summary().sessions, 0, "it is over when the answer comes");
    for request in
        [format!("DELETE {session}"), format!("GET {session}"), format!("PATCH {session}\n{matches}")]
    {
        assert_eq!(ask(&server.url, &request, "").await.status, 404, "{request}");
    }
}

#[tokio::test]
async fn a_whep_endpoint_says_what_it_takes_and_what_is_wrong() {
    let server = server("multistream: {max_sessions: 1}\napi: {origin: 'https://dash.example'}").await;
    for (request, body, status) in [
        ("POST /whep/yard\nContent-Type: text/plain", &*offer(), 415),
        ("POST /whep/yard\nContent-Type: application/sdp", "hello", 400),
        ("POST /whep/nobody\nContent-Type: application/sdp", &*offer(), 404),
        ("PUT /whep/yard", "", 405),
    ] {
        let answer = ask(&server.url, request, body).await;
        assert_eq!(answer.status, status, "{request}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{request}");
        assert_eq!(answer.json()["status"], status);
    }
    assert_eq!(ask(&server.url, "GET /whep/yard", "").await.status, 204);
    assert_eq!(ask(&server.url, "GET /whep/nobody", "").await.status, 404);
    let options = ask(&server.url, "OPTIONS /whep/yard\nOrigin: https://dash.example", "").await;
    assert_eq!((options.status, options.header("accept-post")), (200, Some("application/sdp")));
    assert_eq!(options.header("access-control-allow-origin"), Some("https://dash.example"));
    for (header, word) in [
        ("access-control-allow-headers", "if-match"),
        ("access-control-allow-methods", "PATCH"),
        ("access-control-expose-headers", "location"),
    ] {
        assert!(options.header(header).is_some_and(|value| value.contains(word)), "{header}");
    }
    let foreign = "POST /whep/yard\nContent-Type: application/sdp\nOrigin: https://evil.example";
    assert_eq!(ask(&server.url, foreign, &offer()).await.status, 403);

    assert_eq!(post_whep(&server, "yard").await.status, 201);
    let full = post_whep(&server, "yard").await;
    assert_eq!((full.status, full.header("retry-after")), (503, Some("5")));
    // Nobody connects.
    until_sessions(&server, 0).await;
    assert_eq!(post_whep(&server, "yard").await.status, 201);
}

#[tokio::test]
async fn a_token_is_wanted_and_a_stream_that_it_is_not_for_is_an_unknown_one() {
    let server = server("api: {token: owner, tokens: [{sha256: 'b9b2fa346c5a572f5d906d855732d9960c1129e6880ec5c590bf82e32cc95a2d', streams: [garage]}]}").await;
    let session = |answer: &Answer| format!("/whep/{}", answer.header("location").expect("an address"));
    let owner = "Authorization: Bearer owner";
    let post = async |name: &str, more: &str| {
        ask(&server.url, &format!("POST /whep/{name}\nContent-Type: application/sdp\n{more}"), &offer()).await
    };
    let without = post("yard", "").await;
    assert!(
        without.status == 401
            && without.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer"))
    );
    let of_owner = post("yard", owner).await;
    assert_eq!(of_owner.status, 201);
    let guest = "Authorization: Bearer guest-of-the-garage";
    assert_eq!(post("garage", guest).await.status, 201);
    let refused = async |name: &str| post(name, guest).await.text().replace(name, "NAME");
    assert_eq!(refused("yard").await, refused("nobody").await);
    for request in [
        "POST /api/webrtc?src=yard".to_owned(),
        "POST /whep/yard\nContent-Type: application/sdp".to_owned(),
        "GET /api/frame.jpeg?src=yard".to_owned(),
        format!("DELETE {}", session(&of_owner)),
        "GET /whep/yard".to_owned(),
    ] {
        assert_eq!(ask(&server.url, &format!("{request}\n{guest}"), &offer()).await.status, 404, "{request}");
        assert_eq!(ask(&server.url, &request, &offer()).await.status, 401, "{request}");
    }
    assert_eq!(
        ask(&server.url, "OPTIONS /whep/yard", "").await.status,
        200,
        "a browser asks without the token"
    );
    assert_eq!(ask(&server.url, &format!("DELETE {}\n{owner}", session(&of_owner)), "").await.status, 200);
}
