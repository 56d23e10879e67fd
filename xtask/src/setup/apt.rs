//! Installs system packages with Debian's apt.

use super::{Purpose, is_root};
use crate::lanes::Step;
use crate::{Failure, process};

/// ffmpeg transcodes, and renders the footage of demo and tests; the font is for its texts.
const DEMO: &[&str] = &["ffmpeg", "fonts-dejavu-core"];
/// The browser, and the RTSP server of the test cameras.
const TEST: &[&str] = &[
    "chromium",
    "python3",
    "python3-gi",
    "gir1.2-gst-rtsp-server-1.0",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-bad",
    "gstreamer1.0-tools",
];

pub(super) fn step(purpose: Purpose) -> Step {
    Step {
        name: "system packages",
        is_done: Box::new(move || missing(purpose).is_empty()),
        perform: Box::new(move || install(&missing(purpose))),
    }
}

fn missing(purpose: Purpose) -> Vec<&'static str> {
    let more = if purpose == Purpose::Test { TEST } else { &[] };
    DEMO.iter().chain(more).copied().filter(|package| !is_installed(package)).collect()
}

fn is_installed(package: &str) -> bool {
    process::output_of("dpkg-query", &["--show", "--showformat=${db:Status-Status}", package])
        .is_some_and(|status| status == "installed")
}

fn install(packages: &[&str]) -> Result<(), Failure> {
    if process::output_of("apt-get", &["--version"]).is_none() {
        return Err(format!(
            "this system has no apt-get. Install what Debian calls {} by hand, then use --no-setup",
            packages.join(", ")
        )
        .into());
    }
    process::say(&format!(
        "these packages are missing and will be installed with apt-get: {}",
        packages.join(" ")
    ));
    apt(&["update", "--quiet"])?;
    apt(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

fn apt(arguments: &[&str]) -> Result<(), Failure> {
    let words = [
        if is_root() { &[] as &[&str] } else { &["sudo"] },
        &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"],
    ];
    let words = [words.concat().as_slice(), arguments].concat();
    process::run_at_the_terminal(&mut process::command(words[0], &words[1..]))
}
