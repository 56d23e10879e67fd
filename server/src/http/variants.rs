//! The qualities a stream can be had in, with their sizes: what a client picks from that fits the quality to its tile.
//!
//! The size of a picture is certain once its stream has run. Before that the config promises one: by the size its ffmpeg
//! source scales to, or by the quality's name, for whoever calls a variant `720p` means it.

use multistream_protocol::api::Variant;

use crate::config::{Config, Rotation, Source};
use crate::stream::{Registry, StreamSnapshot};

type Size = (Option<u32>, Option<u32>);

/// Of `stream`, in the order of its qualities.
pub(super) fn of(
    stream: &str,
    registry: &Registry,
    config: &Config,
    snapshots: &[StreamSnapshot],
) -> Vec<Variant> {
    let variant = |quality: String| {
        let name = registry.resolve(stream, Some(&quality)).ok()?;
        let seen = snapshots.iter().find(|snapshot| snapshot.name == name)?.dimensions;
        let (width, height) = seen
            .map(|size| (Some(size.width), Some(size.height)))
            .or_else(|| scaled_to(config, name.as_str()))
            .unwrap_or_else(|| (None, height_in(&quality)));
        Some(Variant { stream: name.to_string(), quality, width, height })
    };
    registry.qualities(stream).into_iter().filter_map(variant).collect()
}

/// The size that the first source of the stream scales its pictures to.
fn scaled_to(config: &Config, stream: &str) -> Option<Size> {
    let stream = config.streams.iter().find(|known| known.name == stream)?;
    let Source::Ffmpeg(source) = stream.sources.first()? else { return None };
    // ffmpeg takes what is not positive as "follows the other side".
    let pixels_of =
        |pixels: Option<i32>| pixels.and_then(|pixels| u32::try_from(pixels).ok()).filter(|&it| it > 0);
    let (width, height) = match (pixels_of(source.width), pixels_of(source.height)) {
        (None, None) => return None,
        both => both,
    };
    // It turns the picture after it has scaled it.
    match source.rotate {
        Some(Rotation::Quarter | Rotation::ThreeQuarters) => Some((height, width)),
        Some(Rotation::Half) | None => Some((width, height)),
    }
}

/// `720p` → 720. Other names promise nothing.
fn height_in(quality: &str) -> Option<u32> {
    quality.strip_suffix('p')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(source: &str) -> Option<Size> {
        let (config, _) = Config::parse("test.yaml", &format!("streams:\n  a: {source}"), &|_| None)
            .expect("the config is fine");
        scaled_to(&config, "a")
    }

    #[test]
    fn an_ffmpeg_source_promises_the_size_it_scales_to() {
        assert_eq!(scaled("ffmpeg:b#video=h264#height=360"), Some((None, Some(360))));
        assert_eq!(scaled("ffmpeg:b#video=h264#width=640#height=360"), Some((Some(640), Some(360))));
        assert_eq!(scaled("ffmpeg:b#video=h264#width=640#height=-1"), Some((Some(640), None)));
        assert_eq!(scaled("ffmpeg:b#video=h264"), None);
        assert_eq!(scaled("rtsp://127.0.0.1/b#height=360"), None);
    }

    #[test]
    fn a_picture_that_is_turned_on_its_side_is_as_wide_as_it_was_high() {
        assert_eq!(scaled("ffmpeg:b#video=h264#height=360#rotate=90"), Some((Some(360), None)));
        assert_eq!(scaled("ffmpeg:b#video=h264#height=360#rotate=180"), Some((None, Some(360))));
    }

    #[test]
    fn only_a_name_that_is_a_height_promises_one() {
        assert_eq!(height_in("720p"), Some(720));
        for other in ["native", "sub", "p", "hd720p", "-1p"] {
            assert_eq!(height_in(other), None, "{other}");
        }
    }
}
