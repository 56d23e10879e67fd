//! A STUN server, for what asks one for its address.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rtc::stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter};
use rtc::stun::xoraddr::XorMappedAddress;

/// How soon the server ends when it is dropped.
const POLL: Duration = Duration::from_millis(50);

/// Answers binding requests. Before each answer it sends a false one from another port, which nobody may believe.
/// Dropping it ends it.
#[derive(Debug)]
pub struct StunServer {
    address: SocketAddr,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl StunServer {
    /// The address in the false answers (RFC 5737).
    pub const FALSE: [u8; 4] = [198, 51, 100, 66];

    /// Starts it in the network namespace of the calling thread.
    pub fn start(address: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        let stranger = UdpSocket::bind((address.ip(), 0))?;
        socket.set_read_timeout(Some(POLL))?;
        let address = socket.local_addr()?;
        let ends = Arc::<AtomicBool>::default();
        let ended = ends.clone();
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 1500];
            while !ended.load(Ordering::Relaxed) {
                let Ok((len, from)) = socket.recv_from(&mut buffer) else { continue };
                let false_address = SocketAddr::from((Self::FALSE, from.port()));
                for (socket, seen) in [(&stranger, false_address), (&socket, from)] {
                    if let Some(answer) = answer(&buffer[..len], seen) {
                        socket.send_to(&answer, from).ok();
                    }
                }
            }
        });
        Ok(Self { address, ends, thread: Some(thread) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for StunServer {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.take().map(JoinHandle::join);
    }
}

/// The answer to a binding request that came from `seen`.
fn answer(packet: &[u8], seen: SocketAddr) -> Option<Vec<u8>> {
    let mut request = Message::new();
    request.unmarshal_binary(packet).ok()?;
    if request.typ != BINDING_REQUEST {
        return None;
    }
    let content: [Box<dyn Setter>; 3] = [
        Box::new(BINDING_SUCCESS),
        Box::new(request.transaction_id),
        Box::new(XorMappedAddress { ip: seen.ip(), port: seen.port() }),
    ];
    let mut message = Message::new();
    message.build(&content).ok()?;
    Some(message.raw)
}
