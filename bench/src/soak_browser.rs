//! `soak --browser`: switches on one connection in Chromium, and walls that come and go. It measures whether the last ones are as
//! quick as the first ones, and whether the page, the browser and the server hold no more than before.

use anyhow::Context as _;
use multistream_testkit::CamerasOptions;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::accounting;
use crate::browser;
use crate::distribution::Distribution;
use crate::machine::{Machine, Versions};
use crate::report::{Case, Report};
use crate::scene::{self, Binaries};
use crate::soak::{Options, metrics};

const CAMERAS: u8 = 6;
const MEGABYTE: f64 = 1024.0 * 1024.0;
/// How many samples are taken of the switches, and of the walls.
const PARTS: usize = 10;
/// A heap that is larger by more than this at the end than after the first two parts is not flat. Engines keep what they have compiled.
const MOST_HEAP_BYTES: f64 = 512.0 * 1024.0;
/// The last switches or walls may take this much longer than the first ones, which a machine that does other work needs.
const MOST_SLOWER: f64 = 2.0;

/// What the browser says after each part.
#[derive(Debug, Deserialize)]
struct Sample {
    part: String,
    done: u64,
    ms: Vec<f64>,
    heap_bytes: f64,
    connections: f64,
    nodes: f64,
    listeners: f64,
}

#[derive(Debug, Serialize)]
struct Measured {
    name: String,
    ms: Option<Distribution>,
    heap_bytes: f64,
    connections: f64,
    nodes: f64,
    listeners: f64,
    /// Of all processes of the browser.
    browser_pss_bytes: u64,
    server_rss_bytes: u64,
}

impl Case for Measured {
    fn row(&self) -> Vec<(&'static str, String)> {
        let megabytes = |bytes: f64| format!("{:.1}", bytes / MEGABYTE);
        vec![
            ("after", self.name.clone()),
            ("ms (p50 / p95 / max)", self.ms.map_or("–".to_owned(), |ms| ms.to_string())),
            ("heap, MB", megabytes(self.heap_bytes)),
            ("connections", self.connections.to_string()),
            ("nodes", self.nodes.to_string()),
            ("listeners", self.listeners.to_string()),
            ("browser, MB", megabytes(self.browser_pss_bytes as f64)),
            ("server, MB", megabytes(self.server_rss_bytes as f64)),
        ]
    }
}

/// Returns the report, and what is not flat.
pub(crate) async fn run(binaries: &Binaries, options: &Options) -> anyhow::Result<(Report, Vec<String>)> {
    let machine = Machine::this();
    let small =
        CamerasOptions { count: CAMERAS, width: 320, height: 180, fps: 15, ..CamerasOptions::default() };
    let cameras = scene::cameras(&small)?;
    let server = scene::server(binaries, &scene::streams(&cameras, CAMERAS, ""), "")?;
    let job = json!({
        "url": server.url(), "switches": options.switches, "mounts": options.mounts, "parts": PARTS,
    });
    let mut measured: [Vec<Measured>; 2] = Default::default();
    let version = browser::run("soak", &job, |node, event| {
        let sample: Sample = serde_json::from_value(event).context("what the browser said")?;
        eprintln!("soak: {} {}, heap {:.1} MB", sample.done, sample.part, sample.heap_bytes / MEGABYTE);
        measured[usize::from(sample.part == "mounts")].push(Measured {
            name: format!("{} {}", sample.done, sample.part),
            ms: Distribution::of(&sample.ms),
            heap_bytes: sample.heap_bytes,
            connections: sample.connections,
            nodes: sample.nodes,
            listeners: sample.listeners,
            browser_pss_bytes: accounting::descendants(node)?.pss_bytes,
            server_rss_bytes: accounting::usage(server.id())?.rss_bytes,
        });
        Ok(())
    })
    .await?;
    let mut faults: Vec<String> = measured.iter().flat_map(|samples| faults(samples)).collect();
    let metrics = metrics(&server.url()).await?;
    if !metrics.lines().any(|line| line == "multistream_sessions 0") {
        faults.push("sessions are left on the server".to_owned());
    }
    let about = format!(
        "{CAMERAS} live cameras (320×180, 15 fps) in one page: each switch as soon as the one before is shown; then walls of \
         {CAMERAS} tiles, each gone when all its tiles have a picture. Memory after garbage collection"
    );
    let cases: Vec<Measured> = measured.into_iter().flatten().collect();
    Ok((Report::new("soak", machine, Versions::with_browser(version), about, &cases)?, faults))
}

/// What is not as it was after the second part; the first one warms up.
fn faults(samples: &[Measured]) -> Vec<String> {
    let (Some(first), Some(last)) = (samples.get(1), samples.last()) else { return Vec::new() };
    let slower = first.ms.zip(last.ms).is_some_and(|(first, last)| last.p50 > first.p50 * MOST_SLOWER);
    [
        (slower, "they take longer"),
        (last.heap_bytes > first.heap_bytes + MOST_HEAP_BYTES, "the heap grows"),
        (last.connections > first.connections, "connections stay open"),
        (last.nodes > first.nodes, "elements are left"),
        (last.listeners > first.listeners, "listeners are left"),
    ]
    .into_iter()
    .filter(|(is_so, _)| *is_so)
    .map(|(_, what)| format!("{what} ({})", last.name))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(ms: f64, heap_bytes: f64, connections: f64) -> Measured {
        Measured {
            name: "100 mounts".to_owned(),
            ms: Distribution::of(&[ms]),
            heap_bytes,
            connections,
            nodes: 5.0,
            listeners: 9.0,
            browser_pss_bytes: 0,
            server_rss_bytes: 0,
        }
    }

    #[test]
    fn what_grows_after_the_second_part_is_named() {
        let flat = [after(90.0, 9e6, 1.0), after(20.0, 4e6, 1.0), after(25.0, 4.1e6, 1.0)];
        assert!(faults(&flat).is_empty());
        let grows = [after(20.0, 4e6, 1.0), after(20.0, 4e6, 1.0), after(50.0, 9e6, 2.0)];
        assert_eq!(faults(&grows).len(), 3, "{:?}", faults(&grows));
    }
}
