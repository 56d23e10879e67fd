//! Whether the ffmpeg of the config runs, and has the encoders that its streams need.

use std::collections::BTreeSet;

use tokio::process::Command;

use super::Findings;
use crate::config::{Config, Source, words};
use crate::source;

/// Adds nothing if no stream needs ffmpeg.
pub(super) async fn examine(config: &Config, findings: &mut Findings) {
    let wanted = encoders(config);
    let uses = |source: &Source| matches!(source, Source::Ffmpeg(_));
    if !config.streams.iter().any(|stream| stream.sources.iter().any(uses)) {
        return;
    }
    let bin = &*config.ffmpeg.bin;
    let said = match run(bin, "-encoders").await {
        Ok(said) => said,
        Err(error) => {
            findings.add(Err(format!(
                "ffmpeg.bin: {bin} does not run: {error}; install ffmpeg, or set ffmpeg.bin"
            )));
            return;
        }
    };
    let version = run(bin, "-version").await.unwrap_or_default();
    let version = version.split(' ').nth(2).unwrap_or("of an unknown version").to_owned();
    findings.add(Ok(format!("ffmpeg.bin: {bin} {version} runs")));
    let config = config.clone();
    let engines = tokio::task::spawn_blocking(move || source::hardware_report(&config)).await;
    for engine in engines.unwrap_or_default() {
        let line = |what: String| format!("ffmpeg: {what}");
        findings.add(engine.map(line).map_err(line));
    }
    for encoder in wanted {
        let has_it = said.lines().any(|line| line.split_whitespace().nth(1) == Some(&encoder));
        findings.add(if has_it {
            Ok(format!("ffmpeg: has the encoder {encoder}"))
        } else {
            Err(format!(
                "ffmpeg: has no encoder {encoder}, which streams of the config need: install an ffmpeg that has it, or name \
                 another in ffmpeg: or #video="
            ))
        });
    }
}

/// The encoders that `#video=` of the config names, by its templates.
fn encoders(config: &Config) -> BTreeSet<String> {
    let mut wanted = BTreeSet::new();
    for source in config.streams.iter().flat_map(|stream| &stream.sources) {
        let Source::Ffmpeg(source) = source else { continue };
        let Some(video) = source.video.first() else { continue };
        let arguments = words(config.ffmpeg.template(video).unwrap_or(video)).unwrap_or_default();
        let named = arguments.windows(2).rfind(|pair| matches!(&*pair[0], "-c:v" | "-codec:v" | "-vcodec"));
        wanted.extend(named.map(|pair| pair[1].clone()).filter(|name| name != "copy"));
    }
    wanted
}

async fn run(bin: &str, argument: &str) -> std::io::Result<String> {
    let output = Command::new(bin).args(["-hide_banner", argument]).output().await?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
