//! Single pictures of streams, as JPEG: the newest key frame, decoded when somebody asks for it, at most once for each size, and kept
//! until there is a newer one.

mod kept;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub use self::kept::Wanted;
use self::kept::{Kept, Picture};
use crate::config::FfmpegConfig;
use crate::media::{Dimensions, Frame};
use crate::source::{self, SourceError};
use crate::stream::{Registry, StreamEvent, StreamName, StreamState};

/// How many pictures are decoded at the same time: each is a process that uses a core for a moment.
const DECODERS: usize = 2;
/// How many requests may wait, for a decoder or a camera.
const WAITING: usize = 32;
/// How long a decoder may take.
const DECODED_WITHIN: Duration = Duration::from_secs(10);
/// How long a request waits for the key frame of a stream that runs, …
const LIVE_WITHIN: Duration = Duration::from_secs(3);
/// … and of one that is started for it.
const STARTED_WITHIN: Duration = Duration::from_secs(20);
/// How long a request waits for those that came before it.
const TURN_WITHIN: Duration = Duration::from_secs(20);
/// How many events may wait: the first is all that is needed.
const ROOM: usize = 4;

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPicture {
    #[error("the stream does not run, since nobody watches it: ask with cold=1 to start it")]
    Idle,
    #[error("{0}")]
    Offline(String),
    #[error("the stream has sent no key frame yet: try again in a moment")]
    NoKeyFrame,
    #[error("too many pictures are asked for at once: try again in a moment")]
    Busy,
    #[error("the picture could not be decoded: {0}")]
    Failed(String),
}

/// The pictures of all streams.
#[derive(Debug)]
pub struct Snapshots {
    registry: Arc<Registry>,
    ffmpeg: FfmpegConfig,
    kept: Kept,
    decoders: Semaphore,
    waiting: Semaphore,
}

impl Snapshots {
    pub fn new(registry: Arc<Registry>, ffmpeg: FfmpegConfig) -> Self {
        let (decoders, waiting) = (Semaphore::new(DECODERS), Semaphore::new(WAITING));
        Self { registry, ffmpeg, kept: Kept::default(), decoders, waiting }
    }

    /// The newest picture. One that was made less than `cache` ago will do as well. A stream that does not run is started only if
    /// `cold` is set.
    pub async fn get(&self, wanted: Wanted, cache: Option<Duration>, cold: bool) -> Result<Bytes, NoPicture> {
        let _waiting = self.waiting.try_acquire().map_err(|_| NoPicture::Busy)?;
        let place = self.kept.place(&wanted, Instant::now());
        let mut kept = timeout(TURN_WITHIN, place.lock()).await.map_err(|_| NoPicture::Busy)?;
        if let (Some(picture), Some(cache)) = (&*kept, cache)
            && picture.made_at.elapsed() < cache
        {
            return Ok(picture.jpeg.clone());
        }
        let frame = self.key_frame(&wanted.stream, cold).await?;
        if let Some(picture) = kept.as_ref().filter(|picture| picture.of == frame.timestamp) {
            return Ok(picture.jpeg.clone());
        }
        let jpeg = self.decode(&frame, wanted.size).await?;
        *kept = Some(Picture { of: frame.timestamp, jpeg: jpeg.clone(), made_at: Instant::now() });
        Ok(jpeg)
    }

    /// The key frame that the stream has cached, or its first one.
    async fn key_frame(&self, name: &StreamName, cold: bool) -> Result<Arc<Frame>, NoPicture> {
        // A subscription to a stream that runs starts nothing, and is over before anybody misses anything.
        let runs = self.registry.needs(name).is_live;
        if !runs && !cold {
            return Err(self.why_not(name).await);
        }
        let mut events = self.registry.subscribe(name, ROOM).ok_or(NoPicture::Busy)?;
        let first = async {
            loop {
                match events.recv().await {
                    Some(StreamEvent::Gop(gop)) => {
                        if let Some(frame) = gop.first() {
                            return Ok(frame.clone());
                        }
                    }
                    Some(StreamEvent::Frame(frame)) if frame.keyframe => return Ok(frame),
                    Some(StreamEvent::Frame(_)) => {}
                    Some(StreamEvent::Offline(error)) => return Err(NoPicture::Offline(error.message)),
                    None => {
                        return Err(NoPicture::Offline(
                            "the stream was removed, or the server stops".to_owned(),
                        ));
                    }
                }
            }
        };
        let patience = if runs { LIVE_WITHIN } else { STARTED_WITHIN };
        timeout(patience, first).await.unwrap_or(Err(NoPicture::NoKeyFrame))
    }

    async fn why_not(&self, name: &StreamName) -> NoPicture {
        let snapshots = self.registry.snapshot().await;
        let Some(stream) = snapshots.into_iter().find(|stream| stream.name == *name) else {
            return NoPicture::Idle;
        };
        match (stream.state, stream.error) {
            (_, Some(error)) => NoPicture::Offline(error.message),
            (StreamState::Idle, None) => NoPicture::Idle,
            (_, None) => NoPicture::NoKeyFrame,
        }
    }

    async fn decode(&self, frame: &Frame, size: Option<Dimensions>) -> Result<Bytes, NoPicture> {
        let permit = timeout(TURN_WITHIN, self.decoders.acquire()).await;
        let Ok(Ok(_permit)) = permit else { return Err(NoPicture::Busy) };
        let picture = source::jpeg(&self.ffmpeg.bin, frame, size, DECODED_WITHIN).await;
        picture.map(Bytes::from).map_err(|error: SourceError| NoPicture::Failed(error.to_string()))
    }
}
