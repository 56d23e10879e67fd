//! The demo's loops, rendered by ffmpeg on the first start and kept in the user's cache folder.

use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use super::scenes::{FPS, HEIGHT, Quality, SCENES, SECONDS, Scene, WIDTH};
use super::{DemoError, name};

/// To be incremented when the pictures change.
const VERSION: u32 = 1;
const GOP_S: u32 = 2;

/// `$XDG_CACHE_HOME/multistream/demo-N` (XDG Base Directory Specification).
pub(super) fn folder() -> Result<PathBuf, DemoError> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| Some(set("HOME")?.join(".cache")))
        .ok_or(DemoError::NoCacheFolder)?;
    Ok(cache.join(format!("multistream/demo-{VERSION}")))
}

pub(super) fn file(folder: &Path, camera: usize, quality: Quality) -> PathBuf {
    folder.join(format!("{}.mp4", name(camera, quality)))
}

pub(super) fn render_missing(folder: &Path) -> Result<(), DemoError> {
    let in_folder = |source| DemoError::Folder { path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(in_folder)?;
    let is_there = |camera| Quality::ALL.iter().all(|&quality| file(folder, camera, quality).exists());
    let missing: Vec<usize> = (0..SCENES.len()).filter(|&camera| !is_there(camera)).collect();
    for (done, &camera) in missing.iter().enumerate() {
        let scene = &SCENES[camera];
        let title = format!("demo: rendering {} ({} of {})", scene.name, done + 1, missing.len());
        // A file gets its final name when it is complete, so an interrupted rendering is repeated.
        let unfinished = |quality| file(folder, camera, quality).with_extension("part");
        render(camera, scene, &title, unfinished)?;
        for quality in Quality::ALL {
            fs::rename(unfinished(quality), file(folder, camera, quality)).map_err(in_folder)?;
        }
    }
    Ok(())
}

/// Renders all qualities of a scene at once, so that its picture is generated once.
fn render(
    camera: usize,
    scene: &Scene,
    title: &str,
    output: impl Fn(Quality) -> PathBuf,
) -> Result<(), DemoError> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-progress", "pipe:1"]);
    command.args(["-filter_complex", &graph(camera, scene)]);
    for quality in Quality::ALL {
        let rate = format!("{}k", quality.max_kbit());
        command
            .args(["-map", &format!("[{}]", quality.label()), "-frames:v", &(SECONDS * FPS).to_string()])
            .args(["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-pix_fmt", "yuv420p"])
            .args(["-crf", "24", "-maxrate", &rate, "-bufsize", &rate, "-bf", "0"])
            .args(["-g", &(GOP_S * FPS).to_string(), "-sc_threshold", "0", "-f", "mp4"])
            .arg(output(quality));
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(DemoError::NoFfmpeg)?;
    // On a terminal the percentage is updated in place; elsewhere only the title is printed.
    let is_terminal = std::io::stderr().is_terminal();
    if !is_terminal {
        eprintln!("{title}");
    }
    for line in child.stdout.take().into_iter().flat_map(|pipe| BufReader::new(pipe).lines()) {
        let frame = line.ok().and_then(|line| line.strip_prefix("frame=")?.trim().parse::<u32>().ok());
        if let Some(frame) = frame.filter(|_| is_terminal) {
            eprint!("\r{title}: {} %   ", (frame * 100 / (SECONDS * FPS)).min(100));
        }
    }
    if is_terminal {
        eprintln!();
    }
    let mut complaint = String::new();
    if let Some(mut pipe) = child.stderr.take() {
        let _ = pipe.read_to_string(&mut complaint);
    }
    let succeeded = child.wait().is_ok_and(|status| status.success());
    if succeeded { Ok(()) } else { Err(DemoError::Render { scene: scene.name, complaint }) }
}

/// The scene with its name and a clock, in every quality. Each picture contains the name of its quality, so that a person sees
/// which one plays.
fn graph(camera: usize, scene: &Scene) -> String {
    let caption = format!(
        "drawtext=text='camera{}  {}  %{{pts\\:hms}}':fontsize=44:fontcolor=white:box=1:boxcolor=black@0.55:\
         boxborderw=14:x=40:y=h-th-50",
        camera + 1,
        scene.name
    );
    let outputs = Quality::ALL.map(|quality| {
        let (label, height) = (quality.label(), quality.height());
        let width = WIDTH * height / HEIGHT;
        let (size, margin) = (height / 20, height / 22);
        format!(
            "[in-{label}]scale={width}:{height},drawtext=text='{label}':fontsize={size}:fontcolor=white:box=1:\
             boxcolor=black@0.55:boxborderw={}:x=w-tw-{margin}:y=h-th-{margin},format=yuv420p[{label}]",
            margin / 3
        )
    });
    let inputs = Quality::ALL.map(|quality| format!("[in-{}]", quality.label()));
    format!(
        "{},setsar=1,{caption},split={}{};{}",
        scene.graph,
        inputs.len(),
        inputs.concat(),
        outputs.join(";")
    )
}
