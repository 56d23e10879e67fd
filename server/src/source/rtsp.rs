//! RTSP cameras over TCP or UDP, with `retina`.
//!
//! `retina` gives the packets; they are joined to pictures by the [`Depacketizer`], whose memory is bounded whatever the camera sends. A
//! picture after lost packets (UDP) is marked with a discontinuity, which the framer handles. At the end of every run the camera gets a
//! TEARDOWN, since many cameras allow only a few sessions.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use retina::client::{
    Credentials, Described, InitialTimestampPolicy, PacketItem, PlayOptions, Playing, Session, SessionGroup,
    SessionOptions, SetupOptions, TcpTransportOptions, TeardownPolicy, Transport, UdpTransportOptions,
};
use retina::codec::{FrameFormat, ParametersRef};
use retina::rtp::ReceivedPacket;
use rtc::rtp::Packet;
use rtc::rtp::header::Header;
use tokio::time::{Instant, timeout, timeout_at};

use crate::bitstream::annex_b;
use crate::config::{RtspSource, RtspTransport};
use crate::media::{AccessUnit, Codec, Timestamp90k};
use crate::rtp::depacketize::{Depacketizer, Picture};

use super::{Output, SourceError};

/// How long to wait for a camera's answer to TEARDOWN.
const TEARDOWN_PATIENCE: Duration = Duration::from_secs(2);
/// After so long without a packet, a picture whose end the camera did not mark is taken for whole.
const SILENCE: Duration = Duration::from_millis(100);
const USER_AGENT: &str = concat!("multistream/", env!("CARGO_PKG_VERSION"));

pub(super) async fn run_once(
    source: &RtspSource,
    patience: Duration,
    output: Output,
) -> Result<(), SourceError> {
    let sessions = Arc::new(SessionGroup::default());
    let camera = Camera { source, patience };
    let result = tokio::select! {
        result = pull(&camera, &sessions, &output) => result,
        () = output.closed() => Ok(()),
    };
    // The session was dropped, which makes retina tear it down in the background. A failure of that is ignored.
    let _ = timeout(TEARDOWN_PATIENCE, sessions.await_teardown()).await;
    result
}

async fn pull(camera: &Camera<'_>, sessions: &Arc<SessionGroup>, output: &Output) -> Result<(), SourceError> {
    let mut session = camera.describe(sessions).await?;
    let (track, codec) = camera.video_track(&session)?;
    let transport = match camera.source.transport {
        RtspTransport::Tcp => Transport::Tcp(TcpTransportOptions::default()),
        RtspTransport::Udp => Transport::Udp(UdpTransportOptions::default()),
    };
    let setup = SetupOptions::default().transport(transport).frame_format(FrameFormat::SIMPLE);
    camera.answer(session.setup(track, setup)).await?;
    let mut depacketizer = Depacketizer::new(codec, parameter_sets(&session, track));
    // Some cameras give no initial timestamp.
    let play = PlayOptions::default().initial_timestamp(InitialTimestampPolicy::Permissive);
    let mut playing = camera.answer(session.play(play)).await?;
    loop {
        let picture = camera.picture(&mut playing, &mut depacketizer).await?;
        let unit = AccessUnit {
            codec,
            timestamp: Timestamp90k(picture.rtp_timestamp.into()),
            discontinuity: picture.discontinuity,
            data: picture.data,
        };
        if output.send(unit).await.is_err() {
            return Ok(());
        }
    }
}

/// The parameter sets in the camera's SDP.
fn parameter_sets(session: &Session<Described>, track: usize) -> Vec<Bytes> {
    match session.streams()[track].parameters() {
        Some(ParametersRef::Video(video)) => {
            annex_b::split(&Bytes::copy_from_slice(video.extra_data())).collect()
        }
        _ => Vec::new(),
    }
}

/// The common name of what SDP calls by its payload format.
fn codec_named(encoding: &str) -> String {
    match encoding {
        "jpeg" => "MJPEG".to_owned(),
        "mp4v-es" => "MPEG-4 video".to_owned(),
        other => other.to_uppercase(),
    }
}

fn packet(received: ReceivedPacket) -> Packet {
    let header = Header {
        version: 2,
        marker: received.mark(),
        sequence_number: received.sequence_number(),
        // Its low 32 bits are what the camera has sent.
        timestamp: received.timestamp().timestamp() as u32,
        ssrc: received.ssrc(),
        ..Header::default()
    };
    Packet { header, payload: received.into_payload_bytes() }
}

struct Camera<'a> {
    source: &'a RtspSource,
    patience: Duration,
}

impl Camera<'_> {
    async fn describe(&self, sessions: &Arc<SessionGroup>) -> Result<Session<Described>, SourceError> {
        let credentials = self.source.credentials.clone();
        let options = SessionOptions::default()
            .user_agent(USER_AGENT.to_owned())
            .creds(credentials.map(|(username, password)| Credentials { username, password }))
            .session_group(Arc::clone(sessions))
            .teardown(TeardownPolicy::Always);
        self.answer(Session::describe(self.source.url.clone(), options)).await
    }

    /// The first track that can be passed on. The others are not set up: a track that `retina` cannot read would end the
    /// session.
    fn video_track(&self, session: &Session<Described>) -> Result<(usize, Codec), SourceError> {
        let mut other = None;
        for (index, stream) in session.streams().iter().enumerate() {
            if stream.media() != "video" {
                continue;
            }
            match stream.encoding_name() {
                "h264" => return Ok((index, Codec::H264)),
                "h265" => return Ok((index, Codec::H265)),
                name => other = other.or(Some(codec_named(name))),
            }
        }
        Err(match other {
            Some(what) => {
                let url = self.url();
                let advice = format!("set H.264 in the camera, or use ffmpeg:{url}#video=h264");
                SourceError::Unplayable { from: url, what, advice }
            }
            None => SourceError::NoVideo { url: self.url() },
        })
    }

    async fn picture(
        &self,
        playing: &mut Session<Playing>,
        depacketizer: &mut Depacketizer,
    ) -> Result<Picture, SourceError> {
        let deadline = Instant::now() + self.patience;
        loop {
            if let Some(picture) = depacketizer.pop() {
                return Ok(picture);
            }
            let next = if depacketizer.waits() {
                let Ok(next) = timeout(SILENCE, playing.next()).await else {
                    depacketizer.flush();
                    continue;
                };
                next
            } else {
                timeout_at(deadline, playing.next()).await.map_err(|_| self.silent())?
            };
            match next {
                Some(Ok(PacketItem::Rtp(received))) => depacketizer.push(&packet(received)),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(self.error(&error)),
                None => {
                    let reason = "the camera closed the connection".to_owned();
                    return Err(SourceError::Protocol { url: self.url(), reason });
                }
            }
        }
    }

    async fn answer<T>(
        &self,
        request: impl Future<Output = Result<T, retina::Error>>,
    ) -> Result<T, SourceError> {
        timeout(self.patience, request).await.map_err(|_| self.silent())?.map_err(|error| self.error(&error))
    }

    fn silent(&self) -> SourceError {
        SourceError::Silent { url: self.url(), after: self.patience }
    }

    /// The URL, which contains no credentials.
    fn url(&self) -> String {
        self.source.url.to_string()
    }

    fn error(&self, error: &retina::Error) -> SourceError {
        match error.status_code() {
            Some(status @ (401 | 403)) => return SourceError::Unauthorized { url: self.url(), status },
            Some(404) => return SourceError::NotFound { url: self.url() },
            _ => {}
        }
        // The first line says what failed; the others say where in the stream, for debugging.
        let text = error.to_string();
        let what = text.lines().next().unwrap_or_default();
        match what.strip_prefix("Unable to connect to RTSP server: ") {
            Some(reason) if reason.contains("refused") => SourceError::Refused { address: self.address() },
            Some(reason) => SourceError::Unreachable { address: self.address(), reason: reason.to_owned() },
            None => SourceError::Protocol { url: self.url(), reason: what.to_owned() },
        }
    }

    fn address(&self) -> String {
        let url = &self.source.url;
        format!("{}:{}", url.host_str().unwrap_or_default(), url.port().unwrap_or(554))
    }
}
