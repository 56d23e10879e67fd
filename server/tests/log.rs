//! Tests that what becomes of the log is no matter of the cameras and the viewers.

use std::fs::{File, OpenOptions};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use multistream_testkit::{Cameras, CamerasOptions, Viewer, free_port};
use serde_json::json;

/// A server whose log goes to `stderr`, with one camera.
struct Server {
    child: Child,
    url: String,
    _cameras: Cameras,
    _config: tempfile::NamedTempFile,
}

impl Server {
    async fn start(stderr: Stdio) -> Self {
        let cameras = Cameras::start(&CamerasOptions::default()).expect("cameras");
        let (api, webrtc) = (free_port(), free_port());
        let config = tempfile::NamedTempFile::new().expect("a file for the config");
        // Several times what a pipe holds.
        let yaml = json!({
            "api": {"listen": format!("127.0.0.1:{api}")},
            "webrtc": {"listen": format!("127.0.0.1:{webrtc}")},
            "log": {"level": "multistream=trace,rtc=trace"},
            "streams": {"camera1": cameras.url(1)},
        });
        std::fs::write(config.path(), yaml.to_string()).expect("it can be written");
        let child = Command::new(env!("CARGO_BIN_EXE_multistream"))
            .args(["serve", "--config"])
            .arg(config.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .expect("the server starts");
        let server =
            Self { child, url: format!("http://127.0.0.1:{api}"), _cameras: cameras, _config: config };
        for _ in 0..500 {
            if tokio::net::TcpStream::connect(("127.0.0.1", api)).await.is_ok() {
                return server;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the server does not listen");
    }

    /// Two viewers come one after the other, and see the camera.
    async fn shows_its_camera(&self) {
        for _ in 0..2 {
            let slots = json!([{ "slot": 0, "stream": "camera1" }]);
            let viewer = Viewer::connect(&self.url, &slots).await.expect("connects");
            viewer.until_frames(60).await.expect("the camera plays on");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_log_does_not_touch_the_cameras() {
    let full: File = OpenOptions::new().write(true).open("/dev/full").expect("Linux has one");
    Server::start(full.into()).await.shows_its_camera().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_that_nobody_reads_under_the_log_does_not_touch_the_cameras() {
    let mut server = Server::start(Stdio::piped()).await;
    server.shows_its_camera().await;
    let unread = server.child.stderr.take();
    assert!(unread.is_some(), "it stayed open");
}
