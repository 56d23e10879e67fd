//! A test that the library's modules import downwards only. It reads the source text, tests included.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Each module with those that it may import, the lowest first. A row names only modules of rows above it, so there is no
/// circle.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("bitstream", &[]),
    ("rtp", &["bitstream"]),
    ("media", &["bitstream", "rtp"]),
    ("config", &["bitstream"]),
    ("source", &["bitstream", "rtp", "media", "config"]),
    ("stream", &["bitstream", "media", "config", "source"]),
    ("slot", &["bitstream", "rtp", "media", "stream"]),
    ("egress", &["rtp", "media", "slot"]),
    ("rtc", &["bitstream", "rtp", "media", "config"]),
    ("session", &["bitstream", "rtp", "media", "config", "stream", "slot", "egress", "rtc"]),
    ("metrics", &["media", "config", "stream", "session"]),
    ("http", &["media", "config", "stream", "session", "metrics"]),
    ("demo", &["config"]),
    ("serve", &["config", "stream", "rtc", "session", "http"]),
];

/// The modules of this crate that a source text names in its paths, such as `media` of `crate::media::Frame`.
fn named(text: &str) -> BTreeSet<&str> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let words = |text| str::split(text, |c: char| !c.is_ascii_alphanumeric() && c != '_');
    code.flat_map(|line| line.split("crate::").skip(1))
        .flat_map(|path| {
            let list = path.strip_prefix('{').map(|list| list.split('}').next().unwrap_or(list));
            words(list.unwrap_or(path)).take(if list.is_some() { usize::MAX } else { 1 })
        })
        .filter(|word| MAY_IMPORT.iter().any(|(module, _)| module == word))
        .collect()
}

fn files(of: &Path, found: &mut Vec<std::path::PathBuf>) {
    if of.is_file() {
        found.push(of.to_owned());
    }
    for entry in fs::read_dir(of).into_iter().flatten() {
        files(&entry.expect("the source can be listed").path(), found);
    }
}

#[test]
fn modules_import_downwards_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&source, &mut paths);
    assert!(paths.len() > 50, "the source is not where it is expected");
    for path in paths {
        let inner = path.strip_prefix(&source).expect("found in there");
        let in_folder = inner.components().count() > 1;
        let module = inner.components().next().and_then(|first| Path::new(first.as_os_str()).file_stem());
        let module = module.and_then(|module| module.to_str()).expect("a name");
        let Some((_, may)) = MAY_IMPORT.iter().find(|(known, _)| *known == module) else {
            assert!(!in_folder, "{module} is new: give it a row that says what it may import");
            continue;
        };
        let text = fs::read_to_string(&path).expect("it can be read");
        for import in named(&text) {
            assert!(
                import == module || may.contains(&import),
                "{} imports {import}, which is not below {module}",
                inner.display()
            );
        }
    }
}

#[test]
fn rows_name_only_rows_above_them() {
    for (at, (module, may)) in MAY_IMPORT.iter().enumerate() {
        let above: Vec<&str> = MAY_IMPORT[..at].iter().map(|(module, _)| *module).collect();
        for import in *may {
            assert!(above.contains(import), "{module} may import {import}, whose row is not above its own");
        }
    }
}

#[test]
fn imports_are_found_in_code_of_every_form() {
    let text = "use crate::media::Frame;\n// crate::http\nuse crate::{rtp::x, slot};\nlet x = crate::stream::Y::new();";
    assert_eq!(named(text), BTreeSet::from(["media", "rtp", "slot", "stream"]));
}
