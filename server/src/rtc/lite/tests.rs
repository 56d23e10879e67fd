//! Tests which packets of a browser a peer answers, and that it sends nothing that was not requested.

use std::time::{Duration, Instant};

use rtc::ice::attributes::control::{AttrControlled, AttrControlling};

use super::*;
use crate::config::WebrtcConfig;
use crate::rtc::{Peer, Port};

const BROWSER_UFRAG: &str = "browser";
const BROWSER_PASSWORD: &str = "the password of the browser";

fn offer() -> String {
    let fingerprint = vec!["AB"; 32].join(":");
    format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 103\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=mid:0\r\na=recvonly\r\n\
         a=ice-ufrag:{BROWSER_UFRAG}\r\na=ice-pwd:{BROWSER_PASSWORD}\r\na=setup:actpass\r\n\
         a=fingerprint:sha-256 {fingerprint}\r\na=rtpmap:103 H264/90000\r\n\
         a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
    )
}

/// A check as a browser sends it, with `more` attributes.
fn check(username: &str, password: &str, more: Vec<Box<dyn Setter>>) -> BytesMut {
    let crypto = rtc::crypto::default_provider().expect("a provider of cryptography");
    let integrity =
        MessageIntegrity::new_short_term_integrity_with_provider(password.to_owned(), crypto.crypto());
    let mut content: Vec<Box<dyn Setter>> = vec![
        Box::new(BINDING_REQUEST),
        Box::new(TransactionId::new()),
        Box::new(Username::new(ATTR_USERNAME, username.to_owned())),
    ];
    content.extend(more);
    content.extend([Box::new(integrity) as Box<dyn Setter>, Box::new(FINGERPRINT)]);
    let mut message = Message::new();
    message.build(&content).expect("a STUN message");
    BytesMut::from(&message.raw[..])
}

/// The smallest client hello of DTLS 1.2 (RFC 6347 §4.2, RFC 5246 §7.4.1.2).
fn client_hello() -> BytesMut {
    let mut body = vec![0xfe, 0xfd];
    body.extend([7; 32]);
    // No session, no cookie, ECDHE-ECDSA-AES128-GCM-SHA256, no compression, no extensions.
    body.extend([0, 0, 0, 2, 0xc0, 0x2b, 1, 0, 0, 0]);
    let length = [0, 0, body.len() as u8];
    let mut handshake = vec![1];
    handshake.extend(length.iter().chain(&[0, 0]).chain(&[0, 0, 0]).chain(&length).chain(&body));
    let mut record = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, handshake.len() as u8];
    record.extend(handshake);
    BytesMut::from(&record[..])
}

fn attribute<'a>(sdp: &'a str, name: &str) -> &'a str {
    sdp.lines().find_map(|line| line.strip_prefix(name)).expect("the answer has this attribute")
}

/// A peer, and the browser's data about it.
struct Bench {
    peer: Peer,
    now: Instant,
    username: String,
    password: String,
}

const BROWSER: ([u8; 4], u16) = ([127, 0, 0, 1], 5000);

impl Bench {
    async fn new(candidates: &str) -> Self {
        let config =
            WebrtcConfig { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..WebrtcConfig::default() };
        let port = Port::open(&config).await.expect("a free port");
        let now = Instant::now();
        let (peer, answer) = Peer::answer(now, &(offer() + candidates), 1, &port).expect("an answer");
        let username = format!("{}:{BROWSER_UFRAG}", attribute(&answer.sdp, "a=ice-ufrag:"));
        let password = attribute(&answer.sdp, "a=ice-pwd:").to_owned();
        Self { peer, now, username, password }
    }

    fn check(&self, more: Vec<Box<dyn Setter>>) -> BytesMut {
        check(&self.username, &self.password, more)
    }

    /// The packets that are sent after this packet of the browser.
    fn answers(&mut self, packet: BytesMut) -> Vec<(SocketAddr, Vec<u8>)> {
        self.peer.handle_packet(self.now, SocketAddr::from(BROWSER), Transport::Udp, packet);
        self.sent()
    }

    fn sent(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        self.peer.handle_timeout(self.now);
        while self.peer.poll_event().is_some() {}
        std::iter::from_fn(|| self.peer.poll_transmit())
            .map(|(to, _, packet)| (to, packet.to_vec()))
            .collect()
    }

    /// All packets that are sent within this time.
    fn sent_within(&mut self, time: Duration) -> Vec<(SocketAddr, Vec<u8>)> {
        let end = self.now + time;
        let mut sent = Vec::new();
        while self.now < end {
            sent.extend(self.sent());
            self.now += Duration::from_millis(50);
        }
        sent
    }
}

/// The class and method of a STUN message.
fn kinds(sent: &[(SocketAddr, Vec<u8>)]) -> Vec<[u8; 2]> {
    sent.iter().map(|(_, packet)| [packet[0], packet[1]]).collect()
}

const SUCCESS: [u8; 2] = [0x01, 0x01];
const ERROR: [u8; 2] = [0x01, 0x11];

#[tokio::test]
async fn a_check_is_answered_and_nothing_else_is_sent() {
    let mut bench = Bench::new("").await;
    let answers = bench.answers(bench.check(vec![Box::new(AttrControlling(7))]));
    assert_eq!(kinds(&answers), [SUCCESS]);
    assert_eq!(answers[0].0, SocketAddr::from(BROWSER));
    assert_eq!(kinds(&bench.sent_within(Duration::from_secs(5))), Vec::<[u8; 2]>::new());
}

#[tokio::test]
async fn a_first_check_that_nominates_is_answered_too() {
    let mut bench = Bench::new("").await;
    let answers = bench.answers(bench.check(vec![Box::new(UseCandidateAttr::new())]));
    assert_eq!(kinds(&answers), [SUCCESS]);
}

#[tokio::test]
async fn a_client_hello_is_answered_before_the_browser_nominates() {
    let mut bench = Bench::new("").await;
    bench.answers(bench.check(Vec::new()));
    let answers = bench.answers(client_hello());
    assert!(!answers.is_empty(), "the hello is lost");
    assert!(
        answers.iter().all(|(_, packet)| DTLS.contains(&packet[0])),
        "and nothing that was not asked for"
    );
}

#[tokio::test]
async fn packets_from_an_address_without_a_valid_check_are_dropped() {
    let mut bench = Bench::new("").await;
    assert_eq!(bench.answers(client_hello()), []);
    let (forged, unnamed) =
        (check(&bench.username, "guessed", Vec::new()), check("a:b", &bench.password, Vec::new()));
    assert_eq!(bench.answers(forged), []);
    assert_eq!(bench.answers(unnamed), []);
    assert_eq!(bench.answers(client_hello()), []);
}

/// The library's agent takes a packet of any other kind for a sign of life, and anybody can send one with the browser's address.
#[tokio::test]
async fn of_a_known_address_only_checks_handshakes_and_media_are_read() {
    let mut bench = Bench::new("").await;
    bench.answers(bench.check(Vec::new()));
    bench.answers(client_hello());
    let (from, transport) = (SocketAddr::from(BROWSER), Transport::Udp);
    for first in 0..=255 {
        let arrival = bench.peer.lite.handle_arrival(from, transport, &[first; 30]);
        let is_read = matches!(arrival, Arrival::Read { .. });
        assert_eq!(is_read, DTLS.contains(&first) || MEDIA.contains(&first), "{first}: {arrival:?}");
    }
    assert!(matches!(bench.peer.lite.handle_arrival(from, transport, &[]), Arrival::Drop));
}

/// The offer has many candidates, and one request tries to make the agent check them all: with ICE-CONTROLLED and a tie-breaker
/// of 0 the library's agent takes the controlling role before it verifies the integrity.
#[tokio::test]
async fn nothing_is_ever_sent_to_a_candidate_of_the_offer() {
    let victims = (1..200_u32)
        .map(|n| format!("a=candidate:{n} 1 udp {} 127.0.0.{n} 9 typ host\r\n", 2_130_706_431 - n))
        .collect::<Vec<_>>()
        .concat();
    let mut bench = Bench::new(&victims).await;
    let forged = check(&bench.username, "guessed", vec![Box::new(AttrControlled(0))]);
    assert_eq!(bench.answers(forged), []);
    let sent = bench.sent_within(Duration::from_secs(10));
    assert_eq!(sent.len(), 0, "packets to strangers");
}

#[tokio::test]
async fn a_browser_in_the_controlled_role_gets_a_role_conflict() {
    let mut bench = Bench::new("").await;
    let answers = bench.answers(bench.check(vec![Box::new(AttrControlled(0))]));
    assert_eq!(kinds(&answers), [ERROR]);
    assert!(answers[0].1.windows(4).any(|bytes| bytes == [0, 0, 4, 87]), "487");
    let answers = bench.answers(bench.check(vec![Box::new(AttrControlling(0))]));
    assert_eq!(kinds(&answers), [SUCCESS], "and may go on as the controlling side");
}

/// A NAT that has forgotten the browser gives it another port. The browser does not know, so its next check need not nominate.
#[tokio::test]
async fn packets_go_to_a_new_address_as_soon_as_a_valid_check_comes_from_it() {
    let mut bench = Bench::new("").await;
    let old = (SocketAddr::from(BROWSER), Transport::Udp);
    let new = (SocketAddr::from(([127, 0, 0, 1], 6000)), Transport::Udp);
    bench.answers(bench.check(Vec::new()));
    bench.answers(client_hello());
    assert_eq!(bench.peer.lite.destination(old), old);

    let forged = check(&bench.username, "guessed", Vec::new());
    bench.peer.handle_packet(bench.now, new.0, new.1, forged);
    assert_eq!(bench.peer.lite.destination(old), old, "not by a forged check");

    let moved = bench.check(Vec::new());
    bench.peer.handle_packet(bench.now, new.0, new.1, moved);
    let answers = bench.sent();
    assert_eq!((kinds(&answers), answers[0].0), (vec![SUCCESS], new.0));
    assert_eq!(bench.peer.lite.destination(old), new);

    let back = bench.check(vec![Box::new(UseCandidateAttr::new())]);
    bench.answers(back);
    assert_eq!(bench.peer.lite.destination(old), old, "a nomination counts also for a known address");
}
