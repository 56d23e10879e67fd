//! Tests of the program: its output and its exit.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use multistream_testkit::{StunServer, free_port};

const PROGRAM: &str = env!("CARGO_BIN_EXE_multistream");

struct Config(tempfile::TempDir);

impl Config {
    fn with(text: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the test");
        std::fs::write(directory.path().join("multistream.yaml"), text).expect("the config is written");
        Self(directory)
    }

    fn command(&self, command: &str) -> Command {
        let mut program = Command::new(PROGRAM);
        program.arg(command).current_dir(self.0.path());
        program
    }

    fn run(&self, command: &str) -> Output {
        self.command(command).output().expect("the program starts")
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn wait(child: &mut Child, longest: Duration) -> Option<std::process::ExitStatus> {
    let deadline = Instant::now() + longest;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().expect("the child can be asked") {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    None
}

#[test]
fn check_accepts_a_config_with_warnings_and_names_them() {
    let output = Config::with("streams:\n  a: rtsp://h/1\ncolour: red\n").run("check");
    assert!(output.status.success());
    assert!(
        stdout(&output).contains("multistream.yaml:3: warning: colour: is not a known key"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn check_ends_with_how_many_streams_can_show_a_picture_and_why_the_others_cannot() {
    let yaml = "streams:\n  yard: rtsp://admin:hunter22@h/1\n  attic: tapo://hunter22@h\n  empty:\n  \
                made: ffmpeg:attic#video=h264\n";
    let output = Config::with(yaml).run("check");
    assert_eq!(output.status.code(), Some(0), "the server starts with it");
    let said = stdout(&output);
    let last: Vec<&str> = said.lines().rev().take(4).collect();
    assert_eq!(last[3], "1 of 4 streams can show a picture, all but these:", "{said}");
    assert!(last[2].starts_with("  attic: multistream has no tapo: sources"), "{said}");
    assert_eq!(last[1], "  empty: it has no source: give it one, such as rtsp://camera/stream");
    assert_eq!(last[0], "  made: it is made of attic, which shows none");
    assert!(!said.contains("hunter22"), "{said}");
    let fine = Config::with("streams: {yard: rtsp://h/1}\n").run("check");
    assert!(stdout(&fine).ends_with("\n1 of 1 stream can show a picture\n"), "{}", stdout(&fine));
}

#[test]
fn check_says_which_names_it_took_for_qualities() {
    let yaml = "multistream: {ladder: 180p}\nstreams: {yard: rtsp://h/1, yard-sub: rtsp://h/2, yard-gate: rtsp://h/3, \
                yard-360p: 'ffmpeg:yard#video=h264#height=360', hall-720p: rtsp://h/4}\n";
    let said = stdout(&Config::with(yaml).run("check"));
    let expected = "\nqualities, by the streams' names: yard has sub, 360p; hall has 720p\n";
    assert!(said.contains(expected), "{said}");
    let said = stdout(&Config::with("streams: {yard: rtsp://h/1, yard-gate: rtsp://h/2}\n").run("check"));
    assert!(!said.contains("qualities"), "{said}");
}

#[test]
fn check_says_who_can_open_the_pages() {
    let said = |yaml: &str| stdout(&Config::with(yaml).run("check"));
    let loopback = said("streams: {yard: rtsp://h/1}\n");
    let expected =
        "pages: http://127.0.0.1:1984/ (loopback only; other machines: set api.listen to \":1984\"";
    assert!(loopback.contains(expected), "{loopback}");
    let open = said("api: {listen: ':1984', token: 0123456789abcdef}\n");
    assert!(open.contains("pages: http://[::]:1984/ (this machine and others)"), "{open}");
}

#[test]
fn check_tells_programs_the_same_in_json() {
    let of = |yaml: &str| {
        let output = Config::with(yaml).command("check").arg("--json").output().expect("it starts");
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (output.status.code(), said)
    };
    let (code, said) = of("colour: red\nstreams:\n  yard: rtsp://h/1\n  attic: tapo://hunter22@h\n");
    assert_eq!((code, &said["starts"], &said["shown"]), (Some(0), &true.into(), &1.into()), "{said}");
    assert_eq!(said["listen"], "127.0.0.1:1984");
    assert_eq!(said["loopback_only"], true);
    assert_eq!(said["problems"][0]["key"], "colour");
    assert_eq!(said["streams"][0]["shows"], true);
    assert!(said["streams"][1]["reason"].as_str().is_some_and(|reason| reason.contains("tapo")), "{said}");
    assert!(!said.to_string().contains("hunter22"), "{said}");

    let (code, said) = of("api: {listen: nowhere}\n");
    assert_eq!((code, &said["starts"]), (Some(1), &false.into()));
    assert_eq!(
        (&said["problems"][0]["severity"], &said["problems"][0]["line"]),
        (&"error".into(), &1.into())
    );
}

#[test]
fn check_says_what_the_ladder_costs() {
    let yaml =
        "multistream: {ladder: [720p, 360p], max_ladder: 3}\nstreams: {a: rtsp://h/1, b: rtsp://h/2}\n";
    let output = Config::with(yaml).run("check");
    assert!(output.status.success());
    let said = stdout(&output);
    for expected in
        ["4 of these streams are variants that it makes of 2 cameras", "720p: 0.4, 360p: 0.2", "At most 3"]
    {
        assert!(said.contains(expected), "{said}");
    }
    let without = Config::with("streams: {a: rtsp://h/1}\n").run("check");
    assert!(!stdout(&without).contains("ladder"), "{}", stdout(&without));
}

#[test]
fn check_and_serve_report_every_problem_with_file_and_line() {
    let config = Config::with("api: {listen: nowhere}\nstreams:\n  a: ffmpeg:a\n  b: camera\nlog: 5\n");
    for command in ["check", "serve"] {
        let output = config.run(command);
        assert_eq!(output.status.code(), Some(1), "{command}");
        let said = stderr(&output);
        for expected in [
            "multistream.yaml:1: api.listen: expected an address",
            "multistream.yaml:3: streams.a: reads itself in a circle: a → a",
            "multistream.yaml:4: streams.b: expected a source",
            "multistream.yaml:5: log: expected keys and values, found text",
        ] {
            assert!(
                said.lines().any(|line| line.starts_with(expected)),
                "{command}: {expected} not in {said}"
            );
        }
    }
}

#[test]
fn a_file_that_is_not_yaml_or_not_text_is_reported_with_its_line() {
    let output = Config::with("streams: [\n").run("serve");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("expected YAML"), "{}", stderr(&output));

    let config = Config::with("");
    std::fs::write(config.0.path().join("multistream.yaml"), [0xff, 0xfe, 0x00])
        .expect("the config is written");
    assert!(stderr(&config.run("serve")).contains("expected YAML in UTF-8"));
}

#[test]
fn a_missing_config_is_reported_with_its_path_and_an_example() {
    let nothing = tempfile::tempdir().expect("a directory for the test");
    let output = Command::new(PROGRAM).arg("serve").current_dir(nothing.path()).output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    let path = nothing.path().join("multistream.yaml");
    assert!(
        said.contains(&*path.to_string_lossy()) && said.contains("--config") && said.contains("streams:"),
        "{said}"
    );
}

#[test]
fn a_port_that_is_taken_is_named_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("it has an address");
    let output = Config::with(&format!("api: {{listen: \"{address}\"}}\n")).run("serve");
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains(&format!("cannot listen on {address}")) && said.contains("`api.listen`"), "{said}");

    let output =
        Config::with(&format!("api: {{listen: \"127.0.0.1:0\"}}\nwebrtc: {{listen: \"{address}\"}}\n"))
            .run("serve");
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains(&address.to_string()) && said.contains("`webrtc.listen`"), "{said}");
}

/// A config with media on this port of loopback, and with this STUN server. Its secrets are all `hunter2`.
fn network(api: u16, media: u16, candidate: &str, stun: SocketAddr) -> Config {
    Config::with(&format!(
        "api: {{listen: \"127.0.0.1:{api}\", base_path: rtc, token: hunter2}}\n\
         webrtc:\n  listen: 127.0.0.1:{media}\n  candidates: [{candidate}, stun:{media}]\n  stun_server: {stun}\n\
         \x20 turn_secret: hunter2\n  ice_servers: [{{urls: [\"stun:{stun}\", \"turn:{stun}\"]}}, \
         {{urls: \"turn:{stun}\", username: u, credential: hunter2}}]\n",
    ))
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

#[test]
fn doctor_says_what_works_without_secrets() {
    let server = StunServer::start(loopback(0)).expect("a STUN server");
    let (media, stun) = (free_port(), server.address());
    let output = network(free_port(), media, "localhost", stun).run("doctor");
    let said = stdout(&output);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    for line in [
        format!(
            "ok: media port: {media} on 127.0.0.1, for browsers on this machine alone, is free, UDP and TCP"
        ),
        format!("ok: 127.0.0.1:{media}: an address of this machine"),
        format!("ok: webrtc.candidates: localhost:{media}: "),
        format!(
            "ok: webrtc.candidates: stun:{media}: {stun} sees 127.0.0.1, an address of this machine: there is no NAT"
        ),
        format!("ok: webrtc.ice_servers: stun:{stun}: answers after "),
        format!("ok: webrtc.ice_servers: turn:{stun}: answers after "),
    ] {
        assert!(said.lines().any(|said| said.starts_with(&line)), "{line} not in {said}");
    }
}

#[test]
fn doctor_names_what_does_not_work_and_ends_with_1() {
    let silent = UdpSocket::bind(loopback(0)).expect("a port that nobody answers on");
    let (media, stun) = (free_port(), silent.local_addr().expect("bound"));
    let taken = UdpSocket::bind(("::", media)).or_else(|_| UdpSocket::bind(loopback(media)));
    let output = network(free_port(), media, "nowhere.invalid", stun).run("doctor");
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for line in [
        format!("not ok: media port: cannot listen on UDP 127.0.0.1:{media}"),
        format!("not ok: webrtc.candidates: nowhere.invalid:{media}: nowhere.invalid does not resolve"),
        format!("not ok: webrtc.candidates: stun:{media}: {stun} does not answer within 2 s"),
        format!("not ok: webrtc.ice_servers: turn:{stun}: {stun} does not answer within 2 s"),
    ] {
        assert!(said.lines().any(|said| said.starts_with(&line)), "{line} not in {said}");
    }
    drop(taken);
}

#[test]
fn doctor_says_of_each_stream_what_it_gives_or_why_it_gives_nothing() {
    let refused = free_port();
    let picture = "ffmpeg:virtual?video=testsrc&size=160x90&rate=10";
    let config = Config::with(&format!(
        "api: {{listen: '127.0.0.1:{}'}}\nwebrtc: {{listen: '127.0.0.1:{}'}}\nffmpeg: {{odd: '-c:v libnothing', rare: '-c:v libx264 -tune zerolatency -g 70 -pix_fmt yuv420p'}}\nstreams:\n  \
         good: {picture}#video=h264\n  slow: {picture}#video=rare\n  odd: {picture}#video=odd\n  \
         off: rtsp://admin:hunter2@127.0.0.1:{refused}/1\n",
        free_port(),
        free_port(),
    ));
    let output = config.run("doctor");
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    for line in [
        "ok: ffmpeg: has the encoder libx264",
        "not ok: ffmpeg: has no encoder libnothing",
        "ok: streams.good: h264, 160x90, ",
        "not ok: streams.odd: ",
        &format!("not ok: streams.off: 127.0.0.1:{refused} refuses the connection: is the camera on"),
    ] {
        assert!(said.lines().any(|said| said.starts_with(line)), "{line} not in {said}");
    }
    let slow = said.lines().find(|line| line.starts_with("ok: streams.slow: ")).expect(&said);
    assert!(slow.contains("a key frame every 7.0 s: set the key frame interval"), "{slow}");

    let one = config.command("doctor").args(["--stream", "off"]).output().expect("it runs");
    let said = stdout(&one);
    assert!(
        said.contains("streams.off: ") && !said.contains("media port") && !said.contains("streams.good"),
        "{said}"
    );
}

#[test]
fn doctor_says_that_the_server_already_runs() {
    let stun = StunServer::start(loopback(0)).expect("a STUN server");
    let api = free_port();
    let config = network(api, free_port(), "localhost", stun.address());
    let mut server = config.command("serve").stderr(Stdio::null()).spawn().expect("it starts");
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut page = loop {
        match TcpStream::connect(loopback(api)) {
            Ok(page) => break page,
            Err(error) => assert!(Instant::now() < deadline, "the server does not start: {error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    // It answers once its media port is open.
    page.write_all(b"GET /rtc/healthz HTTP/1.0\r\n\r\n").expect("a request");
    page.read_to_end(&mut Vec::new()).expect("an answer");
    let output = config.run("doctor");
    server.kill().expect("it runs");
    server.wait().expect("it ends");
    let said = stdout(&output);
    let expected = format!("ok: media port: a multistream server runs on 127.0.0.1:{api} and has port ");
    assert!(said.starts_with(&expected), "{said}");
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn a_name_that_does_not_resolve_is_logged_once() {
    let config = Config::with(
        "api: {listen: \"127.0.0.1:0\"}\nwebrtc: {listen: \"127.0.0.1:0\", candidates: [nowhere.invalid]}\n",
    );
    let mut server = config.command("serve").stderr(Stdio::piped()).spawn().expect("it starts");
    // Enough for tries after 1 s and 2 s more.
    assert!(wait(&mut server, Duration::from_secs(4)).is_none(), "it serves without the name");
    let mut said = String::new();
    server.stderr.take().expect("it is piped").read_to_string(&mut said).expect("text");
    assert_eq!(said.matches("nowhere.invalid:0 is left out until another try succeeds").count(), 1, "{said}");
}

#[test]
fn a_missing_ffmpeg_is_a_warning_of_check_that_names_a_stream() {
    let output =
        Config::with("ffmpeg: {bin: /nowhere/ffmpeg}\nstreams: {a: \"ffmpeg:film.mp4\"}\n").run("check");
    assert!(output.status.success());
    assert!(
        stdout(&output).contains("ffmpeg.bin: there is no program \"/nowhere/ffmpeg\""),
        "{}",
        stdout(&output)
    );
}

#[test]
fn credentials_of_the_environment_and_of_systemd_reach_the_config() {
    let config = Config::with("streams: {a: \"${WHERE}://10.0.0.9/${SECRET_PATH}\"}\n");
    std::fs::write(config.0.path().join("SECRET_PATH"), "x\n").expect("the credential is written");
    let output = config.command("check").env("WHERE", "rtsp").output().expect("it starts");
    assert!(stderr(&output).contains("${SECRET_PATH}: is not set"), "{}", stderr(&output));
    let mut command = config.command("check");
    command.env("WHERE", "rtsp").env("CREDENTIALS_DIRECTORY", config.0.path());
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn the_server_may_open_as_many_files_as_the_system_allows() {
    let port = free_port();
    let config = Config::with(&format!(
        "api: {{listen: '127.0.0.1:{port}'}}\nwebrtc: {{listen: '127.0.0.1:{}'}}\n",
        free_port()
    ));
    // The shell that started it allows few.
    let mut server = Command::new("prlimit")
        .args(["--nofile=64:4096", PROGRAM, "serve"])
        .current_dir(config.0.path())
        .stderr(Stdio::null())
        .spawn()
        .expect("prlimit starts");
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(loopback(port)).is_err() {
        assert!(Instant::now() < deadline, "it does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    let connections: Vec<_> =
        (0..200).map(|_| TcpStream::connect(loopback(port)).expect("accepted")).collect();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id())).expect("it runs");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("a limit");
    assert_eq!(line.split_whitespace().nth(3), Some("4096"), "{line}");
    let mut asks = TcpStream::connect(loopback(port)).expect("accepted");
    asks.write_all(b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    asks.read_to_string(&mut answer).expect("it answers");
    assert!(answer.contains("200 OK"), "{answer}");
    drop(connections);
    server.kill().and_then(|()| server.wait().map(drop)).expect("it ends");
}

#[test]
fn a_signal_ends_the_server_at_once_with_its_children() {
    let mark = format!("rate=7:decimals={}", std::process::id() % 7);
    let config = Config::with(&format!(
        "api: {{listen: \"127.0.0.1:0\"}}\nwebrtc: {{listen: \"127.0.0.1:0\"}}\npreload: [a]\n\
         streams: {{a: \"ffmpeg:virtual?video=testsrc={mark}&size=64x48#video=h264\"}}\n"
    ));
    // The first child is the server itself once more, which ends what a killed server leaves; ffmpeg comes later.
    for (signal, child) in [("INT", "ffmpeg"), ("TERM", "ffmpeg"), ("TERM", "multistream")] {
        let mut server = config.command("serve").stderr(Stdio::piped()).spawn().expect("it starts");
        let deadline = Instant::now() + Duration::from_secs(10);
        let started = loop {
            let started = children(server.id());
            if started.iter().any(|&pid| name(pid).is_some_and(|name| name.trim() == child)) {
                break started;
            }
            assert!(Instant::now() < deadline, "{child} was never started");
            std::thread::sleep(Duration::from_millis(1));
        };
        let kill = Command::new("kill").args(["-s", signal, &server.id().to_string()]).status();
        assert!(kill.expect("kill starts").success());
        let status = wait(&mut server, Duration::from_secs(3));
        let mut said = String::new();
        let _ = server.stderr.take().expect("it is piped").read_to_string(&mut said);
        assert!(status.is_some_and(|status| status.success()), "SIG{signal}: {status:?} {said}");
        // They are not even zombies, since the server has waited for them.
        for child in started {
            assert!(
                !Path::new(&format!("/proc/{child}")).exists(),
                "SIG{signal}: child {child} outlived the server"
            );
        }
    }
}

/// The name of a process's program.
fn name(pid: u32) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()
}

fn children(parent: u32) -> Vec<u32> {
    let listed =
        std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    let threads = std::fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let of_threads =
        threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let all: Vec<String> = std::iter::once(listed).chain(of_threads).collect();
    all.iter().flat_map(|line| line.split_whitespace()).filter_map(|pid| pid.parse().ok()).collect()
}
