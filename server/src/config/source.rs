//! A source: where a stream's pictures come from.

use std::time::Duration;

/// One source of a stream, as its line in the config says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Rtsp(RtspSource),
    Ffmpeg(FfmpegSource),
    Exec(ExecSource),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RtspTransport {
    #[default]
    Tcp,
    Udp,
}

/// `rtsp://user:password@host/path#transport=udp#timeout=5`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtspSource {
    /// Without the user and the password.
    pub url: String,
    pub credentials: Option<(String, String)>,
    pub transport: RtspTransport,
    /// Without a frame for this long the source counts as dead.
    pub timeout: Option<Duration>,
}

/// What ffmpeg reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FfmpegInput {
    /// Another stream of this config: its access units arrive on stdin.
    Stream(String),
    /// Anything that ffmpeg opens itself; the arguments up to and with `-i …`.
    Args(Vec<String>),
}

/// `ffmpeg:camera1#video=h264#height=360`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FfmpegSource {
    pub input: FfmpegInput,
    /// `#video=` values in order; empty means copy.
    pub video: Vec<String>,
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub rotate: Option<i32>,
    pub drawtext: Option<String>,
    pub bitrate: Option<String>,
    pub raw: Vec<String>,
    pub hardware: Option<String>,
    pub timeout: Option<Duration>,
}

/// `exec:ffmpeg -re -i file.mp4 -c copy -f h264 -`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecSource {
    /// Never goes through a shell.
    pub argv: Vec<String>,
}
