//! The machine that the figures were measured on, described without anything that identifies it.

use std::process::Command;

use procfs::{CpuInfo, Current, LoadAverage, Meminfo};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    memory_gib: u64,
    system: String,
    /// The load average of the minute before the run, which shows what else the machine was doing.
    load_before: Option<f32>,
}

impl Machine {
    pub(crate) fn this() -> Self {
        let cpu = CpuInfo::current().ok();
        let name = cpu.as_ref().and_then(|info| Some(info.model_name(0)?.to_owned()));
        Self {
            cpu: name.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: cpu.map_or(0, |info| info.num_cores()),
            memory_gib: Meminfo::current().map_or(0, |memory| memory.mem_total >> 30),
            system: system(),
            load_before: LoadAverage::current().ok().map(|load| load.one),
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {} cores, {} GiB, {}", self.cpu, self.cores, self.memory_gib, self.system)?;
        self.load_before.map_or(Ok(()), |load| write!(f, ", load before the run {load:.1}"))
    }
}

/// The versions of the programs that were measured.
#[derive(Debug, Serialize)]
pub(crate) struct Versions {
    multistream: &'static str,
    ffmpeg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chromium: Option<String>,
    /// The go2rtc that was measured for comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) go2rtc: Option<String>,
}

impl Versions {
    pub(crate) fn without_browser() -> Self {
        let ffmpeg = first_line("ffmpeg", "-version").and_then(|line| nth_word(&line, 2));
        Self { multistream: env!("CARGO_PKG_VERSION"), ffmpeg, chromium: None, go2rtc: None }
    }

    pub(crate) fn with_browser(version: String) -> Self {
        Self { chromium: Some(version), ..Self::without_browser() }
    }
}

fn system() -> String {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.map_or_else(|| std::env::consts::OS.to_owned(), |name| name.trim_matches('"').to_owned())
}

fn first_line(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
}

fn nth_word(line: &str, index: usize) -> Option<String> {
    line.split_whitespace().nth(index).map(str::to_owned)
}
