//! The input of ffmpeg on its stdin.

use tokio::io::{AsyncRead, AsyncWriteExt as _};
use tokio::process::ChildStdin;

use super::matroska;
use super::timeline::SharedTimeline;
use crate::media::Codec;
use crate::source::{Input, SourceError};

pub(super) enum Inlet {
    Nothing,
    Frames { stream: String, frames: Input },
    Bytes(Box<dyn AsyncRead + Send + Unpin>),
}

impl Inlet {
    pub(super) fn is_stdin(&self) -> bool {
        !matches!(self, Self::Nothing)
    }

    pub(super) fn is_stream(&self) -> bool {
        matches!(self, Self::Frames { .. })
    }

    /// Writes the input as fast as ffmpeg reads it. A slow ffmpeg does not block the sender, which skips to the next key frame
    /// when the queue is full. Returns why the input ended, or `None` if ffmpeg's own exit tells why.
    pub(super) async fn feed(
        self,
        pipe: Option<ChildStdin>,
        timeline: &SharedTimeline,
    ) -> Option<SourceError> {
        let Some(mut pipe) = pipe else { return std::future::pending().await };
        match self {
            Self::Nothing => std::future::pending().await,
            Self::Bytes(mut bytes) => {
                if tokio::io::copy(&mut bytes, &mut pipe).await.is_err() {
                    return None;
                }
                // At the end of its input ffmpeg flushes and exits.
                drop(pipe);
                std::future::pending().await
            }
            Self::Frames { stream, mut frames } => {
                let mut codec: Option<Codec> = None;
                loop {
                    let Some(frame) = frames.recv().await else {
                        return Some(input_down(&stream, "it stopped"));
                    };
                    match codec {
                        None => {
                            codec = Some(frame.codec);
                            if pipe.write_all(&matroska::header(frame.codec)).await.is_err() {
                                return None;
                            }
                        }
                        Some(codec) if codec != frame.codec => {
                            let change = format!("it changed from {codec} to {}", frame.codec);
                            return Some(input_down(&stream, &change));
                        }
                        Some(_) => {}
                    }
                    let ms = timeline.enter(frame.timestamp);
                    let Some(data) = frame.access_unit() else {
                        return Some(input_down(&stream, "a picture of it cannot be read"));
                    };
                    let before = matroska::before_unit(ms, frame.keyframe, data.len());
                    if pipe.write_all(&before).await.is_err() || pipe.write_all(&data).await.is_err() {
                        return None;
                    }
                }
            }
        }
    }
}

pub(super) fn input_down(stream: &str, reason: &str) -> SourceError {
    SourceError::InputDown { stream: stream.to_owned(), reason: reason.to_owned(), permanent: false }
}
