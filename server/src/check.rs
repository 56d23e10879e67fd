//! `multistream check`: what a config file gives, for people and as JSON.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use multistream::config::{ApiConfig, Config, Known, Problem, Problems, Severity};
use multistream::source::hardware_report;
use serde_json::{Value, json};

use crate::config_file;

/// Prints what `file` gives. It is an error where the server would not start with it.
pub(crate) fn run(file: &Path, as_json: bool) -> anyhow::Result<()> {
    let loaded = config_file::load(file);
    if as_json {
        println!("{}", described(file, loaded.as_ref())?);
        return match loaded {
            Ok(_) => Ok(()),
            // The problems are in the JSON.
            Err(_) => Err(anyhow::anyhow!("{}: the server does not start with it", file.display())),
        };
    }
    let (config, warnings) = loaded?;
    let lines = warnings.iter().map(ToString::to_string).chain(summary(&config));
    for line in lines {
        println!("{}", Known(&line));
    }
    Ok(())
}

/// Where the pages are, what is made without being written, and which streams can show a picture.
fn summary(config: &Config) -> Vec<String> {
    let mut lines = vec![format!("pages: {}", pages(&config.api))];
    lines.extend(qualities(config));
    lines.extend(ladder_cost(config));
    lines.extend(hardware_report(config).into_iter().map(|line| line.unwrap_or_else(|not| not)));
    let obstacles = config_file::obstacles(config);
    let all = config.streams.len();
    let shown = obstacles.iter().filter(|obstacle| obstacle.is_none()).count();
    let streams = if all == 1 { "stream" } else { "streams" };
    let but = if shown == all { "" } else { ", all but these:" };
    lines.push(format!("{shown} of {all} {streams} can show a picture{but}"));
    for (stream, obstacle) in config.streams.iter().zip(obstacles) {
        lines.extend(obstacle.map(|reason| format!("  {}: {reason}", stream.name)));
    }
    lines
}

/// What the streams' names were taken for: each camera with its qualities, without those of the ladder.
fn qualities(config: &Config) -> Option<String> {
    let mut cameras: Vec<(String, Vec<String>)> = Vec::new();
    for (stream, quality) in config.streams.iter().zip(config.qualities()) {
        let Some((camera, quality)) = quality.filter(|_| stream.ladder_rung().is_none()) else { continue };
        match cameras.iter_mut().find(|(known, _)| *known == camera) {
            Some((_, qualities)) => qualities.push(quality),
            None => cameras.push((camera, vec![quality])),
        }
    }
    let of_camera =
        |(camera, qualities): &(String, Vec<String>)| format!("{camera} has {}", qualities.join(", "));
    let cameras: Vec<String> = cameras.iter().map(of_camera).collect();
    (!cameras.is_empty()).then(|| format!("qualities, by the streams' names: {}", cameras.join("; ")))
}

/// Where the pages are and who can open them.
fn pages(api: &ApiConfig) -> String {
    let urls = urls(api.listen, api.tls.as_ref().map(|tls| tls.listen), &api.base_path);
    if !api.is_for_this_machine() {
        return format!("{urls} (this machine and others)");
    }
    format!(
        "{urls} (loopback only; other machines: set api.listen to \":1984\", and api.token, or api.username and api.password)"
    )
}

/// The addresses of the pages.
pub(crate) fn urls(http: Option<SocketAddr>, https: Option<SocketAddr>, base_path: &str) -> String {
    let url = |scheme, address: SocketAddr| format!("{scheme}://{address}{base_path}/");
    let urls = [http.map(|address| url("http", address)), https.map(|address| url("https", address))];
    urls.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

/// What `multistream.ladder` costs, as a few sentences.
fn ladder_cost(config: &Config) -> Option<String> {
    /// Of one ffmpeg for a camera of 1080 lines and 30 pictures per second, as estimated from ffmpeg on the machine of docs/performance.md: for decoding and
    /// for each million pixels of a picture that is encoded.
    const CORES: f64 = 0.18;
    const CORES_PER_MEGAPIXEL: f64 = 0.26;
    let rungs: Vec<(&str, u32)> = config.streams.iter().filter_map(|stream| stream.ladder_rung()).collect();
    let cameras = rungs.iter().map(|(camera, _)| camera).collect::<BTreeSet<_>>().len();
    let heights: BTreeSet<u32> = rungs.iter().map(|(_, height)| *height).collect();
    let cost = |&height: &u32| {
        let megapixels = f64::from(height) * f64::from(height) * 16.0 / 9.0 / 1e6;
        format!("{height}p: {:.1}", CORES_PER_MEGAPIXEL.mul_add(megapixels, CORES))
    };
    let costs: Vec<String> = heights.iter().rev().map(cost).collect();
    let limit = config.multistream.ladder_limit();
    (!rungs.is_empty()).then(|| {
        format!(
            "multistream.ladder: {} of these streams are variants that it makes of {cameras} cameras. A variant is one ffmpeg \
             while somebody needs it, and takes roughly this many CPU cores with a camera of 1080p at 30 pictures per second: \
             {}. At most {limit} of them run at the same time (multistream.max_ladder).",
            rungs.len(),
            costs.join(", ")
        )
    })
}

fn masked(text: &str) -> String {
    Known(text).to_string()
}

/// All of it for programs.
fn described(
    file: &Path,
    loaded: Result<&(Config, Vec<Problem>), &anyhow::Error>,
) -> serde_json::Result<String> {
    let of_problem = |problem: &Problem| {
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        json!({"severity": severity, "line": problem.line, "key": problem.key, "message": masked(&problem.message)})
    };
    let mut all = json!({"file": file.display().to_string(), "starts": loaded.is_ok()});
    match loaded {
        Ok((config, warnings)) => {
            let obstacles = config_file::obstacles(config);
            all["problems"] = warnings.iter().map(of_problem).collect();
            all["listen"] = json!(config.api.listen.map(|address| address.to_string()));
            all["tls_listen"] = json!(config.api.tls.as_ref().map(|tls| tls.listen.to_string()));
            let of_engine = |line: Result<String, String>| json!({"works": line.is_ok(), "message": line.unwrap_or_else(|not| not)});
            all["hardware"] = hardware_report(config).into_iter().map(of_engine).collect();
            all["loopback_only"] = json!(config.api.is_for_this_machine());
            all["shown"] = json!(obstacles.iter().filter(|obstacle| obstacle.is_none()).count());
            let named = config.streams.iter().zip(config.qualities()).zip(&obstacles);
            let stream = named.map(|((stream, quality), obstacle)| {
                let (camera, quality) = quality.unzip();
                let reason = obstacle.as_deref().map(masked);
                json!({"name": stream.name, "shows": reason.is_none(), "reason": reason, "camera": camera, "quality": quality})
            });
            all["streams"] = stream.collect();
        }
        Err(error) => {
            all["problems"] = match error.downcast_ref::<Problems>() {
                Some(problems) => problems.0.iter().map(of_problem).collect(),
                None => {
                    json!([{"severity": "error", "line": Value::Null, "key": "", "message": masked(&error.to_string())}])
                }
            };
        }
    }
    serde_json::to_string_pretty(&all)
}
