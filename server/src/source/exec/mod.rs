//! `exec:`: a program of the user writes video to its stdout.
//!
//! Raw H.264 and H.265 are split here, with the time of arrival as timestamp, and IVF, with its own timestamps. Other
//! containers are passed through ffmpeg, which copies the video: they contain audio and many variations that need not be
//! supported here. A program may also publish by RTSP (`publish`).

mod annexb;
mod echo;
mod publish;
mod sniff;

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncReadExt as _;
use tokio::process::ChildStdout;
use tokio::time::{Instant, timeout};

use self::annexb::Splitter;
pub(super) use self::echo::named;
use self::sniff::Content;
use super::ivf::IvfReader;
use super::process::{Child, Joined};
use super::{Output, SourceError, Way, ffmpeg};
use crate::bitstream::nal::NalCodec;
use crate::config::{ExecSource, FfmpegConfig, Patience};
use crate::media::{AccessUnit, Doubts, Timestamp90k, Unplayable};

/// Parses the output of a program, for `crate::fuzzing`; the first byte is the size of the pieces.
pub(super) fn fuzz(bytes: &[u8]) {
    let Some((size, bytes)) = bytes.split_first() else { return };
    let _ = sniff::content(bytes);
    for codec in [NalCodec::H264, NalCodec::H265] {
        let mut splitter = Splitter::new(codec);
        for piece in bytes.chunks(usize::from(*size).max(1)) {
            let _ = splitter.push(piece);
        }
    }
}

/// Runs until the program ends or `output` is closed (`Ok`).
pub(super) async fn run_once(
    source: &ExecSource,
    config: &FfmpegConfig,
    patience: Patience,
    way: Way,
    output: Output,
) -> Result<(), SourceError> {
    let (program, arguments) =
        source.argv.split_first().ok_or_else(|| unsupported("exec: without a program"))?;
    if source.publishes() {
        return publish::run_once(source, config, patience, way, output).await;
    }
    let joined = Joined { stdin: false, stdout: true };
    let mut child = Child::spawn(program, arguments, joined, "install it, or write its full path")?;
    let Some(stdout) = child.take_stdout() else { return child.outcome().await };
    let result = match show(stdout, program, config, patience, way, &output).await {
        Ok(End::OfProgram) => return child.outcome().await,
        Ok(End::OfOutput) => Ok(()),
        Err(error) => Err(error),
    };
    child.end().await;
    result
}

enum End {
    OfProgram,
    OfOutput,
}

/// Detects the format of the program's output and passes its pictures on.
async fn show(
    mut stdout: ChildStdout,
    program: &str,
    config: &FfmpegConfig,
    patience: Patience,
    way: Way,
    output: &Output,
) -> Result<End, SourceError> {
    let mut start = BytesMut::new();
    while start.len() < sniff::ENOUGH {
        tokio::select! {
            () = output.closed() => return Ok(End::OfOutput),
            read = timeout(patience.start, stdout.read_buf(&mut start)) => match read {
                Err(_) => return Err(silent(program, patience.start)),
                Ok(Ok(1..)) => {}
                Ok(_) => return Ok(End::OfProgram),
            },
        }
    }
    if way == Way::AsH264 {
        let has_times = matches!(sniff::content(&start), Content::Container(_) | Content::Ivf);
        let bytes = ffmpeg::prefixed(start.freeze(), stdout);
        let end = ffmpeg::encode(config, patience, has_times, bytes, output.clone()).await;
        return if output.is_closed() { Ok(End::OfOutput) } else { end.map(|()| End::OfProgram) };
    }
    match sniff::content(&start) {
        Content::AnnexB(codec) => raw(codec, start, stdout, program, patience, output).await,
        Content::Ivf => ivf(IvfReader::new(start, stdout), program, patience, output).await,
        Content::Container(_) => {
            let bytes = ffmpeg::prefixed(start.freeze(), stdout);
            let end = ffmpeg::remux(config, patience, bytes, output.clone()).await;
            if output.is_closed() { Ok(End::OfOutput) } else { end.map(|()| End::OfProgram) }
        }
        Content::Mjpeg => Err(SourceError::Unplayable {
            from: format!("exec:{program}"),
            what: Unplayable::Codec("MJPEG".to_owned()),
            advice: "have the program write H.264 (ffmpeg: -c:v libx264 -f h264 -)".to_owned(),
        }),
        Content::Unknown => Err(SourceError::Protocol {
            url: format!("exec:{program}"),
            reason:
                "its stdout is neither H.264 nor H.265 nor a container that is known; logs belong on stderr"
                    .to_owned(),
        }),
    }
}

async fn raw(
    codec: NalCodec,
    mut bytes: BytesMut,
    mut stdout: ChildStdout,
    program: &str,
    patience: Patience,
    output: &Output,
) -> Result<End, SourceError> {
    let protocol = |reason: String| SourceError::Protocol { url: format!("exec:{program}"), reason };
    let mut splitter = Splitter::new(codec);
    let mut doubts = Doubts::of_byte_stream();
    let start = Instant::now();
    // A unit is complete when the next one begins, so it arrived with the bytes before.
    let mut arrived = Duration::ZERO;
    let mut given = None;
    loop {
        for data in splitter.push(&bytes).map_err(|error| protocol(error.to_string()))? {
            // The units of one read arrived together, but their timestamps must still grow.
            let place = Timestamp90k::from_duration(arrived);
            let timestamp = given.map_or(place, |last: Timestamp90k| place.max(last + 1));
            given = Some(timestamp);
            let unit = AccessUnit { codec: codec.into(), timestamp, discontinuity: false, data };
            if let Some(what) = doubts.see(&unit) {
                return Err(SourceError::Unplayable {
                    from: format!("exec:{program}"),
                    what,
                    advice: "have the program write none (ffmpeg: -bf 0 -pix_fmt yuv420p)".to_owned(),
                });
            }
            if output.send(unit).await.is_err() {
                return Ok(End::OfOutput);
            }
        }
        arrived = start.elapsed();
        bytes.clear();
        bytes.reserve(64 << 10);
        let wait = patience.next(given.is_some());
        tokio::select! {
            () = output.closed() => return Ok(End::OfOutput),
            read = timeout(wait, stdout.read_buf(&mut bytes)) => match read {
                Err(_) => return Err(silent(program, wait)),
                Ok(Ok(1..)) => {}
                Ok(_) => return Ok(End::OfProgram),
            },
        }
    }
}

async fn ivf(
    mut reader: IvfReader<ChildStdout>,
    program: &str,
    patience: Patience,
    output: &Output,
) -> Result<End, SourceError> {
    let mut wait = patience.start;
    loop {
        let unit = tokio::select! {
            () = output.closed() => return Ok(End::OfOutput),
            read = timeout(wait, reader.next()) => read.map_err(|_| silent(program, wait))?,
        };
        wait = patience.silence;
        let unit = unit.map_err(|error| SourceError::Protocol {
            url: format!("exec:{program}"),
            reason: error.to_string(),
        })?;
        let Some(unit) = unit else { return Ok(End::OfProgram) };
        if output.send(unit).await.is_err() {
            return Ok(End::OfOutput);
        }
    }
}

fn silent(program: &str, after: Duration) -> SourceError {
    SourceError::ProgramSilent { program: program.to_owned(), after }
}

fn unsupported(what: &str) -> SourceError {
    SourceError::NotSupported { what: what.to_owned() }
}
