//! `multistream reload`: finds the servers that run with a config file, and tells them to read it again.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// Tells every server of this user that runs with this file. Returns how many there are, at least one.
pub(crate) fn tell(config: &Path) -> anyhow::Result<usize> {
    let config = fs::canonicalize(config)?;
    let own = std::env::current_exe()?;
    let processes = fs::read_dir("/proc").context("processes are listed in /proc, which is not there")?;
    let serving = processes.flatten().filter(|process| {
        let of = process.path();
        fs::read_link(of.join("exe")).is_ok_and(|program| is_same_program(&program, &own))
            && config_of(&of).is_some_and(|file| file == config)
    });
    let pids = serving.filter_map(|process| Pid::from_raw(process.file_name().to_str()?.parse().ok()?));
    let mut told = 0;
    for pid in pids {
        kill_process(pid, Signal::HUP)
            .with_context(|| format!("process {} cannot be told", pid.as_raw_nonzero()))?;
        told += 1;
    }
    ensure!(told > 0, "no server runs with {}", config.display());
    Ok(told)
}

/// Whether two paths are the same program. That of a process may have been replaced since it was started.
fn is_same_program(running: &Path, own: &Path) -> bool {
    let name = |path: &Path| path.file_name().map(|name| name.as_bytes().to_owned()).unwrap_or_default();
    name(running).strip_suffix(b" (deleted)").unwrap_or(&name(running)) == name(own)
}

/// The config file of the server that this process is; `None` if it is none.
fn config_of(process: &Path) -> Option<PathBuf> {
    let line = fs::read(process.join("cmdline")).ok()?;
    let words: Vec<&OsStr> = line.split(|byte| *byte == 0).map(OsStr::from_bytes).collect();
    let file = file_among(&words)?;
    fs::canonicalize(fs::read_link(process.join("cwd")).ok()?.join(file)).ok()
}

/// The file that the arguments of `multistream serve` name.
fn file_among<'a>(words: &[&'a OsStr]) -> Option<&'a OsStr> {
    if words.get(1) != Some(&OsStr::new("serve")) {
        return None;
    }
    let mut words = words[2..].iter();
    while let Some(word) = words.next() {
        if matches!(word.as_bytes(), b"--config" | b"-c") {
            return words.next().copied();
        }
        let joined = [&b"--config="[..], b"-c"].iter().find_map(|flag| word.as_bytes().strip_prefix(*flag));
        if let Some(file) = joined {
            return Some(OsStr::from_bytes(file));
        }
    }
    Some(OsStr::new("multistream.yaml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_server_is_found_in_its_arguments() {
        for (line, file) in [
            ("multistream serve", Some("multistream.yaml")),
            ("multistream serve --config a.yaml", Some("a.yaml")),
            ("multistream serve -c a.yaml", Some("a.yaml")),
            ("multistream serve --config=a.yaml", Some("a.yaml")),
            ("multistream serve -ca.yaml", Some("a.yaml")),
            ("multistream check --config a.yaml", None),
            ("multistream", None),
        ] {
            let words: Vec<&OsStr> = line.split(' ').map(OsStr::new).collect();
            assert_eq!(file_among(&words), file.map(OsStr::new), "{line}");
        }
    }
}
