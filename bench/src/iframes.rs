//! `iframes`: six cameras added to a dashboard as six iframes of `stream.html`, with a connection each, compared with one
//! client on one connection. One such client shows the same pixels; another one chooses the camera's smaller stream for small
//! tiles. The iframes are this server's and, with `--go2rtc`, also those of a go2rtc.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use clap::Args;
use multistream_testkit::{CamerasOptions, Server};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::accounting;
use crate::browser;
use crate::distribution::Distribution;
use crate::machine::{Machine, Versions};
use crate::pictures::{Footage, Watched};
use crate::report::{Case, Report};
use crate::scene::{self, Binaries};

const CAMERAS: u8 = 6;
const MEBIBYTE: f64 = 1024.0 * 1024.0;
/// The height of the cameras' pictures.
const HEIGHT: u32 = 720;
/// The height of the smaller stream that each camera has beside its 720p.
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

/// A dashboard, and the way in which six cameras are added to it.
#[derive(Debug, Clone, Copy)]
struct Way {
    name: &'static str,
    tiles: Tiles,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
enum Tiles {
    /// No cameras: the baseline of all ways.
    None,
    /// An iframe for each camera, with this path and the name of the camera.
    Iframes { page: &'static str },
    /// All cameras by one client.
    Client { auto_quality: bool },
}

const EMPTY: Way = Way { name: "empty", tiles: Tiles::None };
/// In native quality, as iframes are used.
const IFRAMES: Way =
    Way { name: "iframes", tiles: Tiles::Iframes { page: "/stream.html?quality=native&src=" } };
const CLIENT: Way = Way { name: "multistream", tiles: Tiles::Client { auto_quality: false } };
const AUTO: Way = Way { name: "multistream, auto", tiles: Tiles::Client { auto_quality: true } };
const GO2RTC_EMPTY: Way = Way { name: "empty, go2rtc", tiles: Tiles::None };
/// With `mode=webrtc`, the transport that is compared here.
const GO2RTC_IFRAMES: Way =
    Way { name: "iframes, go2rtc", tiles: Tiles::Iframes { page: "/stream.html?mode=webrtc&src=" } };

#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event {
    Pictures { ms: f64 },
    Change { ms: f64 },
    Steady { connections: u64 },
    SteadyEnd,
    Watched { tiles: Vec<Watched> },
}

/// The figures of a way or of the empty dashboard or, in the last lines, those of iframes as multiples of a client's.
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
    /// Age of the pictures in the steady state. The lines with ratios leave it out.
    latency_ms: Option<Distribution>,
    /// Pictures per second on the tile with the fewest.
    slowest_tile_fps: Option<f64>,
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
            ("latency, ms", figure(&self.latency_ms, None)),
            ("slowest tile, fps", self.slowest_tile_fps.map_or("–".to_owned(), |fps| format!("{fps:.1}"))),
        ]
    }
}

pub(crate) async fn run(binaries: &Binaries, options: &Options) -> anyhow::Result<Report> {
    let machine = Machine::this();
    // A program that cannot be started is reported now, not after all other measurements.
    let go2rtc_version = options.go2rtc.as_deref().map(version_of).transpose()?;
    let sized = |height| CamerasOptions {
        count: CAMERAS,
        width: height * 16 / 9,
        height,
        ..CamerasOptions::default()
    };
    let (cameras, small) = (scene::cameras(&sized(HEIGHT))?, scene::cameras(&sized(SMALL_HEIGHT))?);
    let mut streams = scene::streams(&cameras, CAMERAS, "");
    streams.extend(scene::streams(&small, CAMERAS, &format!("-{SMALL_HEIGHT}p")));

    let (mut cases, mut versions) = {
        let server = scene::server(binaries, &streams, "")?;
        let (cases, chromium) =
            measure_all(&server, "/healthz", &[EMPTY, IFRAMES, CLIENT, AUTO], options).await?;
        (cases, Versions::with_browser(chromium))
    };
    let clients = [&cases[2], &cases[3]];
    let mut multiples = Vec::from(clients.map(|client| ratios([&cases[1], &cases[0]], [client, &cases[0]])));
    if let Some(program) = &options.go2rtc {
        versions.go2rtc = go2rtc_version;
        let server = scene::go2rtc(program, &streams)?;
        let (theirs, _) = measure_all(&server, "/api", &[GO2RTC_EMPTY, GO2RTC_IFRAMES], options).await?;
        multiples.extend(clients.map(|client| ratios([&theirs[1], &theirs[0]], [client, &cases[0]])));
        cases.extend(theirs);
    }
    cases.extend(multiples);
    let about = format!(
        "six live cameras of {HEIGHT}p, each with a {SMALL_HEIGHT}p stream beside it that only `auto` takes, in tiles of 400 × 225 pixels; \
         CPU over {} s of steady state, proportional set size of Chromium at its end; \
         ratios of CPU and memory are of what came on top of the empty dashboard",
        options.seconds
    );
    Report::new("iframes", machine, versions, about, &cases)
}

/// Measures each way in a Chromium of its own, so that no cache is shared. `home` is the path of any answer of the server,
/// which becomes the dashboard's document. Also returns Chromium's version.
async fn measure_all(
    server: &Server,
    home: &str,
    ways: &[Way],
    options: &Options,
) -> anyhow::Result<(Vec<Measured>, String)> {
    let (mut cases, mut version) = (Vec::new(), String::new());
    for way in ways {
        eprintln!("iframes: {}", way.name);
        let (case, chromium) = measure(server, home, *way, options).await?;
        cases.push(case);
        version = chromium;
    }
    Ok((cases, version))
}

async fn measure(
    server: &Server,
    home: &str,
    way: Way,
    options: &Options,
) -> anyhow::Result<(Measured, String)> {
    let job = json!({
        "url": server.url(), "home": home, "tiles": way.tiles,
        "runs": options.runs, "switches": options.switches, "steadyMs": options.seconds * 1000,
    });
    let (mut pictures, mut changes, mut connected) = (Vec::new(), Vec::new(), 0);
    let (mut before, mut steady) = (None, None);
    let mut watched: Vec<Watched> = Vec::new();
    let version = browser::run("iframes", &job, |pid, event| {
        match serde_json::from_value(event).context("what the browser said")? {
            Event::Pictures { ms } => pictures.push(ms),
            Event::Change { ms } => changes.push(ms),
            Event::Steady { connections } => {
                connected = connections;
                before = Some((accounting::usage(server.id())?, accounting::descendants(pid)?));
            }
            Event::SteadyEnd => {
                steady = Some((accounting::usage(server.id())?, accounting::descendants(pid)?));
            }
            Event::Watched { tiles } => watched = tiles,
        }
        Ok(())
    })
    .await?;
    let ((server_before, browser_before), (server_after, browser_after)) =
        before.zip(steady).with_context(|| format!("{} had no steady state", way.name))?;
    let footage = Footage::new(HEIGHT * 16 / 9, CamerasOptions::default().gop_s);
    let ages: Vec<f64> = watched.iter().flat_map(|tile| tile.ages(footage)).collect();
    let (pictures_ms, change_ms) = (Distribution::of(&pictures), Distribution::of(&changes));
    let case = Measured {
        name: way.name.to_owned(),
        is_ratio: false,
        pictures_ms,
        change_ms,
        pictures_p50: pictures_ms.map(|of| of.p50),
        change_p50: change_ms.map(|of| of.p50),
        connections: connected as f64,
        server_cpu_s: server_after.cpu_s - server_before.cpu_s,
        browser_cpu_s: browser_after.cpu_s - browser_before.cpu_s,
        browser_pss_mib: browser_after.pss_bytes as f64 / MEBIBYTE,
        latency_ms: Distribution::of(&ages),
        slowest_tile_fps: watched.iter().map(Watched::fps).reduce(f64::min),
    };
    Ok((case, version))
}

fn version_of(go2rtc: &Path) -> anyhow::Result<String> {
    let output = Command::new(go2rtc)
        .arg("--version")
        .output()
        .with_context(|| format!("cannot start {}", go2rtc.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The figures of `iframes` as multiples of those of `client`, each less those of its own server's empty dashboard.
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
        latency_ms: None,
        slowest_tile_fps: None,
    }
}
