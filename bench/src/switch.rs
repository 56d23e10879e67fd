//! `switch` and `cold`: six tiles in Chromium, switched at random moments. They measure when the new picture is displayed, when
//! its age is that of the old one, and whether a wrong picture was displayed in between.

use std::fmt::Write;

use anyhow::Context;
use clap::Args;
use multistream_testkit::CamerasOptions;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::browser;
use crate::distribution::Distribution;
use crate::machine::{Machine, Versions};
use crate::pictures::{Footage, Outcome, Tile};
use crate::report::{Case, Report};
use crate::scene::{self, Binaries};

const CAMERAS: u8 = 6;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Switches per case.
    #[arg(long, default_value_t = 40)]
    switches: usize,
    /// Only these cases.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

/// What is switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    One,
    All,
    /// All six in one atomic layout.
    Atomic,
    /// One to a stream that is not running.
    Cold(Stopped),
}

impl Kind {
    /// The word of the browser script.
    fn word(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::All => "all",
            Self::Atomic => "atomic",
            Self::Cold(_) => "cold",
        }
    }
}

/// A stream that is not running: what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stopped {
    /// A camera that is live, which ffmpeg makes smaller.
    Variant,
    /// Another camera, which nobody is connected to.
    Rtsp,
    /// The same, read by ffmpeg.
    Ffmpeg,
    /// The same, read by a program.
    Exec,
}

impl Stopped {
    /// The source of the 360p stream of a camera; `url` is that of a 360p camera with the same pictures.
    fn source(self, camera: u8, url: &str) -> String {
        match self {
            Self::Variant => format!("ffmpeg:camera{camera}#video=h264#width=640#height=360"),
            Self::Rtsp => url.to_owned(),
            Self::Ffmpeg => format!("ffmpeg:{url}#video=copy"),
            Self::Exec => {
                format!("exec:ffmpeg -v error -rtsp_transport tcp -i {url} -an -c:v copy -f h264 -")
            }
        }
    }
}

struct Setting {
    name: &'static str,
    kind: Kind,
    gop_s: f64,
    height: u32,
}

const WARM: &[Setting] = &[
    Setting { name: "warm-2s-360p", kind: Kind::One, gop_s: 2.0, height: 360 },
    Setting { name: "warm-5s-360p", kind: Kind::One, gop_s: 5.0, height: 360 },
    Setting { name: "warm-2s-720p", kind: Kind::One, gop_s: 2.0, height: 720 },
    Setting { name: "warm-5s-720p", kind: Kind::One, gop_s: 5.0, height: 720 },
    Setting { name: "all6-2s-360p", kind: Kind::All, gop_s: 2.0, height: 360 },
    Setting { name: "atomic6-2s-360p", kind: Kind::Atomic, gop_s: 2.0, height: 360 },
];
const COLD: &[Setting] = &[
    Setting { name: "cold-2s-720p", kind: Kind::Cold(Stopped::Variant), gop_s: 2.0, height: 720 },
    Setting { name: "cold-rtsp-2s", kind: Kind::Cold(Stopped::Rtsp), gop_s: 2.0, height: 720 },
    Setting { name: "cold-ffmpeg-2s", kind: Kind::Cold(Stopped::Ffmpeg), gop_s: 2.0, height: 720 },
    Setting { name: "cold-exec-2s", kind: Kind::Cold(Stopped::Exec), gop_s: 2.0, height: 720 },
];
/// How much older than those of a camera the pictures of a program may be when they count as live, in frames: it holds some back.
const LAG_OF_PROGRAMS: f64 = 6.0;

#[derive(Debug, Serialize)]
struct Measured {
    name: &'static str,
    /// Switches whose new picture never came or stayed behind. They are in none of the figures below.
    failed: usize,
    first_frame_ms: Option<Distribution>,
    /// From the first of the first pictures to the last, where several tiles change together.
    first_frame_spread_ms: Option<Distribution>,
    live_ms: Option<Distribution>,
    longest_gap_ms: Option<Distribution>,
    latency_before_ms: Option<Distribution>,
    latency_after_ms: Option<Distribution>,
    wrong_frames: u64,
    frames_lost: u64,
    pli: u64,
}

impl Case for Measured {
    fn row(&self) -> Vec<(&'static str, String)> {
        let figure = |of: &Option<Distribution>| of.map_or("–".to_owned(), |of| of.to_string());
        vec![
            ("case (p50 / p95 / max)", self.name.to_owned()),
            ("n", self.first_frame_ms.map_or(0, |of| of.n).to_string()),
            ("failed", self.failed.to_string()),
            ("first picture, ms", figure(&self.first_frame_ms)),
            ("spread of first pictures, ms", figure(&self.first_frame_spread_ms)),
            ("live, ms", figure(&self.live_ms)),
            ("longest gap, ms", figure(&self.longest_gap_ms)),
            ("latency before, ms", figure(&self.latency_before_ms)),
            ("latency after, ms", figure(&self.latency_after_ms)),
            ("wrong", self.wrong_frames.to_string()),
            ("lost", self.frames_lost.to_string()),
            ("PLI", self.pli.to_string()),
        ]
    }
}

pub(crate) async fn run_warm(binaries: &Binaries, options: &Options) -> anyhow::Result<Report> {
    let about = "six tiles on one connection, one of them (all6: all of them, atomic6: all of them in one atomic \
         layout) to a camera that is live";
    run("switch", WARM, about, binaries, options).await
}

pub(crate) async fn run_cold(binaries: &Binaries, options: &Options) -> anyhow::Result<Report> {
    let about = "six tiles of 720p on one connection, one of them to a 360p stream that is not running: a variant, an RTSP camera, one \
         that ffmpeg reads, and one that an exec source reads; the six cameras are preloaded";
    run("cold", COLD, about, binaries, options).await
}

async fn run(
    bench: &'static str,
    settings: &[Setting],
    about: &str,
    binaries: &Binaries,
    options: &Options,
) -> anyhow::Result<Report> {
    let machine = Machine::this();
    let (mut cases, mut version) = (Vec::new(), String::new());
    let wanted =
        |setting: &&Setting| options.only.is_empty() || options.only.iter().any(|n| n == setting.name);
    for setting in settings.iter().filter(wanted) {
        eprintln!("{bench}: {}", setting.name);
        let (case, browser) = measure(binaries, setting, options.switches).await?;
        cases.push(case);
        version = browser;
    }
    let about = format!("{about}; {} switches per case at random moments", options.switches);
    Report::new(bench, machine, Versions::with_browser(version), about, &cases)
}

#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event {
    Switch { slots: Vec<Tile> },
    Plis { count: u64 },
}

async fn measure(
    binaries: &Binaries,
    setting: &Setting,
    switches: usize,
) -> anyhow::Result<(Measured, String)> {
    let width = setting.height * 16 / 9;
    let cameras = scene::cameras(&CamerasOptions {
        count: CAMERAS,
        width,
        height: setting.height,
        gop_s: setting.gop_s,
        ..CamerasOptions::default()
    })?;
    let streams = scene::streams(&cameras, CAMERAS, "");
    let small = CamerasOptions { count: CAMERAS, gop_s: setting.gop_s, ..CamerasOptions::default() };
    let small = matches!(setting.kind, Kind::Cold(_)).then(|| scene::cameras(&small)).transpose()?;
    let more = match (setting.kind, &small) {
        (Kind::Cold(stopped), Some(small)) => not_running(stopped, |camera| small.url(camera)),
        _ => String::new(),
    };
    let server = scene::server(binaries, &streams, &more)?;
    let footage = Footage::new(width, setting.gop_s);
    let footage = match setting.kind {
        Kind::Cold(Stopped::Ffmpeg | Stopped::Exec) => footage.behind(LAG_OF_PROGRAMS),
        _ => footage,
    };

    let (mut outcomes, mut spreads, mut failed, mut pli) = (Vec::new(), Vec::new(), 0, 0);
    let job = json!({ "url": server.url(), "kind": setting.kind.word(), "switches": switches });
    let version = browser::run("switching", &job, |_, event| {
        match serde_json::from_value(event).context("what the browser said")? {
            Event::Switch { slots } => {
                match slots.iter().map(|tile| tile.outcome(footage)).collect::<Option<Vec<_>>>() {
                    Some(tiles) => {
                        spreads.extend(spread(&tiles));
                        outcomes.extend(slowest(tiles));
                    }
                    None => failed += 1,
                }
            }
            Event::Plis { count } => pli = count,
        }
        Ok(())
    })
    .await?;

    let figure = |of: fn(&Outcome) -> f64| Distribution::of(&outcomes.iter().map(of).collect::<Vec<_>>());
    let case = Measured {
        name: setting.name,
        failed,
        first_frame_ms: figure(|outcome| outcome.first_frame),
        first_frame_spread_ms: Distribution::of(&spreads),
        live_ms: figure(|outcome| outcome.live),
        longest_gap_ms: figure(|outcome| outcome.longest_gap),
        latency_before_ms: figure(|outcome| outcome.latency_before),
        latency_after_ms: figure(|outcome| outcome.latency_after),
        wrong_frames: outcomes.iter().map(|outcome| outcome.wrong_frames).sum(),
        frames_lost: outcomes.iter().map(|outcome| outcome.frames_lost).sum(),
        pli,
    };
    Ok((case, version))
}

/// A 360p stream of each camera, which stops as soon as it has no viewer.
fn not_running(stopped: Stopped, url: impl Fn(u8) -> String) -> String {
    let mut more = String::new();
    for camera in 1..=CAMERAS {
        let _ = writeln!(more, "  camera{camera}-360p: {}", stopped.source(camera, &url(camera)));
    }
    more += "multistream:\n  linger: 0\n";
    more
}

/// How long after the first of the tiles the last one shows its new stream; `None` for a tile that changes alone.
fn spread(tiles: &[Outcome]) -> Option<f64> {
    let first_frames = || tiles.iter().map(|outcome| outcome.first_frame);
    (tiles.len() > 1)
        .then(|| first_frames().fold(f64::MIN, f64::max) - first_frames().fold(f64::MAX, f64::min))
}

/// The outcome of tiles that were switched together, by the slowest of them.
fn slowest(tiles: Vec<Outcome>) -> Option<Outcome> {
    tiles.into_iter().reduce(|a, b| Outcome {
        first_frame: a.first_frame.max(b.first_frame),
        live: a.live.max(b.live),
        longest_gap: a.longest_gap.max(b.longest_gap),
        latency_before: a.latency_before.max(b.latency_before),
        latency_after: a.latency_after.max(b.latency_after),
        wrong_frames: a.wrong_frames + b.wrong_frames,
        frames_lost: a.frames_lost + b.frames_lost,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(first_frame: f64) -> Outcome {
        Outcome {
            first_frame,
            live: 2.0 * first_frame,
            longest_gap: 33.0,
            latency_before: 5.0,
            latency_after: 5.0,
            wrong_frames: 0,
            frames_lost: 1,
        }
    }

    #[test]
    fn the_spread_is_from_the_first_tile_to_the_last_and_the_figures_are_of_the_slowest() {
        let tiles = [17.0, 9.0, 25.0].map(outcome);
        assert_eq!(spread(&tiles), Some(16.0));
        let slowest = slowest(tiles.to_vec()).expect("there are tiles");
        assert_eq!((slowest.first_frame, slowest.live, slowest.frames_lost), (25.0, 50.0, 3));
    }

    #[test]
    fn a_tile_that_changes_alone_has_no_spread() {
        assert_eq!(spread(&[outcome(17.0)]), None);
    }
}
