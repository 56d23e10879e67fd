//! Tries every row of `docs/compat.md`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use multistream::config::{Config, FfmpegConfig, FfmpegInput, FfmpegSource, Source};
use multistream::source::{Way, run_once};
use multistream_testkit::free_port;
use tokio::sync::mpsc;
use tokio::time::timeout;

const PAGE: &str = include_str!("../../docs/compat.md");

/// The rows below a heading, each with its cells.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let part = PAGE.split(&format!("## {heading}\n")).nth(1).expect("the heading is there");
    let part = part.split("\n## ").next().unwrap_or(part);
    let rows = part.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// What stands in a cell between backticks; nothing where it has none.
fn code(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`')
}

/// What is said of a file, and its config unless it is refused.
fn read(text: &str) -> (Option<Config>, Vec<String>) {
    match Config::parse("m.yaml", text, &|_| None) {
        Ok((config, warnings)) => (Some(config), warnings.iter().map(ToString::to_string).collect()),
        Err(problems) => (None, problems.0.iter().map(ToString::to_string).collect()),
    }
}

#[test]
fn every_source_of_the_table_becomes_what_stands_there() {
    let rows = rows("Sources");
    assert!(rows.len() > 40, "{}", rows.len());
    for cells in rows {
        let [source, becomes, says, ..] = cells[..] else { panic!("{cells:?}") };
        let written = code(source).expect("a source");
        let file =
            format!("streams:\n  yard: rtsp://10.0.0.2/1\n  door: rtsp://10.0.0.3/1\n  it: {written}\n");
        let (config, said) = read(&file);
        match code(says) {
            Some(words) => assert!(said.len() == 1 && said[0].contains(words), "{written}: {said:?}"),
            None => assert_eq!(said, [""; 0], "{written}"),
        }
        assert!(!said.join("\n").contains("secret"), "{said:?}");
        let sources = config.and_then(|config| config.streams.into_iter().find(|stream| stream.name == "it"));
        let sources = sources.map(|stream| stream.sources);
        let found = match sources.as_deref() {
            None => "refused".to_owned(),
            Some([]) => "nothing".to_owned(),
            Some([Source::Unsupported(_)]) => "left out".to_owned(),
            Some([source]) => source.to_string(),
            Some(many) => panic!("{written}: {many:?}"),
        };
        assert_eq!(found, code(becomes).unwrap_or(becomes), "{written}");
    }
}

#[test]
fn every_key_of_the_table_has_the_effect_that_stands_there() {
    let rows = rows("Keys");
    assert!(rows.len() > 10, "{}", rows.len());
    for cells in rows {
        let [written, starts, says, ..] = cells[..] else { panic!("{cells:?}") };
        let written = code(written).expect("a file");
        let (config, said) = read(&format!("{written}\n"));
        assert_eq!(config.is_some(), starts == "yes", "{written}: {said:?}");
        match code(says) {
            Some(words) => assert!(said.len() == 1 && said[0].contains(words), "{written}: {said:?}"),
            None => assert_eq!(said, [""; 0], "{written}"),
        }
    }
}

#[test]
fn the_tests_that_play_a_source_exist() {
    let mut named = 0;
    for cells in rows("Sources") {
        let Some((file, test)) = cells.get(3).and_then(|cell| cell.split_once(' ')) else { continue };
        let (file, test) = (code(file).expect("a file"), code(test).expect("a test"));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
        let source = std::fs::read_to_string(path).expect("the file is there");
        assert!(source.contains(&format!("fn {test}()")), "{file} has no test {test}");
        named += 1;
    }
    assert!(named >= 7, "{named}");
}

#[test]
fn every_way_to_view_says_how_it_is_here_and_its_test_exists() {
    let rows = rows("Viewing");
    assert!(rows.len() > 15, "{}", rows.len());
    for cells in rows {
        let [way, here, why, tried_by] = cells[..] else { panic!("{cells:?}") };
        assert!(["same", "different", "absent"].contains(&here), "{way}: {here}");
        assert!(here == "same" || !why.is_empty(), "{way}: why?");
        let Some((file, test)) = tried_by.split_once(' ') else { continue };
        let (file, test) = (code(file).expect("a file"), code(test).expect("a test"));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
        let source = std::fs::read_to_string(path).expect("the file is there");
        assert!(source.contains(&format!("fn {test}()")), "{file} has no test {test}");
    }
}

#[tokio::test]
async fn h264_from_a_tcp_port_is_shown() {
    let port = free_port();
    let listening = format!("tcp://127.0.0.1:{port}?listen=1");
    let picture =
        "-v error -re -f lavfi -i testsrc=size=160x90:rate=10 -c:v libx264 -tune zerolatency -g 10 -f mpegts";
    let mut camera =
        Command::new("ffmpeg").args(picture.split(' ')).arg(&listening).spawn().expect("ffmpeg starts");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let source = FfmpegSource::new(FfmpegInput::Url(format!("tcp://127.0.0.1:{port}")));
    let (output, mut units) = mpsc::channel(64);
    let run = tokio::spawn(async move {
        run_once(&Source::Ffmpeg(source), &FfmpegConfig::default(), Way::AsItIs, None, output).await
    });
    let unit = timeout(Duration::from_secs(20), units.recv()).await.expect("a picture in time");
    drop(units);
    let ended = run.await.expect("no panic");
    camera.kill().and_then(|()| camera.wait()).expect("it ran");
    assert!(unit.is_some(), "{ended:?}");
}
