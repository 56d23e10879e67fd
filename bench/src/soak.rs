//! `soak`: many viewers that switch, leave and come back, and cameras that die and come back, for as long as one likes. It measures
//! whether the server is the same afterwards: its memory, files, threads, programs and sessions.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use multistream_testkit::{Cameras, CamerasOptions, Server, free_port};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::accounting;
use crate::header_viewer::HeaderViewer;
use crate::machine::{Machine, Versions};
use crate::report::{Case, Report};
use crate::scene::{self, Binaries};

const SLOTS: u8 = 9;
const STEADY: u8 = 9;
/// Cameras that die: how many there are, for how long they live, and for how long they are gone.
const FLAKY: u8 = 3;
const LIVES: Duration = Duration::from_secs(15);
const GONE: Duration = Duration::from_secs(4);
const SAMPLE_EVERY: Duration = Duration::from_secs(5);
const REPORT_EVERY: Duration = Duration::from_secs(30);
/// A viewer stays for between one and three of these, and switches a slot about every two seconds.
const STAY: Duration = Duration::from_secs(15);
const SWITCH_EVERY: Duration = Duration::from_secs(2);
/// An answer, or the first pictures of all slots, may take this long on a machine that is as busy as it can be.
const PATIENCE: Duration = Duration::from_secs(30);
/// After the last viewer has left: `linger` and `resume_timeout` of the config, and some time for the rest.
const QUIET: Duration = Duration::from_secs(12);

/// A memory that grows by more than this share of it in a minute, once it is warm, is not flat. An allocator that keeps what it got
/// makes some growth of its own.
const MOST_GROWTH_PER_MINUTE: f64 = 0.01;
/// Threads for blocking work come and go.
const MORE_THREADS: i64 = 8;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// Viewers at the same time, each with nine slots.
    #[arg(long, default_value_t = 50)]
    viewers: u64,
    /// In Chromium instead: switches on one connection, then walls that come and go.
    #[arg(long)]
    pub(crate) browser: bool,
    /// With `--browser`.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) switches: u64,
    /// With `--browser`.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) mounts: u64,
}

/// What is counted while it runs.
#[derive(Debug, Default)]
struct Counts {
    joins: AtomicU64,
    switches: AtomicU64,
    without_picture: AtomicU64,
    lost: AtomicU64,
    errors: AtomicU64,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    minute: f64,
    rss_kb: f64,
    fds: usize,
    threads: usize,
}

#[derive(Debug, Serialize)]
struct Soaked {
    name: String,
    minutes: f64,
    viewers: u64,
    /// The slope of the resident memory after the first quarter of the time.
    rss_kb_per_min: f64,
    rss_kb_start: f64,
    rss_kb_end: f64,
    /// Open files before the first viewer, at most, and after the last one.
    fds_before: usize,
    fds: usize,
    fds_after: usize,
    tasks_before: usize,
    tasks_after: usize,
    children_before: usize,
    children_after: usize,
    sessions_after: u64,
    joins: u64,
    switches: u64,
    /// Switches that ended without a picture, as to a camera that was gone.
    switches_without_picture: u64,
    /// Packets that did not arrive.
    lost: u64,
    panics: u64,
    errors: u64,
}

impl Case for Soaked {
    fn row(&self) -> Vec<(&'static str, String)> {
        vec![
            ("minutes", format!("{:.1}", self.minutes)),
            ("viewers × 9 slots", self.viewers.to_string()),
            ("RSS, kB per minute", format!("{:.0}", self.rss_kb_per_min)),
            ("RSS, kB", format!("{:.0} → {:.0}", self.rss_kb_start, self.rss_kb_end)),
            ("files", format!("{} → {} → {}", self.fds_before, self.fds, self.fds_after)),
            ("threads", format!("{} → {}", self.tasks_before, self.tasks_after)),
            ("programs", format!("{} → {}", self.children_before, self.children_after)),
            ("sessions left", self.sessions_after.to_string()),
            ("joins", self.joins.to_string()),
            ("switches", self.switches.to_string()),
            ("lost", self.lost.to_string()),
            ("panics", self.panics.to_string()),
            ("errors", self.errors.to_string()),
        ]
    }
}

impl Soaked {
    /// What is not as it was.
    fn faults(&self) -> Vec<String> {
        let grows = self.rss_kb_per_min > MOST_GROWTH_PER_MINUTE * self.rss_kb_end;
        let more_threads = self.tasks_after as i64 - self.tasks_before as i64 > MORE_THREADS;
        [
            (grows, format!("the memory grows by {:.0} kB in a minute", self.rss_kb_per_min)),
            (self.fds_after > self.fds_before, format!("{} files stay open", self.fds_after)),
            (more_threads, format!("{} threads are left", self.tasks_after)),
            (
                self.children_after > self.children_before,
                format!("{} programs are left", self.children_after),
            ),
            (self.sessions_after > 0, format!("{} sessions are left", self.sessions_after)),
            (self.panics > 0, format!("{} panics", self.panics)),
            (self.errors > 0, format!("{} errors", self.errors)),
        ]
        .into_iter()
        .filter_map(|(is_so, what)| is_so.then_some(what))
        .collect()
    }
}

/// Returns the report, and what is not flat.
pub(crate) async fn run(binaries: &Binaries, options: &Options) -> anyhow::Result<(Report, Vec<String>)> {
    let machine = Machine::this();
    let small =
        CamerasOptions { count: STEADY, width: 320, height: 180, fps: 15, ..CamerasOptions::default() };
    let cameras = scene::cameras(&small)?;
    let flaky = CamerasOptions { count: FLAKY, port: free_port(), ..small };
    let server = Server::start(&binaries.server, &config(&cameras, flaky.port, options.viewers))?;
    let (pid, url) = (server.id(), server.url());
    // What a first viewer starts stays: the threads of sources, and the files that they wait on.
    timeout(PATIENCE, HeaderViewer::connect(&url, &steady()).await?.until_frames(1)).await??;
    sleep(QUIET).await;
    let before = (sample(pid, 0.0)?, children(pid));

    let (counts, stop) = (Arc::<Counts>::default(), Arc::<AtomicBool>::default());
    let begun = Instant::now();
    let dying = tokio::task::spawn_blocking({
        let stop = stop.clone();
        move || die_and_come_back(&flaky, &stop)
    });
    let mut viewers = JoinSet::new();
    for seed in 0..options.viewers {
        viewers.spawn(come_and_go(url.clone(), Random(seed), counts.clone(), stop.clone()));
        // Handshakes of all at once would only queue.
        sleep(Duration::from_millis(100)).await;
    }
    let samples = watch(pid, begun, Duration::from_secs_f64(options.minutes * 60.0), &counts).await?;
    stop.store(true, Ordering::Relaxed);
    while viewers.join_next().await.is_some() {}
    dying.await??;
    eprintln!("soak: all viewers have left");
    sleep(QUIET).await;

    let after = (sample(pid, 0.0)?, children(pid));
    let metrics = metrics(&url).await?;
    let metric = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        line.map(|value| value as u64).with_context(|| format!("/metrics has no {name}"))
    };
    let warm: Vec<Sample> =
        samples.iter().filter(|sample| sample.minute >= options.minutes / 4.0).copied().collect();
    let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let soaked = Soaked {
        name: "soak".to_owned(),
        minutes: options.minutes,
        viewers: options.viewers,
        rss_kb_per_min: slope(&warm),
        rss_kb_start: warm.first().map_or(0.0, |sample| sample.rss_kb),
        rss_kb_end: warm.last().map_or(0.0, |sample| sample.rss_kb),
        fds_before: before.0.fds,
        fds: samples.iter().map(|sample| sample.fds).max().unwrap_or(0),
        fds_after: after.0.fds,
        tasks_before: before.0.threads,
        tasks_after: after.0.threads,
        children_before: before.1,
        children_after: after.1,
        sessions_after: metric("multistream_sessions ")?,
        joins: of(&counts.joins),
        switches: of(&counts.switches),
        switches_without_picture: of(&counts.without_picture),
        lost: of(&counts.lost),
        panics: metric("multistream_panics_total ")?,
        errors: of(&counts.errors),
    };
    let about = format!(
        "{STEADY} steady RTSP cameras and {FLAKY} that die (320×180, 15 fps), a variant of one; each viewer shows nine, switches \
         every {} s, leaves and comes back",
        SWITCH_EVERY.as_secs()
    );
    let faults = soaked.faults();
    Ok((Report::new("soak", machine, Versions::without_browser(), about, &[soaked])?, faults))
}

fn config(cameras: &Cameras, flaky: u16, viewers: u64) -> String {
    let mut streams: Vec<String> = scene::streams(cameras, STEADY, "")
        .into_iter()
        .map(|(name, source)| format!("  {name}: {source}\n"))
        .collect();
    streams.extend((1..=FLAKY).map(|at| format!("  flaky{at}: rtsp://127.0.0.1:{flaky}/camera{at}\n")));
    streams.push("  camera1-90p: ffmpeg:camera1#video=h264#height=90\n".to_owned());
    // Viewers that vanish keep their session for a while.
    format!(
        "multistream: {{max_sessions: {}, linger: 2, resume_timeout: 3}}\nstreams:\n{}",
        4 * viewers + 10,
        streams.concat()
    )
}

/// Cameras that die, as at a power failure, and come back on the same port.
fn die_and_come_back(options: &CamerasOptions, stop: &AtomicBool) -> anyhow::Result<()> {
    while !stop.load(Ordering::Relaxed) {
        let cameras = scene::cameras(options)?;
        wait_unless(stop, LIVES);
        drop(cameras);
        wait_unless(stop, GONE);
    }
    Ok(())
}

fn wait_unless(stop: &AtomicBool, time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until && !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A slot for each steady camera.
fn steady() -> Value {
    (0..SLOTS).map(|slot| json!({ "slot": slot, "stream": format!("camera{}", slot + 1) })).collect()
}

/// One viewer after the other.
async fn come_and_go(url: String, mut random: Random, counts: Arc<Counts>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        if let Err(error) = stay(&url, &mut random, &counts, &stop).await {
            eprintln!("soak: {error:#}");
            counts.errors.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A viewer that comes, switches, and leaves, with or without a goodbye.
async fn stay(url: &str, random: &mut Random, counts: &Counts, stop: &AtomicBool) -> anyhow::Result<()> {
    let mut viewer = HeaderViewer::connect(url, &steady()).await.context("a viewer does not connect")?;
    timeout(PATIENCE, viewer.until_frames(1)).await.context("a viewer gets no pictures")??;
    counts.joins.fetch_add(1, Ordering::Relaxed);
    let leaves = Instant::now() + STAY.mul_f64(1.0 + 2.0 * random.share());
    while Instant::now() < leaves && !stop.load(Ordering::Relaxed) {
        sleep(SWITCH_EVERY.mul_f64(0.5 + random.share())).await;
        let slot = random.below(SLOTS.into());
        let stream = match random.below(u64::from(STEADY + FLAKY) + 1) {
            0 => "camera1-90p".to_owned(),
            at if at <= STEADY.into() => format!("camera{at}"),
            at => format!("flaky{}", at - u64::from(STEADY)),
        };
        let id = random.next().to_string();
        let switch =
            json!({ "type": "multistream/switch", "slot": slot, "stream": stream, "request_id": id });
        viewer.control.send(&switch).await?;
        let is_answer = |message: &Value| message["request_id"] == id.as_str();
        let answered = timeout(PATIENCE, viewer.control.until("the answer to a switch", is_answer)).await;
        let answer = answered.context("a switch is not answered")??;
        counts.switches.fetch_add(1, Ordering::Relaxed);
        let is_refused = answer["type"] == "multistream/error" || answer["status"]["status"] == "error";
        anyhow::ensure!(
            !is_refused || stream.starts_with("flaky"),
            "a switch to {stream} was refused: {answer}"
        );
        if answer["status"]["status"] != "active" {
            counts.without_picture.fetch_add(1, Ordering::Relaxed);
        }
    }
    let lost = viewer.counts().values().map(|slot| slot.lost).sum();
    counts.lost.fetch_add(lost, Ordering::Relaxed);
    if random.share() < 0.5 {
        viewer.control.send(&json!({ "type": "multistream/close" })).await?;
    }
    Ok(())
}

/// Samples the server, and says how it goes.
async fn watch(pid: u32, begun: Instant, time: Duration, counts: &Counts) -> anyhow::Result<Vec<Sample>> {
    let (mut samples, mut said) = (Vec::new(), Instant::now());
    while begun.elapsed() < time {
        sleep(SAMPLE_EVERY.min(time.saturating_sub(begun.elapsed()))).await;
        let now = sample(pid, begun.elapsed().as_secs_f64() / 60.0)?;
        samples.push(now);
        if said.elapsed() >= REPORT_EVERY {
            said = Instant::now();
            let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
            eprintln!(
                "soak: {:.1} min, {:.0} MB, {} files, {} joins, {} switches, {} lost, {} errors",
                now.minute,
                now.rss_kb / 1024.0,
                now.fds,
                of(&counts.joins),
                of(&counts.switches),
                of(&counts.lost),
                of(&counts.errors)
            );
        }
    }
    Ok(samples)
}

fn sample(pid: u32, minute: f64) -> anyhow::Result<Sample> {
    let entries = |of: &str| Ok::<_, anyhow::Error>(fs::read_dir(format!("/proc/{pid}/{of}"))?.count());
    let rss_kb = accounting::usage(pid)?.rss_bytes as f64 / 1024.0;
    Ok(Sample { minute, rss_kb, fds: entries("fd")?, threads: entries("task")? })
}

/// How many children the process has.
fn children(pid: u32) -> usize {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect::<BTreeSet<_>>()
        .len()
}

pub(crate) async fn metrics(url: &str) -> anyhow::Result<String> {
    let host = url.trim_start_matches("http://");
    let mut socket = TcpStream::connect(host).await?;
    socket.write_all(format!("GET /metrics HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes()).await?;
    let mut text = String::new();
    socket.read_to_string(&mut text).await?;
    Ok(text)
}

/// The slope of the memory in kilobytes per minute, by least squares.
fn slope(samples: &[Sample]) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (minute, rss) = (mean(|sample| sample.minute), mean(|sample| sample.rss_kb));
    let products: f64 = samples.iter().map(|sample| (sample.minute - minute) * (sample.rss_kb - rss)).sum();
    let squares: f64 = samples.iter().map(|sample| (sample.minute - minute).powi(2)).sum();
    if squares > 0.0 { products / squares } else { 0.0 }
}

/// The same numbers in every run (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// From 0 to 1.
    fn share(&mut self) -> f64 {
        self.next() as f64 / u64::MAX as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_that_grows_has_its_slope_and_a_flat_one_has_none() {
        let at = |minute: f64, rss_kb: f64| Sample { minute, rss_kb, fds: 0, threads: 0 };
        let growing: Vec<Sample> =
            (0..10).map(|at_| at(f64::from(at_), 1000.0 + 50.0 * f64::from(at_))).collect();
        assert!((slope(&growing) - 50.0).abs() < 1e-6);
        assert!(slope(&[at(0.0, 5.0), at(1.0, 5.0)]).abs() < 1e-9);
        assert!(slope(&[]).abs() < 1e-9);
    }
}
