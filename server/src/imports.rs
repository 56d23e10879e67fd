//! A test that the library's modules import downwards only. It reads the source text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each module with those that it may import, the lowest first. A row names only modules of rows above it, so there is no
/// circle, and only modules that it does import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("net", &[]),
    ("failures", &[]),
    ("faults", &[]),
    ("limits", &[]),
    ("places", &[]),
    ("warnings", &[]),
    ("bitstream", &[]),
    ("rtp", &["bitstream"]),
    ("media", &["bitstream", "rtp"]),
    ("config", &[]),
    ("access", &["config"]),
    ("tls", &["config"]),
    ("source", &["bitstream", "rtp", "media", "config"]),
    ("stream", &["faults", "limits", "media", "config", "source"]),
    ("slot", &["rtp", "media"]),
    ("egress", &["rtp", "slot"]),
    ("rtc", &["net", "limits", "places", "rtp", "media", "config"]),
    ("rtsp_out", &["net", "failures", "limits", "places", "bitstream", "media", "config", "stream"]),
    (
        "session",
        &[
            "access", "limits", "places", "warnings", "rtp", "media", "config", "stream", "slot", "egress",
            "rtc",
        ],
    ),
    ("snapshot", &["config", "media", "source", "stream"]),
    (
        "http",
        &[
            "access", "net", "failures", "faults", "limits", "places", "warnings", "config", "media", "tls",
            "stream", "session", "snapshot",
        ],
    ),
    ("demo", &["config"]),
    ("doctor", &["net", "media", "config", "source", "stream", "rtc"]),
    ("serve", &["access", "net", "config", "tls", "stream", "rtc", "rtsp_out", "session", "http"]),
];

/// What a module's tests import beside that.
const TESTS_MAY_IMPORT: &[(&str, &[&str])] = &[("slot", &["stream"]), ("egress", &["media"])];

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

fn files(of: &Path, found: &mut Vec<PathBuf>) {
    if of.is_file() {
        found.push(of.to_owned());
    }
    for entry in fs::read_dir(of).into_iter().flatten() {
        files(&entry.expect("the source can be listed").path(), found);
    }
}

/// The text of one source file: what is compiled into the program, and the tests.
fn split_off_tests<'a>(file: &Path, text: &'a str) -> (&'a str, &'a str) {
    let is_test = |part: &std::ffi::OsStr| part == "tests" || part == "tests.rs";
    if file.iter().any(is_test) {
        return ("", text);
    }
    text.split_at(text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len()))
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The modules that each module imports, in the program and in its tests, each import with a file that has it.
fn imports() -> BTreeMap<String, [BTreeMap<String, PathBuf>; 2]> {
    let source = source();
    let mut paths = Vec::new();
    files(&source, &mut paths);
    assert!(paths.len() > 50, "the source is not where it is expected");
    let mut imports: BTreeMap<String, [BTreeMap<String, PathBuf>; 2]> = BTreeMap::new();
    for path in paths {
        let inner = path.strip_prefix(&source).expect("found in there");
        let in_folder = inner.components().count() > 1;
        let module = inner.components().next().and_then(|first| Path::new(first.as_os_str()).file_stem());
        let module = module.and_then(|module| module.to_str()).expect("a name");
        if !MAY_IMPORT.iter().any(|(known, _)| *known == module) {
            assert!(!in_folder, "{module} is new: give it a row that says what it may import");
            continue;
        }
        let text = fs::read_to_string(&path).expect("it can be read");
        let (program, tests) = split_off_tests(inner, &text);
        let of_module = imports.entry(module.to_owned()).or_default();
        for (imports, text) in of_module.iter_mut().zip([program, tests]) {
            let named = named(text).into_iter().filter(|import| *import != module);
            imports.extend(named.map(|import| (import.to_owned(), inner.to_owned())));
        }
    }
    imports
}

fn row<'a>(table: &[(&str, &'a [&'a str])], module: &str) -> &'a [&'a str] {
    table.iter().find(|(known, _)| *known == module).map_or(&[], |(_, may)| may)
}

#[test]
fn modules_import_downwards_only() {
    for (module, [program, tests]) in imports() {
        let (may, tests_may) = (row(MAY_IMPORT, &module), row(TESTS_MAY_IMPORT, &module));
        for (import, file) in &program {
            let file = file.display();
            assert!(may.contains(&import.as_str()), "{file} imports {import}, which is not below {module}");
        }
        for (import, file) in &tests {
            let allowed = may.contains(&import.as_str()) || tests_may.contains(&import.as_str());
            assert!(allowed, "the tests of {} import {import}, which is not below {module}", file.display());
        }
    }
}

#[test]
fn rows_name_only_rows_above_them_and_what_is_imported() {
    let imports = imports();
    for (at, (module, may)) in MAY_IMPORT.iter().enumerate() {
        let above: Vec<&str> = MAY_IMPORT[..at].iter().map(|(module, _)| *module).collect();
        let [program, tests] = imports.get(*module).unwrap_or_else(|| panic!("there is no module {module}"));
        for import in *may {
            assert!(above.contains(import), "{module} may import {import}, whose row is not above its own");
            assert!(
                program.contains_key(*import),
                "{module} does not import {import}: take it out of its row"
            );
        }
        for import in row(TESTS_MAY_IMPORT, module) {
            assert!(tests.contains_key(*import), "the tests of {module} do not import {import}");
        }
    }
}

#[test]
fn imports_are_found_in_code_of_every_form() {
    let text = "use crate::media::Frame;\n// crate::http\nuse crate::{rtp::x, slot};\nlet x = crate::stream::Y::new();";
    assert_eq!(named(text), BTreeSet::from(["media", "rtp", "slot", "stream"]));
}

#[test]
fn tests_are_told_from_the_program() {
    let text = "use crate::media;\n\n#[cfg(test)]\nmod tests {\n    use crate::stream;\n}";
    let of = |file: &str| {
        let (program, tests) = split_off_tests(Path::new(file), text);
        (named(program), named(tests))
    };
    assert_eq!(of("slot/slot.rs"), (BTreeSet::from(["media"]), BTreeSet::from(["stream"])));
    assert_eq!(of("slot/tests/mod.rs"), (BTreeSet::new(), BTreeSet::from(["media", "stream"])));
}
