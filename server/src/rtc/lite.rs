//! Makes the library's ICE agent a lite agent (RFC 8445 §2.5), which answers checks and never sends one.
//!
//! The library's agent sends a check back to everybody who sends it one, and considers a candidate pair valid only when that
//! check was answered. A lite agent must not do that (RFC 8445 §7.3): a request with a valid integrity is all that makes a pair
//! valid, and an agent that sends checks can be made to send packets to third parties. [`LiteAgent`] is placed between the
//! network and the agent:
//! - A request is passed to the agent only after its user name and its integrity were verified. Anything else is passed only
//!   from an address that has sent such a request, and only if it is DTLS, RTP or RTCP.
//! - The agent's own checks are never sent. Those to a verified address are answered here, as the browser would.
//! - A browser starts its DTLS handshake as soon as one of its checks is answered, and nominates the pair only with its next
//!   check, some 50 ms later. Both sides may send on a valid pair before that (RFC 8445 §12.1), so the browser's first DTLS
//!   packet counts as the nomination of the pair on which it came.
//! - The library's agent never leaves the pair that it has selected. So it is left to believe in that pair, and the packets that it
//!   sends on it go to the address that the browser uses now: the one of its latest nomination, of its latest RTCP, or an address
//!   that is new, which means that a NAT has given the browser another one.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use rtc::crypto::RTCCryptoProvider;
use rtc::ice::attributes::use_candidate::UseCandidateAttr;
use rtc::shared::error::Error;
use rtc::stun::attributes::{ATTR_ICE_CONTROLLED, ATTR_USE_CANDIDATE, ATTR_USERNAME};
use rtc::stun::error_code::{CODE_ROLE_CONFLICT, ErrorCodeAttribute};
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_ERROR, BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId};
use rtc::stun::textattrs::Username;
use rtc::stun::xoraddr::XorMappedAddress;

use super::routes::Transport;
use super::stun;

/// The first bytes of DTLS packets on a shared port (RFC 7983 §7).
const DTLS: std::ops::RangeInclusive<u8> = 20..=63;
/// The first bytes of RTP and RTCP packets on it.
const MEDIA: std::ops::RangeInclusive<u8> = 128..=191;
/// The limit of addresses of one browser: those of its interfaces, over UDP and TCP, and later ones.
const MAX_ADDRESSES: usize = 64;

/// How a packet from the network is handled.
#[derive(Debug)]
pub(super) enum Arrival {
    /// The agent reads the packet. If there is a `before`, it first reads that: a check that was made here in the browser's
    /// name.
    Read {
        before: Option<BytesMut>,
        /// Where the agent believes the packet to come from.
        from: Path,
    },
    /// The browser is sent this answer, and the agent does not see the packet. If there is a `keepalive`, the agent reads that
    /// instead, as if it had come on the pair that it has selected: otherwise it would believe that the browser is gone.
    Answer {
        answer: Vec<u8>,
        keepalive: Option<(Path, BytesMut)>,
    },
    Drop,
}

/// How a packet of the agent is handled.
#[derive(Debug)]
pub(super) enum Departure {
    /// The packet is sent to this address.
    Send(Path),
    /// The packet is a check of the agent's own and is not sent; the agent reads this as the answer to it.
    Answer(BytesMut),
    Drop,
}

/// An address of the browser, and how it is reached.
pub(super) type Path = (SocketAddr, Transport);

/// Decides for each packet between the network and the ICE agent whether it is passed on: see the [module](self).
pub(super) struct LiteAgent {
    crypto: Arc<dyn RTCCryptoProvider>,
    /// The user name of the browser's requests: the server's user fragment and the browser's.
    username: String,
    password: String,
    browser_password: String,
    /// Checks in the browser's name: `introduction` makes the agent add an address as a candidate, `nomination` makes it select
    /// the pair.
    introduction: Vec<u8>,
    nomination: Vec<u8>,
    /// Addresses verified by a request with a valid integrity, the oldest first.
    verified: Vec<Path>,
    /// The pair that the library's agent has selected, for good, and the one that packets are sent on.
    selected: Option<Path>,
    current: Option<Path>,
}

impl LiteAgent {
    /// `(ufrag, password)` are the server's ICE credentials, the others are the browser's.
    pub(super) fn new(
        (ufrag, password): (&str, &str),
        (browser_ufrag, browser_password): (&str, &str),
    ) -> Result<Self, Error> {
        let crypto = rtc::crypto::default_provider().map_err(|error| Error::Other(error.to_string()))?;
        let mut agent = Self {
            crypto,
            username: format!("{ufrag}:{browser_ufrag}"),
            password: password.to_owned(),
            browser_password: browser_password.to_owned(),
            introduction: Vec::new(),
            nomination: Vec::new(),
            verified: Vec::new(),
            selected: None,
            current: None,
        };
        let username = || Box::new(Username::new(ATTR_USERNAME, agent.username.clone()));
        let plain: [Box<dyn Setter>; 3] =
            [Box::new(BINDING_REQUEST), Box::new(TransactionId::new()), username()];
        let nominating: [Box<dyn Setter>; 4] = [
            Box::new(BINDING_REQUEST),
            Box::new(TransactionId::new()),
            username(),
            Box::new(UseCandidateAttr::new()),
        ];
        let (introduction, nomination) =
            (agent.signed(plain, password)?, agent.signed(nominating, password)?);
        (agent.introduction, agent.nomination) = (introduction, nomination);
        Ok(agent)
    }

    pub(super) fn handle_arrival(
        &mut self,
        from: SocketAddr,
        transport: Transport,
        packet: &[u8],
    ) -> Arrival {
        let path = (from, transport);
        let is_known = self.verified.contains(&path);
        if !stun::is_stun(packet) {
            let is_dtls = packet.first().is_some_and(|first| DTLS.contains(first));
            let is_media = packet.first().is_some_and(|first| MEDIA.contains(first));
            // The library passes everything else to its agent, which would take it for a sign of life without reading it.
            if !is_known || !(is_dtls || is_media) {
                return Arrival::Drop;
            }
            let nominates = self.selected.is_none() && is_dtls;
            let before = nominates.then(|| BytesMut::from(&self.nomination[..]));
            if nominates {
                self.selected = Some(path);
            }
            // The browser sends on the pair that it has chosen.
            self.current = self.selected.map(|_| path);
            return Arrival::Read { before, from: self.selected.unwrap_or(path) };
        }
        let Some(request) = self.verify(packet) else { return Arrival::Drop };
        if request.contains(ATTR_ICE_CONTROLLED) {
            // The browser is the controlling side, for this one is lite (RFC 8445 §6.1.1).
            let answer = self.role_conflict(&request);
            return answer.map_or(Arrival::Drop, |answer| Arrival::Answer { answer, keepalive: None });
        }
        if !is_known {
            self.admit(path);
        }
        let nominates = request.contains(ATTR_USE_CANDIDATE);
        if let Some(selected) = self.selected {
            if nominates || !is_known {
                self.current = Some(path);
            }
            if path != selected {
                let keepalive = self.sign_of_life();
                let answer = self.success(request.transaction_id, from);
                return answer.map_or(Arrival::Drop, |answer| Arrival::Answer { answer, keepalive });
            }
        } else if nominates {
            (self.selected, self.current) = (Some(path), Some(path));
        }
        // The agent reads the introduction before this check, since it answers a nominating check only on a valid pair.
        let before = (!is_known).then(|| BytesMut::from(&self.introduction[..]));
        Arrival::Read { before, from: path }
    }

    /// Adds a verified address. When there are too many, it replaces the oldest one that is not in use.
    fn admit(&mut self, path: Path) {
        if self.verified.len() >= MAX_ADDRESSES {
            let in_use = [self.selected, self.current];
            let unused = self.verified.iter().position(|known| !in_use.contains(&Some(*known)));
            self.verified.remove(unused.unwrap_or_default());
        }
        self.verified.push(path);
    }

    /// A check that keeps the agent from believing that the browser is gone, and the address that it believes in.
    pub(super) fn sign_of_life(&self) -> Option<(Path, BytesMut)> {
        self.selected.map(|selected| (selected, BytesMut::from(&self.introduction[..])))
    }

    /// Where a packet of the agent is sent that is not STUN.
    pub(super) fn destination(&self, path: Path) -> Path {
        self.current.filter(|_| self.selected == Some(path)).unwrap_or(path)
    }

    pub(super) fn handle_departure(&self, to: SocketAddr, transport: Transport, packet: &[u8]) -> Departure {
        let Some(id) = stun::transaction_id(packet) else {
            return Departure::Send(self.destination((to, transport)));
        };
        if stun::is_binding_request(packet) {
            let is_known = self.verified.contains(&(to, transport));
            let answer = if is_known { self.own_success(id).ok() } else { None };
            return answer.map_or(Departure::Drop, Departure::Answer);
        }
        // The browser did not send the introduction and the nomination, so it gets no answers to them.
        let own = [&self.introduction, &self.nomination];
        if own.into_iter().any(|check| stun::transaction_id(check) == Some(id)) {
            return Departure::Drop;
        }
        Departure::Send((to, transport))
    }

    /// Parses a request of the browser; `None` unless it has the negotiated user name and a valid integrity (RFC 8489 §9.1.3).
    fn verify(&self, packet: &[u8]) -> Option<Message> {
        if !stun::is_binding_request(packet) || stun::username(packet) != Some(self.username.as_str()) {
            return None;
        }
        let mut message = Message { raw: packet.to_vec(), ..Message::default() };
        message.decode().ok()?;
        MessageIntegrity::check(&mut message, self.password.as_bytes(), self.crypto.crypto()).ok()?;
        Some(message)
    }

    /// The error 487 for a browser that takes itself for the controlled side (RFC 8445 §7.3.1.1).
    fn role_conflict(&self, request: &Message) -> Option<Vec<u8>> {
        let answer: [Box<dyn Setter>; 3] = [
            Box::new(BINDING_ERROR),
            Box::new(request.transaction_id),
            Box::new(ErrorCodeAttribute { code: CODE_ROLE_CONFLICT, reason: b"Role Conflict".to_vec() }),
        ];
        self.signed(answer, &self.password).ok()
    }

    /// The answer to a request of the browser (RFC 8445 §7.3).
    fn success(&self, id: TransactionId, from: SocketAddr) -> Option<Vec<u8>> {
        let answer: [Box<dyn Setter>; 3] = [
            Box::new(BINDING_SUCCESS),
            Box::new(id),
            Box::new(XorMappedAddress { ip: from.ip(), port: from.port() }),
        ];
        self.signed(answer, &self.password).ok()
    }

    /// The browser's answer to a check of the agent's own.
    fn own_success(&self, id: [u8; 12]) -> Result<BytesMut, Error> {
        let answer: [Box<dyn Setter>; 2] = [Box::new(BINDING_SUCCESS), Box::new(TransactionId(id))];
        Ok(BytesMut::from(&self.signed(answer, &self.browser_password)?[..]))
    }

    fn signed<const N: usize>(
        &self,
        content: [Box<dyn Setter>; N],
        password: &str,
    ) -> Result<Vec<u8>, Error> {
        let crypto = self.crypto.crypto();
        let integrity = MessageIntegrity::new_short_term_integrity_with_provider(password.to_owned(), crypto);
        let end: [Box<dyn Setter>; 2] = [Box::new(integrity), Box::new(FINGERPRINT)];
        let mut message = Message::new();
        message.build(&content.into_iter().chain(end).collect::<Vec<_>>())?;
        Ok(message.raw)
    }
}

impl std::fmt::Debug for LiteAgent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiteAgent").field("verified", &self.verified).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
