//! `multistream.ladder`: sizes in which every camera can be shown without a stream in the config for each.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use crate::config::problem::{Report, quoted};
use crate::config::qualities;
use crate::config::reader::Field;
use crate::config::{FfmpegInput, FfmpegSource, MultistreamConfig, Source, StreamConfig};

const HEIGHTS: RangeInclusive<u32> = 90..=2160;

/// The heights in the order of the file.
pub(super) fn read(field: &Field<'_>, report: &mut Report) -> Vec<u32> {
    let mut heights = Vec::new();
    for item in field.items() {
        let expected = "heights such as [720p, 360p], each an even number from 90p to 2160p";
        let Some(height) = item.parse(report, expected, height) else { continue };
        if heights.contains(&height) {
            item.error(report, format!("{} is there twice", quoted(&format!("{height}p"))));
        } else {
            heights.push(height);
        }
    }
    heights
}

/// H.264 pictures have even heights.
fn height(text: &str) -> Option<u32> {
    pixels(text).filter(|height| HEIGHTS.contains(height) && height.is_multiple_of(2))
}

/// `720p` → 720
fn pixels(quality: &str) -> Option<u32> {
    let digits = quality.strip_suffix('p')?;
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Adds `CAMERA-720p` behind every camera, for each height, unless the config has a stream of that name.
pub(super) fn add(streams: &mut Vec<StreamConfig>, multistream: &MultistreamConfig) {
    let names: HashSet<String> = streams.iter().map(|stream| stream.name.clone()).collect();
    let qualities = qualities::of(streams, &multistream.qualities);
    // A stream with qualities of its own is a camera.
    let cameras: HashSet<String> = qualities.iter().flatten().map(|(camera, _)| camera.clone()).collect();
    let mut all = Vec::with_capacity(streams.len());
    for (stream, quality) in streams.drain(..).zip(qualities) {
        let camera = stream.name.clone();
        let has_pictures = stream.sources.iter().any(|source| !matches!(source, Source::Unsupported(_)));
        all.push(stream);
        if !has_pictures || quality.is_some() && !cameras.contains(&camera) {
            continue;
        }
        for &height in &multistream.ladder {
            let name = format!("{camera}-{height}p");
            if !names.contains(&name) {
                all.push(StreamConfig { name, sources: vec![variant(&camera, height)] });
            }
        }
    }
    *streams = all;
}

fn variant(camera: &str, height: u32) -> Source {
    let mut source = FfmpegSource::new(FfmpegInput::Stream(camera.to_owned()));
    source.video.push("h264".to_owned());
    source.height = i32::try_from(height).ok();
    source.from_ladder = true;
    Source::Ffmpeg(source)
}
