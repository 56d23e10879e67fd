//! Installs system packages with Debian's apt.

use super::{Purpose, is_root};
use crate::lanes::Step;
use crate::{Failure, process};

/// ffmpeg transcodes, and renders the footage of demo and tests; the font is for its texts.
const DEMO: &[&str] = &["ffmpeg", "fonts-dejavu-core"];
/// The browsers, reverse proxies, a TURN server, a packet filter for networks that block something, the RTSP server of the test
/// cameras, and `webrtcbin`, a viewer. Firefox decodes H.264 with the libavcodec that ffmpeg brings.
const TEST: &[&str] = &[
    "chromium",
    "firefox-esr",
    "nginx-light",
    "caddy",
    "coturn",
    "nftables",
    "openssl",
    "python3",
    "python3-gi",
    "python3-venv",
    "gir1.2-gst-rtsp-server-1.0",
    "gir1.2-gst-plugins-bad-1.0",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-bad",
    "gstreamer1.0-nice",
    "gstreamer1.0-libav",
    "gstreamer1.0-tools",
];
/// Packages that bring a service of the system. The tests run these programs themselves, on ports of their own.
const SERVICES: &[(&str, &str)] = &[("nginx-light", "nginx"), ("caddy", "caddy"), ("coturn", "coturn")];

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
    apt(&[&["install", "--yes", "--no-install-recommends"], packages].concat())?;
    disable_services(packages)
}

/// A service that was there before keeps as it is.
fn disable_services(installed: &[&str]) -> Result<(), Failure> {
    let units: Vec<_> =
        SERVICES.iter().filter(|(package, _)| installed.contains(package)).map(|(_, unit)| *unit).collect();
    if units.is_empty() || process::output_of("systemctl", &["--version"]).is_none() {
        return Ok(());
    }
    as_root(&[&["env", "SYSTEMD_OFFLINE=1", "systemctl", "disable", "--quiet"], units.as_slice()].concat())
}

fn apt(arguments: &[&str]) -> Result<(), Failure> {
    // Without systemd's answer, the packages start no services.
    let words = ["env", "DEBIAN_FRONTEND=noninteractive", "SYSTEMD_OFFLINE=1", "apt-get"];
    as_root(&[words.as_slice(), arguments].concat())
}

fn as_root(words: &[&str]) -> Result<(), Failure> {
    let words = [if is_root() { &[] as &[&str] } else { &["sudo"] }, words].concat();
    process::run_at_the_terminal(&mut process::command(words[0], &words[1..]))
}
