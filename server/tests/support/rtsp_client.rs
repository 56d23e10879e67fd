//! An RTSP client for what other programs do not do: it sends what a test says, and reads packets only when it is told to.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);
/// As little as the system allows, so that a reader which does not read is soon noticed.
const RECEIVE_BUFFER: u32 = 4096;
const RTP: u8 = 0;
/// Types of NAL units (H.264 table 7-1, RFC 6184 §5.4).
const SPS: u8 = 7;
const STAP_A: u8 = 24;

/// Interleaved packets come on the channels 0 and 1.
pub(crate) struct Reader {
    stream: TcpStream,
    input: Vec<u8>,
    cseq: u32,
    pub(crate) last_sequence: u16,
}

pub(crate) struct Packet {
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    pub(crate) payload: Vec<u8>,
}

impl Reader {
    pub(crate) async fn connect(server: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(RECEIVE_BUFFER).expect("it may be small");
        let stream = socket.connect(server).await.expect("the server listens");
        Self { stream, input: Vec::new(), cseq: 0, last_sequence: 0 }
    }

    /// Sends a request and returns its answer. Packets before that are left out.
    pub(crate) async fn ask(&mut self, method: &str, url: &str, headers: &str) -> String {
        self.cseq += 1;
        let request = format!("{method} {url} RTSP/1.0\r\nCSeq: {}\r\n{headers}\r\n", self.cseq);
        self.write(request.as_bytes()).await;
        let answer = self.answer().await;
        assert!(answer.contains(&format!("\r\nCSeq: {}\r\n", self.cseq)), "{answer}");
        answer
    }

    /// Asks for a stream up to its first packets. Returns the answer to PLAY.
    pub(crate) async fn play(&mut self, url: &str) -> String {
        let described = self.ask("DESCRIBE", url, "").await;
        assert!(described.starts_with("RTSP/1.0 200 "), "{described}");
        let transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
        let set_up = self.ask("SETUP", &format!("{url}/trackID=0"), transport).await;
        assert!(set_up.starts_with("RTSP/1.0 200 "), "{set_up}");
        let played = self.ask("PLAY", url, "").await;
        assert!(played.starts_with("RTSP/1.0 200 "), "{played}");
        played
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the server is there");
    }

    /// The next answer, with its body.
    pub(crate) async fn answer(&mut self) -> String {
        loop {
            self.fill(4).await;
            if self.input[0] == b'$' {
                let _ = self.interleaved().await;
                continue;
            }
            let end = loop {
                match self.input.windows(4).position(|end| end == b"\r\n\r\n") {
                    Some(at) => break at + 4,
                    None => self.read().await,
                }
            };
            let head = String::from_utf8_lossy(&self.input[..end]).into_owned();
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            let all = end + length.map_or(0, |length| length.parse::<usize>().expect("a number"));
            self.fill(all).await;
            let answer = self.input.drain(..all).collect();
            return String::from_utf8(answer).expect("text");
        }
    }

    /// The next RTP packet.
    pub(crate) async fn packet(&mut self) -> Packet {
        loop {
            let (channel, packet) = self.interleaved().await;
            if channel == RTP {
                let four = |at: usize| u32::from_be_bytes(packet[at..at + 4].try_into().expect("four bytes"));
                return Packet {
                    sequence: four(0) as u16,
                    timestamp: four(4),
                    marker: packet[1] & 0x80 != 0,
                    payload: packet[12..].to_vec(),
                };
            }
        }
    }

    /// The next RTCP packet.
    pub(crate) async fn report(&mut self) -> Vec<u8> {
        loop {
            let (channel, packet) = self.interleaved().await;
            if channel != RTP {
                return packet;
            }
        }
    }

    async fn interleaved(&mut self) -> (u8, Vec<u8>) {
        self.fill(4).await;
        assert_eq!(self.input[0], b'$', "{}", String::from_utf8_lossy(&self.input));
        let (channel, length) = (self.input[1], u16::from_be_bytes([self.input[2], self.input[3]]));
        let all = 4 + usize::from(length);
        self.fill(all).await;
        let packet: Vec<u8> = self.input.drain(..all).skip(4).collect();
        if channel == RTP {
            self.last_sequence = u16::from_be_bytes([packet[2], packet[3]]);
        }
        (channel, packet)
    }

    /// Whether the server closes the connection.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await.is_ok()
    }

    async fn fill(&mut self, length: usize) {
        while self.input.len() < length {
            self.read().await;
        }
    }

    async fn read(&mut self) {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.input)).await;
        let read = read.expect("something comes in time").expect("the server is there");
        assert!(read > 0, "closed after {}", String::from_utf8_lossy(&self.input));
    }
}

/// Whether an H.264 packet begins a key frame, with the parameter sets that the server puts in front.
pub(crate) fn is_key_frame(payload: &[u8]) -> bool {
    let first = if payload[0] & 0x1f == STAP_A { payload[3] } else { payload[0] };
    first & 0x1f == SPS
}

/// The body of an answer of HTTP.
pub(crate) async fn http_get(url: &str, path: &str) -> String {
    let host = url.trim_start_matches("http://");
    let mut socket = TcpStream::connect(host).await.expect("the server listens");
    let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("it answers");
    answer
}
