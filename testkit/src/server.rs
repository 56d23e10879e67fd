//! Runs a server, this one or a go2rtc for comparison, with a config of the test's own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::EmulatedPath;
use crate::TestkitError;
use crate::child::Process;
use crate::free_port;

const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

/// A running server; dropping it ends the process and removes its config.
#[derive(Debug)]
pub struct Server {
    program: &'static str,
    process: Process,
    config: PathBuf,
    api_port: u16,
    webrtc_port: u16,
}

impl Server {
    /// Starts `binary serve` on free ports, with `streams` (YAML, from `streams:` on, and any other section but `api`
    /// and `webrtc`) as its config, and returns when its API answers.
    pub fn start(binary: &Path, streams: &str) -> Result<Self, TestkitError> {
        Self::launch("multistream", binary, &["serve", "--config"], "", streams)
    }

    /// Starts it in the same way, with a path between it and its viewers: the path's address is the only one that they can reach.
    pub fn start_behind(binary: &Path, streams: &str, path: &EmulatedPath) -> Result<Self, TestkitError> {
        // An address for documentation (RFC 5737), in place of those of this machine.
        let webrtc = format!("  candidates: [{}]\n  filters: {{ips: [192.0.2.1]}}\n", path.address());
        let server = Self::launch("multistream", binary, &["serve", "--config"], &webrtc, streams)?;
        path.lead_to(SocketAddr::from((Ipv4Addr::LOCALHOST, server.webrtc_port)));
        Ok(server)
    }

    /// Starts a go2rtc, which reads the same YAML, in the same way.
    pub fn start_go2rtc(binary: &Path, streams: &str) -> Result<Self, TestkitError> {
        let without_rtsp = format!("{streams}\nrtsp:\n  listen: \"\"");
        Self::launch("go2rtc", binary, &["-config"], "  filters: {loopback: true}\n", &without_rtsp)
    }

    fn launch(
        program: &'static str,
        binary: &Path,
        arguments: &[&str],
        webrtc: &str,
        streams: &str,
    ) -> Result<Self, TestkitError> {
        let (api_port, webrtc_port) = (free_port(), free_port());
        let config = std::env::temp_dir().join(format!("multistream-{}-{api_port}.yaml", std::process::id()));
        let text = format!(
            "api:\n  listen: 127.0.0.1:{api_port}\nwebrtc:\n  listen: 127.0.0.1:{webrtc_port}\n{webrtc}{streams}\n"
        );
        std::fs::write(&config, text)
            .map_err(|source| TestkitError::Write { path: config.clone(), source })?;
        let mut command = Command::new(binary);
        command.args(arguments).arg(&config);
        let server = Self { program, process: Process::spawn(command)?, config, api_port, webrtc_port };
        server.wait_until_listening()?;
        Ok(server)
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.api_port)
    }

    /// The process id, for measurements.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The server's log so far.
    pub fn log(&self) -> Vec<String> {
        self.process.lines()
    }

    fn wait_until_listening(&self) -> Result<(), TestkitError> {
        for _ in 0..PATIENCE.as_millis() / POLL.as_millis() {
            if std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.api_port)).is_ok() {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        Err(TestkitError::NotReady {
            program: self.program.to_owned(),
            seconds: PATIENCE.as_secs(),
            output: self.log().join(" | "),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        std::fs::remove_file(&self.config).ok();
    }
}
