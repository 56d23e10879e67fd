//! One run of ffmpeg, with its input on stdin or fetched by ffmpeg itself, and pictures as its output.
//!
//! ffmpeg does not outlive the server: when the source is cancelled, its process group is killed, and when the server itself is
//! killed, the guardian does that.

use std::io::Cursor;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncRead;

use super::command::{Command, command};
use super::engines;
use super::hidden::hide;
use super::inlet::{Inlet, input_down};
use super::outlet::{End, Outlet, Sink};
use super::still;
use super::template::split;
use super::timeline::SharedTimeline;
use crate::config::{FfmpegConfig, FfmpegInput, FfmpegSource, Masked, Patience};
use crate::source::process::{Child, Joined};
use crate::source::{Input, Output, SourceError, Way, status};

pub(super) const ADVICE: &str =
    "install ffmpeg (Debian: apt install ffmpeg) or set ffmpeg: bin: in the config";

/// How long the remaining output of an ffmpeg that has exited is read.
const GRACE: Duration = Duration::from_millis(300);
/// How often a picture is fetched.
const EVERY: Duration = Duration::from_secs(1);

/// Runs until ffmpeg fails, its input ends, or `output` is closed (`Ok`).
///
/// A picture made from a stream has the timestamp of its input picture on the server's timeline; with any other input,
/// timestamps are ticks since the first picture.
pub(in crate::source) async fn run_once(
    source: &FfmpegSource,
    config: &FfmpegConfig,
    patience: Patience,
    input: Option<Input>,
    output: Output,
) -> Result<(), SourceError> {
    let engine = engines::resolved(source, config).await;
    let made = &FfmpegSource { hardware: engine, ..source.clone() };
    let Command { mut arguments, codec } = command(made, config, reply(source, patience), "matroska");
    let inlet = match (&source.input, input) {
        (FfmpegInput::Stream(name), Some(frames)) => Inlet::Frames { stream: name.clone(), frames },
        (FfmpegInput::Stream(name), None) => return Err(input_down(name, "it was not given")),
        (FfmpegInput::Picture(url), _) => {
            return pictures(source, config, url, arguments, patience, output).await;
        }
        _ => match hide(&mut arguments) {
            Some(script) => Inlet::Bytes(Box::new(Cursor::new(script))),
            None => Inlet::Nothing,
        },
    };
    let outlet = Outlet::of(codec, config)?;
    arguments.extend(times(&arguments));
    arguments.extend(outlet.arguments());
    let result = run(&config.bin, &arguments, inlet, outlet, patience, output).await;
    if let (Err(error), Some(engine)) = (&result, engine) {
        engines::failed(source, engine, error);
    }
    result.map_err(|error| answered(&source.input, error))
}

/// The same error, in the words for the status that a server has answered, if that ended ffmpeg.
fn answered(input: &FfmpegInput, error: SourceError) -> SourceError {
    let FfmpegInput::Url(url) = input else { return error };
    let SourceError::ProgramFailed { said, .. } = &error else { return error };
    match status::of_ffmpeg(said) {
        Some(status) => SourceError::Status { url: Masked(url).to_string(), status },
        None => error,
    }
}

/// Shows the picture at a URL, fetched once a second.
async fn pictures(
    source: &FfmpegSource,
    config: &FfmpegConfig,
    url: &str,
    mut arguments: Vec<String>,
    patience: Patience,
    output: Output,
) -> Result<(), SourceError> {
    let outlet = Outlet::rtp(config)?;
    arguments.extend(times(&arguments));
    arguments.extend(outlet.arguments());
    let (fetched, read) = tokio::io::duplex(64 << 10);
    let running =
        run(&config.bin, &arguments, Inlet::Bytes(Box::new(read)), outlet, patience, output.clone());
    let end = tokio::select! {
        result = running => return result,
        end = still::fetch(url, EVERY, patience, fetched) => end,
    };
    match end {
        still::End::Error(error) => Err(error),
        // It is read as the stream that it is.
        still::End::Moves => {
            let video = if source.video.is_empty() { vec!["h264".to_owned()] } else { source.video.clone() };
            let input = FfmpegInput::Url(url.to_owned());
            let moving = FfmpegSource { input, video, ..source.clone() };
            Box::pin(run_once(&moving, config, patience, None, output)).await
        }
    }
}

/// How long ffmpeg waits for what it reads. A camera that is away fails as soon as one that has fallen silent, unless the source says
/// that it is slow.
fn reply(source: &FfmpegSource, patience: Patience) -> Duration {
    source.start_timeout.map_or(patience.silence, |start| start.max(patience.silence))
}

/// Passes the output of a program to ffmpeg, which detects the container, and copies its video.
pub(in crate::source) async fn remux(
    config: &FfmpegConfig,
    patience: Patience,
    bytes: impl AsyncRead + Send + Unpin + 'static,
    output: Output,
) -> Result<(), SourceError> {
    let outlet = Outlet::rtp(config)?;
    let known = "-hide_banner -v error -nostdin -analyzeduration 500000 -i pipe:0 -an -c:v copy";
    let mut arguments: Vec<String> = known.split(' ').map(str::to_owned).collect();
    arguments.extend(outlet.arguments());
    run(&config.bin, &arguments, Inlet::Bytes(Box::new(bytes)), outlet, patience, output).await
}

/// The same for pictures that no browser shows as they are: ffmpeg encodes them as H.264. `has_times` says whether they come in a
/// container that tells when each is shown.
pub(in crate::source) async fn encode(
    config: &FfmpegConfig,
    patience: Patience,
    has_times: bool,
    bytes: impl AsyncRead + Send + Unpin + 'static,
    output: Output,
) -> Result<(), SourceError> {
    let outlet = Outlet::rtp(config)?;
    let known = "-hide_banner -v error -nostdin -flags low_delay -analyzeduration 500000 -i pipe:0 -an";
    let mut arguments: Vec<String> = known.split(' ').map(str::to_owned).collect();
    arguments.extend(split(config.template("h264").unwrap_or_default()));
    if !has_times {
        // The moment at which each is decoded, in place of the rate that ffmpeg assumes.
        let arrival = ["-vf", "settb=1/90000,setpts=(RTCTIME-RTCSTART)*0.09"];
        arguments.extend(arrival.map(str::to_owned));
    }
    arguments.extend(times(&arguments));
    arguments.extend(outlet.arguments());
    run(&config.bin, &arguments, Inlet::Bytes(Box::new(bytes)), outlet, patience, output).await
}

/// Listens at `url` (`rtsp://127.0.0.1:…`) for one program that publishes there (RTSP's ANNOUNCE and RECORD), and copies its video or
/// encodes it as H.264.
pub(in crate::source) async fn receive(
    config: &FfmpegConfig,
    patience: Patience,
    way: Way,
    url: &str,
    output: Output,
) -> Result<(), SourceError> {
    let outlet = Outlet::rtp(config)?;
    let known = "-hide_banner -v error -nostdin -flags low_delay -analyzeduration 500000 -allowed_media_types video \
                 -rtsp_flags listen -rtsp_transport tcp -i";
    let mut arguments: Vec<String> = known.split(' ').map(str::to_owned).collect();
    arguments.extend([url, "-an"].map(str::to_owned));
    match way {
        Way::AsItIs => arguments.extend(["-c:v", "copy"].map(str::to_owned)),
        Way::AsH264 => {
            arguments.extend(split(config.template("h264").unwrap_or_default()));
            arguments.extend(times(&arguments));
        }
    }
    arguments.extend(outlet.arguments());
    run(&config.bin, &arguments, Inlet::Nothing, outlet, patience, output).await
}

/// Options that keep the pictures' timestamps. By default ffmpeg would guess a constant frame rate from the first pictures and
/// drop and duplicate pictures to keep it. They are left out if the user sets a rate, since ffmpeg refuses both.
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
    inlet: Inlet,
    outlet: Outlet,
    patience: Patience,
    output: Output,
) -> Result<(), SourceError> {
    let joined = Joined { stdin: inlet.is_stdin(), stdout: outlet.is_stdout() };
    let mut child = Child::spawn(program, arguments, joined, ADVICE)?;
    let (stdin, stdout) = (child.take_stdin(), child.take_stdout());
    let timeline = SharedTimeline::default();
    let sink = Sink { output: &output, timeline: inlet.is_stream().then_some(&timeline), program };

    let end = tokio::select! {
        () = output.closed() => End::OutputClosed,
        error = inlet.feed(stdin, &timeline) => error.map_or(End::Program, End::Error),
        end = outlet.deliver(stdout, &sink, patience) => end,
        // A program that exits before it opens its output is noticed only here.
        () = ended_for_a_while(&mut child) => End::Program,
    };
    let result = match end {
        End::OutputClosed => Ok(()),
        End::Error(error) => Err(error),
        End::Program => return child.outcome().await,
    };
    child.end().await;
    result
}

/// Waits until ffmpeg has exited and its remaining output could be delivered.
async fn ended_for_a_while(child: &mut Child) {
    child.ended().await;
    tokio::time::sleep(GRACE).await;
}

/// The input of [`remux`]: the bytes already read, then the rest.
pub(in crate::source) fn prefixed(
    prefix: Bytes,
    rest: impl AsyncRead + Send + Unpin + 'static,
) -> impl AsyncRead + Send + Unpin + 'static {
    tokio::io::AsyncReadExt::chain(Cursor::new(prefix), rest)
}
