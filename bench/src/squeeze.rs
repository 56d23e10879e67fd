//! `squeeze`: six 720p cameras with a 360p variant each, in Chromium behind a path whose rate changes, as one connection and as
//! six iframes with a connection each. It measures what each tile shows at each rate.

use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use multistream_testkit::{CamerasOptions, EmulatedPath, PathConditions};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::browser;
use crate::distribution::Distribution;
use crate::machine::{Machine, Versions};
use crate::pictures::{Footage, Picture, Watched};
use crate::report::{Case, Report};
use crate::scene::{self, Binaries};

const CAMERAS: u8 = 6;
const GOP_S: f64 = 2.0;
/// The tile that the viewer looks at.
const FOCUSED: usize = 0;
const MEGABIT: f64 = 1e6;
/// A tile is whole when it shows pictures of the native width at this rate.
const WHOLE_FPS: f64 = 25.0;
/// A picture that is older than this is late, and a tile without a picture for that long stands.
const LATE_MS: f64 = 400.0;
const STANDS_MS: f64 = 3000.0;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Seconds at each rate.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Switches of the focused tile at 4 Mbit/s.
    #[arg(long, default_value_t = 20)]
    switches: usize,
    /// Leave out the iframes.
    #[arg(long)]
    no_iframes: bool,
}

struct Phase {
    name: &'static str,
    megabits: f64,
    switches: bool,
}

const PHASES: &[Phase] = &[
    Phase { name: "20", megabits: 20.0, switches: false },
    Phase { name: "4", megabits: 4.0, switches: false },
    Phase { name: "4, switches", megabits: 4.0, switches: true },
    Phase { name: "1.5", megabits: 1.5, switches: false },
    Phase { name: "1", megabits: 1.0, switches: false },
    Phase { name: "0.4", megabits: 0.4, switches: false },
    Phase { name: "20 again", megabits: 20.0, switches: false },
];

/// What was measured at one rate. Times are in ms.
#[derive(Debug, Serialize)]
struct Measured {
    name: String,
    megabits: f64,
    /// Of the tile that the viewer looks at, and of the others.
    focused_fps: Option<f64>,
    other_fps: Vec<f64>,
    /// The longest time without a picture, of all tiles, and after the first 3 s.
    longest_gap_ms: Option<f64>,
    longest_gap_settled_ms: Option<f64>,
    /// How old pictures were when they were shown, after the first 3 s.
    latency_ms: Option<Distribution>,
    /// Until the last picture that was late, or the end of the last time without one for 3 s.
    settled_after_ms: Option<f64>,
    /// Until every tile shows native pictures at 25 fps or more; `None` if that did not happen.
    whole_after_ms: Option<f64>,
    /// The share of the path's rate that was used, from 0 to 1.
    used: f64,
    /// From the request to the first picture of the other camera.
    switch_ms: Option<Distribution>,
    failed_switches: usize,
}

impl Case for Measured {
    fn row(&self) -> Vec<(&'static str, String)> {
        let number = |of: Option<f64>| of.map_or("–".to_owned(), |of| format!("{of:.0}"));
        let figure = |of: &Option<Distribution>| of.map_or("–".to_owned(), |of| of.to_string());
        let others: Vec<String> = self.other_fps.iter().map(|fps| format!("{fps:.1}")).collect();
        vec![
            ("Mbit/s", self.name.clone()),
            ("fps, focused", self.focused_fps.map_or("–".to_owned(), |fps| format!("{fps:.1}"))),
            ("fps, others", others.join(" ")),
            ("longest gap, ms", number(self.longest_gap_ms)),
            ("after 3 s", number(self.longest_gap_settled_ms)),
            ("latency, ms (p50 / p95 / max)", figure(&self.latency_ms)),
            ("settled, ms", number(self.settled_after_ms)),
            ("whole, ms", number(self.whole_after_ms)),
            ("used", format!("{:.0} %", self.used * 100.0)),
            ("switch, ms", figure(&self.switch_ms)),
            ("failed", self.failed_switches.to_string()),
        ]
    }
}

#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event {
    Phase { index: usize },
    Pictures { index: usize, tiles: Vec<Tile> },
    Switch { index: usize, requested: f64, to: u8, pictures: Vec<Picture> },
}

#[derive(Debug, Deserialize)]
struct Tile {
    /// Ms since the page began.
    from: f64,
    to: f64,
    #[serde(flatten)]
    watched: Watched,
}

pub(crate) async fn run(binaries: &Binaries, options: &Options) -> anyhow::Result<Report> {
    let machine = Machine::this();
    let native = CamerasOptions {
        count: CAMERAS,
        width: 1280,
        height: 720,
        gop_s: GOP_S,
        ..CamerasOptions::default()
    };
    let small = CamerasOptions { width: 640, height: 360, ..native.clone() };
    let (native, small) = (scene::cameras(&native)?, scene::cameras(&small)?);
    let mut streams = scene::streams(&native, CAMERAS, "");
    streams.extend(scene::streams(&small, CAMERAS, "-360p"));
    let (mut cases, mut version) = (Vec::new(), String::new());
    let kinds: &[&str] = if options.no_iframes { &["client"] } else { &["client", "iframes"] };
    for kind in kinds {
        eprintln!("squeeze: {kind}");
        let path = EmulatedPath::start(conditions(20.0)).await?;
        let server = scene::server_behind(binaries, &streams, &path)?;
        version = measure(&server.url(), kind, &path, options, &mut cases).await?;
    }
    let about = format!(
        "six 720p cameras with a 360p variant each, {} s at each rate, 100 ms of round trip, 200 ms of queue; as one \
         connection, then as six iframes",
        options.seconds
    );
    Report::new("squeeze", machine, Versions::with_browser(version), about, &cases)
}

fn conditions(megabits: f64) -> PathConditions {
    PathConditions {
        bits_per_second: megabits * MEGABIT,
        queue: Duration::from_millis(200),
        delay: Duration::from_millis(50),
        loss: 0.0,
    }
}

async fn measure(
    url: &str,
    kind: &str,
    path: &EmulatedPath,
    options: &Options,
    cases: &mut Vec<Measured>,
) -> anyhow::Result<String> {
    let phases: Vec<&Phase> = PHASES.iter().filter(|phase| kind == "client" || !phase.switches).collect();
    let job = json!({ "url": url, "kind": kind, "phases": phases.iter().map(|phase| json!({
        "ms": if phase.switches { 3000 } else { options.seconds * 1000 },
        "switches": if phase.switches { options.switches } else { 0 },
    })).collect::<Vec<_>>() });
    let footage = Footage::new(1280, GOP_S);
    let mut began = (Instant::now(), 0);
    let mut switches: Vec<Option<f64>> = Vec::new();
    let first = cases.len();
    let version = browser::run("squeeze", &job, |_, event| {
        match serde_json::from_value(event).context("what the browser said")? {
            Event::Phase { index } => {
                path.set(conditions(phases[index].megabits));
                began = (Instant::now(), path.passed());
                eprintln!("squeeze: {} Mbit/s", phases[index].name);
            }
            Event::Pictures { index, tiles } => {
                let bits = (path.passed() - began.1) as f64 * 8.0;
                let carried = phases[index].megabits * MEGABIT * began.0.elapsed().as_secs_f64();
                cases.push(evaluate(kind, phases[index], &tiles, footage, bits / carried));
            }
            Event::Switch { index, requested, to, pictures } => {
                if cases[first..].iter().all(|case| case.name != name(kind, phases[index])) {
                    switches.clear();
                    cases.push(evaluate(kind, phases[index], &[], footage, 0.0));
                }
                switches.push(first_picture(&pictures, to, requested));
                let shown: Vec<f64> = switches.iter().copied().flatten().collect();
                if let Some(case) = cases.last_mut() {
                    case.failed_switches = switches.len() - shown.len();
                    case.switch_ms = Distribution::of(&shown);
                }
            }
        }
        Ok(())
    })
    .await?;
    Ok(version)
}

fn name(kind: &str, phase: &Phase) -> String {
    format!("{}{}", if kind == "iframes" { "iframes: " } else { "" }, phase.name)
}

/// Ms from the request to the first picture of camera `to`.
fn first_picture(pictures: &[Picture], to: u8, requested: f64) -> Option<f64> {
    let shown = pictures.iter().find(|picture| picture.t > requested && picture.camera == Some(to))?;
    Some(shown.t - requested)
}

fn evaluate(kind: &str, phase: &Phase, tiles: &[Tile], footage: Footage, used: f64) -> Measured {
    const SETTLING_MS: f64 = 3000.0;
    let fps = |tile: &Tile| tile.watched.count() as f64 / (tile.to - tile.from) * 1000.0;
    let settled = |tile: &Tile| tile.from + SETTLING_MS;
    let ages: Vec<f64> = tiles
        .iter()
        .flat_map(|tile| tile.watched.ages_after(settled(tile), footage))
        .map(|(_, age)| age)
        .collect();
    let longest = |since: &dyn Fn(&Tile) -> f64| {
        let gaps = tiles.iter().flat_map(|tile| tile.watched.gaps(since(tile), tile.to));
        gaps.map(|(_, ms)| ms).fold(None, |most: Option<f64>, ms| Some(most.map_or(ms, |most| most.max(ms))))
    };
    let last_trouble = tiles.iter().flat_map(|tile| {
        let late = tile.watched.ages_after(tile.from, footage).filter(|(_, age)| *age > LATE_MS);
        let stands = tile.watched.gaps(tile.from, tile.to).filter(|(_, ms)| *ms > STANDS_MS);
        late.chain(stands).map(|(t, _)| t - tile.from)
    });
    Measured {
        name: name(kind, phase),
        megabits: phase.megabits,
        focused_fps: tiles.get(FOCUSED).map(fps),
        other_fps: tiles.iter().skip(1).map(fps).collect(),
        longest_gap_ms: longest(&|tile| tile.from),
        longest_gap_settled_ms: longest(&settled),
        latency_ms: Distribution::of(&ages),
        settled_after_ms: (!tiles.is_empty()).then(|| last_trouble.fold(0.0, f64::max)),
        whole_after_ms: tiles
            .iter()
            .map(|tile| tile.watched.whole_from(tile.from, WHOLE_FPS, footage).map(|t| t - tile.from))
            .collect::<Option<Vec<_>>>()
            .filter(|tiles| !tiles.is_empty())
            .map(|tiles| tiles.into_iter().fold(0.0, f64::max)),
        used,
        switch_ms: None,
        failed_switches: 0,
    }
}
