//! Tests of a config that changes while the server runs.

#[allow(dead_code, reason = "each test file uses its own part of it")]
#[path = "support/witness.rs"]
mod witness;

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use multistream_testkit::{CameraEvent, Cameras, Viewer, free_port};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::time::sleep;

use witness::{good_camera, stream, whole_again};

const PATIENCE: Duration = Duration::from_secs(20);

struct Server {
    config: tempfile::NamedTempFile,
    log: tempfile::NamedTempFile,
    addresses: (u16, u16),
    child: Child,
}

impl Server {
    async fn start(streams: &Value) -> Self {
        let config = tempfile::NamedTempFile::new().expect("a file");
        let log = tempfile::NamedTempFile::new().expect("a file");
        let addresses = (free_port(), free_port());
        std::fs::write(config.path(), text(addresses, streams)).expect("it can be written");
        let child = Command::new(env!("CARGO_BIN_EXE_multistream"))
            .args(["serve", "--config"])
            .arg(config.path())
            .stdin(Stdio::null())
            .stderr(log.reopen().expect("a file"))
            .spawn()
            .expect("it starts");
        let server = Self { config, log, addresses, child };
        server.until_it_logs("serving ").await;
        server
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.addresses.0)
    }

    /// Writes the file anew and has it read.
    fn reload(&self, streams: &Value) -> Output {
        std::fs::write(self.config.path(), text(self.addresses, streams)).expect("it can be written");
        let mut reload = Command::new(env!("CARGO_BIN_EXE_multistream"));
        reload.args(["reload", "--config"]).arg(self.config.path()).output().expect("it runs")
    }

    async fn until_it_logs(&self, words: &str) {
        let start = Instant::now();
        loop {
            let log = std::fs::read_to_string(self.log.path()).expect("text");
            if log.contains(words) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{words} is not in {log}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text((api, media): (u16, u16), streams: &Value) -> String {
    let config = json!({
        "api": {"listen": format!("127.0.0.1:{api}")},
        "webrtc": {"listen": format!("127.0.0.1:{media}")},
        "streams": streams,
    });
    config.to_string()
}

fn picture(size: &str) -> String {
    format!("ffmpeg:virtual?video=testsrc&size={size}&rate=25#video=h264")
}

fn plays(cameras: &Cameras) -> usize {
    cameras.events().iter().filter(|event| matches!(event, CameraEvent::Play { .. })).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_added_changed_and_removed_and_the_others_do_not_notice() {
    let cameras = good_camera();
    let before = json!({"same": cameras.url(1), "changes": picture("160x90"), "goes": picture("96x64")});
    let server = Server::start(&before).await;
    let slots = ["same", "changes", "goes"];
    let slots: Vec<Value> =
        slots.iter().enumerate().map(|(slot, stream)| json!({ "slot": slot, "stream": stream })).collect();
    let mut viewer = Viewer::connect(&server.url(), &json!(slots)).await.expect("connects");
    whole_again(&viewer, 30, PATIENCE).await;
    viewer.until_frames(10).await.expect("all play");

    let after = json!({"comes": picture("128x72"), "same": cameras.url(1), "changes": picture("320x180")});
    let output = server.reload(&after);
    assert!(output.status.success(), "{output:?}");
    let gaps = viewer.longest_gaps(Duration::from_secs(3)).await;
    assert!(gaps[&0] < Duration::from_secs(1), "the others go on: {gaps:?}");
    assert_eq!(plays(&cameras), 1, "their cameras are not asked again");
    let removed = |message: &Value| {
        message["slot"] == 2 && message["status"]["error"].to_string().contains("goes was removed")
    };
    viewer.control.until("the removed stream's end", removed).await.expect("the viewer is told");
    let start = Instant::now();
    while stream(&server.url(), "changes").await["width"] != 320 {
        assert!(start.elapsed() < PATIENCE, "{}", stream(&server.url(), "changes").await);
        sleep(Duration::from_millis(50)).await;
    }
    let seen = viewer.counts()[&1].frames;
    let start = Instant::now();
    while viewer.counts()[&1].frames < seen + 25 {
        assert!(start.elapsed() < PATIENCE, "the changed stream is shown by itself");
        sleep(Duration::from_millis(50)).await;
    }
    let switch = json!({ "type": "multistream/switch", "slot": 2, "stream": "comes", "request_id": "s" });
    viewer.control.send(&switch).await.expect("sent");
    let is_shown = |message: &Value| message["request_id"] == "s" && message["status"]["status"] == "active";
    viewer.control.until("the added stream", is_shown).await.expect("it is shown");
    server.until_it_logs(r#"added=["comes"] changed=["changes"] removed=["goes"]"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_config_is_refused_with_its_errors_and_the_old_one_stays() {
    let before = json!({"a": picture("160x90")});
    let server = Server::start(&before).await;
    let viewer =
        Viewer::connect(&server.url(), &json!([{ "slot": 0, "stream": "a" }])).await.expect("connects");
    viewer.until_frames(10).await.expect("it plays");

    let wrong = json!({"a": picture("160x90"), "b": "rtsp://"});
    let output = server.reload(&wrong);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("streams.b: expected rtsp://"), "{said}");
    // Whoever sends the signal without asking finds the same in the log.
    let pid = Pid::from_raw(server.child.id() as i32).expect("a pid");
    kill_process(pid, Signal::HUP).expect("it runs");
    server.until_it_logs("streams.b: expected rtsp://").await;
    viewer.until_frames(25).await.expect("it plays on");
    assert_eq!(stream(&server.url(), "b").await["error"], "there is no stream of this name");

    let other = json!({"a": picture("160x90"), "b": picture("96x64")});
    assert!(server.reload(&other).status.success());
    server.until_it_logs(r#"added=["b"] changed=[] removed=[]"#).await;
}

#[test]
fn a_reload_without_a_server_says_so() {
    let config = tempfile::NamedTempFile::new().expect("a file");
    let mut reload = Command::new(env!("CARGO_BIN_EXE_multistream"));
    let output = reload.args(["reload", "--config"]).arg(config.path()).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("no server runs with"), "{said}");
}
