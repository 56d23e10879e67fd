//! Whether each stream gives pictures, and what of them makes switching slow or impossible.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::Findings;
use crate::config::{Config, Known, Source};
use crate::media::Codec;
use crate::source::{self, Sound};
use crate::stream::{Registry, StreamSnapshot, StreamState};

/// How many streams are tried at the same time: each may be an ffmpeg.
const AT_ONCE: usize = 4;
/// How long a stream may take for its pictures and two key frames.
const PATIENCE: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// With key frames further apart a viewer of a stream that was not running waits, and its cache is large.
const LONG_GOP: Duration = Duration::from_secs(5);

/// Tries the streams of the config but those of the ladder, or one of them. Cameras are pulled for some seconds, beside the server
/// that may run.
pub(super) async fn examine(config: &Config, only: Option<&str>) -> Findings {
    let mut findings = Findings::default();
    let is_meant = |name: &str| only.is_none_or(|only| only == name);
    let streams = config.streams.iter().filter(|stream| stream.ladder_rung().is_none());
    let names: Vec<&str> = streams.map(|stream| &*stream.name).filter(|name| is_meant(name)).collect();
    if let Some(only) = only.filter(|_| names.is_empty()) {
        findings.add(Err(format!("streams: there is no stream {only}")));
    }
    let registry = Registry::new(config);
    for names in names.chunks(AT_ONCE) {
        let resolved: Vec<_> = names.iter().filter_map(|name| registry.resolve(name, None).ok()).collect();
        let running: Vec<_> = resolved.iter().filter_map(|name| registry.keep_running(name)).collect();
        let deadline = Instant::now() + PATIENCE;
        let tried = loop {
            let mut tried = registry.snapshot().await;
            tried.retain(|stream| resolved.contains(&stream.name));
            if tried.iter().all(is_known) || Instant::now() >= deadline {
                break tried;
            }
            sleep(LOOK_EVERY).await;
        };
        let sounds = join_all(tried.iter().map(|stream| sound(config, stream))).await;
        drop(running);
        for (stream, sound) in tried.iter().zip(&sounds) {
            let line = |what: String| format!("streams.{}: {}", stream.name, Known(&what));
            findings.add(described(config, stream, sound.as_ref()).map(line).map_err(line));
        }
    }
    registry.shutdown().await;
    findings
}

/// Whether nothing more is to be learnt of it.
fn is_known(stream: &StreamSnapshot) -> bool {
    match stream.state {
        StreamState::Live => stream.gop_duration.is_some(),
        StreamState::Offline => true,
        StreamState::Idle | StreamState::Starting => stream.producers.is_empty(),
    }
}

/// The source that gives the stream's pictures.
fn running<'a>(config: &'a Config, stream: &StreamSnapshot) -> Option<&'a Source> {
    let of_stream = config.streams.iter().find(|known| *known.name == *stream.name.as_str())?;
    let active = stream.producers.iter().position(|producer| producer.active)?;
    of_stream.sources.get(active)
}

async fn sound(config: &Config, stream: &StreamSnapshot) -> Option<Sound> {
    let source = running(config, stream).filter(|_| stream.state == StreamState::Live)?;
    source::sound(source, &config.ffmpeg).await
}

/// What to change where key frames are too far apart: where the pictures are made.
fn key_frame_advice(config: &Config, source: Option<&Source>) -> String {
    const WHAT: &str = "set the key frame interval";
    match source {
        Some(Source::Ffmpeg(source)) if !source.copies() => {
            let video = source.video.first().map_or("h264", |video| video);
            match config.ffmpeg.template(video) {
                Some(_) => format!("{WHAT} (-g) in ffmpeg.{video} to the pictures of 2 s"),
                None => format!("{WHAT} (-g) in #video= to the pictures of 2 s"),
            }
        }
        Some(Source::Exec(_)) => format!("{WHAT} of its program to 2 s (ffmpeg: -g)"),
        _ => format!("{WHAT} (GOP, I-frame interval) of the camera to 2 s"),
    }
}

/// What browsers cannot show, so that ffmpeg makes H.264 of it, and how that is avoided.
fn transcoded(what: &str) -> String {
    let advice = match what {
        "B-frames" => {
            "switch B-frames off in the camera (profile Baseline or Main, B-frames 0, no \"smart\" coding)"
        }
        _ => "set H.264, 8 bits and 4:2:0 in the camera",
    };
    format!(
        "it sends {what}, which browsers cannot show: ffmpeg encodes it again, which takes CPU time; to avoid that, {advice}"
    )
}

fn described(config: &Config, stream: &StreamSnapshot, sound: Option<&Sound>) -> Result<String, String> {
    if stream.producers.is_empty() {
        return Err("it has no source: write where its pictures come from".to_owned());
    }
    if stream.state != StreamState::Live {
        let silence = || format!("no picture within {} s", PATIENCE.as_secs());
        return Err(stream.error.as_ref().map_or_else(silence, |error| error.message.clone()));
    }
    let interval = key_frame_advice(config, running(config, stream));
    let key_frames = match stream.gop_duration {
        None => format!("no second key frame within {} s: {interval}", PATIENCE.as_secs()),
        Some(gop) if gop > LONG_GOP => format!("a key frame every {:.1} s: {interval}", gop.as_secs_f64()),
        Some(gop) => format!("a key frame every {:.1} s", gop.as_secs_f64()),
    };
    let is_h265 = stream.codec == Some(Codec::H265);
    let name = &stream.name;
    let advice = format!("not every browser decodes H.265: add {name}-h264: ffmpeg:{name}#video=h264");
    let what = [
        stream.codec.map(|codec| codec.to_string()),
        stream.dimensions.map(|size| format!("{}x{}", size.width, size.height)),
        Some(format!("{:.0} pictures per second", stream.fps)),
        Some(key_frames),
        is_h265.then_some(advice),
        stream.transcoded.as_deref().map(transcoded),
        sound.map(|sound| match sound {
            Sound::None => "no sound".to_owned(),
            Sound::Codec(codec) => format!("sound in {codec}, which is not sent to viewers"),
        }),
    ];
    Ok(what.into_iter().flatten().collect::<Vec<_>>().join(", "))
}
