//! A viewer that uses little CPU time: it drives the sans-IO core of webrtc-rs by hand and reads only the RTP headers, which
//! SRTP does not encrypt (RFC 3711 §3.1). It does not ask for lost packets again. It is for benchmarks with more viewers than a
//! machine could decrypt for; tests use the viewer of `testkit`, which does all that a browser does.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::BytesMut;
use multistream_testkit::{Control, SlotCounts, Tally};
use rtc::interceptor::Registry;
use rtc::peer_connection::configuration::interceptor_registry::configure_twcc_receiver_only;
use rtc::peer_connection::configuration::media_engine::MediaEngine;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::transport::RTCIceCandidateInit;
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use rtc::sansio::Protocol;
use rtc::shared::marshal::Unmarshal;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use serde_json::Value;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// The longest wait while the core has no deadline.
const IDLE: Duration = Duration::from_secs(10);

/// A viewer that receives. Dropping it stops it without a message to the server.
#[derive(Debug)]
pub(crate) struct HeaderViewer {
    /// Held open, since its end would end the session.
    pub(crate) control: Control,
    slots: usize,
    tally: Tally,
    media: JoinHandle<()>,
}

impl HeaderViewer {
    /// Connects with these slots (`[{"slot": 0, "stream": "camera1"}, …]`) and returns when the answer is there.
    pub(crate) async fn connect(url: &str, slots: &Value) -> anyhow::Result<Self> {
        let mut control = Control::connect(url).await?;
        control.open(slots).await?;
        let slots = slots.as_array().map_or(0, Vec::len);
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut connection = peer(slots)?;
        let local = socket.local_addr()?;
        let offer = connection.create_offer(None)?;
        connection.set_local_description(Instant::now(), offer)?;
        let candidate = format!("candidate:1 1 udp 2130706431 {} {} typ host", local.ip(), local.port());
        connection.add_local_candidate(RTCIceCandidateInit { candidate, ..Default::default() })?;
        let answer = control.negotiate(&connection.local_description().unwrap_or_default().sdp).await?;
        let sdp = answer["sdp"].as_str().context("an answer without an SDP")?;
        connection.set_remote_description(Instant::now(), RTCSessionDescription::answer(sdp.to_owned())?)?;
        let tally = Tally::default();
        let media = tokio::spawn(drive(connection, socket, slots_by_ssrc(&answer), tally.clone()));
        Ok(Self { control, slots, tally, media })
    }

    /// What arrived so far, by slot index.
    pub(crate) fn counts(&self) -> BTreeMap<u32, SlotCounts> {
        self.tally.counts()
    }

    /// Waits until every slot has got `frames` more pictures than now.
    pub(crate) async fn until_frames(&self, frames: u64) -> anyhow::Result<()> {
        Ok(self.tally.until_frames(self.slots, frames).await?)
    }
}

impl Drop for HeaderViewer {
    fn drop(&mut self) {
        self.media.abort();
    }
}

fn peer(slots: usize) -> anyhow::Result<RTCPeerConnection> {
    let mut engine = MediaEngine::default();
    engine.register_default_codecs()?;
    let interceptors = configure_twcc_receiver_only(Registry::new(), &mut engine)?;
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

/// The slot of each SSRC: the answer's m-lines have their mid and their SSRC.
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
async fn drive(mut connection: RTCPeerConnection, socket: UdpSocket, slots: HashMap<u32, u32>, tally: Tally) {
    let Ok(local) = socket.local_addr() else { return };
    let mut buffer = vec![0; 2048];
    loop {
        while let Some(packet) = connection.poll_write() {
            let _ = socket.try_send_to(&packet.message, packet.transport.peer_addr);
        }
        while connection.poll_event().is_some() {}
        while connection.poll_read().is_some() {}
        let now = Instant::now();
        let wake = connection.poll_timeout().unwrap_or(now + IDLE);
        if wake <= now && connection.handle_timeout(now).is_err() {
            return;
        }
        tokio::select! {
            readable = socket.readable() => {
                if readable.is_err() {
                    return;
                }
                // Every packet that is there is read, so that a burst costs one turn of the loop.
                while let Ok((len, from)) = socket.try_recv_from(&mut buffer) {
                    let packet = &buffer[..len];
                    if is_rtp(packet) {
                        count_header(packet, &slots, &tally);
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

/// Distinguishes RTP and RTCP from DTLS and STUN by RFC 7983 §7, and RTP from RTCP by RFC 5761 §4.
fn is_rtp(packet: &[u8]) -> bool {
    matches!(packet, [128..=191, kind, ..] if !(192..=223).contains(kind))
}

fn count_header(packet: &[u8], slots: &HashMap<u32, u32>, tally: &Tally) {
    let Ok(header) = rtc::rtp::header::Header::unmarshal(&mut &*packet) else { return };
    if let Some(slot) = slots.get(&header.ssrc) {
        tally.count(*slot, &header, packet.len());
    }
}
