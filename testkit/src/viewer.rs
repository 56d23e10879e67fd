//! A browser's part without a browser: signals over the WebSocket, receives the media, counts what arrives. It decodes
//! nothing, so one process can be many viewers.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use futures_util::{SinkExt, StreamExt};
use rtc::interceptor::Registry;
use rtc::peer_connection::configuration::interceptor_registry::{
    configure_nack, configure_twcc_receiver_only,
};
use rtc::peer_connection::configuration::media_engine::MediaEngine;
use rtc::peer_connection::message::RTCMessage;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::transport::RTCIceCandidateInit;
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use rtc::sansio::Protocol;
use rtc::shared::marshal::Unmarshal;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use serde_json::{Value, json};
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PATIENCE: Duration = Duration::from_secs(10);

/// Why a viewer could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ViewerError {
    #[error("WebSocket: {0}")]
    WebSocket(#[from] Box<tokio_tungstenite::tungstenite::Error>),
    #[error("WebRTC: {0}")]
    Rtc(#[from] rtc::shared::error::Error),
    #[error("UDP: {0}")]
    Io(#[from] std::io::Error),
    #[error("no {expected} within {} s; the last message was {last}", PATIENCE.as_secs())]
    Silence { expected: &'static str, last: String },
}

/// A control connection: JSON in, JSON out.
#[derive(Debug)]
pub struct Control {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Control {
    /// Opens `/api/ws` of the server at `url` (`http://…`).
    pub async fn connect(url: &str) -> Result<Self, ViewerError> {
        let url = format!("{}/api/ws", url.replacen("http", "ws", 1));
        let (socket, _) = connect_async(url).await.map_err(Box::new)?;
        Ok(Self { socket })
    }

    pub async fn send(&mut self, message: &Value) -> Result<(), ViewerError> {
        self.send_raw(Message::text(message.to_string())).await
    }

    pub async fn send_raw(&mut self, message: Message) -> Result<(), ViewerError> {
        Ok(self.socket.send(message).await.map_err(Box::new)?)
    }

    /// The next message; an object with `closed` and the close code's number once the server has closed the socket.
    pub async fn receive(&mut self) -> Result<Value, ViewerError> {
        self.until("message", |_| true).await
    }

    /// The first message from now that `matches`.
    pub async fn until(
        &mut self,
        expected: &'static str,
        matches: impl Fn(&Value) -> bool,
    ) -> Result<Value, ViewerError> {
        let mut last = Value::Null;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let Ok(received) = tokio::time::timeout_at(deadline, self.socket.next()).await else {
                return Err(ViewerError::Silence { expected, last: last.to_string() });
            };
            let message = match received {
                Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap_or(Value::Null),
                Some(Ok(Message::Close(frame))) => {
                    json!({ "closed": frame.map_or(1005, |frame| u16::from(frame.code)) })
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => json!({ "closed": 1006 }),
            };
            if matches(&message) {
                return Ok(message);
            }
            if message.get("closed").is_some() {
                return Err(ViewerError::Silence { expected, last: message.to_string() });
            }
            last = message;
        }
    }

    /// The first message of this type from now.
    pub async fn until_type(&mut self, kind: &'static str) -> Result<Value, ViewerError> {
        self.until(kind, |message| message["type"] == kind).await
    }
}

/// What arrived on one slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlotCounts {
    pub packets: u64,
    pub bytes: u64,
    /// Pictures, by their marker bits.
    pub frames: u64,
    /// Sequence numbers that never came.
    pub lost: u64,
    /// Timestamps that went back.
    pub backwards: u64,
    pub payload_type: u8,
    last_sequence: Option<u16>,
    last_timestamp: Option<u32>,
    last_frame_at: Option<Instant>,
    longest_gap: Duration,
}

impl SlotCounts {
    fn count(&mut self, header: &rtc::rtp::header::Header, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
        self.frames += u64::from(header.marker);
        if header.marker {
            let now = Instant::now();
            let gap = self.last_frame_at.replace(now).map_or(Duration::ZERO, |last| now - last);
            self.longest_gap = self.longest_gap.max(gap);
        }
        self.payload_type = header.payload_type;
        let ahead = self.last_sequence.map_or(1, |last| header.sequence_number.wrapping_sub(last));
        // More than half the number space ahead is behind: a repair, which takes back a loss that was counted.
        if ahead >= 1 << 15 {
            self.lost = self.lost.saturating_sub(1);
            return;
        }
        self.lost += u64::from(ahead.saturating_sub(1));
        let back = self.last_timestamp.is_some_and(|last| header.timestamp.wrapping_sub(last) >= 1 << 31);
        self.backwards += u64::from(back);
        self.last_sequence = Some(header.sequence_number);
        self.last_timestamp = Some(header.timestamp);
    }
}

/// How much of the media a viewer looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Receiving {
    Whole,
    /// SRTP leaves RTP headers in the clear (RFC 3711 §3.1).
    Headers,
}

/// A whole viewer. Dropping it is pulling its plug.
#[derive(Debug)]
pub struct Viewer {
    pub control: Control,
    /// `multistream/answer`, as it came.
    pub answer: Value,
    /// With which a new control connection takes the session over.
    pub resume_token: String,
    counts: Arc<Mutex<BTreeMap<u32, SlotCounts>>>,
    media: JoinHandle<()>,
}

impl Viewer {
    /// Connects with these slots (`[{"slot": 0, "stream": "camera1"}, …]`) and returns when the answer is there.
    pub async fn connect(url: &str, slots: &Value) -> Result<Self, ViewerError> {
        Self::connect_receiving(Receiving::Whole, url, slots).await
    }

    /// As [`Self::connect`], but a viewer that costs little: it does not decrypt, and what is lost stays lost.
    pub async fn connect_for_headers(url: &str, slots: &Value) -> Result<Self, ViewerError> {
        Self::connect_receiving(Receiving::Headers, url, slots).await
    }

    async fn connect_receiving(receiving: Receiving, url: &str, slots: &Value) -> Result<Self, ViewerError> {
        let mut control = Control::connect(url).await?;
        control.send(&json!({ "type": "multistream/init", "request_id": "init", "slots": slots })).await?;
        let ready = control.until_type("multistream/ready").await?;
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut connection = peer(slots.as_array().map_or(0, Vec::len))?;
        let local = socket.local_addr()?;
        let offer = connection.create_offer(None)?;
        connection.set_local_description(Instant::now(), offer)?;
        let candidate = format!("candidate:1 1 udp 2130706431 {} {} typ host", local.ip(), local.port());
        connection.add_local_candidate(RTCIceCandidateInit { candidate, ..Default::default() })?;
        let offer = connection.local_description().unwrap_or_default().sdp;
        control.send(&json!({ "type": "multistream/offer", "request_id": "offer", "sdp": offer })).await?;
        let answer = control.until_type("multistream/answer").await?;
        let sdp = answer["sdp"].as_str().unwrap_or_default();
        connection.set_remote_description(Instant::now(), RTCSessionDescription::answer(sdp.to_owned())?)?;
        let counts = Arc::default();
        let media =
            tokio::spawn(drive(connection, receiving, socket, slots_by_ssrc(&answer), Arc::clone(&counts)));
        let resume_token = ready["resume"].as_str().unwrap_or_default().to_owned();
        Ok(Self { control, answer, resume_token, counts, media })
    }

    /// What arrived so far, by slot index.
    pub fn counts(&self) -> BTreeMap<u32, SlotCounts> {
        lock(&self.counts).clone()
    }

    /// Waits until every slot has got `frames` more pictures than now.
    pub async fn until_frames(&self, frames: u64) -> Result<(), ViewerError> {
        let before = self.counts();
        let slots = self.answer["mids"].as_object().map_or(0, serde_json::Map::len);
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let counts = self.counts();
            let got = |(slot, counts): (&u32, &SlotCounts)| {
                counts.frames >= before.get(slot).map_or(0, |before| before.frames) + frames
            };
            if counts.len() == slots && counts.iter().all(got) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Err(ViewerError::Silence { expected: "pictures on every slot", last: format!("{:?}", self.counts()) })
    }

    /// The longest time without a picture on each slot, from now on and for `time`.
    pub async fn longest_gaps(&self, time: Duration) -> BTreeMap<u32, Duration> {
        let start = Instant::now();
        for counts in lock(&self.counts).values_mut() {
            counts.longest_gap = Duration::ZERO;
        }
        tokio::time::sleep(time).await;
        let until_now = |counts: &SlotCounts| {
            let silent_since = counts.last_frame_at.unwrap_or(start).max(start);
            counts.longest_gap.max(silent_since.elapsed())
        };
        lock(&self.counts).iter().map(|(slot, counts)| (*slot, until_now(counts))).collect()
    }

    /// Stops receiving and answering, as a machine does whose network is gone. The control connection stays open.
    pub fn pull_media_plug(&self) {
        self.media.abort();
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.media.abort();
    }
}

fn lock(counts: &Mutex<BTreeMap<u32, SlotCounts>>) -> MutexGuard<'_, BTreeMap<u32, SlotCounts>> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

fn peer(slots: usize) -> Result<RTCPeerConnection, ViewerError> {
    let mut engine = MediaEngine::default();
    engine.register_default_codecs()?;
    let interceptors =
        configure_twcc_receiver_only(configure_nack(Registry::new(), &mut engine), &mut engine)?;
    let mut connection = RTCPeerConnectionBuilder::new()
        .with_media_engine(engine)
        .with_interceptor_registry(interceptors)
        .build(Instant::now())?;
    for _ in 0..slots {
        let receive = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Recvonly,
            streams: Vec::new(),
            send_encodings: Vec::new(),
        };
        connection.add_transceiver_from_kind(RtpCodecKind::Video, Some(receive))?;
    }
    Ok(connection)
}

/// Which SSRC carries which slot: the answer's m-lines name their mid and their SSRC.
fn slots_by_ssrc(answer: &Value) -> HashMap<u32, u32> {
    let mids: HashMap<&str, u32> = answer["mids"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(slot, mid)| Some((mid.as_str()?, slot.parse().ok()?)))
        .collect();
    let sections = answer["sdp"].as_str().unwrap_or_default().split("\r\nm=").skip(1);
    sections
        .filter_map(|section| {
            let attribute = |name: &str| section.lines().find_map(|line| line.strip_prefix(name));
            let slot = mids.get(attribute("a=mid:")?)?;
            let ssrc = attribute("a=ssrc:")?.split_whitespace().next()?.parse().ok()?;
            Some((ssrc, *slot))
        })
        .collect()
}

/// Moves packets between the socket and the connection until it is aborted.
async fn drive(
    mut connection: RTCPeerConnection,
    receiving: Receiving,
    socket: UdpSocket,
    slots: HashMap<u32, u32>,
    counts: Arc<Mutex<BTreeMap<u32, SlotCounts>>>,
) {
    let Ok(local) = socket.local_addr() else { return };
    let mut buffer = vec![0; 2048];
    loop {
        while let Some(packet) = connection.poll_write() {
            let _ = socket.try_send_to(&packet.message, packet.transport.peer_addr);
        }
        while connection.poll_event().is_some() {}
        while let Some(received) = connection.poll_read() {
            if let RTCMessage::RtpPacket(_, packet) = received.message
                && let Some(slot) = slots.get(&packet.header.ssrc)
            {
                lock(&counts).entry(*slot).or_default().count(&packet.header, packet.payload.len());
            }
        }
        let now = Instant::now();
        let wake = connection.poll_timeout().unwrap_or(now + PATIENCE);
        if wake <= now && connection.handle_timeout(now).is_err() {
            return;
        }
        tokio::select! {
            readable = socket.readable() => {
                if readable.is_err() {
                    return;
                }
                // As many as there are, so that a burst costs one turn of the loop.
                while let Ok((len, from)) = socket.try_recv_from(&mut buffer) {
                    let packet = &buffer[..len];
                    if receiving == Receiving::Headers && is_rtp(packet) {
                        count_header(packet, &slots, &counts);
                    } else {
                        receive(&mut connection, local, from, packet);
                    }
                }
            }
            () = tokio::time::sleep_until(wake.max(now + Duration::from_millis(1)).into()) => {
                let _ = connection.handle_timeout(Instant::now());
            }
        }
    }
}

fn receive(connection: &mut RTCPeerConnection, local: SocketAddr, from: SocketAddr, packet: &[u8]) {
    let transport = TransportContext {
        local_addr: local,
        peer_addr: from,
        transport_protocol: TransportProtocol::UDP,
        ecn: None,
    };
    let message = BytesMut::from(packet);
    let _ = connection.handle_read(TaggedBytesMut { now: Instant::now(), transport, message });
}

/// RFC 7983 §7 tells RTP and RTCP from DTLS and STUN, RFC 5761 §4 one from the other.
fn is_rtp(packet: &[u8]) -> bool {
    matches!(packet, [128..=191, kind, ..] if !(192..=223).contains(kind))
}

fn count_header(packet: &[u8], slots: &HashMap<u32, u32>, counts: &Mutex<BTreeMap<u32, SlotCounts>>) {
    let Ok(header) = rtc::rtp::header::Header::unmarshal(&mut &*packet) else { return };
    if let Some(slot) = slots.get(&header.ssrc) {
        lock(counts).entry(*slot).or_default().count(&header, packet.len());
    }
}
