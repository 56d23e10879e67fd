//! A picture that a camera's web server gives (`image/jpeg`), fetched again and again.

use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, DuplexStream};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::config::Patience;
use crate::source::SourceError;
use crate::source::http::{Answer, Client};

/// Why no more pictures are fetched.
pub(super) enum End {
    /// What is there is no picture but a stream of them.
    Moves,
    Error(SourceError),
}

/// Writes the pictures as a `multipart` stream, in which each one's length is known, so that ffmpeg does not wait for the next one.
pub(super) async fn fetch(url: &str, every: Duration, patience: Patience, mut pipe: DuplexStream) -> End {
    let Some(mut client) = Client::new(url, patience.silence) else {
        return End::Error(SourceError::NotSupported { what: "this URL of a picture".to_owned() });
    };
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last: Option<Instant> = None;
    loop {
        ticks.tick().await;
        let answer = match client.get().await {
            Ok(answer) if answer.is_stream() => return End::Moves,
            Ok(answer) => picture(answer, &client.url()),
            Err(error) => Err(error),
        };
        match answer {
            Ok(answer) => {
                last = Some(Instant::now());
                let head = format!(
                    "--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
                    answer.body.len()
                );
                for part in [head.as_bytes(), &answer.body, b"\r\n"] {
                    if pipe.write_all(part).await.is_err() {
                        // ffmpeg is gone, which is said elsewhere.
                        return std::future::pending().await;
                    }
                }
            }
            // One that fails now and then is asked again.
            Err(error) if last.is_none_or(|last| last.elapsed() >= patience.silence) => {
                return End::Error(error);
            }
            Err(_) => {}
        }
    }
}

fn picture(answer: Answer, url: &str) -> Result<Answer, SourceError> {
    let url = url.to_owned();
    match answer.status {
        status @ 400..=599 => return Err(SourceError::Status { url, status }),
        200 if answer.body.starts_with(&[0xff, 0xd8]) => return Ok(answer),
        _ => {}
    }
    let reason =
        format!("expected a JPEG picture, found status {} with \"{}\"", answer.status, answer.content_type);
    Err(SourceError::Protocol { url, reason })
}
