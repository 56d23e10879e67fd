//! `iframes`: six cameras added to a dashboard as six iframes of `stream.html`, a connection each, against one client with
//! one connection: one that shows the same pixels, and one that takes the camera's smaller stream where the tile is small.
//! The iframes are this server's, and, where there is one to measure, a go2rtc's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use clap::Args;
use multistream_testkit::{CamerasOptions, Server};
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
const EMPTY: &str = "empty";
const IFRAMES: &str = "iframes";
const CLIENT: &str = "multistream";
const AUTO: &str = "multistream, auto";
const GO2RTC_EMPTY: &str = "empty, go2rtc";
const GO2RTC_IFRAMES: &str = "iframes, go2rtc";
/// Of the smaller stream that each camera has beside its 720p.
const SMALL_HEIGHT: u32 = 360;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Page loads of each way.
    #[arg(long, default_value_t = 10)]
    runs: usize,
    /// Changes of one camera, of each way.
    #[arg(long, default_value_t = 20)]
    switches: usize,
    /// Length of the steady state.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// A go2rtc program, to measure its iframes as well.
    #[arg(long, value_name = "PROGRAM")]
    go2rtc: Option<PathBuf>,
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

/// A way, the dashboard without cameras, or, in the last lines, the iframes' figures as multiples of a client's.
#[derive(Debug, Serialize)]
struct Measured {
    name: String,
    #[serde(skip)]
    is_ratio: bool,
    pictures_ms: Option<Distribution>,
    change_ms: Option<Distribution>,
    pictures_p50: Option<f64>,
    change_p50: Option<f64>,
    connections: f64,
    server_cpu_s: f64,
    browser_cpu_s: f64,
    browser_pss_mib: f64,
}

impl Case for Measured {
    fn row(&self) -> Vec<(&'static str, String)> {
        let ratio = |value: f64| format!("{value:.1} ×");
        let plain = |value: f64, digits: usize| {
            if self.is_ratio { ratio(value) } else { format!("{value:.digits$}") }
        };
        let figure = |of: &Option<Distribution>, p50: Option<f64>| {
            of.map(|of| of.to_string()).or(p50.map(ratio)).unwrap_or_else(|| "–".to_owned())
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
    let sized = |height| CamerasOptions {
        count: CAMERAS,
        width: height * 16 / 9,
        height,
        ..CamerasOptions::default()
    };
    let (cameras, small) = (scene::cameras(&sized(720))?, scene::cameras(&sized(SMALL_HEIGHT))?);
    let mut streams = scene::streams(&cameras, CAMERAS, "");
    streams.extend(scene::streams(&small, CAMERAS, &format!("-{SMALL_HEIGHT}p")));

    let mut ways = BTreeMap::new();
    let mut versions = {
        let server = scene::server(binaries, &streams, "")?;
        Versions::with_browser(measure(&server, &OWN, options, &mut ways).await?)
    };
    if let Some(program) = &options.go2rtc {
        versions.go2rtc = Some(version_of(program)?);
        let server = scene::go2rtc(program, &streams)?;
        measure(&server, &GO2RTC, options, &mut ways).await?;
    }

    let case = |name| ways.get(name).map(|way| measured(name, way));
    let find = |name| case(name).with_context(|| format!("{name} was not measured"));
    let mut cases: Vec<Measured> =
        [EMPTY, IFRAMES, CLIENT, AUTO, GO2RTC_EMPTY, GO2RTC_IFRAMES].into_iter().filter_map(case).collect();
    let today = [(EMPTY, IFRAMES), (GO2RTC_EMPTY, GO2RTC_IFRAMES)];
    for (idle, iframes) in today.into_iter().filter(|(_, iframes)| ways.contains_key(*iframes)) {
        for client in [CLIENT, AUTO] {
            cases.push(ratios([&find(iframes)?, &find(idle)?], [&find(client)?, &find(EMPTY)?]));
        }
    }
    let about = format!(
        "six live cameras of 720p, each with a 360p stream beside it that only `auto` takes, in tiles of about 400 × 225 pixels; \
         CPU over {} s of steady state, proportional set size of Chromium at its end; \
         ratios of CPU and memory are of what came on top of the empty dashboard",
        options.seconds
    );
    Report::new("iframes", machine, versions, about, &cases)
}

/// A server's pages, as the browser's part needs them.
#[derive(Debug, Serialize)]
struct Dashboard {
    /// The path of any answer of the server: the dashboard is made of it.
    home: &'static str,
    /// The path of a page with one camera, up to its name.
    iframe: &'static str,
    ways: &'static [&'static str],
}

const OWN: Dashboard = Dashboard {
    home: "/healthz",
    // The camera as it is, as iframes are used.
    iframe: "/stream.html?quality=native&src=",
    ways: &[EMPTY, IFRAMES, CLIENT, AUTO],
};
const GO2RTC: Dashboard = Dashboard {
    home: "/api",
    // Of the ways its page knows only the one that is compared.
    iframe: "/stream.html?mode=webrtc&src=",
    ways: &[GO2RTC_EMPTY, GO2RTC_IFRAMES],
};

/// Returns Chromium's version.
async fn measure(
    server: &Server,
    dashboard: &Dashboard,
    options: &Options,
    ways: &mut BTreeMap<String, Way>,
) -> anyhow::Result<String> {
    eprintln!(
        "{}: {} page loads, {} s, {} changes of each",
        dashboard.ways.join("; "),
        options.runs,
        options.seconds,
        options.switches
    );
    let job = json!({
        "url": server.url(), "dashboard": dashboard,
        "runs": options.runs, "switches": options.switches, "steadyMs": options.seconds * 1000,
    });
    let mut browser_cpu_before = 0.0;
    browser::run("iframes", &job, |pid, event| {
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
    .await
}

fn version_of(go2rtc: &Path) -> anyhow::Result<String> {
    let output = Command::new(go2rtc)
        .arg("--version")
        .output()
        .with_context(|| format!("cannot start {}", go2rtc.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn measured(name: &str, way: &Way) -> Measured {
    let (pictures_ms, change_ms) = (Distribution::of(&way.pictures), Distribution::of(&way.changes));
    Measured {
        name: name.to_owned(),
        is_ratio: false,
        pictures_ms,
        change_ms,
        pictures_p50: pictures_ms.map(|of| of.p50),
        change_p50: change_ms.map(|of| of.p50),
        connections: way.connections as f64,
        server_cpu_s: way.server_cpu_s,
        browser_cpu_s: way.browser_cpu_s,
        browser_pss_mib: way.browser_pss_mib,
    }
}

/// `iframes` as multiples of `client`, each with its own server's dashboard without cameras.
fn ratios([iframes, their_empty]: [&Measured; 2], [client, empty]: [&Measured; 2]) -> Measured {
    let times = |of: fn(&Measured) -> Option<f64>| Some(of(iframes)? / of(client)?);
    let more = |of: fn(&Measured) -> f64| (of(iframes) - of(their_empty)) / (of(client) - of(empty));
    Measured {
        name: format!("{} / {}", iframes.name, client.name),
        is_ratio: true,
        pictures_ms: None,
        change_ms: None,
        pictures_p50: times(|case| case.pictures_p50),
        change_p50: times(|case| case.change_p50),
        connections: more(|case| case.connections),
        server_cpu_s: more(|case| case.server_cpu_s),
        browser_cpu_s: more(|case| case.browser_cpu_s),
        browser_pss_mib: more(|case| case.browser_pss_mib),
    }
}
