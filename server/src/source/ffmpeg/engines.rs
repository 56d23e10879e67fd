//! Which hardware engines of this machine encode, found out by letting each encode a second of test picture, once per process.

use std::collections::HashMap;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::template::split;
use crate::config::{FfmpegConfig, FfmpegSource, Hardware, Masked, Source};
use crate::source::SourceError;

/// How long an engine may take for its second of picture.
const PATIENCE: Duration = Duration::from_secs(8);
/// For so long a source whose engine has failed is encoded in software.
const AVOIDED: Duration = Duration::from_hours(1);
/// What ffmpeg's messages about an engine have in them, and those about a camera do not.
const WORDS: [&str; 14] = [
    "vaapi",
    "nvenc",
    "cuda",
    "v4l2m2m",
    "rkmpp",
    "mpp_",
    "rga",
    "videotoolbox",
    "hwaccel",
    "hwupload",
    "hwdownload",
    "hw_frames",
    "encoder",
    "encoding",
];

/// `Err` says why an engine does not encode, by a program (`ffmpeg.bin`), its template and the engine.
type Tried = HashMap<(String, String, &'static str), Result<(), String>>;
static TRIED: LazyLock<Mutex<Tried>> = LazyLock::new(Mutex::default);
/// The sources whose engine failed while it was used, and when.
static FAILED: LazyLock<Mutex<HashMap<String, Instant>>> = LazyLock::new(Mutex::default);

/// The engine that a source is encoded with now: the one that it names or, if it names none, the first one that encodes, unless that
/// has failed before.
pub(super) async fn resolved(source: &FfmpegSource, config: &FfmpegConfig) -> Option<Hardware> {
    let asked = source.hardware?;
    let avoided = {
        let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
        failed.retain(|_, since| since.elapsed() < AVOIDED);
        failed.contains_key(&source.to_string())
    };
    if avoided {
        return None;
    }
    if asked != Hardware::Any {
        return Some(asked);
    }
    let (config, codec) = (config.clone(), codec(source));
    tokio::task::spawn_blocking(move || any(&config, codec).ok()).await.ok().flatten()
}

/// A source that was encoded by an engine has failed. If the engine is the cause, it is encoded in software the next time.
pub(super) fn failed(source: &FfmpegSource, engine: Hardware, error: &SourceError) {
    let is_cause = match error {
        SourceError::ProgramFailed { said, .. } => {
            let said = said.to_ascii_lowercase();
            WORDS.iter().any(|word| said.contains(word))
        }
        // It is given pictures, and gives none.
        SourceError::ProgramSilent { .. } => source.upstream().is_some(),
        _ => false,
    };
    if is_cause {
        tracing::warn!(%source, %error, engine = engine.name(), "the hardware encoder failed: it is encoded in software for an hour");
        let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
        failed.insert(source.to_string(), Instant::now());
    }
}

/// A line for each engine that streams of the config use: whether it encodes, and what `#hardware` alone does. It takes some seconds
/// the first time.
pub fn report(config: &crate::config::Config) -> Vec<Result<String, String>> {
    let mut asked: Vec<(Hardware, &'static str)> = Vec::new();
    for source in config.streams.iter().flat_map(|stream| &stream.sources) {
        if let Source::Ffmpeg(source) = source
            && let Some(engine) = source.hardware
            && !asked.contains(&(engine, codec(source)))
        {
            asked.push((engine, codec(source)));
        }
    }
    let ffmpeg = &config.ffmpeg;
    let line = |(engine, codec): (Hardware, &'static str)| match engine {
        Hardware::Any => Ok(match any(ffmpeg, codec) {
            Ok(engine) => format!("#hardware encodes {codec} with {}", engine.name()),
            Err(why) => format!("#hardware encodes {codec} in software: {why}"),
        }),
        engine => match tried(ffmpeg, codec, engine) {
            Ok(()) => Ok(format!("#hardware={} encodes {codec}", engine.name())),
            Err(why) => Err(format!("#hardware={} does not encode {codec}: {why}", engine.name())),
        },
    };
    asked.into_iter().map(line).collect()
}

fn codec(source: &FfmpegSource) -> &'static str {
    if source.video.first().is_some_and(|video| video == "h265") { "h265" } else { "h264" }
}

/// The first engine that encodes, or why none does.
fn any(config: &FfmpegConfig, codec: &'static str) -> Result<Hardware, String> {
    let key = (config.bin.clone(), codec.to_owned(), Hardware::Any.name());
    let mut whys = Vec::new();
    let found = Hardware::ALL.into_iter().find(|&engine| match tried(config, codec, engine) {
        Ok(()) => true,
        Err(why) => {
            whys.push(format!("{}: {why}", engine.name()));
            false
        }
    });
    let why = whys.join("; ");
    // Said once.
    if TRIED.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Ok(())).is_none() {
        if let Some(engine) = found {
            tracing::info!(engine = engine.name(), codec, "#hardware: this machine has an encoder");
        } else {
            tracing::warn!(codec, "#hardware: it is encoded in software, for no engine encodes here: {why}");
        }
    }
    found.ok_or(why)
}

fn tried(config: &FfmpegConfig, codec: &'static str, engine: Hardware) -> Result<(), String> {
    let Some(template) = config.template(&format!("{codec}/{}", engine.name())) else {
        return Err(format!("there is no template {codec}/{}", engine.name()));
    };
    let key = (config.bin.clone(), template.to_owned(), engine.name());
    // The lock is held while it is tried, so that nothing is tried twice.
    let mut tried = TRIED.lock().unwrap_or_else(PoisonError::into_inner);
    tried.entry(key).or_insert_with(|| encodes(&config.bin, template, engine)).clone()
}

/// Encodes a second of test picture.
fn encodes(bin: &str, template: &str, engine: Hardware) -> Result<(), String> {
    let device = match engine {
        Hardware::Vaapi => "-init_hw_device vaapi ",
        Hardware::Cuda => "-init_hw_device cuda ",
        _ => "",
    };
    let upload = if engine == Hardware::Vaapi { "-vf format=nv12,hwupload" } else { "-pix_fmt yuv420p" };
    let line = format!(
        "-hide_banner -v error -nostdin {device}-f lavfi -i testsrc2=size=640x360:rate=30 -t 1 {upload}"
    );
    let mut arguments = split(&line);
    arguments.extend(split(template));
    arguments.extend(["-f", "framecrc", "pipe:1"].map(str::to_owned));
    let mut child = Command::new(bin)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    // What it writes fits into its pipes: a line for each picture.
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it took more than {} s for a second of picture", PATIENCE.as_secs()));
            }
        }
    };
    let (mut pictures, mut said) = (String::new(), Vec::new());
    let _ = child.stdout.take().map(|mut stdout| stdout.read_to_string(&mut pictures));
    let _ = child.stderr.take().map(|mut stderr| stderr.read_to_end(&mut said));
    let said = String::from_utf8_lossy(&said);
    let first = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it gave no picture");
    let has_pictures = pictures.lines().any(|line| !line.starts_with('#') && !line.is_empty());
    if status.success() && has_pictures { Ok(()) } else { Err(Masked(first).to_string()) }
}
