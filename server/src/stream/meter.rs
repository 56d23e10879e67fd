//! What a stream needs of a viewer's link. A hub measures it; sessions read it without asking the hub.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::health::Health;
use crate::media::Codec;

/// What a stream needs. While the stream does not run, the figures of its last run; before the first, a guess.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Needs {
    /// Whether it has a key frame now, so that a viewer who subscribes gets a picture at once.
    pub is_live: bool,
    /// Of the present or last run, or as the config says it; `None` before it is known.
    pub codec: Option<Codec>,
    /// The size of its pictures, if it is known.
    pub pixels: Option<f64>,
    /// Whether its name says that it is its camera in another size, as `camera1-360p` does. `front-right` is no quality of
    /// `front-left`, whatever its size.
    pub is_sized: bool,
    pub bytes_per_second: f64,
    pub key_frame_bytes: usize,
    /// From one key frame to the next; `None` before the second one.
    pub gop: Option<Duration>,
}

impl Needs {
    /// What a stream needs whose pictures have this many pixels, or an unknown number of them, as ffmpeg makes it by default.
    pub fn guess(pixels: Option<f64>, is_sized: bool) -> Self {
        const BITS_PER_PIXEL: f64 = 0.07;
        const FPS: f64 = 30.0;
        const USUAL_PIXELS: f64 = 1280.0 * 720.0;
        let bytes_per_second = pixels.unwrap_or(USUAL_PIXELS) * FPS * BITS_PER_PIXEL / 8.0;
        let key_frame_bytes = (bytes_per_second / 4.0) as usize;
        Self { is_live: false, codec: None, pixels, is_sized, bytes_per_second, key_frame_bytes, gop: None }
    }

    /// Whether it is a quality of the same camera with smaller pictures than those of `other`, as far as is known.
    pub fn is_smaller_than(&self, other: &Self) -> bool {
        match (self.pixels, other.pixels) {
            (Some(pixels), Some(others)) => self.is_sized && pixels < others,
            (Some(_), None) => self.is_sized,
            (None, _) => false,
        }
    }

    /// The bytes per second of the key frames alone.
    pub fn key_frames_per_second(&self) -> f64 {
        const USUAL_GOP: Duration = Duration::from_secs(2);
        self.key_frame_bytes as f64 / self.gop.unwrap_or(USUAL_GOP).as_secs_f64().max(0.1)
    }
}

/// The measurement of one stream, shared by its hub and the sessions.
#[derive(Debug)]
pub(super) struct Meter(Mutex<Needs>);

impl Meter {
    pub(super) fn new(guess: Needs) -> Self {
        Self(Mutex::new(guess))
    }

    pub(super) fn get(&self) -> Needs {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, needs: Needs) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = needs;
    }

    /// Publishes what a stream with these figures needs of a viewer's link.
    pub(super) fn measure(&self, health: &Health, now: Instant) {
        let bits_per_second = health.needs(now);
        let known = self.get();
        let bytes_per_second = bits_per_second.map_or(known.bytes_per_second, |bits| bits as f64 / 8.0);
        let gop = health.gop.map(|(_, duration)| duration).or(known.gop);
        let key_frame_bytes = health.key_frame_bytes;
        let size = health.dimensions;
        let pixels = size.map(|size| f64::from(size.width) * f64::from(size.height)).or(known.pixels);
        let is_sized = known.is_sized;
        let codec = health.codec;
        self.set(Needs { is_live: true, codec, pixels, is_sized, bytes_per_second, key_frame_bytes, gop });
    }

    /// The stream has no key frame any more.
    pub(super) fn stopped(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_live = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_in_another_codec_is_no_smaller_one() {
        let unknown = Needs::guess(None, false);
        let small = Needs::guess(Some(640.0 * 360.0), true);
        assert!(small.is_smaller_than(&unknown), "the camera has not run yet");
        let measured = |pixels| Needs { pixels: Some(pixels), ..unknown };
        assert!(small.is_smaller_than(&measured(1280.0 * 720.0)));
        assert!(!measured(640.0 * 360.0).is_smaller_than(&unknown), "it may be the same size");
        assert!(!measured(640.0 * 360.0).is_smaller_than(&measured(640.0 * 360.0)));
        assert!(!unknown.is_smaller_than(&small));
        let other_camera = measured(640.0 * 360.0);
        assert!(!other_camera.is_smaller_than(&measured(1280.0 * 720.0)), "it is not named by its size");
    }
}
