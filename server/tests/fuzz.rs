//! Runs every parser of foreign bytes with the corpus in `fuzz/corpus` and `testdata`, and with mutations of it. The mutations
//! are the same in every run, so failures can be reproduced; libFuzzer searches further (`CONTRIBUTING.md`).

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use multistream::fuzzing::{TARGETS, Target};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

/// Values that break lengths, counts and flags.
const EDGES: &[u8] = &[0, 1, 2, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xfe, 0xff];
/// The limit of a run, far more than any parser needs for a few kilobytes.
const ENDLESS: Duration = Duration::from_secs(5);
const MAX_INPUT: usize = 64 << 10;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of `testdata` that is also used for a target, beside its own corpus.
fn also(target: &str) -> &'static str {
    match target {
        "offer" => "testdata/offers",
        "ffmpeg-sdp" => "testdata/cameras",
        "annex-b" => "testdata/parameter-sets",
        _ => "",
    }
}

fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let own = root().join("fuzz/corpus").join(target.name);
    let folders = [Some(own), Some(root().join(also(target.name))).filter(|_| !also(target.name).is_empty())];
    let mut files = Vec::new();
    for folder in folders.into_iter().flatten() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("the folder can be listed").path();
            files.push((path.clone(), fs::read(path).expect("the file can be read")));
        }
    }
    files.sort();
    assert!(!files.is_empty(), "{} has no corpus", target.name);
    files
}

/// A position in `bytes`, its end included.
fn place(bytes: &[u8], random: &mut StdRng) -> usize {
    random.random_range(0..=bytes.len())
}

/// Makes one small change, as transmission errors and hostile senders do.
fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut StdRng) {
    let at = place(bytes, random);
    match random.random_range(0..7) {
        0 => bytes.truncate(at),
        1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.random_range(0..8);
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = *EDGES.choose(random).expect("there are some");
            }
        }
        3 => {
            let end = at + (bytes.len() - at).min(random.random_range(1..16));
            drop(bytes.drain(at..end));
        }
        4 => {
            let end = at + (bytes.len() - at).min(random.random_range(1..64));
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
        5 => {
            let from = place(other, random);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        _ => {
            let edge = *EDGES.choose(random).expect("there are some");
            bytes.splice(at..at, vec![edge; random.random_range(1..9)]);
        }
    }
    bytes.truncate(MAX_INPUT);
}

/// Runs one input. A panic or an endless run is reported with its bytes.
fn run(target: &Target, input: &[u8], from: &Path) {
    let start = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let told =
        || format!("{} on this mutation of {}:\n{}", target.name, from.display(), input.escape_ascii());
    assert!(outcome.is_ok(), "panic of {}", told());
    assert!(start.elapsed() < ENDLESS, "{:?} for {}", start.elapsed(), told());
}

#[test]
fn every_parser_survives_its_corpus_and_mutations_of_it() {
    for target in TARGETS {
        let start = Instant::now();
        let files = corpus(target);
        for (path, bytes) in &files {
            run(target, bytes, path);
        }
        let mut random = StdRng::seed_from_u64(0);
        for number in 0..target.mutations {
            let (path, bytes) = &files[number as usize % files.len()];
            let mut input = bytes.clone();
            for _ in 0..random.random_range(1..6) {
                let (_, other) = files.choose(&mut random).expect("not empty");
                mutate(&mut input, other, &mut random);
            }
            run(target, &input, path);
        }
        eprintln!(
            "{}: {} files, {} mutations, {:?}",
            target.name,
            files.len(),
            target.mutations,
            start.elapsed()
        );
    }
}

#[test]
fn every_folder_of_the_corpus_belongs_to_a_parser() {
    for entry in fs::read_dir(root().join("fuzz/corpus")).expect("the corpus is there") {
        let name = entry.expect("it can be listed").file_name();
        assert!(TARGETS.iter().any(|target| name == target.name), "{name:?} belongs to none");
    }
}
