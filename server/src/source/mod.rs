//! Sources pull pictures from a camera or a program, once, until they fail. The hub retries them.

mod by_ffmpeg;
mod error;
mod exec;
mod ffmpeg;
pub(crate) mod fuzzing;
pub mod guardian;
mod http;
mod ivf;
mod onvif;
mod process;
mod rtsp;
mod sound;
mod status;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::config::{FfmpegConfig, RtspVia, Source};
use crate::media::{AccessUnit, Dimensions, Frame};

pub use by_ffmpeg::{Way, as_h264, copied};
pub use error::SourceError;
pub use ffmpeg::report as hardware_report;
pub use sound::{Sound, sound};

/// The sender of a source's access units.
///
/// Closing the receiver stops the source: it then frees what it holds (the camera's session, its child process) and returns
/// within a second or two. Timestamps are the source's own and may start anywhere, wrap at 32 bits and jump; the hub places
/// them on the server's timeline.
pub type Output = mpsc::Sender<AccessUnit>;

/// The frames of another stream for a source that reads one, oldest first. They begin with a key frame, and frames are missing
/// only before a key frame. It is closed when that stream is offline.
pub type Input = mpsc::Receiver<Arc<Frame>>;

/// Runs a task of a source on threads of the sources' own: a camera that sends garbage as fast as the network carries it takes no
/// thread from the viewers.
pub fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let runtime =
        RUNTIME.get_or_init(|| Builder::new_multi_thread().thread_name("sources").enable_all().build().ok());
    match runtime {
        Some(runtime) => runtime.spawn(task),
        // The system gives no more threads: better on those that there are than not at all.
        None => tokio::spawn(task),
    }
}

/// Decodes a key frame, scales it if a size is given (where a side is zero it follows the other), and returns it as JPEG. It is given
/// up after `patience`.
pub async fn jpeg(
    bin: &str,
    frame: &Frame,
    size: Option<Dimensions>,
    patience: Duration,
) -> Result<Vec<u8>, SourceError> {
    ffmpeg::jpeg(bin, frame, size, patience).await
}

/// Runs a source until it fails, ends (`Ok`) or its output is closed (`Ok`).
pub async fn run_once(
    source: &Source,
    config: &FfmpegConfig,
    way: Way,
    input: Option<Input>,
    output: Output,
) -> Result<(), SourceError> {
    let patience = source.patience(config);
    let made = if way == Way::AsH264 { as_h264(source) } else { None };
    let source = made.as_ref().unwrap_or(source);
    match source {
        Source::Rtsp(source) if source.via == RtspVia::Ffmpeg => {
            ffmpeg::run_once(&copied(source), config, patience, input, output).await
        }
        Source::Rtsp(source) => rtsp::run_once(source, patience, output).await,
        Source::Onvif(source) => {
            let camera = tokio::select! {
                camera = onvif::camera(source, patience) => Source::Rtsp(camera?),
                () = output.closed() => return Ok(()),
            };
            Box::pin(run_once(&camera, config, way, None, output)).await
        }
        Source::Ffmpeg(source) => ffmpeg::run_once(source, config, patience, input, output).await,
        Source::Exec(source) if source.names_source => {
            let named = exec::named(source, config, patience).await?;
            Box::pin(run_once(&named, config, way, None, output)).await
        }
        Source::Exec(source) => exec::run_once(source, config, patience, way, output).await,
        Source::Unsupported(source) => Err(SourceError::Unusable { reason: source.reason.clone() }),
    }
}

/// The source as its line in the config says it, secrets masked.
pub fn describe(source: &Source) -> String {
    source.to_string()
}
