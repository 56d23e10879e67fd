//! Tests of what one client may take: that it gets no more, and that others do not notice that it tries.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use multistream::config::Config;
use multistream_testkit::{Control, Namespace, Server as Program};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use support::Server;

/// The limit for what happens at once, on a busy machine.
const SOON: Duration = Duration::from_secs(20);

fn config(text: &str) -> Config {
    Config::parse("test.yaml", text, &|_| None).expect("the config is fine").0
}

/// The answer to a request for the health check on a connection from this address; empty if the server closes it without one.
fn ask(from: &str, server: SocketAddr) -> (TcpStream, String) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let from: SocketAddr = format!("{from}:0").parse().expect("an address");
    socket.bind(&from.into()).expect("an address of this machine");
    socket.connect(&server.into()).expect("the server listens");
    let mut stream: TcpStream = socket.into();
    stream.set_read_timeout(Some(SOON)).expect("a socket");
    let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut answer = [0; 1024];
    let read = stream.read(&mut answer).unwrap_or(0);
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    (stream, answer)
}

#[test]
fn one_address_takes_neither_all_connections_nor_all_sessions() {
    let Some([machine, other]) = Namespace::create() else { return };
    machine.connect("eth0", "10.79.0.1/24", &other, "10.79.0.2/24");
    other.ip("address add 10.79.0.3/24 dev eth0");
    machine.block_on(async {
        let mut config = config(
            "api: {listen: '10.79.0.1:0', auth: none}\nwebrtc: {listen: '10.79.0.1:0'}\n\
             limits: {connections: 20, connections_per_address: 6, sessions_per_address: 2}\nstreams: {a: rtsp://127.0.0.1:1/a}",
        );
        config.multistream.max_sessions = 5;
        let server = multistream::serve::Server::bind(config).await.expect("port 0 is free");
        let address = server.http_addr().expect("bound");
        tokio::spawn(server.run(std::future::pending()));
        let elsewhere = tokio::task::spawn_blocking(move || {
            other.run(|| {
                let held: Vec<_> = (0..6).map(|_| ask("10.79.0.2", address)).collect();
                assert!(held.iter().all(|(_, answer)| answer.contains("200 OK")));
                let (_, refused) = ask("10.79.0.2", address);
                assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
                let (_, welcome) = ask("10.79.0.3", address);
                assert!(welcome.contains("200 OK"), "{welcome}");
                drop(held);
                let start = Instant::now();
                while !ask("10.79.0.2", address).1.contains("200 OK") {
                    assert!(start.elapsed() < SOON, "the places are free again");
                }
            });
            other.block_on(async {
                let url = format!("http://{address}");
                let slots = json!([{ "slot": 0, "stream": "a" }]);
                let mut held = Vec::new();
                for _ in 0..2 {
                    let mut control = Control::connect(&url).await.expect("connects");
                    control.open(&slots).await.expect("a session");
                    held.push(control);
                }
                let mut third = Control::connect(&url).await.expect("connects");
                third.send(&json!({"type": "multistream/init", "slots": slots})).await.expect("sent");
                let refused = third.until_type("multistream/error").await.expect("an answer");
                assert_eq!(refused["code"], "limit-reached", "{refused}");
                assert!(refused["error"].to_string().contains("sessions_per_address"), "{refused}");
            });
        });
        elsewhere.await.expect("it was tried");
    });
}

/// A real server, with the memory that it uses.
struct Measured {
    program: Program,
}

impl Measured {
    fn start(sections: &str) -> Self {
        let binary = Path::new(env!("CARGO_BIN_EXE_multistream"));
        Self { program: Program::start(binary, sections).expect("it starts") }
    }

    fn address(&self) -> String {
        self.program.url().replace("http", "ws") + "/api/ws"
    }

    /// In bytes.
    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.program.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux");
        line.trim().trim_end_matches("kB").trim().parse::<u64>().expect("a number") * 1024
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_never_end_and_answers_that_nobody_reads_take_little_memory() {
    const SOCKETS: usize = 60;
    const HALF_A_MESSAGE: usize = 256 * 1024;
    let server = Measured::start("streams: {a: rtsp://127.0.0.1:1/a}");
    let before = server.memory();

    let mut fragments = Vec::new();
    for _ in 0..SOCKETS {
        let (mut socket, _) = connect_async(server.address()).await.expect("it takes WebSockets");
        // Up to the limit for a message, and then beyond it: those sockets are closed.
        for at in 0..16 {
            let code = OpCode::Data(if at == 0 { Data::Text } else { Data::Continue });
            let part = Frame::message(vec![b' '; HALF_A_MESSAGE], code, false);
            if socket.send(Message::Frame(part)).await.is_err() {
                break;
            }
        }
        fragments.push(socket);
    }
    for socket in &mut fragments {
        let closed = timeout(SOON, async {
            loop {
                match socket.next().await {
                    Some(Ok(Message::Close(frame))) => break frame.map(|frame| u16::from(frame.code)),
                    Some(Ok(_)) => {}
                    // The rest of the message was never read.
                    Some(Err(_)) | None => break Some(1009),
                }
            }
        });
        assert_eq!(closed.await.expect("it closes the socket"), Some(1009));
    }

    // Each is refused with its request id, and nobody reads that.
    let id = "x".repeat(100_000);
    let mut unread = Vec::new();
    for _ in 0..SOCKETS {
        let (mut socket, _) = connect_async(server.address()).await.expect("it takes WebSockets");
        for _ in 0..50 {
            let text = json!({"type": "multistream/pause", "slot": 0, "request_id": id}).to_string();
            if !matches!(
                timeout(Duration::from_millis(200), socket.send(Message::text(text))).await,
                Ok(Ok(()))
            ) {
                break;
            }
        }
        unread.push(socket);
    }
    let grown = server.memory().saturating_sub(before);
    let each = grown / SOCKETS as u64;
    assert!(each < 1_500_000, "{each} bytes of memory for each socket");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_pings_closes_its_socket() {
    let server = Server::start(config("streams: {}")).await;
    let url = server.url.replace("http", "ws") + "/api/ws";
    let (mut socket, _) = connect_async(url).await.expect("it takes WebSockets");
    for _ in 0..400 {
        if socket.send(Message::Ping(vec![0; 100].into())).await.is_err() {
            break;
        }
    }
    let closed = timeout(SOON, async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(frame))) => break frame.map(|frame| u16::from(frame.code)),
                Some(Ok(_)) => {}
                Some(Err(error)) => panic!("closed without a reason: {error}"),
                None => break None,
            }
        }
    });
    assert_eq!(closed.await.expect("it closes the socket"), Some(1008));
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_that_are_too_large_or_want_data_channels_are_refused_at_once() {
    let server = Server::start(config("streams: {a: rtsp://127.0.0.1:1/a}")).await;
    let data_channel = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";
    let many = format!("v=0\r\n{}", "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n".repeat(100));
    let large = format!("v=0\r\n{}", "a=candidate:1 1 udp 1 10.0.0.1 1 typ host\r\n".repeat(8000));
    for (sdp, code, words) in [
        (data_channel.to_owned(), "invalid-sdp", "data channel"),
        (many, "limit-reached", "100 m-lines"),
        (large, "limit-reached", "bytes"),
    ] {
        let mut control = server.control().await;
        control.open(&json!([{ "slot": 0, "stream": "a" }])).await.expect("a session");
        let start = Instant::now();
        control.send(&json!({"type": "multistream/offer", "sdp": sdp})).await.expect("sent");
        let refused = control.until_type("multistream/error").await.expect("an answer");
        assert_eq!(refused["code"], code, "{refused}");
        assert!(refused["error"].to_string().contains(words), "{refused}");
        // It takes less than 50 ms; a busy machine is given more.
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    }
}

#[test]
fn a_client_that_reads_nothing_of_its_page_is_let_go_of() {
    let server = Measured::start("streams: {}");
    let address: SocketAddr = server.program.url().replace("http://", "").parse().expect("an address");
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a socket");
    socket.connect(&address.into()).expect("it listens");
    let mut stream: TcpStream = socket.into();
    // More than the buffers of both sides hold.
    let request = "GET /api HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(50_000);
    stream.set_write_timeout(Some(Duration::from_secs(2))).expect("a socket");
    let _ = stream.write_all(request.as_bytes());
    let open = || fs::read_dir(format!("/proc/{}/fd", server.program.id())).expect("it runs").count();
    // The server has accepted it by then, and opened what it opens at its start.
    std::thread::sleep(Duration::from_secs(2));
    let before = open();
    let start = Instant::now();
    while open() >= before {
        assert!(start.elapsed() < Duration::from_mins(1), "it is still there");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The command lines of the server's ffmpeg.
fn programs(server: &Program) -> Vec<String> {
    let entries = fs::read_dir("/proc").expect("Linux").flatten();
    let children = entries.filter(|entry| {
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        after_name.split_whitespace().nth(1) == Some(&server.id().to_string())
    });
    children
        .filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok())
        .filter(|line| line.contains("testsrc"))
        .collect()
}

async fn until_shown(control: &mut Control, stream: &str) {
    let is_it = |message: &Value| {
        let status = if message["status"].is_object() { &message["status"] } else { message };
        status["stream"] == stream && status["status"] == "active"
    };
    control.until("the stream is shown", is_it).await.expect("it is shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_viewer_who_goes_through_many_variants_runs_few_ffmpeg() {
    let streams: Vec<String> = (0..8)
        .map(|at| {
            format!("  v{at}: ffmpeg:virtual?video=testsrc&size={}x90&rate=10#video=h264", 100 + 2 * at)
        })
        .collect();
    let server = Measured::start(&format!(
        "multistream: {{linger: 60}}\nlimits: {{transcoders_per_session: 3, transcoders: 5}}\nstreams:\n{}",
        streams.join("\n")
    ));
    let url = server.program.url();
    let mut viewer = multistream_testkit::Viewer::connect(&url, &json!([{ "slot": 0, "stream": "v0" }]))
        .await
        .expect("connects");
    for at in 0..8 {
        let stream = format!("v{at}");
        viewer
            .control
            .send(&json!({"type": "multistream/switch", "slot": 0, "stream": stream}))
            .await
            .expect("sent");
        until_shown(&mut viewer.control, &stream).await;
    }
    let start = Instant::now();
    while programs(&server.program).len() > 3 {
        assert!(start.elapsed() < SOON, "{:?}", programs(&server.program));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(programs(&server.program).iter().any(|line| line.contains("114x90")), "what is shown runs");

    // Others get theirs, up to what runs in all.
    let mut others = Vec::new();
    for at in 0..4 {
        let slots = json!([{ "slot": 0, "stream": format!("v{at}") }]);
        others.push(multistream_testkit::Viewer::connect(&url, &slots).await.expect("connects"));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let running = programs(&server.program).len();
    assert!((4..=5).contains(&running), "{running} run");
}
