//! One key frame as a JPEG picture.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::matroska;
use super::run::ADVICE;
use crate::media::{Codec, Dimensions, Frame};
use crate::source::SourceError;
use crate::source::process::{Child, Joined};

/// The largest picture. That of a camera with 4K has about 1 MB.
const LARGEST: u64 = 4 << 20;

/// Decodes a key frame, scales it if a size is given (where a side is zero it follows the other), and returns it as JPEG. ffmpeg is
/// ended after `patience`.
pub(in crate::source) async fn jpeg(
    bin: &str,
    frame: &Frame,
    size: Option<Dimensions>,
    patience: Duration,
) -> Result<Vec<u8>, SourceError> {
    let Some(unit) = frame.access_unit() else {
        return Err(SourceError::NotSupported { what: "this picture".to_owned() });
    };
    let input =
        [&matroska::header(frame.codec), &matroska::before_unit(0, true, unit.len()), &*unit].concat();
    let joined = Joined { stdin: true, stdout: true };
    let mut child = Child::spawn(bin, &arguments(frame.codec, size), joined, ADVICE)?;
    let (stdin, stdout) = (child.take_stdin(), child.take_stdout());
    let written = async move {
        if let Some(mut pipe) = stdin {
            // ffmpeg's own words say why it reads no more.
            let _ = pipe.write_all(&input).await;
        }
    };
    let read = async move {
        let mut picture = Vec::new();
        if let Some(pipe) = stdout {
            let _ = pipe.take(LARGEST + 1).read_to_end(&mut picture).await;
        }
        picture
    };
    let program = bin.to_owned();
    let Ok(((), picture)) = timeout(patience, async { tokio::join!(written, read) }).await else {
        child.end().await;
        return Err(SourceError::ProgramSilent { program, after: patience });
    };
    if picture.len() as u64 > LARGEST {
        child.end().await;
        return Err(SourceError::NotSupported { what: "a picture of more than 4 MiB".to_owned() });
    }
    child.outcome().await?;
    if picture.is_empty() {
        return Err(SourceError::ProgramSilent { program, after: patience });
    }
    Ok(picture)
}

fn arguments(codec: Codec, size: Option<Dimensions>) -> Vec<String> {
    let mut arguments = vec!["-v", "error", "-nostdin", "-threads", "1", "-f", "matroska"];
    // With more to look for in one picture it would only wait.
    arguments.extend(["-probesize", "32", "-analyzeduration", "0"].iter().filter(|_| codec != Codec::Av1));
    arguments.extend(["-i", "pipe:0", "-an", "-frames:v", "1"]);
    let scale = size.map(|Dimensions { width, height }| match (width, height) {
        (width, 0) => format!("scale={width}:-2"),
        (0, height) => format!("scale=-2:{height}"),
        (width, height) => format!("scale={width}:{height}"),
    });
    arguments.extend(scale.iter().flat_map(|scale| ["-vf", scale.as_str()]));
    arguments.extend(["-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "3", "-f", "image2pipe", "pipe:1"]);
    arguments.into_iter().map(str::to_owned).collect()
}
