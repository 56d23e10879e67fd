//! One run of ffmpeg: what it reads goes in on stdin, or it fetches that itself; RTP comes out on a socket, AV1 in IVF on
//! stdout.
//!
//! ffmpeg cannot outlive the server. When the source is cancelled its process group is killed; when the server itself is
//! killed with SIGKILL, ffmpeg finds stdin at its end or the socket gone at its next picture, and exits.

use std::convert::Infallible;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rtc::rtp::Packet;
use rtc::shared::marshal::Unmarshal as _;
use tokio::io::{AsyncRead, AsyncWriteExt as _};
use tokio::process::{ChildStdin, ChildStdout};

use super::matroska;
use super::rtp_socket::{RtpReader, RtpSocket};
use super::sdp;
use super::timeline::{Timeline, Unwrapped};
use super::{Pipes, arguments};
use crate::config::{FfmpegConfig, FfmpegInput, FfmpegSource};
use crate::media::{AccessUnit, Codec, Timestamp90k};
use crate::source::child::{Child, Joined};
use crate::source::depacketize::Depacketizer;
use crate::source::ivf::IvfReader;
use crate::source::{Input, Output, SourceError};

const ADVICE: &str = "install ffmpeg (Debian: apt install ffmpeg) or set ffmpeg: bin: in the config";

/// What ffmpeg's last words have time for when its output ends.
const GRACE: Duration = Duration::from_millis(300);

/// Runs until ffmpeg fails, its input ends, or `output` is closed (`Ok`).
///
/// Pictures made from a stream carry the timestamp of the picture they were made from, on the server's timeline; of any
/// other input, ticks since the first picture.
pub async fn run_once(
    source: &FfmpegSource,
    config: &FfmpegConfig,
    input: Option<Input>,
    output: Output,
) -> Result<(), SourceError> {
    let stdin = match (&source.input, input) {
        (FfmpegInput::Stream(name), Some(frames)) => Stdin::Frames { stream: name.clone(), frames },
        (FfmpegInput::Stream(name), None) => return Err(input_down(name, "it was not given")),
        _ => Stdin::Nothing,
    };
    let mut pipes = Pipes { stdin_format: "matroska", output: Vec::new() };
    let asked = arguments(source, config, &pipes);
    let outlet = if makes_av1(&asked) { Outlet::Ivf } else { Outlet::Rtp(rtp_socket(config)?) };
    pipes.output = times(&asked);
    pipes.output.extend(outlet.arguments());
    let timeout = source.timeout.unwrap_or(config.timeout);
    run(&config.bin, &arguments(source, config, &pipes), outlet, stdin, timeout, output).await
}

/// Hands what a program wrote to ffmpeg, which finds out the container, and takes the pictures out uncoded.
pub(in crate::source) async fn remux(
    config: &FfmpegConfig,
    bytes: impl AsyncRead + Send + Unpin + 'static,
    output: Output,
) -> Result<(), SourceError> {
    let outlet = Outlet::Rtp(rtp_socket(config)?);
    let known = "-hide_banner -v error -nostdin -analyzeduration 500000 -i pipe:0 -an -c:v copy";
    let mut arguments: Vec<String> = known.split(' ').map(str::to_owned).collect();
    arguments.extend(outlet.arguments());
    run(&config.bin, &arguments, outlet, Stdin::Bytes(Box::new(bytes)), config.timeout, output).await
}

enum Stdin {
    Nothing,
    Frames { stream: String, frames: Input },
    Bytes(Box<dyn AsyncRead + Send + Unpin>),
}

/// How pictures come out of ffmpeg.
enum Outlet {
    Rtp(RtpSocket),
    /// On stdout.
    Ivf,
}

impl Outlet {
    /// The end of ffmpeg's command line.
    fn arguments(&self) -> Vec<String> {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        match self {
            // Packets of VP9 are a draft to ffmpeg 5.
            Outlet::Rtp(socket) => [words("-strict experimental"), socket.arguments()].concat(),
            Outlet::Ivf => words("-flush_packets 1 -f ivf pipe:1"),
        }
    }
}

fn rtp_socket(config: &FfmpegConfig) -> Result<RtpSocket, SourceError> {
    RtpSocket::bind().map_err(|error| {
        let reason = format!("no socket for its output in {}: {error}", std::env::temp_dir().display());
        SourceError::CannotStart { program: config.bin.clone(), reason }
    })
}

/// All of ffmpeg's AV1 encoders have it in their name.
fn makes_av1(arguments: &[String]) -> bool {
    let is_encoder = |option: &str| matches!(option, "-c:v" | "-codec:v" | "-vcodec");
    arguments.windows(2).any(|pair| is_encoder(&pair[0]) && pair[1].contains("av1"))
}

/// Times go through as they are: with ffmpeg's default, constant frame rate, it would guess a rate from the first
/// pictures and drop and double pictures to keep it. A rate that the user wants is the user's, though: ffmpeg refuses both.
fn times(asked: &[String]) -> Vec<String> {
    let has_rate =
        asked.iter().any(|word| matches!(word.as_str(), "-r" | "-fpsmax" | "-vsync" | "-fps_mode"));
    if has_rate {
        return Vec::new();
    }
    ["-fps_mode", "passthrough", "-enc_time_base", "-1"].map(str::to_owned).to_vec()
}

async fn run(
    program: &str,
    arguments: &[String],
    outlet: Outlet,
    stdin: Stdin,
    timeout: Duration,
    output: Output,
) -> Result<(), SourceError> {
    let joined = Joined { stdin: !matches!(stdin, Stdin::Nothing), stdout: matches!(outlet, Outlet::Ivf) };
    let mut child = Child::spawn(program, arguments, joined, ADVICE)?;
    let (pipe, stdout) = (child.take_stdin(), child.take_stdout());
    // Shared by both directions of one task: never locked across an await.
    let timeline = std::sync::Mutex::new(Timeline::default());
    let of_stream = matches!(stdin, Stdin::Frames { .. });
    let sink = Sink { output: &output, timeline: of_stream.then_some(&timeline), program };

    let end = tokio::select! {
        () = output.closed() => End::OutputClosed,
        error = feed(stdin, pipe, &timeline) => End::Input(error),
        end = deliver(outlet, stdout, &sink, timeout) => end,
        // A program that ends before it opened its output: nothing else would notice.
        () = ended_for_a_while(&mut child) => End::Program,
    };
    let result = match end {
        End::OutputClosed => Ok(()),
        End::Input(Some(error)) | End::Error(error) => Err(error),
        End::Input(None) | End::Program => return child.outcome().await,
    };
    child.end().await;
    result
}

/// Which part of a run ended it.
enum End {
    /// The reason, unless ffmpeg is to be asked for it.
    Input(Option<SourceError>),
    /// ffmpeg ended or is ending.
    Program,
    OutputClosed,
    Error(SourceError),
}

/// What ffmpeg wrote before it ended is delivered first.
async fn ended_for_a_while(child: &mut Child) {
    child.ended().await;
    tokio::time::sleep(GRACE).await;
}

/// Writes the input as fast as ffmpeg takes it. That the input's sender is never held up is the sender's affair: a full
/// queue is skipped to the next key frame.
async fn feed(
    stdin: Stdin,
    pipe: Option<ChildStdin>,
    timeline: &std::sync::Mutex<Timeline>,
) -> Option<SourceError> {
    let (Some(mut pipe), stdin) = (pipe, stdin) else { return std::future::pending().await };
    match stdin {
        Stdin::Nothing => std::future::pending().await,
        Stdin::Bytes(mut bytes) => {
            if tokio::io::copy(&mut bytes, &mut pipe).await.is_err() {
                return None;
            }
            // At its end ffmpeg flushes, and ends by itself.
            drop(pipe);
            std::future::pending().await
        }
        Stdin::Frames { stream, mut frames } => {
            let mut codec: Option<Codec> = None;
            loop {
                let Some(frame) = frames.recv().await else {
                    return Some(input_down(&stream, "it stopped"));
                };
                match codec {
                    None => {
                        codec = Some(frame.codec);
                        if pipe.write_all(&matroska::header(frame.codec)).await.is_err() {
                            return None;
                        }
                    }
                    Some(codec) if codec != frame.codec => {
                        let change = format!("it changed from {codec} to {}", frame.codec);
                        return Some(input_down(&stream, &change));
                    }
                    Some(_) => {}
                }
                let ms = lock(timeline).enter(frame.timestamp);
                let before = matroska::before_unit(ms, frame.keyframe, frame.data.len());
                if pipe.write_all(&before).await.is_err() || pipe.write_all(&frame.data).await.is_err() {
                    return None;
                }
            }
        }
    }
}

/// Where the pictures of one run go.
struct Sink<'a> {
    output: &'a Output,
    /// Of the input, if that is a stream.
    timeline: Option<&'a std::sync::Mutex<Timeline>>,
    program: &'a str,
}

impl Sink<'_> {
    /// `Err`: nobody takes pictures any more.
    async fn put(
        &self,
        codec: Codec,
        keyframe: bool,
        ticks_since_first: u64,
        data: Bytes,
    ) -> Result<(), End> {
        let timestamp = self
            .timeline
            .map_or(Timestamp90k(ticks_since_first), |timeline| lock(timeline).leave(ticks_since_first));
        let unit = AccessUnit { codec, timestamp, keyframe, data };
        self.output.send(unit).await.map_err(|_| End::OutputClosed)
    }

    fn silent(&self, after: Duration) -> End {
        End::Error(SourceError::ProgramSilent { program: self.program.to_owned(), after })
    }
}

async fn deliver(outlet: Outlet, stdout: Option<ChildStdout>, sink: &Sink<'_>, timeout: Duration) -> End {
    let Err(end) = match (outlet, stdout) {
        (Outlet::Rtp(socket), _) => deliver_rtp(socket, sink, timeout).await,
        (Outlet::Ivf, Some(stdout)) => deliver_ivf(stdout, sink, timeout).await,
        (Outlet::Ivf, None) => Err(End::Program),
    };
    end
}

async fn deliver_rtp(socket: RtpSocket, sink: &Sink<'_>, timeout: Duration) -> Result<Infallible, End> {
    let accepted = tokio::time::timeout(timeout, socket.accept()).await.map_err(|_| sink.silent(timeout))?;
    let mut reader = accepted.map_err(|_| End::Program)?;
    let mut depacketizer: Option<Depacketizer> = None;
    let mut unwrapped = Unwrapped::default();
    let mut codec = Codec::H264;
    loop {
        let packet = tokio::time::timeout(timeout, reader.next()).await.map_err(|_| sink.silent(timeout))?;
        let Ok(Some(mut packet)) = packet else { return Err(End::Program) };
        let depacketizer = match &mut depacketizer {
            Some(depacketizer) => depacketizer,
            none => {
                let video = described(&reader, sink.program).await.map_err(End::Error)?;
                codec = video.codec;
                none.insert(Depacketizer::new(video.codec, video.parameter_sets))
            }
        };
        let Ok(packet) = Packet::unmarshal(&mut packet) else { continue };
        depacketizer.push(&packet);
        while let Some(picture) = depacketizer.pop() {
            let ticks = unwrapped.ticks_since_first(picture.rtp_timestamp);
            sink.put(codec, picture.keyframe, ticks, picture.data).await?;
        }
    }
}

async fn deliver_ivf(stdout: ChildStdout, sink: &Sink<'_>, timeout: Duration) -> Result<Infallible, End> {
    let mut reader = IvfReader::new(BytesMut::new(), stdout);
    loop {
        let read = tokio::time::timeout(timeout, reader.next()).await.map_err(|_| sink.silent(timeout))?;
        let Ok(Some(unit)) = read else { return Err(End::Program) };
        sink.put(unit.codec, unit.keyframe, unit.timestamp.0, unit.data).await?;
    }
}

async fn described(reader: &RtpReader, program: &str) -> Result<sdp::Video, SourceError> {
    let protocol = |reason: String| SourceError::Protocol { url: program.to_owned(), reason };
    let text = reader.sdp().await.map_err(|error| protocol(format!("no SDP of its output: {error}")))?;
    sdp::video(&text).map_err(|codec| match codec {
        Some(codec) => {
            SourceError::NotSupported { what: format!("{codec} in a browser; use #video=h264: it") }
        }
        None => SourceError::NoVideo { url: program.to_owned() },
    })
}

fn lock(timeline: &std::sync::Mutex<Timeline>) -> std::sync::MutexGuard<'_, Timeline> {
    timeline.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn input_down(stream: &str, reason: &str) -> SourceError {
    SourceError::InputDown { stream: stream.to_owned(), reason: reason.to_owned() }
}

/// For [`remux`]: what was already read, then the rest.
pub(in crate::source) fn prefixed(
    prefix: Bytes,
    rest: impl AsyncRead + Send + Unpin + 'static,
) -> impl AsyncRead + Send + Unpin + 'static {
    tokio::io::AsyncReadExt::chain(std::io::Cursor::new(prefix), rest)
}
