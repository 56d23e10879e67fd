//! What processes use: CPU seconds and memory, from `/proc`.

use anyhow::Context;
use procfs::process::Process;

/// Seconds that a process has spent on a core, and its memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usage {
    pub(crate) cpu_s: f64,
    pub(crate) rss_bytes: u64,
}

/// Of one process alone.
pub(crate) fn usage(pid: u32) -> anyhow::Result<Usage> {
    let gone = || format!("process {pid} is gone: it ended during the measurement");
    let stat = Process::new(pid.cast_signed()).and_then(|process| process.stat()).with_context(gone)?;
    Ok(Usage {
        cpu_s: (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64,
        rss_bytes: stat.rss * procfs::page_size(),
    })
}
