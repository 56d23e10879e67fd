//! What sound a source has beside its pictures. It is not sent to viewers, so this is asked only by `multistream doctor`.

use crate::config::{FfmpegConfig, Source};

use super::{ffmpeg, onvif, rtsp};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sound {
    None,
    /// The codec, as the camera or ffmpeg names it.
    Codec(String),
}

/// Asks a camera, or ffmpeg, which opens the source once more. `None` where that cannot be told: a program's output, another
/// stream, and whatever does not answer.
pub async fn sound(source: &Source, config: &FfmpegConfig) -> Option<Sound> {
    let patience = source.patience(config);
    let codec = match source {
        Source::Rtsp(source) => rtsp::sound(source, patience).await.ok()?,
        Source::Onvif(source) => {
            let source = onvif::camera(source, patience).await.ok()?;
            rtsp::sound(&source, patience).await.ok()?
        }
        Source::Ffmpeg(source) => ffmpeg::sound(source, config, patience.start).await?.ok()?,
        Source::Exec(_) | Source::Unsupported(_) => return None,
    };
    Some(codec.map_or(Sound::None, Sound::Codec))
}
