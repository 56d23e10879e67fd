//! The candidate pair that the browser chose, known from its first DTLS packet.
//!
//! A browser begins its DTLS handshake as soon as one of its checks was answered, and nominates the pair only with its next
//! check, some 50 ms later. The ICE agent drops what comes before, and a `ClientHello` that was dropped is repeated after just
//! as long. Both sides may send on a valid pair that is not nominated yet (RFC 8445 §12.1), and the browser does so on the
//! pair that it will nominate: its `ClientHello` is taken for the nomination.

use std::net::SocketAddr;

use bytes::BytesMut;
use rtc::ice::attributes::use_candidate::UseCandidateAttr;
use rtc::shared::error::Error;
use rtc::stun::attributes::ATTR_USERNAME;
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, Message, TransactionId};
use rtc::stun::textattrs::Username;

use super::port::Transport;

/// RFC 7983: what tells DTLS from the rest on one port.
const DTLS: std::ops::RangeInclusive<u8> = 20..=63;
/// RFC 8489 §5 and §6.
const SUCCESS_RESPONSE: [u8; 2] = [0x01, 0x01];
const TRANSACTION_ID: std::ops::Range<usize> = 8..20;
/// Datagrams that wait for a pair to be valid; a `ClientHello` takes two.
const MAX_EARLY: usize = 4;

/// A packet of the browser, and the way it came.
pub(super) type Received = (SocketAddr, Transport, BytesMut);

/// The check that the browser is about to send, for the ICE agent alone. The agent takes it on a pair that is valid, and
/// for no other.
#[derive(Debug)]
pub(super) struct Nomination {
    check: Vec<u8>,
    /// Addresses from which a check of the agent was answered: their pairs are valid.
    answered: Vec<SocketAddr>,
    /// DTLS that overtook the answer.
    early: Vec<Received>,
}

impl Nomination {
    /// With the server's credentials and the user fragment of the browser.
    pub(super) fn new(ufrag: &str, password: &str, browser_ufrag: &str) -> Result<Self, Error> {
        let crypto = rtc::crypto::default_provider().map_err(|error| Error::Other(error.to_string()))?;
        let mut check = Message::new();
        check.build(&[
            Box::new(BINDING_REQUEST),
            Box::new(TransactionId::new()),
            Box::new(Username::new(ATTR_USERNAME, format!("{ufrag}:{browser_ufrag}"))),
            Box::new(UseCandidateAttr::new()),
            Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
                password.to_owned(),
                crypto.crypto(),
            )),
            Box::new(FINGERPRINT),
        ])?;
        Ok(Self { check: check.raw, answered: Vec::new(), early: Vec::new() })
    }

    /// What the agent shall read now that this packet came: nothing of DTLS before the pair is valid and nominated.
    pub(super) fn arrange(&mut self, received: Received) -> Vec<Received> {
        let (from, transport, packet) = &received;
        let (from, transport) = (*from, *transport);
        let check = (from, transport, BytesMut::from(&self.check[..]));
        if packet.first().is_some_and(|first| DTLS.contains(first)) {
            if self.answered.contains(&from) {
                return vec![check, received];
            }
            if self.early.len() < MAX_EARLY {
                self.early.push(received);
            }
            return Vec::new();
        }
        let mut now = vec![received];
        if now[0].2.starts_with(&SUCCESS_RESPONSE) && !self.answered.contains(&from) {
            self.answered.push(from);
            let valid: Vec<_> = self.early.extract_if(.., |(other, ..)| *other == from).collect();
            if !valid.is_empty() {
                now.push(check);
                now.extend(valid);
            }
        }
        now
    }

    /// Whether a packet of the agent answers this check. The browser has not asked.
    pub(super) fn is_answered_by(&self, packet: &[u8]) -> bool {
        packet.get(TRANSACTION_ID) == self.check.get(TRANSACTION_ID)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use rtc::stun::message::BINDING_SUCCESS;

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

    fn signed(
        kind: rtc::stun::message::MessageType,
        id: TransactionId,
        username: &str,
        password: &str,
    ) -> BytesMut {
        let crypto = rtc::crypto::default_provider().expect("a provider of cryptography");
        let mut message = Message::new();
        message
            .build(&[
                Box::new(kind),
                Box::new(id),
                Box::new(Username::new(ATTR_USERNAME, username.to_owned())),
                Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
                    password.to_owned(),
                    crypto.crypto(),
                )),
                Box::new(FINGERPRINT),
            ])
            .expect("a STUN message");
        BytesMut::from(&message.raw[..])
    }

    /// The least that DTLS 1.2 allows (RFC 6347 §4.2, RFC 5246 §7.4.1.2).
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

    fn sent(peer: &mut Peer, now: Instant) -> Vec<Vec<u8>> {
        peer.handle_timeout(now);
        while peer.poll_event().is_some() {}
        std::iter::from_fn(|| peer.poll_transmit()).map(|(_, _, packet)| packet.to_vec()).collect()
    }

    /// What the server sends to a `ClientHello` before the browser nominated, the hello coming before the browser's
    /// answer to the agent's check, or after it.
    async fn answers_to_a_hello(before_the_answer: bool) -> Vec<Vec<u8>> {
        let config =
            WebrtcConfig { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..WebrtcConfig::default() };
        let port = Port::open(&config).await.expect("a free port");
        let now = Instant::now();
        let (mut peer, answer) = Peer::answer(now, &offer(), 1, &port).expect("an answer");
        let (ufrag, password) =
            (attribute(&answer.sdp, "a=ice-ufrag:"), attribute(&answer.sdp, "a=ice-pwd:"));
        let browser = SocketAddr::from(([127, 0, 0, 1], 5000));
        let receive = |peer: &mut Peer, packet| peer.handle_packet(now, browser, Transport::Udp, packet);

        let first = TransactionId([1; 12]);
        receive(&mut peer, signed(BINDING_REQUEST, first, &format!("{ufrag}:{BROWSER_UFRAG}"), password));
        let checks = sent(&mut peer, now);
        let own = checks.iter().rfind(|packet| packet[..2] == [0, 1]).expect("the agent's own check");
        let mut id = TransactionId::default();
        id.0.copy_from_slice(&own[TRANSACTION_ID]);
        let response = signed(BINDING_SUCCESS, id, "", BROWSER_PASSWORD);
        if before_the_answer {
            receive(&mut peer, client_hello());
            assert!(sent(&mut peer, now).is_empty(), "nobody knows yet whether the browser is there");
            receive(&mut peer, response);
        } else {
            receive(&mut peer, response);
            assert!(sent(&mut peer, now).is_empty());
            receive(&mut peer, client_hello());
        }
        sent(&mut peer, now)
    }

    #[tokio::test]
    async fn a_client_hello_is_answered_before_the_browser_nominates() {
        for before_the_answer in [false, true] {
            let answers = answers_to_a_hello(before_the_answer).await;
            assert!(!answers.is_empty(), "the hello is lost, before the answer: {before_the_answer}");
            let of_dtls = |packet: &Vec<u8>| DTLS.contains(&packet[0]);
            assert!(answers.iter().all(of_dtls), "and nothing that was not asked for");
        }
    }
}
