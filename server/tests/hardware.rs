//! Tests of `#hardware`. There is no hardware here, so libx264 stands in for an engine, by a template of the config.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use multistream::config::{Config, FfmpegConfig, Source};
use multistream::source::{SourceError, Way, hardware_report, run_once};
use tokio::sync::mpsc;
use tokio::time::timeout;

const X264: &str = "-c:v libx264 -tune zerolatency -g 10 -pix_fmt yuv420p";

fn config(ffmpeg: &str, hardware: &str) -> Config {
    let text = format!(
        "ffmpeg:\n{ffmpeg}\nstreams:\n  a: 'ffmpeg:virtual?video=testsrc&size=160x90&rate=10#video=h264#hardware{hardware}'\n"
    );
    let (config, warnings) = Config::parse("m.yaml", &text, &|_| None).expect("the config is fine");
    assert_eq!(warnings, []);
    config
}

/// Whether a picture comes.
async fn shows(config: &Config) -> Result<(), SourceError> {
    let (source, ffmpeg): (Source, FfmpegConfig) =
        (config.streams[0].sources[0].clone(), config.ffmpeg.clone());
    let (output, mut units) = mpsc::channel(64);
    let run = tokio::spawn(async move { run_once(&source, &ffmpeg, Way::AsItIs, None, output).await });
    let unit = timeout(Duration::from_secs(30), units.recv()).await.expect("in time");
    drop(units);
    let ended = run.await.expect("no panic");
    if unit.is_some() { Ok(()) } else { ended }
}

#[tokio::test]
async fn without_an_engine_that_encodes_software_does_and_it_is_said_why() {
    // As on a machine whose engines cannot be opened, also where there are some.
    let none: Vec<String> = ["vaapi", "cuda", "v4l2m2m", "rkmpp", "videotoolbox"]
        .map(|engine| format!("  h264/{engine}: -c:v no_such_{engine}"))
        .to_vec();
    let config = config(&none.join("\n"), "");
    let report = hardware_report(&config);
    let [Ok(line)] = &report[..] else { panic!("{report:?}") };
    assert!(line.starts_with("#hardware encodes h264 in software: vaapi: "), "{line}");
    assert!(line.contains("v4l2m2m: Unknown encoder 'no_such_v4l2m2m'"), "{line}");
    shows(&config).await.expect("a picture");
}

#[tokio::test]
async fn the_first_engine_that_encodes_is_taken() {
    let config =
        config(&format!("  h264/v4l2m2m: {X264} -metadata comment=first\n  h264/videotoolbox: -c:v no"), "");
    let report = hardware_report(&config);
    assert_eq!(report, [Ok("#hardware encodes h264 with v4l2m2m".to_owned())]);
    shows(&config).await.expect("a picture");
}

#[tokio::test]
async fn an_engine_that_is_named_and_does_not_encode_is_said() {
    let report = hardware_report(&config("  h264/v4l2m2m: -c:v no_such_encoder", "=v4l2m2m"));
    let [Err(line)] = &report[..] else { panic!("{report:?}") };
    assert!(line.starts_with("#hardware=v4l2m2m does not encode h264: Unknown encoder"), "{line}");
}

#[tokio::test]
async fn an_engine_that_fails_in_use_is_replaced_by_software_at_the_next_start() {
    let directory = tempfile::tempdir().expect("a directory");
    let bin = directory.path().join("ffmpeg");
    // It encodes the test picture, and fails when it is used.
    let script = "#!/bin/sh\ncase \"$*\" in\n*framecrc*) exec ffmpeg \"$@\";;\n*stand-in*) echo '[h264_v4l2m2m @ 0x1] device lost, encoding failed' >&2; exit 1;;\n\
                  esac\nexec ffmpeg \"$@\"\n";
    std::fs::write(&bin, script).expect("written");
    std::fs::set_permissions(&bin, std::fs::Permissions::from_mode(0o755)).expect("set");
    for hardware in ["", "=v4l2m2m"] {
        let config = config(
            &format!("  bin: {}\n  h264/v4l2m2m: {X264} -metadata comment=stand-in", bin.display()),
            hardware,
        );
        let error = shows(&config).await.expect_err("the engine fails");
        assert!(error.to_string().contains("device lost"), "{error}");
        shows(&config).await.expect("software shows it");
        shows(&config).await.expect("and goes on to");
    }
}
