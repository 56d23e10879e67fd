//! Runs a source that reads another stream. It is a viewer of that stream, so a camera is pulled once for all of its variants.

use std::sync::{Arc, Weak};

use tokio::sync::mpsc;

use crate::config::{FfmpegConfig, Source};
use crate::media::Frame;
use crate::source::{self, Output, SourceError, Way};

use super::ladder::Running;
use super::transcoders::Encoding;
use super::{Registry, StreamError, StreamEvent, StreamName, Subscription};

/// How many frames may wait for the program that makes the variant: about a second of them.
const FRAMES: usize = 32;

/// Runs a source once, with the stream it reads, if it reads one. `counts` says whether it counts for the limit on ffmpeg.
pub(super) async fn run(
    name: StreamName,
    source: Source,
    way: Way,
    counts: bool,
    ffmpeg: Arc<FfmpegConfig>,
    registry: Weak<Registry>,
    output: Output,
) -> Result<(), SourceError> {
    let _encoding = counts.then(|| encode(&registry)).transpose()?;
    let Some(stream) = upstream(&source) else {
        return source::run_once(&source, &ffmpeg, way, None, output).await;
    };
    let down = |StreamError { message: reason, permanent }| SourceError::InputDown {
        stream: stream.to_owned(),
        reason,
        permanent,
    };
    let _running = count(&registry, &name)?;
    let subscription = subscribe(&registry, stream).map_err(|reason| down(for_now(reason)))?;
    let (frames, input) = mpsc::channel(FRAMES);
    let running = source::run_once(&source, &ffmpeg, way, Some(input), output);
    let feeding = feed(subscription, frames);
    tokio::pin!(running, feeding);
    tokio::select! {
        result = &mut running => result,
        reason = &mut feeding => {
            // The source's input is closed now, so the source ends by itself after its remaining pictures.
            let result = running.await;
            match reason {
                Some(reason) => Err(down(reason)),
                None => result,
            }
        }
    }
}

/// The name of the stream that the source reads, if it reads one.
fn upstream(source: &Source) -> Option<&str> {
    match source {
        Source::Ffmpeg(ffmpeg) => ffmpeg.upstream(),
        _ => None,
    }
}

/// Counts a variant of the ladder as running for as long as what is returned exists.
fn count(registry: &Weak<Registry>, name: &StreamName) -> Result<Option<Running>, SourceError> {
    let Some(registry) = registry.upgrade() else { return Ok(None) };
    if registry.ladder().rung(name).is_none() {
        return Ok(None);
    }
    registry.ladder().start(name).map(Some).map_err(|limit| SourceError::LadderFull { limit })
}

/// Counts an ffmpeg, for as long as what is returned exists.
fn encode(registry: &Weak<Registry>) -> Result<Option<Encoding>, SourceError> {
    let Some(registry) = registry.upgrade() else { return Ok(None) };
    registry.transcoders().start().map(Some).map_err(|limit| SourceError::TranscodersFull { limit })
}

fn subscribe(registry: &Weak<Registry>, stream: &str) -> Result<Subscription, String> {
    let registry = registry.upgrade().ok_or("the server is shutting down")?;
    let name = registry.resolve(stream, None).map_err(|error| error.to_string())?;
    registry.feed(&name, FRAMES).ok_or_else(|| "it has too many viewers that come at once".to_owned())
}

/// Passes frames on until the stream is offline (returns why) or the source has ended (`None`).
async fn feed(mut subscription: Subscription, frames: mpsc::Sender<Arc<Frame>>) -> Option<StreamError> {
    let mut last: Option<Arc<Frame>> = None;
    while let Some(event) = subscription.recv().await {
        let next: &[Arc<Frame>] = match &event {
            StreamEvent::Gop(gop) => gop,
            StreamEvent::Frame(frame) => std::slice::from_ref(frame),
            StreamEvent::Offline(error) => return Some(error.clone()),
        };
        for frame in next {
            if let Some(last) = &last {
                if frame.codec != last.codec {
                    return Some(for_now(format!("it went from {} to {}", last.codec, frame.codec)));
                }
                // A repeated GOP begins with frames that were already passed on.
                if frame.timestamp <= last.timestamp {
                    continue;
                }
            }
            if frames.send(Arc::clone(frame)).await.is_err() {
                return None;
            }
            last = Some(Arc::clone(frame));
        }
    }
    Some(for_now("the server is shutting down".to_owned()))
}

/// An error that may pass by itself.
fn for_now(message: String) -> StreamError {
    StreamError { permanent: false, message }
}
