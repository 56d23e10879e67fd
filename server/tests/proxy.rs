//! Tests of the server behind nginx: below a path, and with time-outs for idle connections.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use multistream::config::Config;
use multistream_testkit::{Control, free_port};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use support::{Server, rtsp};

/// How long nginx lets a connection be idle, in seconds.
const IDLE_S: u64 = 5;

struct Nginx {
    process: Child,
    _folder: tempfile::TempDir,
    url: String,
}

impl Nginx {
    /// Starts an nginx that passes everything below `/site` to the server, or says why there is none.
    fn start(server: &Server) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a directory for the test");
        let port = free_port();
        let path = folder.path().display();
        let config = format!(
            "daemon off; master_process off; pid {path}/pid; error_log {path}/error.log;
            events {{}}
            http {{
              access_log off; client_body_temp_path {path}; proxy_temp_path {path}; fastcgi_temp_path {path};
              uwsgi_temp_path {path}; scgi_temp_path {path};
              server {{
                listen 127.0.0.1:{port};
                location /site/ {{
                  proxy_pass {}/;
                  proxy_http_version 1.1;
                  proxy_set_header Upgrade $http_upgrade;
                  proxy_set_header Connection upgrade;
                  proxy_set_header Host $http_host;
                  proxy_set_header X-Forwarded-For $remote_addr;
                  proxy_read_timeout {IDLE_S}s;
                  proxy_send_timeout {IDLE_S}s;
                }}
              }}
            }}",
            server.url
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, config).expect("the config is written");
        let nginx = Command::new("nginx").arg("-c").arg(&file).stderr(Stdio::inherit()).spawn();
        match nginx {
            Ok(process) => {
                Some(Self { process, _folder: folder, url: format!("http://127.0.0.1:{port}/site") })
            }
            Err(error) => {
                eprintln!("skipped: nginx is not installed: {error}");
                None
            }
        }
    }

    async fn control(&self) -> Control {
        for _ in 0..200 {
            if let Ok(control) = Control::connect(&self.url).await {
                return control;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("nginx does not pass WebSockets on");
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn a_websocket_on_which_nothing_happens_outlives_the_idle_time_of_a_proxy() {
    let streams = vec![rtsp("camera1", "rtsp://127.0.0.1:9/none")];
    let server = Server::start(Config { streams, ..Config::default() }).await;
    let Some(nginx) = Nginx::start(&server) else { return };
    let mut control = nginx.control().await;
    control.open(&json!([{ "slot": 0, "stream": "camera1" }])).await.expect("a session");
    let is_end = |message: &serde_json::Value| message.get("closed").is_some();
    let idle = Duration::from_secs(2 * IDLE_S - 1);
    // No offer follows, so the session would end after 15 s.
    let ended = timeout(idle, control.until("end", is_end)).await;
    assert!(ended.is_err(), "the socket was closed: {ended:?}");
}

/// The answer of nginx to a request for a path.
async fn ask(nginx: &Nginx, path: &str) -> String {
    let host = nginx.url.trim_start_matches("http://").trim_end_matches("/site");
    let mut socket = TcpStream::connect(host).await.expect("nginx listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.expect("it answers");
    String::from_utf8_lossy(&answer).to_lowercase()
}

#[tokio::test]
async fn a_base_path_without_its_slash_leads_to_the_pages_behind_a_proxy_that_adds_a_path() {
    let mut config = Config::default();
    config.api.base_path = "/cams".to_owned();
    let server = Server::start(config).await;
    let Some(mut nginx) = Nginx::start(&server) else { return };
    nginx.url += "/cams";
    drop(nginx.control().await);
    nginx.url.truncate(nginx.url.len() - "/cams".len());
    let led = ask(&nginx, "/site/cams?layout=2x2").await;
    // From `/site/cams` that is `/site/cams/`.
    assert!(
        led.starts_with("http/1.1 308 ") && led.contains("\r\nlocation: ./cams/?layout=2x2\r\n"),
        "{led}"
    );
    let page = ask(&nginx, "/site/cams/?layout=2x2").await;
    assert!(page.starts_with("http/1.1 200 ") || page.starts_with("http/1.1 503 "), "{page}");
}
