//! The CPU time and memory of processes, from `/proc`.

use std::collections::HashMap;

use anyhow::Context;
use procfs::process::{Process, Stat, all_processes};

/// Seconds that a process has spent on a core, and its memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usage {
    pub(crate) cpu_s: f64,
    pub(crate) rss_bytes: u64,
}

/// The usage of one process, without its children.
pub(crate) fn usage(pid: u32) -> anyhow::Result<Usage> {
    let gone = || format!("process {pid} is gone: it ended during the measurement");
    let stat = Process::new(pid.cast_signed()).and_then(|process| process.stat()).with_context(gone)?;
    Ok(Usage { cpu_s: cpu_s(&stat), rss_bytes: stat.rss * procfs::page_size() })
}

/// The usage of all descendants of a process together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct TreeUsage {
    pub(crate) cpu_s: f64,
    /// Memory that several of them share counts once (proportional set size).
    pub(crate) pss_bytes: u64,
}

/// The usage of the descendants of `pid`, without `pid` itself.
pub(crate) fn descendants(pid: u32) -> anyhow::Result<TreeUsage> {
    let mut children: HashMap<i32, Vec<(Process, Stat)>> = HashMap::new();
    // A process that ends during the reading is left out.
    for process in all_processes()?.flatten() {
        if let Ok(stat) = process.stat() {
            children.entry(stat.ppid).or_default().push((process, stat));
        }
    }
    let (mut used, mut parents) = (TreeUsage::default(), vec![pid.cast_signed()]);
    while let Some(parent) = parents.pop() {
        for (process, stat) in children.remove(&parent).unwrap_or_default() {
            parents.push(process.pid());
            used.cpu_s += cpu_s(&stat);
            let rollup = process.smaps_rollup().ok();
            let pss =
                rollup.and_then(|maps| maps.memory_map_rollup.0.first()?.extension.map.get("Pss").copied());
            used.pss_bytes += pss.unwrap_or(0);
        }
    }
    Ok(used)
}

fn cpu_s(stat: &Stat) -> f64 {
    (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_memory_of_this_process_is_read() {
        let used = usage(std::process::id()).expect("this process runs");
        assert!(used.rss_bytes > 1 << 20, "{used:?}");
    }

    #[test]
    fn the_memory_of_children_and_their_children_is_counted() {
        let mut shell = Command::new("sh").args(["-c", "sleep 10 & wait"]).spawn().expect("a shell");
        std::thread::sleep(std::time::Duration::from_millis(200));
        let used = descendants(std::process::id());
        let below_shell = descendants(shell.id());
        shell.kill().and_then(|()| shell.wait()).expect("the shell ends");
        assert!(used.expect("a tree").pss_bytes > below_shell.as_ref().expect("a tree").pss_bytes);
        assert!(below_shell.expect("a tree").pss_bytes > 0);
    }

    #[test]
    fn a_process_that_is_gone_is_an_error() {
        assert!(usage(u32::MAX >> 1).is_err());
    }
}
