//! Receives ffmpeg's output: RTP on a socket of its own, or IVF on its stdout for AV1.

use std::convert::Infallible;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rtc::rtp::Packet;
use rtc::shared::marshal::Unmarshal as _;
use tokio::process::ChildStdout;
use tokio::time::timeout;

use super::command::OutputCodec;
use super::rtp_socket::{RtpReader, RtpSocket};
use super::sdp;
use super::timeline::{SharedTimeline, Unwrapped};
use crate::config::{FfmpegConfig, Patience};
use crate::media::{AccessUnit, Codec, Timestamp90k, Unplayable};
use crate::rtp::depacketize::Depacketizer;
use crate::source::ivf::IvfReader;
use crate::source::{Output, SourceError};

pub(super) enum Outlet {
    Rtp(RtpSocket),
    /// IVF on stdout.
    Ivf,
}

/// How often ffmpeg's SDP is looked at while no packet comes.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How a run ended.
pub(super) enum End {
    /// ffmpeg ended or is ending.
    Program,
    OutputClosed,
    Error(SourceError),
}

impl Outlet {
    pub(super) fn rtp(config: &FfmpegConfig) -> Result<Self, SourceError> {
        let socket = RtpSocket::bind().map_err(|error| {
            let reason = format!("no socket for its output in {}: {error}", std::env::temp_dir().display());
            SourceError::CannotStart { program: config.bin.clone(), reason }
        });
        socket.map(Self::Rtp)
    }

    /// The outlet for pictures of this codec.
    pub(super) fn of(codec: OutputCodec, config: &FfmpegConfig) -> Result<Self, SourceError> {
        match codec {
            OutputCodec::Av1 => Ok(Self::Ivf),
            OutputCodec::Other => Self::rtp(config),
        }
    }

    pub(super) fn is_stdout(&self) -> bool {
        matches!(self, Self::Ivf)
    }

    /// The end of ffmpeg's command line.
    pub(super) fn arguments(&self) -> Vec<String> {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        match self {
            // ffmpeg 5 treats the RTP payload format of VP9 as experimental.
            Self::Rtp(socket) => [words("-strict experimental"), socket.arguments()].concat(),
            Self::Ivf => words("-flush_packets 1 -f ivf pipe:1"),
        }
    }

    /// Passes all pictures on. `stdout` is ffmpeg's, if it is piped.
    pub(super) async fn deliver(
        self,
        stdout: Option<ChildStdout>,
        sink: &Sink<'_>,
        patience: Patience,
    ) -> End {
        let Err(end) = match (self, stdout) {
            (Self::Rtp(socket), _) => deliver_rtp(socket, sink, patience).await,
            (Self::Ivf, Some(stdout)) => deliver_ivf(stdout, sink, patience).await,
            (Self::Ivf, None) => Err(End::Program),
        };
        end
    }
}

/// The destination of the pictures of one run.
pub(super) struct Sink<'a> {
    pub(super) output: &'a Output,
    /// The timeline of the input, if that is a stream.
    pub(super) timeline: Option<&'a SharedTimeline>,
    pub(super) program: &'a str,
}

impl Sink<'_> {
    /// Sends a picture; `Err` if the output is closed.
    async fn put(
        &self,
        codec: Codec,
        discontinuity: bool,
        ticks_since_first: u64,
        data: Bytes,
    ) -> Result<(), End> {
        let timestamp = self
            .timeline
            .map_or(Timestamp90k(ticks_since_first), |timeline| timeline.leave(ticks_since_first));
        let unit = AccessUnit { codec, timestamp, discontinuity, data };
        self.output.send(unit).await.map_err(|_| End::OutputClosed)
    }

    fn silent(&self, after: Duration) -> End {
        End::Error(SourceError::ProgramSilent { program: self.program.to_owned(), after })
    }
}

async fn deliver_rtp(socket: RtpSocket, sink: &Sink<'_>, patience: Patience) -> Result<Infallible, End> {
    // ffmpeg opens its output when it has found out what its input is, and sends the first picture at once.
    let accepted = timeout(patience.start, socket.accept()).await;
    let accepted = accepted.map_err(|_| sink.silent(patience.start))?;
    let mut reader = accepted.map_err(|_| End::Program)?;
    let first = first_packet(&mut reader, sink.program);
    let (mut packet, sdp::Video { codec, parameter_sets }) =
        timeout(patience.start, first).await.map_err(|_| sink.silent(patience.start))??;
    let mut depacketizer = Depacketizer::new(codec, parameter_sets);
    let mut unwrapped = Unwrapped::default();
    loop {
        if let Ok(packet) = Packet::unmarshal(&mut packet) {
            depacketizer.push(&packet);
            while let Some(picture) = depacketizer.pop() {
                let ticks = unwrapped.ticks_since_first(picture.rtp_timestamp);
                sink.put(codec, picture.discontinuity, ticks, picture.data).await?;
            }
        }
        let wait = patience.silence;
        let next = timeout(wait, reader.next()).await.map_err(|_| sink.silent(wait))?;
        let Ok(Some(next)) = next else { return Err(End::Program) };
        packet = next;
    }
}

/// The first packet, and what it belongs to. Of pictures that RTP does not carry, such as most JPEGs (RFC 2435), ffmpeg never sends
/// one, but its SDP says what they are.
async fn first_packet(reader: &mut RtpReader, program: &str) -> Result<(Bytes, sdp::Video), End> {
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut before = None;
    loop {
        tokio::select! {
            packet = reader.next() => {
                let Ok(Some(packet)) = packet else { return Err(End::Program) };
                let video = described(reader, program).await.map_err(End::Error)?;
                return Ok((packet, video));
            }
            _ = look.tick() => {
                let unplayable = match described(reader, program).await {
                    Err(error @ SourceError::Unplayable { .. }) => Some(error),
                    _ => None,
                };
                // Twice, since ffmpeg may just write it.
                match (unplayable, &before) {
                    (Some(error), Some(before)) if error == *before => return Err(End::Error(error)),
                    (unplayable, _) => before = unplayable,
                }
            }
        }
    }
}

async fn deliver_ivf(stdout: ChildStdout, sink: &Sink<'_>, patience: Patience) -> Result<Infallible, End> {
    let mut reader = IvfReader::new(BytesMut::new(), stdout);
    let mut wait = patience.start;
    loop {
        let read = timeout(wait, reader.next()).await.map_err(|_| sink.silent(wait))?;
        wait = patience.silence;
        let Ok(Some(unit)) = read else { return Err(End::Program) };
        sink.put(unit.codec, unit.discontinuity, unit.timestamp.0, unit.data).await?;
    }
}

async fn described(reader: &RtpReader, program: &str) -> Result<sdp::Video, SourceError> {
    let protocol = |reason: String| SourceError::Protocol { url: program.to_owned(), reason };
    let text = reader.sdp().await.map_err(|error| protocol(format!("no SDP of its output: {error}")))?;
    sdp::video(&text).map_err(|codec| match codec {
        Some(codec) => SourceError::Unplayable {
            from: program.to_owned(),
            what: Unplayable::Codec(codec),
            advice: "use #video=h264".to_owned(),
        },
        None => SourceError::NoVideo { url: program.to_owned() },
    })
}
