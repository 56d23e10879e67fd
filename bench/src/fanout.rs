//! `fanout`: many native viewers of nine live cameras. It measures what a packet and a viewer cost the server, and how many
//! viewers fill a core.
//!
//! The viewers live in this process and read only the headers of what they get, which SRTP leaves in the clear: on a
//! machine of two cores they must cost less than what they measure.

use std::time::{Duration, Instant};

use clap::Args;
use multistream_testkit::{Cameras, CamerasOptions};
use serde::Serialize;
use serde_json::json;
use tokio::task::JoinSet;

use crate::accounting;
use crate::header_viewer::HeaderViewer;
use crate::machine::{Machine, Versions};
use crate::report::{Case, Report};
use crate::scene::{self, Binaries};

const SLOTS: u8 = 9;
/// The time from the last viewer's first pictures to the measurement.
const SETTLE: Duration = Duration::from_secs(2);
/// How many viewers connect at once. Handshakes cost far more than media, and more of them would queue.
const CONNECTING_AT_ONCE: usize = 4;
const FULL_CORE_PERCENT: f64 = 100.0;
const CLOSE_ENOUGH_PERCENT: f64 = 5.0;
/// The frame rate, of the cameras' 30, below which the machine gives server and receivers too little CPU time.
const FLUENT_FPS: f64 = 29.0;
/// Steps of the search for the viewers that fill a core.
const SEARCH_STEPS: usize = 4;
const MEBIBYTE: f64 = 1024.0 * 1024.0;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Viewers to measure, each with nine slots.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10, 50])]
    viewers: Vec<usize>,
    /// Size of the cameras' pictures: 360 or 720 lines.
    #[arg(long, default_value_t = 360)]
    height: u32,
    /// Length of each measurement.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Leaves out the search for the viewers that fill one core.
    #[arg(long)]
    no_search: bool,
}

/// One measurement.
#[derive(Debug, Clone, Serialize)]
struct Measured {
    name: String,
    viewers: usize,
    packets_per_s: f64,
    /// Of one core.
    server_cpu_percent: f64,
    cpu_percent_per_1000_packets_s: f64,
    /// Of one core, for this process, in which all viewers run.
    receivers_cpu_percent: f64,
    server_rss_mib: f64,
    /// The memory that each viewer added; unknown for the first case, whose memory includes the cameras' buffers.
    rss_per_viewer_mib: Option<f64>,
    packets_lost: u64,
    /// Pictures per second on the slot that got the fewest.
    slowest_slot_fps: f64,
}

impl Case for Measured {
    fn row(&self) -> Vec<(&'static str, String)> {
        vec![
            ("viewers × 9 slots", self.viewers.to_string()),
            ("packets/s", format!("{:.0}", self.packets_per_s)),
            ("server CPU, % of a core", format!("{:.1}", self.server_cpu_percent)),
            ("% per 1000 packets/s", format!("{:.2}", self.cpu_percent_per_1000_packets_s)),
            ("receivers, % of a core", format!("{:.0}", self.receivers_cpu_percent)),
            ("MiB per viewer", self.rss_per_viewer_mib.map_or("–".to_owned(), |mib| format!("{mib:.2}"))),
            ("lost", self.packets_lost.to_string()),
            ("slowest slot, fps", format!("{:.1}", self.slowest_slot_fps)),
        ]
    }
}

pub(crate) async fn run(binaries: &Binaries, options: &Options) -> anyhow::Result<Report> {
    let machine = Machine::this();
    let width = options.height * 16 / 9;
    let cameras = scene::cameras(&CamerasOptions {
        count: SLOTS,
        width,
        height: options.height,
        ..CamerasOptions::default()
    })?;
    let window = Duration::from_secs(options.seconds);
    let mut cases: Vec<Measured> = Vec::new();
    for &viewers in &options.viewers {
        cases.push(measure(binaries, &cameras, viewers, window, cases.first()).await?);
    }
    if !options.no_search {
        for _ in 0..SEARCH_STEPS {
            let Some(viewers) = next_guess(&cases) else { break };
            cases.push(measure(binaries, &cameras, viewers, window, cases.first()).await?);
        }
    }
    let about = format!(
        "{SLOTS} RTSP cameras ({width}×{}, 30 fps, 2 s GOP), each viewer shows all of them; {} s per line",
        options.height, options.seconds
    );
    Report::new("fanout", machine, Versions::without_browser(), about, &cases)
}

/// The number of viewers to measure next in the search for those that fill one core. `None` once that number is known, or once
/// the whole machine is busy before the core is full.
fn next_guess(cases: &[Measured]) -> Option<usize> {
    let fluent = |case: &&Measured| case.slowest_slot_fps >= FLUENT_FPS;
    let best = cases.iter().filter(fluent).max_by_key(|case| case.viewers)?;
    if best.server_cpu_percent >= FULL_CORE_PERCENT - CLOSE_ENOUGH_PERCENT {
        return None;
    }
    let scaled = (best.viewers as f64 * FULL_CORE_PERCENT / best.server_cpu_percent).round() as usize;
    let too_many = cases.iter().filter(|case| !fluent(case)).map(|case| case.viewers).min();
    let guess = scaled.min(too_many.map_or(usize::MAX, |too_many| best.viewers.midpoint(too_many)));
    // A guess that is less than a tenth larger is not measured.
    (guess > best.viewers + best.viewers / 10).then_some(guess)
}

async fn measure(
    binaries: &Binaries,
    cameras: &Cameras,
    viewers: usize,
    window: Duration,
    first: Option<&Measured>,
) -> anyhow::Result<Measured> {
    eprintln!("fanout: {viewers} viewers");
    let more = format!("multistream:\n  max_sessions: {}\n", viewers + 1);
    let server = scene::server(binaries, &scene::streams(cameras, SLOTS, ""), &more)?;
    let watching = connect(&server.url(), viewers).await?;
    tokio::time::sleep(SETTLE).await;

    let own = std::process::id();
    let (started, before, seen_before) = (Instant::now(), accounting::usage(server.id())?, seen(&watching));
    let own_before = accounting::usage(own)?;
    tokio::time::sleep(window).await;
    let (after, seen_after) = (accounting::usage(server.id())?, seen(&watching));
    let own_after = accounting::usage(own)?;
    let elapsed_s = started.elapsed().as_secs_f64();

    let packets_per_s = (seen_after.packets - seen_before.packets) as f64 / elapsed_s;
    let cpu = (after.cpu_s - before.cpu_s) / elapsed_s * 100.0;
    let rss_mib = after.rss_bytes as f64 / MEBIBYTE;
    let slots = seen_before.frames.iter().zip(&seen_after.frames);
    let fewest = slots.map(|(before, after)| after - before).min().unwrap_or(0);
    Ok(Measured {
        name: format!("{viewers}x{SLOTS}"),
        viewers,
        packets_per_s,
        server_cpu_percent: cpu,
        cpu_percent_per_1000_packets_s: cpu / packets_per_s * 1000.0,
        receivers_cpu_percent: (own_after.cpu_s - own_before.cpu_s) / elapsed_s * 100.0,
        server_rss_mib: rss_mib,
        rss_per_viewer_mib: first
            .filter(|first| viewers > first.viewers)
            .map(|first| (rss_mib - first.server_rss_mib) / (viewers - first.viewers) as f64),
        packets_lost: seen_after.lost - seen_before.lost,
        slowest_slot_fps: fewest as f64 / elapsed_s,
    })
}

/// Connects viewers with nine slots each, and waits until all have received pictures.
async fn connect(url: &str, count: usize) -> anyhow::Result<Vec<HeaderViewer>> {
    let slots = (0..SLOTS).map(|slot| json!({ "slot": slot, "stream": format!("camera{}", slot + 1) }));
    let slots = serde_json::Value::Array(slots.collect());
    let mut watching = Vec::with_capacity(count);
    let mut connecting = JoinSet::new();
    while watching.len() < count {
        while connecting.len() < CONNECTING_AT_ONCE && watching.len() + connecting.len() < count {
            let (url, slots) = (url.to_owned(), slots.clone());
            connecting.spawn(async move {
                let viewer = HeaderViewer::connect(&url, &slots).await?;
                viewer.until_frames(1).await?;
                anyhow::Ok(viewer)
            });
        }
        if let Some(connected) = connecting.join_next().await {
            watching.push(connected??);
        }
    }
    Ok(watching)
}

struct Seen {
    packets: u64,
    lost: u64,
    /// The frames of each slot of each viewer.
    frames: Vec<u64>,
}

fn seen(watching: &[HeaderViewer]) -> Seen {
    let counts: Vec<_> = watching.iter().flat_map(|viewer| viewer.counts().into_values()).collect();
    Seen {
        packets: counts.iter().map(|slot| slot.packets).sum(),
        lost: counts.iter().map(|slot| slot.lost).sum(),
        frames: counts.iter().map(|slot| slot.frames).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(viewers: usize, server_cpu_percent: f64, slowest_slot_fps: f64) -> Measured {
        Measured {
            name: String::new(),
            viewers,
            packets_per_s: 1.0,
            server_cpu_percent,
            cpu_percent_per_1000_packets_s: 1.0,
            receivers_cpu_percent: 1.0,
            server_rss_mib: 1.0,
            rss_per_viewer_mib: None,
            packets_lost: 0,
            slowest_slot_fps,
        }
    }

    #[test]
    fn the_next_guess_scales_the_largest_measurement() {
        assert_eq!(next_guess(&[measured(1, 3.0, 30.0), measured(50, 40.0, 30.0)]), Some(125));
    }

    #[test]
    fn the_search_ends_when_a_core_is_full() {
        assert_eq!(next_guess(&[measured(50, 40.0, 30.0), measured(125, 97.0, 30.0)]), None);
    }

    #[test]
    fn a_number_of_viewers_that_starves_the_machine_bounds_the_search() {
        let starved = measured(150, 60.0, 12.0);
        assert_eq!(next_guess(&[measured(50, 20.0, 30.0), starved.clone()]), Some(100));
        assert_eq!(next_guess(&[measured(140, 59.0, 30.0), starved]), None);
    }
}
