//! RTSP cameras over TCP or UDP, with `retina`.
//!
//! `retina` gives the packets; they are joined to pictures by the [`Depacketizer`], whose memory is bounded whatever the camera sends. A
//! picture after lost packets (UDP) is marked with a discontinuity, which the framer handles. At the end of every run the camera gets a
//! TEARDOWN, since many cameras allow only a few sessions.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt};
use retina::client::{
    Credentials, Described, InitialTimestampPolicy, PacketItem, PlayOptions, Playing, Session, SessionGroup,
    SessionOptions, SetupOptions, TcpTransportOptions, TeardownPolicy, Transport, UdpTransportOptions,
};
use retina::codec::{FrameFormat, ParametersRef};
use retina::rtp::ReceivedPacket;
use rtc::rtp::Packet;
use rtc::rtp::header::Header;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::debug;

use crate::bitstream::annex_b;
use crate::config::{Patience, RtspSource, RtspTransport};
use crate::media::{AccessUnit, Codec, Timestamp90k, Unplayable};
use crate::rtp::depacketize::{Depacketizer, Picture};

use super::{Output, SourceError};

/// How long to wait for a camera's answer to TEARDOWN.
const TEARDOWN_PATIENCE: Duration = Duration::from_secs(2);
/// After so long without a packet, a picture whose end the camera did not mark is taken for whole.
const SILENCE: Duration = Duration::from_millis(100);
/// Over UDP the first packet has to come within this time. The others have the patience of the source.
const UDP_PATIENCE: Duration = Duration::from_secs(3);
/// So many packets in a row may be none. With more, nothing good comes any more: the camera has begun a new stream on the connection.
const MOST_BAD: u32 = 20;
const USER_AGENT: &str = concat!("multistream/", env!("CARGO_PKG_VERSION"));

pub(super) async fn run_once(
    source: &RtspSource,
    patience: Patience,
    output: Output,
) -> Result<(), SourceError> {
    let sessions = Arc::new(SessionGroup::default());
    let camera = Camera { source, patience };
    let result = tokio::select! {
        // retina panics at some headers.
        result = AssertUnwindSafe(pull(&camera, &sessions, &output)).catch_unwind() => result.unwrap_or_else(|_| {
            let reason = "it has sent what the RTSP client fails at".to_owned();
            Err(SourceError::Misread { url: camera.url(), reason })
        }),
        () = output.closed() => Ok(()),
    };
    // The session was dropped, which makes retina tear it down in the background. A failure of that is ignored.
    let torn_down = AssertUnwindSafe(sessions.await_teardown()).catch_unwind();
    let _ = timeout(TEARDOWN_PATIENCE, torn_down).await;
    result
}

/// The codec of the sound that the camera offers beside its pictures, by its SDP; `None` if it offers none.
pub(super) async fn sound(source: &RtspSource, patience: Patience) -> Result<Option<String>, SourceError> {
    let sessions = Arc::new(SessionGroup::default());
    let session = Camera { source, patience }.describe(&sessions).await?;
    let sound = session.streams().iter().find(|stream| stream.media() == "audio");
    Ok(sound.map(|stream| match stream.encoding_name() {
        // RFC 3640 and RFC 6416; cameras send AAC by both.
        "mpeg4-generic" | "mp4a-latm" => "aac".to_owned(),
        name => name.to_owned(),
    }))
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
    let mut arrivals = Arrivals {
        udp_patience: (camera.source.transport == RtspTransport::Udp)
            .then(|| camera.patience.silence.min(UDP_PATIENCE)),
        bad: 0,
    };
    let mut patience = camera.patience.start;
    loop {
        let picture = camera.picture(&mut playing, &mut depacketizer, &mut arrivals, patience).await?;
        patience = camera.patience.silence;
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

/// How errors begin that are not about what the camera says.
const OF_THE_NETWORK: [&str; 3] =
    ["Error reading from RTSP peer", "Error writing to RTSP peer", "Error receiving UDP packet"];

/// Whether a 401 is no word on the password: it is one of a kind that is not known here, or follows on an answer that was accepted, so that
/// the camera wants a new one for each request.
fn is_new_challenge(what: &str) -> bool {
    what.contains("Can't understand WWW-Authenticate") || !what.contains("response to DESCRIBE")
}

/// Whether the RTSP client finds the message after the one that it does not take.
fn leaves_a_next(reason: &str) -> bool {
    !reason.contains("Invalid RTSP message") && !reason.contains("Incomplete RTSP message")
}

/// How the packets of a session come.
#[derive(Debug, Default)]
struct Arrivals {
    /// Until the first packet over UDP: firewalls often let none through.
    udp_patience: Option<Duration>,
    /// How many have come that are none, since the last good one.
    bad: u32,
}

struct Camera<'a> {
    source: &'a RtspSource,
    patience: Patience,
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
            Some(codec) => {
                let (url, what) = (self.url(), Unplayable::Codec(codec));
                let advice = format!("{}, or use ffmpeg:{url}#video=h264", what.advice());
                SourceError::Unplayable { from: url, what, advice }
            }
            None => SourceError::NoVideo { url: self.url() },
        })
    }

    async fn picture(
        &self,
        playing: &mut Session<Playing>,
        depacketizer: &mut Depacketizer,
        arrivals: &mut Arrivals,
        patience: Duration,
    ) -> Result<Picture, SourceError> {
        let start = Instant::now();
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
                let deadline = start + arrivals.udp_patience.unwrap_or(patience);
                timeout_at(deadline, playing.next()).await.map_err(|_| match arrivals.udp_patience {
                    Some(after) => SourceError::NoPackets { url: self.url(), after },
                    None => self.silent(patience),
                })?
            };
            match next {
                Some(Ok(PacketItem::Rtp(received))) => {
                    *arrivals = Arrivals::default();
                    depacketizer.push(&packet(received));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => match self.error(&error) {
                    // Bytes that are no message: a new connection finds soonest where the next one begins.
                    SourceError::Misread { url, reason } if !leaves_a_next(&reason) => {
                        return Err(SourceError::Protocol { url, reason });
                    }
                    SourceError::Misread { reason, .. } if arrivals.bad < MOST_BAD => {
                        debug!(reason, "left out");
                        arrivals.bad += 1;
                    }
                    error => return Err(error),
                },
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
        let patience = self.patience.silence;
        let answer = timeout(patience, request).await.map_err(|_| self.silent(patience))?;
        answer.map_err(|error| self.error(&error))
    }

    fn silent(&self, after: Duration) -> SourceError {
        SourceError::Silent { url: self.url(), after }
    }

    /// The URL, which contains no credentials.
    fn url(&self) -> String {
        self.source.url.to_string()
    }

    fn error(&self, error: &retina::Error) -> SourceError {
        // The first line says what failed; the others say where in the stream, for debugging.
        let text = error.to_string();
        let what = text.lines().next().unwrap_or_default();
        match error.status_code() {
            Some(401) if is_new_challenge(what) => {}
            Some(status @ 300..) => return SourceError::Status { url: self.url(), status },
            _ => {}
        }
        let reason = what.to_owned();
        match what.strip_prefix("Unable to connect to RTSP server: ") {
            Some(reason) if reason.contains("refused") => SourceError::Refused { address: self.address() },
            Some(reason) => SourceError::Unreachable { address: self.address(), reason: reason.to_owned() },
            None if what.contains("respond to keepalive") => SourceError::Misread { url: self.url(), reason },
            None if OF_THE_NETWORK.iter().any(|prefix| what.starts_with(prefix)) => {
                SourceError::Protocol { url: self.url(), reason }
            }
            None => SourceError::Misread { url: self.url(), reason },
        }
    }

    fn address(&self) -> String {
        let url = &self.source.url;
        format!("{}:{}", url.host_str().unwrap_or_default(), url.port().unwrap_or(554))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_wrong_only_where_the_first_request_is_refused_with_it() {
        for (what, is_new) in [
            ("401 response to DESCRIBE CSeq=2: Received Unauthorized after trying digest auth", false),
            ("401 response to DESCRIBE CSeq=1: Authentication requested and no credentials supplied", false),
            ("401 response to DESCRIBE CSeq=1: Can't understand WWW-Authenticate header: x", true),
            ("401 response to SETUP CSeq=3: Received Unauthorized after trying digest auth", true),
        ] {
            assert_eq!(is_new_challenge(what), is_new, "{what}");
        }
    }
}
