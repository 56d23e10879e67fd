//! The qualities of a stream with their sizes, from which a client chooses the one that fits its tile.
//!
//! The size of a picture is known once its stream has run. Before that it is derived from the config: from the size that an
//! ffmpeg source scales to, or from a quality's name such as `720p`.

use multistream_protocol::api::Variant;

use crate::config::{Config, Rotation, Source};

use super::stand_ins::codec_of;
use super::{Needs, Registry, StreamSnapshot};

type Size = (Option<u32>, Option<u32>);

/// The variants of `stream` that can be shown now, in the order of its qualities. Those of `multistream.ladder` are left out
/// where they are no smaller than the camera, and while they would be refused.
pub fn of(stream: &str, registry: &Registry, config: &Config, snapshots: &[StreamSnapshot]) -> Vec<Variant> {
    let variant = |quality: String| {
        let name = registry.resolve(stream, Some(&quality)).ok()?;
        if !registry.is_offered(&name) || !registry.admits(&name) {
            return None;
        }
        let seen = snapshots.iter().find(|snapshot| snapshot.name == name)?.dimensions;
        let (width, height) = seen
            .map(|size| (Some(size.width), Some(size.height)))
            .or_else(|| scaled_to(config, name.as_str()))
            .unwrap_or_else(|| (None, height_in(&quality)));
        Some(Variant { stream: name.to_string(), quality, width, height })
    };
    registry.qualities(stream).into_iter().filter_map(variant).collect()
}

/// What a stream needs of a link, as long as it has not run.
pub(super) fn guess(config: &Config, name: &str) -> Needs {
    let wide = |height: u32| f64::from(height) * f64::from(height) * 16.0 / 9.0;
    let named = name.rsplit_once('-').and_then(|(_, quality)| height_in(quality));
    let pixels = match scaled_to(config, name) {
        Some((Some(width), Some(height))) => Some(f64::from(width) * f64::from(height)),
        Some((Some(width), None)) => Some(f64::from(width) * f64::from(width) * 9.0 / 16.0),
        Some((None, Some(height))) => Some(wide(height)),
        Some((None, None)) | None => named.map(wide),
    };
    let codec = config.streams.iter().find(|stream| stream.name == name).and_then(codec_of);
    Needs { codec, ..Needs::guess(pixels, named.is_some()) }
}

/// The size that the first source of the stream scales its pictures to.
fn scaled_to(config: &Config, stream: &str) -> Option<Size> {
    let stream = config.streams.iter().find(|known| known.name == stream)?;
    let Source::Ffmpeg(source) = stream.sources.first()? else { return None };
    // In ffmpeg a side that is not positive follows the other.
    let pixels_of =
        |pixels: Option<i32>| pixels.and_then(|pixels| u32::try_from(pixels).ok()).filter(|&it| it > 0);
    let (width, height) = match (pixels_of(source.width), pixels_of(source.height)) {
        (None, None) => return None,
        both => both,
    };
    // ffmpeg rotates the picture after it has scaled it.
    match source.rotate {
        Some(Rotation::Quarter | Rotation::ThreeQuarters) => Some((height, width)),
        Some(Rotation::Half) | None => Some((width, height)),
    }
}

/// `720p` → 720; `None` for other names.
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
    fn the_size_of_an_ffmpeg_source_is_the_size_it_scales_to() {
        assert_eq!(scaled("ffmpeg:b#video=h264#height=360"), Some((None, Some(360))));
        assert_eq!(scaled("ffmpeg:b#video=h264#width=640#height=360"), Some((Some(640), Some(360))));
        assert_eq!(scaled("ffmpeg:b#video=h264#width=640#height=-1"), Some((Some(640), None)));
        assert_eq!(scaled("ffmpeg:b#video=h264"), None);
        assert_eq!(scaled("rtsp://127.0.0.1/b#height=360"), None);
    }

    #[test]
    fn rotation_by_90_degrees_swaps_width_and_height() {
        assert_eq!(scaled("ffmpeg:b#video=h264#height=360#rotate=90"), Some((Some(360), None)));
        assert_eq!(scaled("ffmpeg:b#video=h264#height=360#rotate=180"), Some((None, Some(360))));
    }

    #[test]
    fn only_a_name_like_720p_gives_a_height() {
        assert_eq!(height_in("720p"), Some(720));
        for other in ["native", "sub", "p", "hd720p", "-1p"] {
            assert_eq!(height_in(other), None, "{other}");
        }
    }
}
