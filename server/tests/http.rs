//! Tests of the web server on its real socket, with requests written out.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use multistream::config::Config;
use multistream::serve::Server;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
}

impl Running {
    async fn with(api: &str, rest: &str) -> Self {
        let text =
            format!("api: {{listen: \"127.0.0.1:0\"{api}}}\nwebrtc: {{listen: \"127.0.0.1:0\"}}\n{rest}\n");
        let (config, _) = Config::parse("test.yaml", &text, &|_| None).expect("the config is fine");
        let server = Server::bind(config).await.expect("its ports are free");
        let address = server.http_addr().expect("it listens");
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Self { address, stop: Some(stop) }
    }

    async fn ask(&self, head: &str) -> Answer {
        let host = format!("127.0.0.1:{}", self.address.port());
        let mut socket = TcpStream::connect(self.address).await.expect("it listens");
        let host = if head.contains("\nHost:") { String::new() } else { format!("Host: {host}\r\n") };
        let (first, more) = head.split_once('\n').unwrap_or((head, ""));
        let more: String = more.lines().flat_map(|line| [line, "\r\n"]).collect();
        let connection = if more.contains("Upgrade") { "" } else { "Connection: close\r\n" };
        let request = format!("{first} HTTP/1.1\r\n{host}{connection}{more}\r\n");
        socket.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let read = socket.read(&mut chunk).await.expect("it answers");
            answer.extend_from_slice(&chunk[..read]);
            if read == 0 || is_whole(&answer) {
                break;
            }
        }
        let answer = String::from_utf8(answer).expect("answers are text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }
}

/// Whether an answer is complete. That of an upgrade has no body, and a refused upgrade leaves the connection open.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    head.starts_with("http/1.1 101") || length.is_some_and(|length| body.len() >= length)
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }
}

const STREAMS: &str = "streams:\n  zoo: rtsp://admin:hunter2@127.0.0.1:1/1\n  yard: exec:camera --password hunter2\n  \
                       yard-360p: ffmpeg:yard#video=h264#height=360\n  attic: tapo://hunter2@127.0.0.1";

const WEBSOCKET: &str = "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n";

#[tokio::test]
async fn the_api_returns_its_name_and_healthz_answers() {
    let server = Running::with("", "").await;
    let about = server.ask("GET /api").await.json();
    assert_eq!(about["name"], "multistream");
    assert_eq!(about["server_version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(about["max_slots"], 9);
    assert_eq!(server.ask("GET /healthz").await.status, 200);
}

#[tokio::test]
async fn streams_are_listed_in_the_order_of_the_config_without_secrets() {
    let server = Running::with("", STREAMS).await;
    let answer = server.ask("GET /api/streams").await;
    let places: Vec<_> =
        ["\"zoo\":", "\"yard\":", "\"yard-360p\":", "\"attic\":"].map(|name| answer.body.find(name)).into();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{}", answer.body);
    assert!(!answer.body.contains("hunter2"), "{}", answer.body);
    let streams = answer.json();
    assert_eq!(streams["zoo"]["producers"][0]["url"], "rtsp://***@127.0.0.1:1/1");
    assert_eq!(streams["zoo"]["consumers"], Value::Array(vec![]));
    assert_eq!(streams["yard"]["state"], "idle");
    assert_eq!(streams["yard"]["qualities"], serde_json::json!(["native", "360p"]));

    let one = server.ask("GET /api/streams?src=yard").await.json();
    assert_eq!(one, streams["yard"]);
    let none = server.ask("GET /api/streams?src=nobody").await;
    assert_eq!((none.status, none.json()["error"].is_string()), (404, true));
}

#[tokio::test]
async fn the_variants_of_a_stream_are_listed_with_the_sizes_in_the_config() {
    let streams = "streams:\n  yard: rtsp://admin:hunter2@127.0.0.1:1/1\n  \
                   yard-small: ffmpeg:yard#video=h264#width=640#height=360\n  yard-720p: rtsp://127.0.0.1:1/2\n  \
                   yard-sub: rtsp://127.0.0.1:1/3";
    let server = Running::with("", streams).await;
    let answer = server.ask("GET /api/streams?src=yard").await;
    assert_eq!(
        answer.json()["variants"],
        serde_json::json!([
            {"quality": "native", "stream": "yard", "width": null, "height": null},
            {"quality": "small", "stream": "yard-small", "width": 640, "height": 360},
            {"quality": "720p", "stream": "yard-720p", "width": null, "height": 720},
            {"quality": "sub", "stream": "yard-sub", "width": null, "height": null},
        ])
    );
    assert!(!answer.body.contains("hunter2"), "{}", answer.body);
}

#[tokio::test]
async fn a_stream_that_fails_is_listed_with_its_error() {
    let server = Running::with("", &format!("{STREAMS}\npreload: [zoo, attic]")).await;
    for (name, reason) in [("zoo", "refuses the connection"), ("attic", "tapo")] {
        let mut error = Value::Null;
        for _ in 0..200 {
            error = server.ask(&format!("GET /api/streams?src={name}")).await.json()["error"].clone();
            if !error.is_null() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let text = error.as_str().unwrap_or_default();
        assert!(text.contains(reason) && !text.contains("hunter2"), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_token_protects_the_api_but_not_the_health_check() {
    let server = Running::with(", token: sesame", STREAMS).await;
    for request in [
        "GET /api/streams",
        "GET /api",
        "GET /api/streams?token=sesame",
        "GET /api/streams\nAuthorization: Bearer sesam",
        "GET /api/streams\nAuthorization: Bearer",
        "GET /api/streams\nAuthorization: Basic c2VzYW1lOnNlc2FtZQ==",
    ] {
        let answer = server.ask(request).await;
        assert_eq!(answer.status, 401, "{request}");
        assert!(answer.head.contains("www-authenticate: bearer"), "{request}");
        assert!(!answer.body.contains("sesame"));
        let says = if request.contains('\n') { "`api.tokens`" } else { "" };
        assert!(answer.body.contains(says), "{request}: {}", answer.body);
    }
    assert_eq!(server.ask("GET /api/streams\nAuthorization: Bearer sesame").await.status, 200);
    assert_eq!(server.ask("GET /healthz").await.status, 200);
    assert_eq!(server.ask(&format!("GET /api/ws\n{WEBSOCKET}")).await.status, 401);
    assert_eq!(server.ask(&format!("GET /api/ws?token=wrong\n{WEBSOCKET}")).await.status, 401);
    assert_eq!(server.ask(&format!("GET /api/ws?src=a&token=sesame\n{WEBSOCKET}")).await.status, 101);

    let server = Running::with(", token: sésame", STREAMS).await;
    assert_eq!(server.ask("GET /api/streams\nAuthorization: Bearer sésame").await.status, 200);
    assert_eq!(server.ask(&format!("GET /api/ws?token=s%C3%A9same\n{WEBSOCKET}")).await.status, 101);
}

#[tokio::test]
async fn a_password_protects_everything_but_the_health_check() {
    let server = Running::with(", username: u, password: p", STREAMS).await;
    for request in
        ["GET /", "GET /api", "GET /api\nAuthorization: Basic dTpx", "GET /api\nAuthorization: Basic !"]
    {
        let answer = server.ask(request).await;
        assert_eq!(answer.status, 401, "{request}");
        assert!(answer.head.contains("www-authenticate: basic"), "{request}");
    }
    assert_eq!(server.ask("GET /api\nAuthorization: Basic dTpw").await.status, 200);
    assert_eq!(server.ask("GET /healthz").await.status, 200);
}

#[tokio::test]
async fn wrong_tokens_are_answered_later_and_later_and_the_right_one_at_once() {
    let server = Running::with(", token: the-right-token-of-16", STREAMS).await;
    let wrong = "GET /api/streams\nAuthorization: Bearer wrong";
    let start = Instant::now();
    for _ in 0..5 {
        assert_eq!(server.ask(wrong).await.status, 401);
    }
    // 250 ms and 500 ms.
    assert!(start.elapsed() >= Duration::from_millis(750), "{:?}", start.elapsed());
    let start = Instant::now();
    let (right, ()) = tokio::join!(
        async {
            let right = server.ask("GET /api/streams\nAuthorization: Bearer the-right-token-of-16").await;
            (right.status, start.elapsed())
        },
        async {
            assert_eq!(server.ask(wrong).await.status, 401);
            assert!(start.elapsed() >= Duration::from_secs(1));
        },
    );
    assert_eq!(right.0, 200);
    assert!(right.1 < Duration::from_millis(900), "it waits for nobody: {:?}", right.1);
    assert_eq!(server.ask("GET /api/streams").await.status, 401, "whoever only asks is not slowed down");
}

#[tokio::test]
async fn only_the_servers_own_pages_may_open_the_websocket() {
    let server = Running::with("", "").await;
    let port = server.address.port();
    let upgrade = |more: &str| format!("GET /api/ws\n{WEBSOCKET}{more}");
    for allowed in [
        String::new(),
        format!("Origin: http://127.0.0.1:{port}"),
        "Host: localhost\nOrigin: http://localhost".into(),
    ] {
        assert_eq!(server.ask(&upgrade(&allowed)).await.status, 101, "{allowed}");
    }
    for refused in [
        "Origin: https://evil.example".to_owned(),
        "Origin: null".to_owned(),
        format!("Origin: http://127.0.0.1:{port}.evil.example"),
        // DNS rebinding: a foreign name that resolves to this machine.
        "Host: evil.example\nOrigin: http://evil.example".to_owned(),
        "Host: 127.0.0.1.evil.example\nOrigin: http://127.0.0.1.evil.example".to_owned(),
    ] {
        let answer = server.ask(&upgrade(&refused)).await;
        assert_eq!(answer.status, 403, "{refused}");
        assert!(answer.body.contains("`api.origin`"), "{}", answer.body);
    }
    assert_eq!(
        server.ask("POST /api/streams\nOrigin: https://evil.example\nContent-Length: 0").await.status,
        403
    );
    let read = server.ask("GET /api\nOrigin: https://evil.example").await;
    assert!(read.status == 200 && !read.head.contains("access-control-allow-origin"));
}

/// DNS rebinding: a page of a name that its owner has let resolve to this machine is of the server's own origin for a browser, and
/// would read everything.
#[tokio::test]
async fn on_loopback_without_a_lock_only_names_of_the_server_are_answered() {
    let open = Running::with(", origin: [\"https://dash.example\", \"http://other.example:8080\"]", "").await;
    for own in
        ["127.0.0.1:1984", "[::1]:1984", "localhost:1984", "192.0.2.7", "dash.example", "OTHER.example:8080"]
    {
        assert_eq!(open.ask(&format!("GET /api/streams\nHost: {own}")).await.status, 200, "{own}");
    }
    for foreign in ["evil.example", "evil.example:1984", "127.0.0.1.evil.example", "localhost.evil.example"] {
        for path in ["/api/streams", "/metrics", "/"] {
            let answer = open.ask(&format!("GET {path}\nHost: {foreign}")).await;
            assert_eq!(answer.status, 403, "{foreign}");
            assert!(answer.body.contains("`api.origin`"), "{}", answer.body);
        }
        assert_eq!(open.ask(&format!("GET /healthz\nHost: {foreign}")).await.status, 200, "it says nothing");
    }
    let locked = Running::with(", token: t", "").await;
    let known = "GET /api/streams\nHost: evil.example\nAuthorization: Bearer t";
    assert_eq!(locked.ask(known).await.status, 200, "a page of a stranger does not know the token");
    let any = Running::with(", origin: \"*\"", "").await;
    assert_eq!(any.ask("GET /api/streams\nHost: evil.example").await.status, 200, "as its owner wants it");
}

#[tokio::test]
async fn a_request_for_the_websocket_without_an_upgrade_is_told_what_is_missing() {
    let server = Running::with(", origin: \"https://dash.example\", token: t", "").await;
    let dash = "Origin: https://dash.example";
    let post = |more: &str| format!("POST /api/ws{more}\nContent-Length: 0");
    for request in [format!("GET /api/ws?token=t\n{dash}"), post(&format!("?token=t\n{dash}"))] {
        let answer = server.ask(&request).await;
        assert_eq!(answer.status, 426, "{request}");
        assert!(answer.head.contains("upgrade: websocket"), "{}", answer.head);
        // The page has to be able to read it.
        assert!(answer.head.contains("access-control-allow-origin: https://dash.example"));
        assert!(answer.json()["error"].as_str().is_some_and(|error| error.contains("proxy")));
    }
    assert_eq!(server.ask(&post("?token=t\nOrigin: https://evil.example")).await.status, 403);
    assert_eq!(server.ask(&post(&format!("?token=wrong\n{dash}"))).await.status, 401);
}

#[tokio::test]
async fn origins_of_the_config_may_use_the_websocket_and_read_the_api() {
    let server = Running::with(", origin: \"https://dash.example\", token: t", "").await;
    let origin = "Origin: https://dash.example";
    assert_eq!(server.ask(&format!("GET /api/ws?token=t\n{WEBSOCKET}{origin}")).await.status, 101);
    let read = server.ask(&format!("GET /api\nAuthorization: Bearer t\n{origin}")).await;
    assert!(read.status == 200 && read.head.contains("access-control-allow-origin: https://dash.example"));
    let preflight = server.ask(&format!("OPTIONS /api\n{origin}")).await;
    assert!(
        preflight.status == 204 && preflight.head.contains("access-control-allow-headers: authorization")
    );
}

#[tokio::test]
async fn a_page_of_another_origin_may_read_healthz_and_nothing_else() {
    let server = Running::with("", "").await;
    let healthz = server.ask("GET /healthz\nOrigin: https://elsewhere.example").await;
    let is_open = healthz.head.contains("access-control-allow-origin: *");
    assert!(healthz.status == 200 && is_open, "{}", healthz.head);
    for request in ["GET /api", "GET /api/streams", "GET /", "GET /healthz/"] {
        let head = server.ask(&format!("{request}\nOrigin: https://elsewhere.example")).await.head;
        assert!(!head.contains("access-control-allow-origin"), "{request}: {head}");
    }
}

#[tokio::test]
async fn pages_are_served_with_security_headers() {
    let server = Running::with("", "").await;
    let index = server.ask("GET /").await;
    // It answers with the page or, if the pages are not built, with how to build them.
    match index.status {
        200 => assert!(
            index.head.contains("content-type: text/html") && index.head.contains("cache-control: no-cache")
        ),
        503 => assert!(index.body.contains("cargo xtask demo")),
        other => panic!("{other}"),
    }
    assert!(index.head.contains("script-src 'self' 'wasm-unsafe-eval'"));
    assert!(
        index.head.contains("frame-ancestors 'self'")
            && index.head.contains("x-content-type-options: nosniff")
    );
    assert!(server.ask("GET /stream.html").await.head.contains("frame-ancestors *"));
    for path in ["/nothing.html", "/../Cargo.toml", "/..%2f..%2fCargo.toml", "//etc/passwd"] {
        assert_eq!(server.ask(&format!("GET {path}")).await.status, 404, "{path}");
    }
    assert_eq!(server.ask("DELETE /index.html").await.status, 405);
}

#[tokio::test]
async fn origins_of_the_config_may_show_the_wall_in_a_frame_and_others_may_not() {
    let server =
        Running::with(", origin: [\"https://a.example:81\", \"https://b.example\"], token: t", "").await;
    let ancestors = "frame-ancestors 'self' https://a.example:81 https://b.example";
    let wall = server.ask("GET /").await;
    assert!(wall.head.contains(ancestors) && !wall.head.contains("x-frame-options"), "{}", wall.head);
    let all = Running::with(", origin: \"*\", token: t", "").await;
    assert!(all.ask("GET /").await.head.contains("frame-ancestors 'self' *"));
}

#[tokio::test]
async fn everything_is_below_the_base_path() {
    let server = Running::with(", base_path: /rtc, token: t", "").await;
    assert_eq!(server.ask("GET /rtc/api").await.status, 401);
    assert_eq!(server.ask("GET /rtc/api\nAuthorization: Bearer t").await.status, 200);
    assert_eq!(server.ask(&format!("GET /rtc/api/ws?token=t\n{WEBSOCKET}")).await.status, 101);
    assert_eq!(server.ask("GET /api\nAuthorization: Bearer t").await.status, 404);
    assert!(matches!(server.ask("GET /rtc/").await.status, 200 | 503));
}

#[tokio::test]
async fn the_base_path_without_its_slash_leads_to_the_pages() {
    let server = Running::with(", base_path: /site/cams", "").await;
    for request in ["GET /site/cams?layout=2x2", "HEAD /site/cams?layout=2x2"] {
        let answer = server.ask(request).await;
        assert_eq!(answer.status, 308, "{request}");
        // Relative to the address in the browser, which may have more before it.
        assert!(answer.head.contains("location: ./cams/?layout=2x2"), "{}", answer.head);
    }
    assert!(server.ask("GET /site/cams").await.head.lines().any(|line| line == "location: ./cams/"));
    assert!(matches!(server.ask("GET /site/cams/").await.status, 200 | 503));
    assert_eq!(server.ask("GET /site").await.status, 404);
    assert_eq!(server.ask("GET /site/camsite").await.status, 404);
}

#[tokio::test]
async fn metrics_name_every_stream_and_are_protected_like_the_api() {
    let streams = "streams: {camera1: \"rtsp://127.0.0.1:9/none\"}";
    let server = Running::with("", streams).await;
    let answer = server.ask("GET /metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("multistream_stream_live{stream=\"camera1\"} 0\n"), "{}", answer.body);
    assert!(answer.body.contains("multistream_shown_seconds_count 0\n"), "{}", answer.body);
    for line in [
        "multistream_shown_seconds_bucket{le=\"+Inf\"} 0\n",
        "multistream_streams{state=\"idle\"} 1\n",
        "multistream_stream_frames_total{stream=\"camera1\"} 0\n",
        "multistream_limits_hit_total{limit=\"offer\"} ",
        "# TYPE multistream_panics counter\n",
    ] {
        assert!(answer.body.contains(line), "{line} is not in {}", answer.body);
    }
    assert!(answer.body.ends_with("# EOF\n"), "{}", answer.body);
    assert!(answer.head.contains("content-type: application/openmetrics-text"), "{}", answer.head);
    let locked = Running::with(", token: secret", streams).await;
    assert_eq!(locked.ask("GET /metrics").await.status, 401);
    assert_eq!(locked.ask("GET /metrics\nAuthorization: Bearer secret").await.status, 200);
}

#[tokio::test]
async fn the_dashboard_names_only_metrics_that_there_are() {
    let server = Running::with("", "streams: {camera1: \"rtsp://127.0.0.1:9/none\"}").await;
    let metrics = server.ask("GET /metrics").await.body;
    let dashboard = include_str!("../../docs/deploy/grafana-dashboard.json");
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    let names: Vec<&str> = dashboard
        .match_indices("multistream_")
        .map(|(at, _)| &dashboard[at..at + dashboard[at..].find(|c| !is_name(c)).expect("JSON goes on")])
        .collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        assert!(metrics.lines().any(|line| line.starts_with(name)), "{name} is not in {metrics}");
    }
}

#[tokio::test]
async fn readyz_says_whether_streams_can_be_asked_for() {
    let server = Running::with(", username: u, password: p", STREAMS).await;
    let answer = server.ask("GET /readyz").await;
    assert_eq!((answer.status, &*answer.body), (200, "ready\n"));
}

/// Slow heads, as of an attack that keeps all sockets of a server busy, and a browser that is left open.
#[tokio::test(flavor = "multi_thread")]
async fn connections_on_which_no_request_comes_are_closed_and_others_are_served_meanwhile() {
    let server = Running::with("", "").await;
    let mut silent = Vec::new();
    for head in std::iter::repeat_n("GET /api HTTP/1.1\r\nHost: 127", 50).chain([""]) {
        let mut socket = TcpStream::connect(server.address).await.expect("it listens");
        socket.write_all(head.as_bytes()).await.expect("it reads");
        silent.push(socket);
    }
    let mut kept = TcpStream::connect(server.address).await.expect("it listens");
    let request = format!("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", server.address.port());
    kept.write_all(request.as_bytes()).await.expect("it reads");
    silent.push(kept);
    for mut socket in silent {
        let mut answer = Vec::new();
        let closed = timeout(Duration::from_secs(15), socket.read_to_end(&mut answer)).await;
        assert!(closed.is_ok(), "still open: {}", String::from_utf8_lossy(&answer));
        assert_eq!(server.ask("GET /healthz").await.status, 200);
    }
}
