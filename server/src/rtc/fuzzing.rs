//! The parsers of what browsers send to the port, for `crate::fuzzing`.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;
use std::time::Instant;

use bytes::BytesMut;
use futures_util::FutureExt as _;
use tokio::runtime::Runtime;

use super::{Peer, Port, Transport, binding, stun, tcp};
use crate::config::WebrtcConfig;

/// An offer like those of browsers, for the connection that gets the datagrams.
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 103\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=mid:0\r\na=recvonly\r\n\
    a=ice-ufrag:browser\r\na=ice-pwd:the password of the browser\r\na=setup:actpass\r\n\
    a=fingerprint:sha-256 AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB\r\n\
    a=rtpmap:103 H264/90000\r\n\
    a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n";

/// A port to which nothing is sent, since its tasks never run.
fn port() -> &'static Port {
    static PORT: OnceLock<(Runtime, Port)> = OnceLock::new();
    let (_, port) = PORT.get_or_init(|| {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let config = WebrtcConfig { listen, ..WebrtcConfig::default() };
        let port = runtime.block_on(Port::open(&config)).expect("port 0 is free");
        (runtime, port)
    });
    port
}

/// Answers an offer for one slot and for six.
pub(crate) fn offer(bytes: &[u8]) {
    let sdp = String::from_utf8_lossy(bytes);
    for slots in [1, 6] {
        let _ = Peer::answer(Instant::now(), &sdp, slots, port());
    }
}

/// Passes datagrams, each after its length, to a connection that waits for its browser.
pub(crate) fn datagrams(bytes: &[u8]) {
    let now = Instant::now();
    let (mut peer, _) = Peer::answer(now, OFFER, 1, port()).expect("a valid offer");
    for datagram in crate::fuzzing::pieces(bytes) {
        let _ = (stun::server_ufrag(datagram), binding::seen_address(datagram));
        let from = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        peer.handle_packet(now, from, Transport::Udp, BytesMut::from(datagram));
        peer.handle_timeout(now);
        while peer.poll_transmit().is_some() {}
        while peer.poll_event().is_some() {}
    }
}

/// A TCP connection to the port (RFC 4571 framing), until it ends.
pub(crate) fn ice_tcp(bytes: &[u8]) {
    let mut reader = bytes;
    while let Some(Ok(packet)) = tcp::read_packet(&mut reader).now_or_never() {
        let _ = stun::server_ufrag(&packet);
    }
}
