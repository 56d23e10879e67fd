//! `iframes`: six cameras as six iframes of `stream.html`, a connection each, against one wall on one connection.

use std::collections::BTreeMap;

use anyhow::Context;
use clap::Args;
use multistream_testkit::CamerasOptions;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::accounting::{self, Usage};
use crate::browser;
use crate::distribution::Distribution;
use crate::machine::{Machine, Versions};
use crate::report::{Case, Report};
use crate::scene::{self, Binaries};

const CAMERAS: u8 = 6;
const MEBIBYTE: f64 = 1024.0 * 1024.0;
const WALL: &str = "multistream";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Page loads of each way.
    #[arg(long, default_value_t = 10)]
    runs: usize,
    /// Changes of one camera, of each way.
    #[arg(long, default_value_t = 20)]
    switches: usize,
    /// Length of the steady state.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
}

#[derive(Debug, Default)]
struct Way {
    pictures: Vec<f64>,
    changes: Vec<f64>,
    connections: u64,
    before: Option<Usage>,
    server_cpu_s: f64,
    browser_cpu_s: f64,
    browser_pss_mib: f64,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event {
    Pictures { way: String, ms: f64 },
    Change { way: String, ms: f64 },
    Steady { way: String, connections: u64 },
    SteadyEnd { way: String },
}

/// A way, or, in the last line, the iframes' figures as multiples of the wall's.
#[derive(Debug, Serialize)]
struct Measured {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pictures_ms: Option<Distribution>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change_ms: Option<Distribution>,
    pictures_p50: f64,
    change_p50: f64,
    connections: f64,
    server_cpu_s: f64,
    browser_cpu_s: f64,
    browser_pss_mib: f64,
}

impl Case for Measured {
    fn row(&self) -> Vec<(&'static str, String)> {
        let figure = |of: &Option<Distribution>, ratio: f64| {
            of.map_or_else(|| format!("{ratio:.1} ×"), |of| of.to_string())
        };
        let plain = |value: f64, digits: usize| match self.pictures_ms {
            Some(_) => format!("{value:.digits$}"),
            None => format!("{value:.1} ×"),
        };
        vec![
            ("way (p50 / p95 / max)", self.name.clone()),
            ("six pictures, ms", figure(&self.pictures_ms, self.pictures_p50)),
            ("change of one, ms", figure(&self.change_ms, self.change_p50)),
            ("connections", plain(self.connections, 0)),
            ("server CPU, s", plain(self.server_cpu_s, 2)),
            ("browser CPU, s", plain(self.browser_cpu_s, 1)),
            ("browser PSS, MiB", plain(self.browser_pss_mib, 0)),
        ]
    }
}

pub(crate) async fn run(binaries: &Binaries, options: &Options) -> anyhow::Result<Report> {
    let machine = Machine::this();
    let cameras = scene::cameras(&CamerasOptions { count: CAMERAS, ..CamerasOptions::default() })?;
    let server = scene::server(binaries, &cameras, CAMERAS, "")?;
    let mut ways: BTreeMap<String, Way> = BTreeMap::new();
    let mut browser_cpu_before = 0.0;
    let job = json!({
        "url": server.url(), "runs": options.runs, "switches": options.switches, "steadyMs": options.seconds * 1000,
    });
    eprintln!(
        "iframes: {} page loads, {} s, {} changes of each",
        options.runs, options.seconds, options.switches
    );
    let version = browser::run("iframes", &job, |pid, event| {
        match serde_json::from_value(event).context("what the browser said")? {
            Event::Pictures { way, ms } => ways.entry(way).or_default().pictures.push(ms),
            Event::Change { way, ms } => ways.entry(way).or_default().changes.push(ms),
            Event::Steady { way, connections } => {
                let way = ways.entry(way).or_default();
                way.connections = connections;
                browser_cpu_before = accounting::descendants(pid)?.cpu_s;
                way.before = Some(accounting::usage(server.id())?);
            }
            Event::SteadyEnd { way } => {
                let way = ways.entry(way).or_default();
                let before = way.before.context("the steady state began")?;
                let browser = accounting::descendants(pid)?;
                way.server_cpu_s = accounting::usage(server.id())?.cpu_s - before.cpu_s;
                way.browser_cpu_s = browser.cpu_s - browser_cpu_before;
                way.browser_pss_mib = browser.pss_bytes as f64 / MEBIBYTE;
            }
        }
        Ok(())
    })
    .await?;

    let mut cases = ways.iter().map(|(name, way)| measured(name, way)).collect::<anyhow::Result<Vec<_>>>()?;
    cases.extend(ratios(&cases));
    let about = format!(
        "six 360p cameras that are live; CPU over {} s of steady state, proportional set size of Chromium at its end",
        options.seconds
    );
    Report::new("iframes", machine, Versions::with_browser(version), about, &cases)
}

fn measured(name: &str, way: &Way) -> anyhow::Result<Measured> {
    let pictures = Distribution::of(&way.pictures).context("no page was loaded")?;
    let change = Distribution::of(&way.changes).context("no camera was changed")?;
    Ok(Measured {
        name: name.to_owned(),
        pictures_ms: Some(pictures),
        change_ms: Some(change),
        pictures_p50: pictures.p50,
        change_p50: change.p50,
        connections: way.connections as f64,
        server_cpu_s: way.server_cpu_s,
        browser_cpu_s: way.browser_cpu_s,
        browser_pss_mib: way.browser_pss_mib,
    })
}

fn ratios(cases: &[Measured]) -> Option<Measured> {
    let wall = cases.iter().find(|case| case.name == WALL)?;
    let iframes = cases.iter().find(|case| case.name != WALL)?;
    let times = |of: fn(&Measured) -> f64| of(iframes) / of(wall);
    Some(Measured {
        name: "iframes / multistream".to_owned(),
        pictures_ms: None,
        change_ms: None,
        pictures_p50: times(|case| case.pictures_p50),
        change_p50: times(|case| case.change_p50),
        connections: times(|case| case.connections),
        server_cpu_s: times(|case| case.server_cpu_s),
        browser_cpu_s: times(|case| case.browser_cpu_s),
        browser_pss_mib: times(|case| case.browser_pss_mib),
    })
}
