//! `multistream demo`: six moving cameras in three qualities, to try the server without a camera or a config.
//!
//! All eighteen pictures are loops that are rendered once and then sent with `ffmpeg -c copy`: a tile plays at once in every
//! quality, and six of them take a few percent of a core. Live transcodes would keep the clocks of a camera's qualities in
//! step, but at 15 % of a core each, which is too much for a small machine.

mod footage;
mod scenes;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;

use multistream_protocol::stream_name;

use crate::config::{Config, Problems};
use scenes::{Quality, SCENES};

const WEBRTC_PORT: u16 = 8555;

#[derive(Debug, Clone)]
pub struct DemoOptions {
    pub host: IpAddr,
    pub port: u16,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self { host: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 1984 }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("cannot find a folder for the demo's pictures: set HOME or XDG_CACHE_HOME")]
    NoCacheFolder,
    #[error("cannot use {path} for the demo's pictures: {source}")]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("the demo needs ffmpeg, and it could not be started: {0}. On Debian: apt install ffmpeg")]
    NoFfmpeg(std::io::Error),
    #[error("ffmpeg could not render {scene}: {complaint}")]
    Render { scene: &'static str, complaint: String },
    #[error("the demo's own config is not valid, which is a bug; please report it: {0}")]
    Config(#[from] Problems),
}

/// Renders the missing pictures, with the progress on stderr.
pub fn render() -> Result<(), DemoError> {
    footage::render_missing(&footage::folder()?)
}

/// Renders the missing pictures, like [`render`], and returns the config to serve.
pub fn prepare(options: &DemoOptions) -> Result<Config, DemoError> {
    render()?;
    let folder = footage::folder()?;
    let port = free_udp_port(options.host, WEBRTC_PORT);
    let text = config_text(options, port, |camera, quality| footage::file(&folder, camera, quality));
    let (config, _) = Config::parse("the demo's config", &text, &|_| None)?;
    Ok(config)
}

/// A config as a user would write it.
fn config_text(options: &DemoOptions, webrtc_port: u16, file: impl Fn(usize, Quality) -> PathBuf) -> String {
    let api = SocketAddr::new(options.host, options.port);
    let webrtc = SocketAddr::new(options.host, webrtc_port);
    // Any origin is allowed, so that a dashboard under development can use the demo from its own server.
    let mut text = format!("api:\n  listen: \"{api}\"\n  origin: \"*\"\n");
    if !options.host.is_loopback() {
        // An operator who sets a public address wants others to see the demo, and there is no real camera to protect.
        text.push_str("  auth: none\n");
    }
    let _ = writeln!(text, "webrtc:\n  listen: \"{webrtc}\"\nstreams:");
    for (camera, quality) in all() {
        let name = name(camera, quality);
        // A JSON string is a valid YAML string, with any characters in the path.
        let source = format!("ffmpeg:{}#video=copy", file(camera, quality).display());
        let _ = writeln!(text, "  {name}: {}", serde_json::Value::from(source));
    }
    text.push_str("preload:\n");
    for camera in 0..SCENES.len() {
        let _ = writeln!(text, "  {}:", name(camera, Quality::Native));
    }
    text
}

fn all() -> impl Iterator<Item = (usize, Quality)> {
    (0..SCENES.len()).flat_map(|camera| Quality::ALL.map(|quality| (camera, quality)))
}

/// The stream's name. Cameras are counted from 0 here, and from 1 in names.
fn name(camera: usize, quality: Quality) -> String {
    stream_name(&format!("camera{}", camera + 1), Some(quality.label()))
}

/// The wanted port, or another one if it is in use, so that the demo works beside a running server.
fn free_udp_port(host: IpAddr, wanted: u16) -> u16 {
    let is_free =
        |port| UdpSocket::bind((host, port)).is_ok() && std::net::TcpListener::bind((host, port)).is_ok();
    if is_free(wanted) {
        return wanted;
    }
    UdpSocket::bind((host, 0)).and_then(|socket| socket.local_addr()).map_or(wanted, |address| address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(host: [u8; 4]) -> Config {
        let options = DemoOptions { host: host.into(), port: 1984 };
        let text = config_text(&options, 8555, |camera, quality| {
            PathBuf::from(format!("/home/some one/.cache/{}.mp4", name(camera, quality)))
        });
        Config::parse("demo", &text, &|_| None).expect("a valid config").0
    }

    #[test]
    fn there_are_six_cameras_in_three_qualities() {
        let config = config([127, 0, 0, 1]);
        let names: Vec<&str> = config.streams.iter().map(|stream| stream.name.as_str()).collect();
        assert_eq!(names.len(), 18);
        assert_eq!(&names[..3], ["camera1", "camera1-720p", "camera1-360p"]);
        assert_eq!(config.preload, (1..=6).map(|n| format!("camera{n}")).collect::<Vec<_>>());
    }

    #[test]
    fn authentication_is_off_only_on_a_public_address() {
        assert!(!config([127, 0, 0, 1]).api.auth_none);
        assert!(config([0, 0, 0, 0]).api.auth_none);
    }

    #[test]
    fn pages_of_every_origin_may_show_the_demo() {
        assert_eq!(config([127, 0, 0, 1]).api.origins, ["*"]);
    }

    #[test]
    fn another_port_is_used_if_the_wanted_one_is_taken() {
        let taken = UdpSocket::bind(("127.0.0.1", 0)).expect("a port");
        let port = taken.local_addr().expect("an address").port();
        assert_ne!(free_udp_port(Ipv4Addr::LOCALHOST.into(), port), port);
    }
}
