//! One browser's connection, sans-IO: its owner passes packets and deadlines to a [`Peer`] and polls it for packets and events.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rtc::interceptor::{Registry, SenderReportBuilder, Slot};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::peer_connection::event::RTCPeerConnectionEvent;
use rtc::peer_connection::message::{RTCMessage, TaggedRTCMessage};
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::{RTCIceConnectionState, RTCPeerConnectionState};
use rtc::peer_connection::transport::{RTCDtlsRole, RTCDtlsTransportState, RTCIceCandidateInit};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::RTCRtpSenderId;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpSender, RtpCodecKind,
};
use rtc::sansio::Protocol;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};

use super::feedback::{Feedback, FeedbackTap, Heard, KeyframeRequest};
use super::lite::{Arrival, Departure, LiteAgent, Path};
use super::outgoing::Outgoing;
use super::port::Port;
use super::routes::Transport;
use super::sign_of_life::SignsOfLife;
use super::{address, codecs, sdp, stun};
use crate::rtp::{ArrivalReport, PayloadTypes, RtpPacket, SlotPosition};

/// Browsers send a consent check about every 2.5 s; RFC 7675 §5.1 allows up to 6 s.
const DISCONNECTED_AFTER: Duration = Duration::from_millis(6_500);
const FAILED_AFTER: Duration = Duration::from_secs(10);
const KEEPALIVE: Duration = Duration::from_secs(2);
/// Why an offer cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    #[error("the offer is not valid SDP: {0}")]
    Sdp(String),
    #[error(
        "the offer can receive {receiving} video streams, but the session has {slots} slots: add one recvonly video transceiver per slot"
    )]
    NotEnoughMedia { receiving: usize, slots: usize },
    #[error("a video m-line of the offer does not receive; all of them must be recvonly")]
    NotReceiving,
    #[error(
        "the offer has no video codec that this server can send (H.264 in packetization mode 1, H.265, VP8, VP9, AV1)"
    )]
    NoCodec,
    #[error(
        "the offer has {bytes} bytes; for the slots that this server allows {most} are enough (`multistream.max_slots`)"
    )]
    TooLarge { bytes: usize, most: usize },
    #[error("the offer has {lines} m-lines; this server allows {most} (`multistream.max_slots`)")]
    TooManyMedia { lines: usize, most: usize },
    #[error("the offer has a data channel (m=application), which this server does not have: leave it out")]
    DataChannel,
    #[error("the offer could not be applied: {0}")]
    Apply(#[from] rtc::shared::error::Error),
}

/// The state of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerState {
    Connecting,
    /// Encrypted media can flow.
    Connected,
    /// Nothing was received for a while; the connection may recover.
    Disconnected,
    /// Nothing was received for so long that the connection has ended, or it could not be made.
    Failed,
    /// One side has closed the connection.
    Closed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerEvent {
    State(PeerState),
    /// The browser has sent a PLI or FIR for this slot.
    KeyframeWanted {
        slot: SlotPosition,
        by: KeyframeRequest,
    },
    /// The browser has sent a NACK: these packets of the slot did not arrive.
    Lost {
        slot: SlotPosition,
        sequence_numbers: Vec<u16>,
    },
    /// The browser has estimated what it can receive.
    Bandwidth {
        bits_per_second: u64,
    },
    /// The browser's report on when packets arrived.
    Arrivals(Vec<ArrivalReport>),
}

/// The answer to an offer.
#[derive(Debug)]
pub struct Answer {
    pub sdp: String,
    /// One entry per slot, in the order of their positions.
    pub slots: Vec<NegotiatedSlot>,
    /// The addresses that it names.
    pub announced: Vec<SocketAddr>,
}

/// The m-line of one slot as the answer has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NegotiatedSlot {
    pub mid: String,
    pub payload_types: PayloadTypes,
}

/// One browser's connection.
pub struct Peer {
    connection: RTCPeerConnection,
    feedback: mpsc::Receiver<Feedback>,
    heard: Heard,
    signs_of_life: SignsOfLife,
    /// By position of the slot.
    outgoing: Vec<Outgoing>,
    /// Any sender: all of them share one DTLS transport, and only a sender tells that transport's state.
    sender: RTCRtpSenderId,
    state: PeerState,
    pub(super) lite: LiteAgent,
    /// Packets that wait to be sent and do not come out of `connection` any more: answers of `lite`, and what `connection` had
    /// to send when its checks were answered.
    transmits: VecDeque<(SocketAddr, Transport, Bytes)>,
    ufrag: String,
    port: u16,
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer").field("ufrag", &self.ufrag).field("state", &self.state).finish_non_exhaustive()
    }
}

impl Peer {
    /// Makes a connection from a browser's offer. The answer has one sending m-line per slot.
    pub fn answer(now: Instant, offer: &str, slots: usize, port: &Port) -> Result<(Self, Answer), PeerError> {
        Self::answer_to(now, offer, slots, port, None)
    }

    /// Like [`Self::answer`], for a browser that has reached this machine at an address: that address has the highest priority.
    pub fn answer_to(
        now: Instant,
        offer: &str,
        slots: usize,
        port: &Port,
        reached: Option<IpAddr>,
    ) -> Result<(Self, Answer), PeerError> {
        let offered = sdp::Offer::parse(offer).map_err(PeerError::Sdp)?;
        if offered.other_video {
            return Err(PeerError::NotReceiving);
        }
        if offered.receiving < slots {
            return Err(PeerError::NotEnoughMedia { receiving: offered.receiving, slots });
        }
        let codec = codecs::first(&offered.codecs).ok_or(PeerError::NoCodec)?;
        let (ufrag, password) = (rtc::ice::rand::generate_ufrag(), rtc::ice::rand::generate_pwd());
        let lite = LiteAgent::new((&ufrag, &password), (&offered.ufrag, &offered.password))?;
        let (tap, feedback, heard) = FeedbackTap::new();
        // The position 500 is nearer to the network than all positions of the library's own interceptors (1000 and above), so
        // the tap sees all RTCP as it was received.
        let interceptors = Registry::new()
            .with(Slot::Custom(500), tap)
            .with(Slot::SenderReport, SenderReportBuilder::new().build());
        let settings = SettingEngineBuilder::new()
            .with_lite(true)
            .with_ice_credentials(ufrag.clone(), password)
            .with_ice_timeouts(Some(DISCONNECTED_AFTER), Some(FAILED_AFTER), Some(KEEPALIVE))
            // The browser starts the handshake, on the pair that it has chosen: see `lite`.
            .with_answering_dtls_role(RTCDtlsRole::Server)
            .with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled)
            .build();
        let mut connection = RTCPeerConnectionBuilder::new()
            .with_media_engine(codecs::media_engine(&offered.codecs)?)
            .with_setting_engine(settings)
            .with_interceptor_registry(interceptors)
            .build(now)?;
        let local = port.local_addr();
        connection
            .set_remote_description(now, RTCSessionDescription::offer(sdp::without_candidates(offer))?)?;
        let add_sender = |slot| {
            let ssrc = rand::random_range(1..u32::MAX);
            Ok((ssrc, connection.add_track(track(slot, ssrc, codec.clone()))?))
        };
        let senders = (0..slots).map(SlotPosition).map(add_sender).collect::<Result<Vec<_>, PeerError>>()?;
        for candidate in inside_candidates(local.port(), port.has_ipv6()) {
            connection.add_local_candidate(RTCIceCandidateInit { candidate, ..Default::default() })?;
        }
        let answer = connection.create_answer(None)?;
        connection.set_local_description(now, answer)?;
        // An empty candidate says that there are no more.
        connection.add_local_candidate(RTCIceCandidateInit::default())?;

        let sender = senders.first().ok_or(PeerError::NotReceiving)?.1;
        let transceivers: Vec<_> = connection.get_transceivers().collect();
        let negotiated = senders.into_iter().map(|(ssrc, sender)| {
            let mid = transceivers.iter().find_map(|id| {
                let transceiver = connection.rtp_transceiver(*id)?;
                (transceiver.sender() == Some(sender)).then(|| transceiver.mid().clone()).flatten()
            });
            let mid = mid.ok_or(PeerError::NotReceiving)?;
            let parameters = connection.rtp_sender(sender).map(|mut sender| sender.get_parameters().clone());
            let parameters = parameters.unwrap_or_default();
            let outgoing = Outgoing::new(ssrc, codecs::header_extensions(&parameters));
            Ok((outgoing, NegotiatedSlot { mid, payload_types: codecs::payload_types(&parameters) }))
        });
        let (outgoing, slots) = negotiated.collect::<Result<(Vec<_>, Vec<_>), PeerError>>()?;
        if slots.iter().all(|slot| slot.payload_types.codecs().next().is_none()) {
            return Err(PeerError::NoCodec);
        }
        let answer = connection.local_description().unwrap_or_default();
        let announced = port.announced(reached);
        let sdp = sdp::with_candidates(&answer.sdp, &address::candidates(&announced));
        let peer = Self {
            connection,
            feedback,
            heard,
            signs_of_life: SignsOfLife::default(),
            outgoing,
            sender,
            state: PeerState::Connecting,
            lite,
            transmits: VecDeque::new(),
            ufrag,
            port: local.port(),
        };
        Ok((peer, Answer { sdp, slots, announced }))
    }

    /// The server's user fragment in the STUN username, by which the port finds this peer.
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    pub fn state(&self) -> PeerState {
        self.state
    }

    pub fn handle_packet(&mut self, now: Instant, from: SocketAddr, transport: Transport, packet: BytesMut) {
        match self.lite.handle_arrival(from, transport, &packet) {
            Arrival::Read { before, from } => {
                if let Some(check) = before {
                    self.read(now, from, check);
                    self.answer_checks(now);
                }
                let is_check = stun::is_stun(&packet);
                self.read(now, from, packet);
                if is_check {
                    self.signs_of_life.handle_check(now);
                    self.answer_checks(now);
                } else {
                    self.keep_alive_by_rtcp(now);
                }
            }
            Arrival::Answer { answer, keepalive } => {
                self.signs_of_life.handle_check(now);
                self.transmits.push_back((from, transport, answer.into()));
                if let Some((from, check)) = keepalive {
                    self.read(now, from, check);
                    self.answer_checks(now);
                }
            }
            Arrival::Drop => tracing::debug!(%from, "a stray packet was dropped"),
        }
    }

    /// Where RTCP counts as a sign of life, the agent, which knows only checks, reads one in the browser's name.
    fn keep_alive_by_rtcp(&mut self, now: Instant) {
        let Some((from, check)) = self.lite.sign_of_life() else { return };
        self.signs_of_life.handle_chosen(now);
        if self.heard.take() && self.signs_of_life.handle_rtcp(now) {
            self.read(now, from, check);
            self.answer_checks(now);
        }
    }

    /// Answers the agent's own checks as the browser would, so that the agent considers the pair valid.
    fn answer_checks(&mut self, now: Instant) {
        while let Some(packet) = self.connection.poll_write() {
            let (to, transport) = destination(&packet.transport);
            match self.lite.handle_departure(to, transport, &packet.message) {
                Departure::Send((to, transport)) => {
                    self.transmits.push_back((to, transport, packet.message.freeze()));
                }
                Departure::Answer(answer) => self.read(now, (to, transport), answer),
                Departure::Drop => {}
            }
        }
    }

    fn read(&mut self, now: Instant, (from, transport): Path, message: BytesMut) {
        let transport = TransportContext {
            local_addr: address::inside(from.ip(), self.port),
            peer_addr: from,
            transport_protocol: match transport {
                Transport::Udp => TransportProtocol::UDP,
                Transport::Tcp => TransportProtocol::TCP,
            },
            ecn: None,
        };
        if let Err(error) = self.connection.handle_read(TaggedBytesMut { now, transport, message }) {
            tracing::debug!(%error, "a packet of the browser was not taken");
        }
        // Only RTCP is received, and the interceptors have read it.
        while self.connection.poll_read().is_some() {}
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        if let Err(error) = self.connection.handle_timeout(now) {
            tracing::debug!(%error, "peer timers");
        }
    }

    pub fn poll_timeout(&mut self) -> Option<Instant> {
        self.connection.poll_timeout()
    }

    /// Sends an RTP packet on a slot, with its transport-wide sequence number if that header extension was negotiated. Before the
    /// connection is up the packet is dropped.
    pub fn send(&mut self, now: Instant, slot: SlotPosition, rtp: RtpPacket, transport_number: u16) {
        let packet = self.outgoing[slot.0].packet(rtp, transport_number);
        // The packet is written to the pipeline directly. The sender would check the payload type and the extension ids by a
        // search through its parameters for every packet, but both are negotiated ones by construction.
        let message = TaggedRTCMessage { now, message: RTCMessage::RtpPacket(String::new(), packet) };
        if let Err(error) = self.connection.handle_write(message) {
            tracing::debug!(%error, "an RTP packet was not taken");
        }
    }

    /// The next packet to send, if there is one.
    pub fn poll_transmit(&mut self) -> Option<(SocketAddr, Transport, Bytes)> {
        if let Some(transmit) = self.transmits.pop_front() {
            return Some(transmit);
        }
        loop {
            let packet = self.connection.poll_write()?;
            let (to, transport) = destination(&packet.transport);
            let departure = self.lite.handle_departure(to, transport, &packet.message);
            if let Departure::Send((to, transport)) = departure {
                return Some((to, transport, packet.message.freeze()));
            }
        }
    }

    pub fn poll_event(&mut self) -> Option<PeerEvent> {
        while let Some(event) = self.connection.poll_event() {
            let state = match event {
                RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) => match state {
                    RTCPeerConnectionState::Connected => PeerState::Connected,
                    RTCPeerConnectionState::Disconnected => PeerState::Disconnected,
                    RTCPeerConnectionState::Failed => PeerState::Failed,
                    RTCPeerConnectionState::Closed => PeerState::Closed,
                    _ => continue,
                },
                RTCPeerConnectionEvent::OnIceConnectionStateChangeEvent(
                    RTCIceConnectionState::Disconnected,
                ) => PeerState::Disconnected,
                _ => continue,
            };
            if state != self.state {
                self.state = state;
                return Some(PeerEvent::State(state));
            }
        }
        if self.state != PeerState::Closed && self.is_closed_by_browser() {
            self.state = PeerState::Closed;
            return Some(PeerEvent::State(PeerState::Closed));
        }
        while let Ok(feedback) = self.feedback.try_recv() {
            match feedback {
                Feedback::Bandwidth { bits_per_second } => {
                    return Some(PeerEvent::Bandwidth { bits_per_second });
                }
                Feedback::Arrivals(reports) => return Some(PeerEvent::Arrivals(reports)),
                Feedback::Lost { ssrc, sequence_numbers } => {
                    if let Some(slot) = self.slot_of(ssrc) {
                        return Some(PeerEvent::Lost { slot, sequence_numbers });
                    }
                }
                Feedback::KeyframeWanted { ssrc, by } => {
                    if let Some(slot) = self.slot_of(ssrc) {
                        return Some(PeerEvent::KeyframeWanted { slot, by });
                    }
                }
            }
        }
        None
    }

    /// Whether the browser closed the DTLS connection. The connection as a whole remains `connected` then, as a closed DTLS
    /// transport counts as one that is up (W3C WebRTC §4.3.3).
    fn is_closed_by_browser(&mut self) -> bool {
        let sender = self.connection.rtp_sender(self.sender);
        let transport = sender.as_ref().and_then(RTCRtpSender::transport);
        transport.is_some_and(|transport| transport.state() == RTCDtlsTransportState::Closed)
    }

    fn slot_of(&self, ssrc: u32) -> Option<SlotPosition> {
        self.outgoing.iter().position(|known| known.ssrc == ssrc).map(SlotPosition)
    }

    /// Closes the connection; [`Self::poll_transmit`] then returns the packets that inform the browser.
    pub fn close(&mut self) {
        if let Err(error) = self.connection.close() {
            tracing::debug!(%error, "closing a peer");
        }
        self.state = PeerState::Closed;
    }
}

fn destination(context: &TransportContext) -> (SocketAddr, Transport) {
    let transport = match context.transport_protocol {
        TransportProtocol::TCP => Transport::Tcp,
        _ => Transport::Udp,
    };
    (context.peer_addr, transport)
}

fn track(slot: SlotPosition, ssrc: u32, codec: RTCRtpCodec) -> MediaStreamTrack {
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
        active: true,
        codec,
        ..Default::default()
    };
    // Each track is in a stream of its own, since browsers synchronise the tracks of one stream.
    let id = format!("slot{}", slot.0);
    MediaStreamTrack::new(id.clone(), id.clone(), id, RtpCodecKind::Video, vec![coding])
}

/// The placeholder candidates that the ICE agent gets instead of the server's addresses: see [`address::inside`].
fn inside_candidates(port: u16, ipv6: bool) -> Vec<String> {
    let mut addresses = vec![address::inside(std::net::Ipv4Addr::LOCALHOST.into(), port)];
    if ipv6 {
        addresses.push(address::inside(std::net::Ipv6Addr::LOCALHOST.into(), port));
    }
    address::candidates(&addresses)
}
