//! One run of ffmpeg: what it reads goes in on stdin, or it fetches that itself, and pictures come out.
//!
//! ffmpeg cannot outlive the server. When the source is cancelled its process group is killed; when the server itself is
//! killed with SIGKILL, ffmpeg finds stdin at its end or the socket gone at its next picture, and exits.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncRead;

use super::command::arguments;
use super::inlet::{Inlet, input_down};
use super::outlet::{End, Outlet, Sink};
use super::timeline::SharedTimeline;
use crate::config::{FfmpegConfig, FfmpegInput, FfmpegSource};
use crate::source::process::{Child, Joined};
use crate::source::{Input, Output, SourceError};

const ADVICE: &str = "install ffmpeg (Debian: apt install ffmpeg) or set ffmpeg: bin: in the config";

/// What ffmpeg's last words have time for when its output ends.
const GRACE: Duration = Duration::from_millis(300);

/// Runs until ffmpeg fails, its input ends, or `output` is closed (`Ok`).
///
/// Pictures made from a stream carry the timestamp of the picture they were made from, on the server's timeline; of any
/// other input, ticks since the first picture.
pub(in crate::source) async fn run_once(
    source: &FfmpegSource,
    config: &FfmpegConfig,
    timeout: Duration,
    input: Option<Input>,
    output: Output,
) -> Result<(), SourceError> {
    let inlet = match (&source.input, input) {
        (FfmpegInput::Stream(name), Some(frames)) => Inlet::Frames { stream: name.clone(), frames },
        (FfmpegInput::Stream(name), None) => return Err(input_down(name, "it was not given")),
        _ => Inlet::Nothing,
    };
    let mut arguments = arguments(source, config, timeout, "matroska");
    let outlet = Outlet::of(&arguments, config)?;
    arguments.extend(times(&arguments));
    arguments.extend(outlet.arguments());
    run(&config.bin, &arguments, inlet, outlet, timeout, output).await
}

/// Hands what a program wrote to ffmpeg, which finds out the container, and takes the pictures out uncoded.
pub(in crate::source) async fn remux(
    config: &FfmpegConfig,
    bytes: impl AsyncRead + Send + Unpin + 'static,
    output: Output,
) -> Result<(), SourceError> {
    let outlet = Outlet::rtp(config)?;
    let known = "-hide_banner -v error -nostdin -analyzeduration 500000 -i pipe:0 -an -c:v copy";
    let mut arguments: Vec<String> = known.split(' ').map(str::to_owned).collect();
    arguments.extend(outlet.arguments());
    run(&config.bin, &arguments, Inlet::Bytes(Box::new(bytes)), outlet, config.timeout, output).await
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
    inlet: Inlet,
    outlet: Outlet,
    timeout: Duration,
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
        end = outlet.deliver(stdout, &sink, timeout) => end,
        // A program that ends before it opened its output: nothing else would notice.
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

/// What ffmpeg wrote before it ended is delivered first.
async fn ended_for_a_while(child: &mut Child) {
    child.ended().await;
    tokio::time::sleep(GRACE).await;
}

/// For [`remux`]: what was already read, then the rest.
pub(in crate::source) fn prefixed(
    prefix: Bytes,
    rest: impl AsyncRead + Send + Unpin + 'static,
) -> impl AsyncRead + Send + Unpin + 'static {
    tokio::io::AsyncReadExt::chain(std::io::Cursor::new(prefix), rest)
}
