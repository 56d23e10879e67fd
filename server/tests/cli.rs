//! Tests of the program: its output and its exit.

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

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
fn a_signal_ends_the_server_at_once_with_its_children() {
    let mark = format!("rate=7:decimals={}", std::process::id() % 7);
    let config = Config::with(&format!(
        "api: {{listen: \"127.0.0.1:0\"}}\nwebrtc: {{listen: \"127.0.0.1:0\"}}\npreload: [a]\n\
         streams: {{a: \"ffmpeg:virtual?video=testsrc={mark}&size=64x48#video=h264\"}}\n"
    ));
    for signal in ["INT", "TERM"] {
        let mut server = config.command("serve").stderr(Stdio::piped()).spawn().expect("it starts");
        let deadline = Instant::now() + Duration::from_secs(10);
        while children(server.id()).is_empty() {
            assert!(Instant::now() < deadline, "ffmpeg was never started");
            std::thread::sleep(Duration::from_millis(20));
        }
        let ffmpeg = children(server.id());
        let kill = Command::new("kill").args(["-s", signal, &server.id().to_string()]).status();
        assert!(kill.expect("kill starts").success());
        let status = wait(&mut server, Duration::from_secs(3));
        let mut said = String::new();
        let _ = server.stderr.take().expect("it is piped").read_to_string(&mut said);
        assert!(status.is_some_and(|status| status.success()), "SIG{signal}: {status:?} {said}");
        // They are not even zombies, since the server has waited for them.
        for child in ffmpeg {
            assert!(
                !Path::new(&format!("/proc/{child}")).exists(),
                "SIG{signal}: child {child} outlived the server"
            );
        }
    }
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
