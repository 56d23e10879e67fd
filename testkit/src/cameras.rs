//! The RTSP test cameras of `e2e/cameras`, as one process.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::TestkitError;
use crate::child::Process;

/// The system's Python, the only one for which apt installs the bindings of `GObject`.
const PYTHON: &str = "/usr/bin/python3";
/// The limit for the start, which renders the loops the first time.
const PATIENCE: Duration = Duration::from_mins(2);

#[derive(Debug, Clone)]
pub struct CamerasOptions {
    pub count: u8,
    pub width: u32,
    pub height: u32,
    pub fps: u32,
    /// Seconds between key frames.
    pub gop_s: f64,
    /// 0 takes a free port.
    pub port: u16,
    pub login: Option<Login>,
    /// Other cameras: a name, and the `GStreamer` pipeline that makes its pictures, whose payloader is `pay0`.
    pub launches: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
pub struct Login {
    pub user: String,
    pub password: String,
    /// `basic` or `digest`.
    pub method: &'static str,
}

impl Default for CamerasOptions {
    fn default() -> Self {
        Self {
            count: 1,
            width: 640,
            height: 360,
            fps: 30,
            gop_s: 2.0,
            port: 0,
            login: None,
            launches: Vec::new(),
        }
    }
}

/// An event of an RTSP client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameraEvent {
    /// It began to play `/cameraN`.
    Play { client: u64, path: String },
    /// Its connection was closed.
    Closed { client: u64 },
}

/// The running cameras; dropping them ends the process.
#[derive(Debug)]
pub struct Cameras {
    process: Process,
    port: u16,
    login: Option<Login>,
}

impl Cameras {
    /// Returns when the RTSP port is open.
    pub fn start(options: &CamerasOptions) -> Result<Self, TestkitError> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e/cameras");
        let mut command = Command::new(PYTHON);
        command
            .arg(script)
            .arg(format!("--port={}", options.port))
            .arg(format!("--count={}", options.count))
            .arg(format!("--size={}x{}", options.width, options.height))
            .arg(format!("--fps={}", options.fps))
            .arg(format!("--gop={}", options.gop_s));
        for (name, pipeline) in &options.launches {
            command.arg(format!("--launch={name}={pipeline}"));
        }
        if let Some(login) = &options.login {
            command
                .arg(format!("--user={}", login.user))
                .arg(format!("--password={}", login.password))
                .arg(format!("--auth={}", login.method));
        }
        let process = Process::spawn(command)?;
        let port = process.wait_for(PATIENCE, |line| {
            let event: serde_json::Value = serde_json::from_str(line).ok()?;
            (event["event"] == "ready").then(|| event["port"].as_u64())?
        })?;
        Ok(Self { process, port: port as u16, login: options.login.clone() })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// `rtsp://127.0.0.1:…/cameraN`, with the login if one is needed. Cameras count from 1.
    pub fn url(&self, camera: u8) -> String {
        let login = self.login.as_ref().map(|l| format!("{}:{}@", l.user, l.password)).unwrap_or_default();
        format!("rtsp://{login}127.0.0.1:{}/camera{camera}", self.port)
    }

    /// The address of a camera of [`CamerasOptions::launches`].
    pub fn url_of(&self, name: &str) -> String {
        self.url(0).replace("/camera0", &format!("/{name}"))
    }

    /// All events since the start.
    pub fn events(&self) -> Vec<CameraEvent> {
        self.process.lines().iter().filter_map(|line| parse(line)).collect()
    }

    /// How many clients are playing camera `camera` now.
    pub fn viewers(&self, camera: u8) -> usize {
        let wanted = format!("/camera{camera}");
        let events = self.events();
        let gone = |client: u64| events.contains(&CameraEvent::Closed { client });
        events
            .iter()
            .filter(
                |event| matches!(event, CameraEvent::Play { client, path } if *path == wanted && !gone(*client)),
            )
            .count()
    }
}

fn parse(line: &str) -> Option<CameraEvent> {
    let event: serde_json::Value = serde_json::from_str(line).ok()?;
    let client = event["client"].as_u64()?;
    match event["event"].as_str()? {
        "play" => Some(CameraEvent::Play { client, path: event["path"].as_str()?.to_owned() }),
        "closed" => Some(CameraEvent::Closed { client }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_and_other_lines_are_not() {
        assert_eq!(
            parse(r#"{"event": "play", "client": 3, "path": "/camera2"}"#),
            Some(CameraEvent::Play { client: 3, path: "/camera2".to_owned() })
        );
        assert_eq!(
            parse(r#"{"event": "closed", "client": 3, "paths": []}"#),
            Some(CameraEvent::Closed { client: 3 })
        );
        assert_eq!(parse("cameras: rendered 1 of 2 loops (1 s)"), None);
        assert_eq!(parse(r#"{"event": "ready", "port": 1}"#), None);
    }
}
