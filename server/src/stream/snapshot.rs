//! The state of a stream at one moment, for the API and for metrics.

use std::time::Duration;

use crate::media::{Codec, Dimensions};

use super::{StreamError, StreamName, StreamState};

/// One of the sources of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerSnapshot {
    /// As in the config, with secrets masked.
    pub source: String,
    /// Whether it is running.
    pub active: bool,
    /// Who reads the camera in place of this server's RTSP client, and over which transport other than the configured one.
    pub via: Option<&'static str>,
}

#[derive(Debug, Clone)]
pub struct StreamSnapshot {
    pub name: StreamName,
    pub state: StreamState,
    pub producers: Vec<ProducerSnapshot>,
    pub viewers: usize,
    /// The codec of the present or last run.
    pub codec: Option<Codec>,
    pub dimensions: Option<Dimensions>,
    /// The size to show it in, where that is another one.
    pub display: Option<Dimensions>,
    /// Measured over the last seconds; zero when not live.
    pub fps: f64,
    /// Measured over the last seconds; zero when not live.
    pub bitrate_bps: u64,
    /// Of the last complete GOP: frames, and time from its key frame to the next.
    pub gop_frames: Option<u32>,
    pub gop_duration: Option<Duration>,
    pub last_frame_age: Option<Duration>,
    /// Why the last attempt failed; cleared by a key frame.
    pub error: Option<StreamError>,
    /// What the source sends that browsers cannot show, so that ffmpeg makes H.264 of it.
    pub transcoded: Option<String>,
    /// Since the server started.
    pub frames: u64,
    pub key_frames: u64,
    pub bytes: u64,
    /// Times the source was started again after it had failed.
    pub restarts: u64,
    /// Frames that viewers missed because they were too slow.
    pub frames_skipped: u64,
}
