//! Evaluates the recorded pictures of a tile around one switch. Pure: pictures in, figures out.

use serde::Deserialize;

/// The frame rate of the test cameras (`e2e/cameras`).
const FPS: f64 = 30.0;
const FRAME_MS: f64 = 1000.0 / FPS;

/// A picture as the browser recorded it (`bench/browser/probe.mjs`).
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Picture {
    /// When the page was told of it, ms since the page began.
    pub(crate) t: f64,
    /// How many pictures the tile has presented so far.
    presented: u64,
    width: u32,
    /// From the barcode; `None` if that could not be read.
    pub(crate) camera: Option<u8>,
    frame: Option<u16>,
}

/// The pictures of one tile around one switch.
#[derive(Debug, Deserialize)]
pub(crate) struct Tile {
    from: Shown,
    to: Shown,
    /// When the switch was asked for, ms since the page began.
    requested: f64,
    /// When the page began, ms since 1970.
    origin: f64,
    pictures: Vec<Picture>,
}

#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
pub(crate) struct Shown {
    camera: u8,
    quality: Option<String>,
}

/// The properties of the cameras' streams that the evaluation needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Footage {
    /// The width of the cameras' native pictures; a variant is narrower.
    native_width: u32,
    /// Frames until a camera's loop starts again: frame `k` is sent when `floor(unix_time * fps) % frames` is `k`.
    loop_frames: f64,
    /// How many frames older than before the switch a picture may be that counts as live.
    lag_frames: f64,
}

impl Footage {
    /// The footage of a camera with a key frame every `gop_s` seconds. Its loop has whole GOPs and takes at least ten seconds.
    pub(crate) fn new(native_width: u32, gop_s: f64) -> Self {
        let gop_frames = gop_s * FPS;
        Self { native_width, loop_frames: gop_frames * (10.0 * FPS / gop_frames).ceil(), lag_frames: 1.0 }
    }

    /// The same, had by something that lets it fall so many frames behind.
    pub(crate) fn behind(self, lag_frames: f64) -> Self {
        Self { lag_frames, ..self }
    }

    /// How old a picture is at its video frame callback, in ms, by its frame number. `origin` is as in [`Tile`].
    fn age(self, picture: &Picture, origin: f64) -> Option<f64> {
        let sent_by_now = (origin + picture.t) / 1000.0 * FPS;
        let behind = (sent_by_now - f64::from(picture.frame?)).rem_euclid(self.loop_frames);
        Some(behind * FRAME_MS)
    }
}

/// The pictures of one tile that is not switched.
#[derive(Debug, Deserialize)]
pub(crate) struct Watched {
    /// When the page began, ms since 1970.
    origin: f64,
    pictures: Vec<Picture>,
}

impl Watched {
    /// The age of each picture in ms.
    pub(crate) fn ages(&self, footage: Footage) -> impl Iterator<Item = f64> {
        self.pictures.iter().filter_map(move |picture| footage.age(picture, self.origin))
    }

    pub(crate) fn count(&self) -> usize {
        self.pictures.len()
    }

    /// The time and the age, in ms, of each picture since `from`.
    pub(crate) fn ages_after(&self, from: f64, footage: Footage) -> impl Iterator<Item = (f64, f64)> {
        let since = self.pictures.iter().filter(move |picture| picture.t >= from);
        since.filter_map(move |picture| Some((picture.t, footage.age(picture, self.origin)?)))
    }

    /// The times without a picture between `from` and `to`: when each ended, and how long it was, in ms.
    pub(crate) fn gaps(&self, from: f64, to: f64) -> impl Iterator<Item = (f64, f64)> {
        let times = || self.pictures.iter().map(|picture| picture.t).filter(move |t| (from..=to).contains(t));
        std::iter::once(from).chain(times()).zip(times().chain([to])).map(|(start, end)| (end, end - start))
    }

    /// The first moment from `from` on after which a second of native pictures comes at `fps` or more.
    pub(crate) fn whole_from(&self, from: f64, fps: f64, footage: Footage) -> Option<f64> {
        const SECOND_MS: f64 = 1000.0;
        let native: Vec<f64> = self
            .pictures
            .iter()
            .filter(|picture| picture.t >= from && picture.width == footage.native_width)
            .map(|picture| picture.t)
            .collect();
        let within = |start: f64| native.iter().filter(|t| (start..start + SECOND_MS).contains(t)).count();
        native.iter().copied().find(|start| within(*start) as f64 >= fps)
    }

    /// Pictures that were presented per second.
    pub(crate) fn fps(&self) -> f64 {
        let [first, .., last] = &self.pictures[..] else { return 0.0 };
        (last.presented - first.presented) as f64 / (last.t - first.t) * 1000.0
    }
}

/// The outcome of one switch on one tile. Times are in ms since it was requested.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outcome {
    /// First picture of the new stream.
    pub(crate) first_frame: f64,
    /// First picture whose age exceeds the median age before the switch by at most one frame, or by what the footage falls behind.
    pub(crate) live: f64,
    /// Longest time without a picture, from the last one before the switch on.
    pub(crate) longest_gap: f64,
    /// Age of the picture, by its frame number: median before and after.
    pub(crate) latency_before: f64,
    pub(crate) latency_after: f64,
    /// Pictures of neither the old nor the new stream, or of the old one after the new one.
    pub(crate) wrong_frames: u64,
    /// Frame numbers that were never presented after the tile was live.
    pub(crate) frames_lost: u64,
}

impl Tile {
    /// `None` if the switch failed: the new stream never came, or never became live.
    pub(crate) fn outcome(&self, footage: Footage) -> Option<Outcome> {
        let (before, after): (Vec<&Picture>, Vec<&Picture>) =
            self.pictures.iter().partition(|picture| picture.t < self.requested);
        let latency_before = median(before.iter().filter_map(|picture| self.age(picture, footage)))?;
        let first = after.iter().position(|picture| shows(picture, &self.to, footage))?;
        let (waiting, shown) = after.split_at(first);
        let live = shown.iter().position(|picture| {
            self.age(picture, footage)
                .is_some_and(|age| age <= latency_before + footage.lag_frames * FRAME_MS)
        })?;
        let is_old = |picture: &&&Picture| !shows(picture, &self.from, footage);
        let is_foreign = |picture: &&&Picture| !shows(picture, &self.to, footage);
        let wrong = waiting.iter().filter(is_old).count() + shown.iter().filter(is_foreign).count();
        let from_last_before = before.last().into_iter().chain(&after);
        let gaps = from_last_before.clone().zip(from_last_before.skip(1)).map(|(a, b)| b.t - a.t);
        let steady = &shown[live..];
        Some(Outcome {
            first_frame: shown[0].t - self.requested,
            live: steady[0].t - self.requested,
            longest_gap: gaps.fold(0.0, f64::max),
            latency_before,
            latency_after: median(steady.iter().filter_map(|picture| self.age(picture, footage)))?,
            wrong_frames: wrong as u64,
            frames_lost: lost(steady, footage),
        })
    }

    fn age(&self, picture: &Picture, footage: Footage) -> Option<f64> {
        footage.age(picture, self.origin)
    }
}

fn shows(picture: &Picture, stream: &Shown, footage: Footage) -> bool {
    picture.camera == Some(stream.camera)
        && (picture.width == footage.native_width) == stream.quality.is_none()
}

/// A page may get one callback for two pictures, so a frame number that it missed is lost only if `presented` did not count it.
fn lost(pictures: &[&Picture], footage: Footage) -> u64 {
    let skipped = |(a, b): (&&Picture, &&Picture)| {
        let frames = (f64::from(b.frame?) - f64::from(a.frame?)).rem_euclid(footage.loop_frames);
        Some((frames as u64).saturating_sub(b.presented - a.presented))
    };
    pictures.iter().zip(pictures.iter().skip(1)).filter_map(skipped).sum()
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOOTAGE: Footage = Footage { native_width: 640, loop_frames: 300.0, lag_frames: 1.0 };
    const LATENCY_FRAMES: u16 = 2;

    /// Frame `number` of a camera, `late` frames behind the usual latency.
    fn picture(number: u16, camera: u8, late: u16) -> Picture {
        let t = f64::from(number) * FRAME_MS;
        let frame = number.checked_sub(LATENCY_FRAMES + late);
        Picture { t, presented: u64::from(number), width: 640, camera: Some(camera), frame }
    }

    /// Camera 1 until frame 30, then `after`, which is requested right after frame 30.
    fn tile(after: impl IntoIterator<Item = Picture>) -> Tile {
        let mut pictures: Vec<Picture> = (10..=30).map(|number| picture(number, 1, 0)).collect();
        pictures.extend(after);
        let shown = |camera| Shown { camera, quality: None };
        Tile { from: shown(1), to: shown(2), requested: 30.0 * FRAME_MS + 1.0, origin: 0.0, pictures }
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 0.01
    }

    #[test]
    fn a_switch_within_one_frame_is_live_at_once() {
        let outcome = tile((31..60).map(|n| picture(n, 2, 0))).outcome(FOOTAGE).expect("a switch");
        assert!(near(outcome.first_frame, FRAME_MS - 1.0) && near(outcome.live, FRAME_MS - 1.0));
        assert!(near(outcome.longest_gap, FRAME_MS));
        assert!(near(outcome.latency_before, outcome.latency_after));
        assert_eq!((outcome.wrong_frames, outcome.frames_lost), (0, 0));
    }

    #[test]
    fn catching_up_ends_when_the_age_of_the_picture_is_as_before() {
        let catching_up = [(31, 9), (32, 5), (33, 2), (34, 0)].map(|(n, late)| picture(n, 2, late));
        let tile = tile(catching_up.into_iter().chain((35..60).map(|n| picture(n, 2, 0))));
        let outcome = tile.outcome(FOOTAGE).expect("a switch");
        assert!(near(outcome.first_frame, FRAME_MS - 1.0));
        assert!(near(outcome.live, 4.0 * FRAME_MS - 1.0));
    }

    #[test]
    fn a_switch_after_which_the_latency_stays_higher_is_failed() {
        assert_eq!(tile((31..60).map(|n| picture(n, 2, 5))).outcome(FOOTAGE), None);
    }

    #[test]
    fn a_picture_of_a_third_camera_and_an_old_one_after_the_new_are_wrong() {
        let after = [(31, 7), (32, 1), (33, 2), (34, 1), (35, 2)].map(|(n, camera)| picture(n, camera, 0));
        assert_eq!(tile(after).outcome(FOOTAGE).expect("a switch").wrong_frames, 2);
    }

    #[test]
    fn a_picture_whose_barcode_cannot_be_read_is_wrong() {
        let torn = Picture { camera: None, frame: None, ..picture(32, 2, 0) };
        let outcome = tile([picture(31, 2, 0), torn, picture(33, 2, 0)]).outcome(FOOTAGE).expect("a switch");
        assert_eq!(outcome.wrong_frames, 1);
    }

    #[test]
    fn a_frame_presented_without_a_callback_is_not_lost_and_one_not_presented_is() {
        let numbers = [31, 33, 34, 36];
        let mut after = numbers.map(|n| picture(n, 2, 0));
        assert_eq!(tile(after.clone()).outcome(FOOTAGE).expect("a switch").frames_lost, 0);
        after[3].presented = 35;
        assert_eq!(tile(after).outcome(FOOTAGE).expect("a switch").frames_lost, 1);
    }

    #[test]
    fn a_variant_is_known_by_its_width() {
        let mut tile = tile((31..60).map(|n| Picture { width: 320, ..picture(n, 1, 0) }));
        tile.to = Shown { camera: 1, quality: Some("180p".to_owned()) };
        assert_eq!(tile.outcome(FOOTAGE).expect("a switch").wrong_frames, 0);
    }

    #[test]
    fn a_tile_that_is_not_switched_has_a_latency_and_a_frame_rate() {
        let pictures =
            (10..=40).filter(|number| number % 3 > 0).map(|number| picture(number, 1, 0)).collect();
        let watched = Watched { origin: 0.0, pictures };
        assert!(watched.ages(FOOTAGE).all(|age| near(age, f64::from(LATENCY_FRAMES) * FRAME_MS)));
        assert!(near(watched.fps(), FPS), "one that the page was not told of was presented all the same");
    }

    #[test]
    fn a_camera_that_never_comes_is_a_failed_switch() {
        assert_eq!(tile((31..60).map(|n| picture(n, 1, 0))).outcome(FOOTAGE), None);
    }
}
