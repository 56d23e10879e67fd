//! What sound an input of ffmpeg has, from what ffmpeg says of it when it opens it.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::command;
use super::hidden::hide;
use crate::config::{FfmpegConfig, FfmpegSource};

/// How much longer ffmpeg may take than its source: it reads a few seconds of it first.
const MARGIN: Duration = Duration::from_secs(10);

/// The codec of the sound, if there is any. `None` for an input that is no camera and no file.
pub(in crate::source) async fn sound(
    source: &FfmpegSource,
    config: &FfmpegConfig,
    patience: Duration,
) -> Option<io::Result<Option<String>>> {
    let arguments = command::opening(source, config, patience)?;
    let said = timeout(patience + MARGIN, said(&config.bin, arguments)).await;
    Some(
        said.map_err(|_| io::ErrorKind::TimedOut.into())
            .flatten()
            .and_then(|said| codec(&said).ok_or_else(|| io::Error::other("ffmpeg has found no picture"))),
    )
}

/// What ffmpeg writes to stderr. Without an output it opens the input, describes it, and ends.
async fn said(bin: &str, mut arguments: Vec<String>) -> io::Result<String> {
    let script = hide(&mut arguments);
    let mut child = Command::new(bin)
        .args(arguments)
        .stdin(if script.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let (Some(mut stdin), Some(script)) = (child.stdin.take(), script) {
        stdin.write_all(script.as_bytes()).await?;
    }
    let output = child.wait_with_output().await?;
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The outer `None` is an input without a picture, as one that could not be opened.
#[allow(clippy::option_option, reason = "nothing known, and nothing there")]
fn codec(said: &str) -> Option<Option<String>> {
    let streams = || said.lines().map(str::trim_start).filter(|line| line.starts_with("Stream #"));
    streams().find(|line| line.contains(": Video: "))?;
    let sound = streams().find_map(|line| line.split_once(": Audio: "));
    let first_word = |text: &str| text.split([' ', ',']).next().map(str::to_owned);
    Some(sound.and_then(|(_, text)| first_word(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codec_of_the_sound_is_read_from_what_ffmpeg_says() {
        let picture =
            "Input #0, mpegts, from 'a':\n  Stream #0:0[0x100]: Video: h264 (High), yuv420p, 160x90\n";
        assert_eq!(codec(picture), Some(None));
        let both = format!(
            "{picture}  Stream #0:1[0x101](eng): Audio: aac (LC) ([15][0][0][0] / 0x000F), 44100 Hz, mono\n"
        );
        assert_eq!(codec(&both), Some(Some("aac".to_owned())));
        assert_eq!(codec("  Stream #0:0: Audio: pcm_alaw, 8000 Hz\n"), None, "no picture");
        assert_eq!(codec("a: No such file or directory\n"), None);
    }
}
