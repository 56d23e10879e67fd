//! Asks a STUN server which address it sees (RFC 8489 §2). The question leaves from the media port, for a NAT maps each port
//! on its own, and the answer is taken from what arrives there.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rtc::stun::addr::MappedAddress;
use rtc::stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Getter, Message, Setter, TransactionId};
use rtc::stun::xoraddr::XorMappedAddress;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::stun;
use super::udp::Udp;

/// How long the answer to each request is waited for before the next one, and in the end: 2 s together.
const WAITS: [Duration; 3] =
    [Duration::from_millis(300), Duration::from_millis(600), Duration::from_millis(1100)];

/// Why a STUN server did not tell the address.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("{host} does not resolve: {source}")]
    Unresolved { host: String, source: io::Error },
    #[error("nothing can be sent to {server}: {source}")]
    Send { server: SocketAddr, source: io::Error },
    #[error("{server} answers without an address")]
    Refused { server: SocketAddr },
    #[error("{server} does not answer within 2 s")]
    Silent { server: SocketAddr },
}

/// The questions that wait for their answers.
#[derive(Debug, Default)]
pub(super) struct Questions(Mutex<HashMap<[u8; 12], Question>>);

#[derive(Debug)]
struct Question {
    server: SocketAddr,
    /// Gets the address, or `None` if the answer has none.
    answered: oneshot::Sender<Option<SocketAddr>>,
}

impl Questions {
    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 12], Question>> {
        // No change of the map can panic half-way, so a poisoned one is still consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the packet is the answer to a question: from the server that was asked, with the transaction id of the question.
    /// Its address then goes to who has asked. Anything else is a packet like any other.
    pub(super) fn take(&self, from: SocketAddr, packet: &[u8]) -> bool {
        if !stun::is_response(packet) {
            return false;
        }
        let Some(id) = stun::transaction_id(packet) else { return false };
        let mut questions = self.lock();
        if questions.get(&id).is_none_or(|question| question.server != from) {
            return false;
        }
        if let Some(question) = questions.remove(&id) {
            // Who has asked may have given up.
            let _ = question.answered.send(seen_address(packet));
        }
        true
    }
}

/// A question that is forgotten when it is answered or given up.
struct Asked<'a> {
    questions: &'a Questions,
    id: [u8; 12],
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.questions.lock().remove(&self.id);
    }
}

/// The address from which the socket's packets arrive at the server.
pub(super) async fn ask(udp: &Udp, server: SocketAddr) -> Result<SocketAddr, AskError> {
    let (id, request) = request();
    let (answered, mut answer) = oneshot::channel();
    udp.questions.lock().insert(id, Question { server, answered });
    let _asked = Asked { questions: &udp.questions, id };
    for wait in WAITS {
        let sent = match udp.socket.writable().await {
            Ok(()) => udp.try_send(server, &request, request.len()),
            Err(error) => Err(error),
        };
        match sent {
            Err(source) if source.kind() != io::ErrorKind::WouldBlock => {
                return Err(AskError::Send { server, source });
            }
            // A datagram for which there was no place is like one that the network has lost.
            _ => {}
        }
        if let Ok(answer) = timeout(wait, &mut answer).await {
            return answer.ok().flatten().ok_or(AskError::Refused { server });
        }
    }
    Err(AskError::Silent { server })
}

/// Sends a request over a connection, where messages have no frames (RFC 8489 §6.2.2). Returns whether a STUN server answers it.
pub async fn stun_over(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<bool> {
    let (id, request) = request();
    stream.write_all(&request).await?;
    let mut header = [0; stun::HEADER_LEN];
    stream.read_exact(&mut header).await?;
    Ok(stun::is_response(&header) && stun::transaction_id(&header) == Some(id))
}

/// A binding request and its transaction id.
pub(super) fn request() -> ([u8; 12], Vec<u8>) {
    let id = TransactionId::new();
    let content: [Box<dyn Setter>; 2] = [Box::new(BINDING_REQUEST), Box::new(id)];
    let mut message = Message::new();
    message.build(&content).expect("a type and an id fit into a message");
    (id.0, message.raw)
}

/// The address in a success response; servers older than RFC 5389 send it as it is, without XOR.
pub(super) fn seen_address(packet: &[u8]) -> Option<SocketAddr> {
    let mut message = Message::new();
    message.unmarshal_binary(packet).ok()?;
    if message.typ != BINDING_SUCCESS {
        return None;
    }
    let (mut hidden, mut plain) = (XorMappedAddress::default(), MappedAddress::default());
    let address = match hidden.get_from(&message) {
        Ok(()) => SocketAddr::new(hidden.ip, hidden.port),
        Err(_) => plain.get_from(&message).ok().map(|()| SocketAddr::new(plain.ip, plain.port))?,
    };
    let address = crate::net::canonical(address);
    (!address.ip().is_unspecified() && address.port() != 0).then_some(address)
}

#[cfg(test)]
mod tests {
    use rtc::stun::message::BINDING_ERROR;

    use super::*;

    const SERVER: &str = "198.51.100.1:3478";
    const SEEN: &str = "203.0.113.7:9000";

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("a test's address")
    }

    fn built(content: &[Box<dyn Setter>]) -> Vec<u8> {
        let mut message = Message::new();
        message.build(content).expect("a message");
        message.raw
    }

    fn answer(id: [u8; 12]) -> Vec<u8> {
        let SocketAddr::V4(seen) = address(SEEN) else { unreachable!("an IPv4 address") };
        let seen = XorMappedAddress { ip: (*seen.ip()).into(), port: seen.port() };
        built(&[Box::new(BINDING_SUCCESS), Box::new(TransactionId(id)), Box::new(seen)])
    }

    fn asked(questions: &Questions, id: [u8; 12]) -> oneshot::Receiver<Option<SocketAddr>> {
        let (answered, receiver) = oneshot::channel();
        questions.lock().insert(id, Question { server: address(SERVER), answered });
        receiver
    }

    #[test]
    fn only_the_answer_of_the_server_that_was_asked_to_what_was_asked_counts() {
        let questions = Questions::default();
        let mut receiver = asked(&questions, [1; 12]);
        assert!(!questions.take(address("198.51.100.2:3478"), &answer([1; 12])), "another host");
        assert!(!questions.take(address("198.51.100.1:3479"), &answer([1; 12])), "another port");
        assert!(!questions.take(address(SERVER), &answer([2; 12])), "another question");
        let request = built(&[Box::new(BINDING_REQUEST), Box::new(TransactionId([1; 12]))]);
        assert!(!questions.take(address(SERVER), &request), "no answer");
        assert!(!questions.take(address(SERVER), b"media"));
        assert!(receiver.try_recv().is_err(), "the question still waits");

        assert!(questions.take(address(SERVER), &answer([1; 12])));
        assert_eq!(receiver.try_recv().ok().flatten(), Some(address(SEEN)));
        assert!(!questions.take(address(SERVER), &answer([1; 12])), "an answer counts once");
    }

    #[test]
    fn an_answer_without_an_address_ends_the_question() {
        for content in [
            vec![Box::new(BINDING_ERROR) as Box<dyn Setter>, Box::new(TransactionId([1; 12]))],
            vec![Box::new(BINDING_SUCCESS), Box::new(TransactionId([1; 12]))],
        ] {
            let questions = Questions::default();
            let mut receiver = asked(&questions, [1; 12]);
            assert!(questions.take(address(SERVER), &built(&content)));
            assert_eq!(receiver.try_recv().ok(), Some(None));
        }
    }

    #[test]
    fn the_address_of_an_old_server_is_read_too() {
        let plain = MappedAddress { ip: address(SEEN).ip(), port: 9000 };
        let old = built(&[Box::new(BINDING_SUCCESS), Box::new(TransactionId([1; 12])), Box::new(plain)]);
        assert_eq!(seen_address(&old), Some(address(SEEN)));
        assert_eq!(seen_address(&answer([1; 12])), Some(address(SEEN)));
    }
}
