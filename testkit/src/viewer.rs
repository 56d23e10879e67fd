//! A viewer without a browser: it signals over the WebSocket, receives the media with the async API of webrtc-rs as any program
//! built on it would, and counts what arrives. It decodes nothing.
//!
//! The server drives `rtc`, the sans-IO core below that API, by hand. Here the API's own code drives it, so the order of calls,
//! the sockets and the timers are not chosen by this project.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::pending;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use rtc::ice::mdns::MulticastDnsMode;
use rtc::rtcp::payload_feedbacks::full_intra_request::{FirEntry, FullIntraRequest};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
    RTCSessionDescription, Registry, SettingEngineBuilder, register_default_interceptors,
};

use crate::control::{Control, PATIENCE};
use crate::slot_counts::{SlotCounts, Tally};

/// Why a viewer could not be made, or did not receive what it waited for.
#[derive(Debug, thiserror::Error)]
pub enum ViewerError {
    #[error("WebSocket: {0}")]
    WebSocket(#[from] Box<tokio_tungstenite::tungstenite::Error>),
    #[error("WebRTC: {0}")]
    Webrtc(#[from] webrtc::error::Error),
    #[error("no thread for the viewer: {0}")]
    Io(#[from] std::io::Error),
    #[error("no {expected} within {} s; the last message was {last}", PATIENCE.as_secs())]
    Silence { expected: &'static str, last: String },
}

/// A viewer. Dropping it stops it without a message to the server.
#[derive(Debug)]
pub struct Viewer {
    pub control: Control,
    /// `multistream/answer`, as it came.
    pub answer: Value,
    /// The token with which another WebSocket resumes the session.
    pub resume_token: String,
    tally: Tally,
    media: Media,
}

impl Viewer {
    /// Connects with these slots (`[{"slot": 0, "stream": "camera1"}, …]`) and returns when the answer is applied.
    pub async fn connect(url: &str, slots: &Value) -> Result<Self, ViewerError> {
        Self::connect_from(url, slots, Ipv4Addr::LOCALHOST.into()).await
    }

    /// Like [`Self::connect`], with the media on this address of the viewer's machine alone.
    pub async fn connect_from(url: &str, slots: &Value, address: IpAddr) -> Result<Self, ViewerError> {
        Self::over(Control::connect(url).await?, slots, address, None).await
    }

    /// Like [`Self::connect`], on a WebSocket that is open.
    pub async fn connect_over(control: Control, slots: &Value) -> Result<Self, ViewerError> {
        Self::over(control, slots, Ipv4Addr::LOCALHOST.into(), None).await
    }

    /// Like [`Self::connect`], as a browser that lacks a codec: its name in SDP, such as `H265`.
    pub async fn connect_without(url: &str, slots: &Value, codec: &str) -> Result<Self, ViewerError> {
        Self::over(Control::connect(url).await?, slots, Ipv4Addr::LOCALHOST.into(), Some(codec)).await
    }

    async fn over(
        mut control: Control,
        slots: &Value,
        address: IpAddr,
        lacks: Option<&str>,
    ) -> Result<Self, ViewerError> {
        let ready = control.open(slots).await?;
        let tally = Tally::default();
        let count = slots.as_array().map_or(0, Vec::len);
        let (media, offer) = Media::offer(count, address, tally.clone()).await?;
        let offer = lacks.map_or_else(|| offer.clone(), |codec| without(&offer, codec));
        let answer = control.negotiate(&offer).await?;
        media.accept(&answer).await?;
        let resume_token = ready["resume"].as_str().unwrap_or_default().to_owned();
        Ok(Self { control, answer, resume_token, tally, media })
    }

    /// What arrived so far, by slot index.
    pub fn counts(&self) -> BTreeMap<u32, SlotCounts> {
        self.tally.counts()
    }

    /// Waits until every slot has got `frames` more pictures than now.
    pub async fn until_frames(&self, frames: u64) -> Result<(), ViewerError> {
        let slots = self.answer["mids"].as_object().map_or(0, serde_json::Map::len);
        self.tally.until_frames(slots, frames).await
    }

    /// The longest time without a picture on each slot, from now on and for `time`.
    pub async fn longest_gaps(&self, time: Duration) -> BTreeMap<u32, Duration> {
        self.tally.longest_gaps(time).await
    }

    /// Reports that the link carries this many bits per second (REMB, draft-alvestrand-rmcat-remb-03), on every track.
    pub async fn report_bandwidth(&self, bits_per_second: f32) -> Result<(), ViewerError> {
        let tracks = self.media.events.tracks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for track in tracks {
            let report = ReceiverEstimatedMaximumBitrate {
                sender_ssrc: 1,
                bitrate: bits_per_second,
                ssrcs: track.ssrcs().await,
            };
            self.media.machine.run(async move { track.write_rtcp(vec![Box::new(report)]).await }).await?;
        }
        Ok(())
    }

    /// Asks for a key frame on every track: by a PLI (RFC 4585 §6.3.1), or by a FIR (RFC 5104 §4.3.1) with this number.
    pub async fn ask_for_key_frames(&self, fir: Option<u8>) -> Result<(), ViewerError> {
        let tracks = self.media.events.tracks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for track in tracks {
            for ssrc in track.ssrcs().await {
                let packet: Box<dyn rtc::rtcp::Packet> = match fir {
                    None => Box::new(PictureLossIndication { sender_ssrc: 1, media_ssrc: ssrc }),
                    Some(sequence_number) => Box::new(FullIntraRequest {
                        sender_ssrc: 1,
                        media_ssrc: ssrc,
                        fir: vec![FirEntry { ssrc, sequence_number }],
                    }),
                };
                let track = Arc::clone(&track);
                self.media.machine.run(async move { track.write_rtcp(vec![packet]).await }).await?;
            }
        }
        Ok(())
    }

    /// Resumes the session on another WebSocket and makes another peer connection for it, as a client does whose media path is
    /// broken.
    pub async fn reconnect_media(self, url: &str) -> Result<Self, ViewerError> {
        let mut control = Control::connect(url).await?;
        let resume_token = self.resume_token;
        control
            .send(&json!({ "type": "multistream/init", "request_id": "r", "resume": resume_token }))
            .await?;
        let ready = control.until_type("multistream/ready").await?;
        let slots = ready["slots"].as_u64().unwrap_or_default() as usize;
        let tally = Tally::default();
        let (media, offer) = Media::offer(slots, Ipv4Addr::LOCALHOST.into(), tally.clone()).await?;
        let answer = control.negotiate(&offer).await?;
        media.accept(&answer).await?;
        Ok(Self { control, answer, resume_token, tally, media })
    }

    /// Closes the peer connection, as a page does that has no more use for it. The WebSocket stays open.
    pub async fn close_media(&self) -> Result<(), ViewerError> {
        let connection = Arc::clone(&self.media.connection);
        Ok(self.media.machine.run(async move { connection.close().await }).await?)
    }

    /// Stops all media traffic, as a machine does that has lost its network. The WebSocket stays open.
    pub fn pull_media_plug(&mut self) {
        self.media.machine.switch_off();
    }
}

/// The SDP without the payload types of a codec.
fn without(sdp: &str, codec: &str) -> String {
    let of_codec = |line: &str| {
        let (payload_type, name) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
        name.starts_with(codec).then(|| payload_type.to_owned())
    };
    let removed: Vec<String> = sdp.lines().filter_map(of_codec).collect();
    let mut kept = String::new();
    for line in sdp.lines() {
        let attribute =
            ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"].iter().find_map(|name| line.strip_prefix(name));
        let payload_type = attribute.and_then(|rest| rest.split_whitespace().next());
        if payload_type.is_some_and(|its| removed.iter().any(|removed| removed == its)) {
            continue;
        }
        if line.starts_with("m=") {
            let words: Vec<&str> = line
                .split(' ')
                .enumerate()
                .filter(|(at, word)| *at < 3 || !removed.iter().any(|its| its == word))
                .map(|(_, word)| word)
                .collect();
            kept.push_str(&words.join(" "));
        } else {
            kept.push_str(line);
        }
        kept.push_str("\r\n");
    }
    kept
}

/// The peer connection, and the thread on which it runs.
struct Media {
    connection: Arc<dyn PeerConnection>,
    events: Arc<Events>,
    machine: Machine,
}

impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media").field("machine", &self.machine).finish_non_exhaustive()
    }
}

impl Media {
    /// Creates a connection with `slots` receiving videos, and its offer with all candidates in it.
    async fn offer(slots: usize, address: IpAddr, tally: Tally) -> Result<(Self, String), ViewerError> {
        let machine = Machine::new()?;
        let events = Arc::new(Events {
            gathered: Notify::new(),
            tally,
            slots_by_mid: OnceLock::new(),
            tracks: Mutex::default(),
        });
        let (connection, offer) = machine.run(offer(slots, address, Arc::clone(&events))).await?;
        Ok((Self { connection, events, machine }, offer))
    }

    /// Applies the server's answer: media may come from now on.
    async fn accept(&self, answer: &Value) -> Result<(), ViewerError> {
        let mids = answer["mids"].as_object().into_iter().flatten();
        let slots = mids.filter_map(|(slot, mid)| Some((mid.as_str()?.to_owned(), slot.parse().ok()?)));
        let _ = self.events.slots_by_mid.set((slots.collect(), Arc::downgrade(&self.connection)));
        let sdp = answer["sdp"].as_str().unwrap_or_default().to_owned();
        let connection = Arc::clone(&self.connection);
        self.machine
            .run(async move { connection.set_remote_description(RTCSessionDescription::answer(sdp)?).await })
            .await?;
        Ok(())
    }
}

async fn offer(
    slots: usize,
    address: IpAddr,
    events: Arc<Events>,
) -> webrtc::error::Result<(Arc<dyn PeerConnection>, String)> {
    let mut engine = MediaEngine::default();
    engine.register_default_codecs()?;
    let interceptors = register_default_interceptors(Registry::new(), &mut engine)?;
    // mDNS is off, for it binds a port that only one viewer on the machine could have.
    let settings = SettingEngineBuilder::new().with_multicast_dns_mode(MulticastDnsMode::Disabled).build();
    let handler: Arc<dyn PeerConnectionEventHandler> = events.clone();
    let connection = PeerConnectionBuilder::new()
        .with_media_engine(engine)
        .with_interceptor_registry(interceptors)
        .with_setting_engine(settings)
        .with_handler(handler)
        .with_udp_addrs(vec![SocketAddr::new(address, 0).to_string()]);
    // Boxed, since the future contains the whole connection.
    let connection = Box::pin(connection.build()).await?;
    for _ in 0..slots {
        let receive = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Recvonly,
            streams: Vec::new(),
            send_encodings: Vec::new(),
        };
        connection.add_transceiver_from_kind(RtpCodecKind::Video, Some(receive)).await?;
    }
    let offer = connection.create_offer(None).await?;
    connection.set_local_description(offer).await?;
    events.gathered.notified().await;
    let offer = connection.local_description().await.unwrap_or_default().sdp;
    Ok((Arc::new(connection), offer))
}

/// The handler of the connection's events. The connection's driver waits for each call, so none may take long.
struct Events {
    gathered: Notify,
    tally: Tally,
    /// The slot of each mid, once there is an answer, and the connection, which knows the mid of a track.
    slots_by_mid: OnceLock<(HashMap<String, u32>, Weak<dyn PeerConnection>)>,
    tracks: Mutex<Vec<Arc<dyn TrackRemote>>>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Events {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.notify_one();
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let Some((slots, connection)) = self.slots_by_mid.get().cloned() else { return };
        self.tracks.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&track));
        let tally = self.tally.clone();
        tokio::spawn(async move {
            let Some(connection) = connection.upgrade() else { return };
            let Some(slot) = mid_of(&*connection, &track).await.and_then(|mid| slots.get(&mid).copied())
            else {
                return;
            };
            drop(connection);
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    tally.count(slot, &packet.header, packet.payload.len());
                }
            }
        });
    }
}

/// The mid of the m-line on which a track came (RFC 8843 §15): what a page reads from `RTCTrackEvent.transceiver.mid`.
async fn mid_of(connection: &dyn PeerConnection, track: &Arc<dyn TrackRemote>) -> Option<String> {
    for transceiver in connection.get_transceivers().await {
        if let Ok(Some(receiver)) = transceiver.receiver().await
            && Arc::ptr_eq(receiver.track(), track)
        {
            return transceiver.mid().await.ok().flatten();
        }
    }
    None
}

/// A thread with a runtime of its own, so that the viewer takes no time from the server under test. Switching it off ends
/// sockets, timers and tasks at once, without a message to the server.
#[derive(Debug)]
struct Machine(Option<Runtime>);

impl Machine {
    fn new() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("viewer")
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Runs `work` on the machine's thread. On a machine that is switched off it never ends.
    async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let Some(runtime) = &self.0 else { return pending().await };
        match runtime.spawn(work).await {
            Ok(done) => done,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => pending().await,
        }
    }

    fn switch_off(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.switch_off();
    }
}
