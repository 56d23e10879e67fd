//! `busy`: one of six tiles in Chromium is switched before, while and after every core of the machine is busy with other work.
//! What a busy viewer reports looks like a slow path; afterwards switches must be as quick as before.

use std::process::{Child, Command, Stdio};

use anyhow::Context;
use clap::Args;
use multistream_testkit::CamerasOptions;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::browser;
use crate::distribution::Distribution;
use crate::machine::{Machine, Versions};
use crate::pictures::{Footage, Tile};
use crate::report::{Case, Report};
use crate::scene::{self, Binaries};

const CAMERAS: u8 = 6;
const GOP_S: f64 = 2.0;
/// Of other processes, per core.
const BUSY_PER_CORE: usize = 3;
/// After this the switches count as those after the trouble.
const CALM_S: u64 = 5;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Seconds for which the machine is busy.
    #[arg(long, default_value_t = 60)]
    busy: u64,
    /// Seconds of switches before, and after.
    #[arg(long, default_value_t = 40)]
    calm: u64,
}

#[derive(Debug, Serialize)]
struct Measured {
    name: &'static str,
    failed: usize,
    first_frame_ms: Option<Distribution>,
    longest_gap_ms: Option<Distribution>,
}

impl Case for Measured {
    fn row(&self) -> Vec<(&'static str, String)> {
        let figure = |of: &Option<Distribution>| of.map_or("–".to_owned(), |of| of.to_string());
        vec![
            ("phase (p50 / p95 / max)", self.name.to_owned()),
            ("n", self.first_frame_ms.map_or(0, |of| of.n).to_string()),
            ("failed", self.failed.to_string()),
            ("first picture, ms", figure(&self.first_frame_ms)),
            ("longest gap, ms", figure(&self.longest_gap_ms)),
        ]
    }
}

#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event {
    Phase { index: usize },
    Switch { index: usize, slots: Vec<Tile> },
}

/// Other processes that use all the time that they get. Dropping it ends them.
struct Load(Vec<Child>);

impl Load {
    fn start() -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism()?.get();
        let spin = || {
            let mut shell = Command::new("sh");
            shell.args(["-c", "while :; do :; done"]).stdin(Stdio::null()).spawn().context("cannot start sh")
        };
        Ok(Self((0..cores * BUSY_PER_CORE).map(|_| spin()).collect::<Result<_, _>>()?))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub(crate) async fn run(binaries: &Binaries, options: &Options) -> anyhow::Result<Report> {
    let machine = Machine::this();
    let cameras =
        scene::cameras(&CamerasOptions { count: CAMERAS, gop_s: GOP_S, ..CamerasOptions::default() })?;
    let server = scene::server(binaries, &scene::streams(&cameras, CAMERAS, ""), "")?;
    let footage = Footage::new(640, GOP_S);
    let phases = [("before", options.calm), ("busy", options.busy), ("", CALM_S), ("after", options.calm)];
    let mut outcomes: Vec<Vec<_>> = phases.iter().map(|_| Vec::new()).collect();
    let job = json!({ "url": server.url(), "phases": phases.iter().map(|(name, seconds)| json!({
        "ms": seconds * 1000,
        "silent": name.is_empty(),
    })).collect::<Vec<_>>() });
    let mut load = None;
    let version = browser::run("busy", &job, |_, event| {
        match serde_json::from_value(event).context("what the browser said")? {
            Event::Phase { index } => {
                eprintln!("busy: {}", if phases[index].0.is_empty() { "calm" } else { phases[index].0 });
                load = if phases[index].0 == "busy" { Some(Load::start()?) } else { None };
            }
            Event::Switch { index, slots } => {
                outcomes[index].extend(slots.iter().map(|tile| tile.outcome(footage)));
            }
        }
        Ok(())
    })
    .await?;
    drop(load);
    let cases: Vec<Measured> = phases
        .iter()
        .zip(outcomes)
        .filter(|((name, _), _)| !name.is_empty())
        .map(|((name, _), outcomes)| {
            let shown: Vec<_> = outcomes.iter().flatten().collect();
            let of = |ms: &dyn Fn(&crate::pictures::Outcome) -> f64| {
                Distribution::of(&shown.iter().map(|outcome| ms(outcome)).collect::<Vec<_>>())
            };
            Measured {
                name,
                failed: outcomes.len() - shown.len(),
                first_frame_ms: of(&|outcome| outcome.first_frame),
                longest_gap_ms: of(&|outcome| outcome.longest_gap),
            }
        })
        .collect();
    let about = format!(
        "one of six tiles to a camera that is live; for {} s {BUSY_PER_CORE} other processes per core are busy, and the \
         figures after it begin {CALM_S} s later",
        options.busy
    );
    Report::new("busy", machine, Versions::with_browser(version), about, &cases)
}
