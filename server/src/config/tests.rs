//! Tests with whole config files.

mod lock;

use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<(Config, Vec<Problem>), Problems> {
    let lookup = |name: &str| (name == "CAMERA_PASSWORD").then(|| "hunter2".to_owned());
    Config::parse("m.yaml", text, &lookup)
}

fn accepted(text: &str) -> (Config, Vec<String>) {
    let (config, warnings) = parse(text).unwrap_or_else(|problems| panic!("{problems}"));
    (config, warnings.iter().map(ToString::to_string).collect())
}

fn refused(text: &str) -> Vec<String> {
    match parse(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(problems) => problems.0.iter().map(ToString::to_string).collect(),
    }
}

fn sources(config: &Config, name: &str) -> Vec<String> {
    let stream = config.streams.iter().find(|stream| stream.name == name).expect("the stream is there");
    stream.sources.iter().map(ToString::to_string).collect()
}

const GO2RTC: &str = r#"
api:
  listen: "127.0.0.1:1984"
  origin: "*"
rtsp:
  default_query: "video&audio"
webrtc:
  listen: ":8555/tcp"
  candidates:
    - 192.168.1.2:8555
    - stun:8555
  filters:
    networks: [udp4]
log:
  level: info
  rtsp: warn
ffmpeg:
  h264: "-codec:v libx264 -g:v 30 -preset:v superfast"
preload:
  yard:
  door: "video=h264"
homekit:
  yard:
    pin: 12345678
streams:
  yard:
    - rtsp://admin:${CAMERA_PASSWORD}@10.0.0.9/h264Preview_01_main#backchannel=0
    - ffmpeg:yard#audio=opus
    - "ffmpeg:yard#video=h264#hardware"
  door: rtsp://10.0.0.8/1
  door-720p: ffmpeg:door#video=h264#height=720
  attic: tapo://secret@10.0.0.7
  hall:
    url: rtsp://10.0.0.6/1
  empty:
  plain: exec:ffmpeg -re -i /media/a.mp4 -c copy -f h264 -
"#;

#[test]
fn the_media_port_follows_the_pages_to_loopback_unless_a_proxy_stands_before_them() {
    let ip = |text: &str| {
        let (config, _) = Config::parse("m.yaml", text, &|_| None).expect("the config is fine");
        config.webrtc.listen.ip()
    };
    assert!(ip("").is_loopback());
    assert!(ip("api: {listen: '127.0.0.1:1984', token: 0123456789abcdef}").is_loopback());
    for reachable in [
        "api: {listen: ':1984', auth: none}",
        "api: {origin: 'https://cameras.example.com'}",
        "webrtc: {candidates: ['192.0.2.7:8555']}",
        "webrtc: {listen: ':8555'}",
    ] {
        assert!(ip(reachable).is_unspecified(), "{reachable}");
    }
}

#[test]
fn a_go2rtc_file_is_accepted_with_a_warning_for_each_key_without_effect() {
    let (config, warnings) = accepted(GO2RTC);
    let names: Vec<&str> = config.streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["yard", "door", "door-720p", "attic", "hall", "empty", "plain"]);
    assert_eq!(sources(&config, "yard"), ["rtsp://***@10.0.0.9/h264Preview_01_main"]);
    assert_eq!(sources(&config, "hall"), ["rtsp://10.0.0.6/1"]);
    assert!(config.streams[5].sources.is_empty());
    assert!(matches!(&config.streams[3].sources[..], [Source::Unsupported(_)]));
    assert_eq!(config.preload, ["yard", "door"]);
    let candidates: Vec<String> = config.webrtc.candidates.iter().map(ToString::to_string).collect();
    assert_eq!(candidates, ["192.168.1.2:8555", "stun:8555"]);
    for named in [
        "m.yaml:4: warning: api.origin: ",
        "m.yaml:6: warning: rtsp.default_query: ",
        "m.yaml:8: warning: webrtc.listen: ",
        "m.yaml:13: warning: webrtc.filters.networks: ",
        "m.yaml:16: warning: log.rtsp: ",
        "m.yaml:22: warning: homekit: ",
        "m.yaml:28: warning: streams.yard: sound is not sent yet",
        "m.yaml:32: warning: streams.attic: \"tapo://***@10.0.0.7\" is left out",
    ] {
        assert!(warnings.iter().any(|warning| warning.starts_with(named)), "{named} not in {warnings:#?}");
    }
    assert_eq!(warnings.len(), 8, "{warnings:#?}");
}

#[test]
fn an_empty_file_is_a_server_without_streams_on_loopback() {
    for text in ["", "# nothing\n", "streams:\n"] {
        let (config, warnings) = accepted(text);
        assert!(config.streams.is_empty() && warnings.is_empty());
        assert_eq!(config.api.listen, "127.0.0.1:1984".parse().ok());
    }
}

#[test]
fn every_problem_is_reported_with_its_line_not_only_the_first() {
    let problems = refused(
        "api:\n  listen: nowhere\n  colour: red\nwebrtc: 5\nmultistream:\n  max_slots: many\n  linger: [1]\n\
         log: {level: loud, format: xml}\nstreams:\n  a: camera\n  b: [{x: 1}]\npreload: [c]\n",
    );
    for expected in [
        "m.yaml:2: api.listen: expected an address such as \":1984\" (all interfaces) or \"127.0.0.1:1984\", found \"nowhere\"",
        "m.yaml:3: warning: api.colour: is not a known key and has no effect",
        "m.yaml:4: webrtc: expected keys and values, found text",
        "m.yaml:6: multistream.max_slots: expected a number from 1 to 64, found \"many\"",
        "m.yaml:7: multistream.linger: expected a single value, found a list",
        "m.yaml:8: log.level: expected trace, debug, info, warn, error or off, or a filter such as info,multistream::source=debug, found \"loud\"",
        "m.yaml:8: log.format: expected text or json, found \"xml\"",
        "m.yaml:11: streams.b[0]: expected a single value, found keys and values",
        "m.yaml:12: preload[0]: expected the name of a stream, found \"c\"",
    ] {
        assert!(problems.iter().any(|problem| problem == expected), "{expected} not in {problems:#?}");
    }
    assert!(
        problems[7].starts_with("m.yaml:10: streams.a: expected a source such as rtsp://"),
        "{problems:#?}"
    );
    assert_eq!(problems.len(), 10, "{problems:#?}");
}

#[test]
fn empty_values_are_defaults() {
    let keys = "api: {origin: EMPTY, username: EMPTY, password: EMPTY, base_path: EMPTY}\n\
                webrtc: {listen: EMPTY, candidates: EMPTY, ice_servers: EMPTY, filters: EMPTY}\n\
                log: {level: EMPTY, format: EMPTY}\nffmpeg: {bin: EMPTY, timeout: EMPTY}\n\
                multistream: {linger: EMPTY, ladder: EMPTY}\nlimits: EMPTY\npreload: EMPTY\n";
    let default = format!("{:?}", accepted("").0);
    for empty in ["\"\"", "''", "null", "~", "\" \"", ""] {
        let (config, warnings) = accepted(&keys.replace("EMPTY", empty));
        assert_eq!(format!("{config:?}"), default, "{empty}");
        assert_eq!(warnings, [""; 0], "{empty}");
    }
    assert!(accepted("webrtc: {candidates: ['', ~]}\n").0.webrtc.candidates.is_empty());
    assert!(refused("api: {token: ''}\n")[0].contains("api.token: expected a value"));
}

#[test]
fn a_stream_of_nothing_is_one_without_a_source() {
    for nothing in ["", "''", "[]", "['']", "[~]", "{url: ''}", "null"] {
        let (config, warnings) = accepted(&format!("streams:\n  a: {nothing}\n"));
        assert_eq!(config.streams, [StreamConfig { name: "a".to_owned(), sources: vec![] }], "{nothing}");
        assert_eq!(warnings, [""; 0], "{nothing}");
    }
}

#[test]
fn a_wrong_source_beside_a_good_one_is_left_out_and_said() {
    let (config, warnings) = accepted(
        "streams:\n  a:\n  - camera\n  - rtsp://h/1\n  - {x: 1}\n  - ffmpeg:rtsp://h/2#video=h264#height=tall\n",
    );
    assert_eq!(sources(&config, "a"), ["rtsp://h/1"]);
    assert_eq!(warnings.len(), 3, "{warnings:#?}");
    for (warning, expected) in
        warnings.iter().zip(["expected a source", "expected a single value", "#height: expected pixels"])
    {
        assert!(warning.contains(expected) && warning.ends_with("; this source is left out"), "{warning}");
    }
    assert_eq!(refused("streams: {a: [camera, nothing]}\n").len(), 2);
}

#[test]
fn a_file_that_is_not_a_map_is_refused() {
    assert_eq!(refused("- a\n- b\n"), ["m.yaml:1: expected keys and values, found a list"]);
    assert!(refused("streams: [\n")[0].contains("expected YAML"));
}

#[test]
fn streams_that_read_each_other_in_a_cycle_are_an_error_that_names_the_cycle() {
    let circle = |names: &str| format!("reads itself in a circle: {names}; expected a camera at its end");
    assert_eq!(
        refused("streams:\n  camera1: ffmpeg:camera1#video=h264\n"),
        [format!("m.yaml:2: streams.camera1: {}", circle("camera1 → camera1"))]
    );
    assert_eq!(
        refused(
            "streams:\n  x: rtsp://h/1\n  a: ffmpeg:b\n  b: [rtsp://h/1, ffmpeg:c]\n  c: ffmpeg:a\n  d: ffmpeg:c\n"
        ),
        [format!("m.yaml:3: streams.a: {}", circle("a → b → c → a"))]
    );
}

#[test]
fn a_long_chain_of_variants_is_no_cycle() {
    let mut text = "streams:\n  s0: rtsp://h/1\n".to_owned();
    for i in 1..20_000 {
        let sources = format!("[ffmpeg:s{}, ffmpeg:s{}]", i - 1, i / 2);
        text.extend(["  s", &i.to_string(), ": ", &sources, "\n"]);
    }
    assert_eq!(accepted(&text).0.streams.len(), 20_000);
}

#[test]
fn every_value_of_the_file_is_in_the_config() {
    let (config, warnings) = accepted(
        "api: {base_path: rtc/, origin: [\"https://Dash.example.com:443\", \"http://10.0.0.2:3000\"], token: 0123456789012345}\n\
         webrtc: {listen: \":9000\", candidates: [10.0.0.1], filters: {ips: [10.0.0.1]}, \
         ice_servers: [{urls: stun:s:3478}, {urls: [turn:t], username: u, credential: c}]}\n\
         multistream: {max_slots: 25, switch_timeout: 500ms, linger: 2, gop_max_bytes: 1MB, gop_max_duration: 3s}\n\
         ffmpeg: {bin: /opt/ffmpeg, timeout: 3, tiny: -s 1x1}\nlog: {level: disabled, format: json}\n",
    );
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(config.api.base_path, "/rtc");
    assert_eq!(config.api.origins, ["https://dash.example.com", "http://10.0.0.2:3000"]);
    assert_eq!(config.api.token.as_deref(), Some("0123456789012345"));
    assert_eq!(config.webrtc.candidates[0].to_string(), "10.0.0.1:9000");
    assert_eq!(config.webrtc.ice_servers.len(), 2);
    assert_eq!(config.webrtc.ice_servers[1].credential.as_deref(), Some("c"));
    assert_eq!(config.multistream.max_slots, 25);
    assert_eq!(config.multistream.switch_timeout, Duration::from_millis(500));
    assert_eq!(config.multistream.gop_max_bytes, 1 << 20);
    assert_eq!(config.ffmpeg.template("tiny"), Some("-s 1x1"));
    assert_eq!((config.log.level.as_str(), config.log.format), ("off", LogFormat::Json));
}

#[test]
fn a_candidate_is_an_address_a_name_or_stun_and_anything_else_is_reported() {
    let (config, warnings) = accepted(
        "webrtc:\n  candidates: [10.0.0.1, \"[2001:db8::7]:9000\", cams.example.com:9000, cams.example.com, stun:9000]\n",
    );
    assert!(warnings.is_empty(), "{warnings:?}");
    let candidates: Vec<String> = config.webrtc.candidates.iter().map(ToString::to_string).collect();
    let expected = [
        "10.0.0.1:8555",
        "[2001:db8::7]:9000",
        "cams.example.com:9000",
        "cams.example.com:8555",
        "stun:9000",
    ];
    assert_eq!(candidates, expected);
    let expected = "m.yaml:3: webrtc.candidates[1]: expected an IP address or a host name, with or without a port, such as \
        203.0.113.7:8555, [2001:db8::7]:8555 or cams.example.com, or stun:8555, found \"10.0.0.300\"";
    assert_eq!(refused("webrtc:\n  candidates: [10.0.0.1,\n    10.0.0.300]\n"), [expected]);
}

#[test]
fn the_stun_server_is_that_of_the_key_or_of_the_pages_or_a_public_one() {
    let server = |more: &str| {
        let (config, warnings) = accepted(&format!("webrtc: {{candidates: [stun:8555]{more}}}\n"));
        assert!(warnings.is_empty(), "{warnings:?}");
        config.webrtc.stun_server.to_string()
    };
    let of_pages = ", ice_servers: [{urls: [turn:t, stun:s]}, {urls: stun:other}]";
    assert_eq!(server(""), "stun.l.google.com:19302");
    assert_eq!(server(of_pages), "s:3478");
    assert_eq!(server(&format!("{of_pages}, stun_server: own:19302")), "own:19302");
    assert_eq!(server(", stun_server: stun:own"), "own:3478");

    let (_, warnings) = accepted("webrtc: {stun_server: own}\n");
    assert_eq!(
        warnings,
        ["m.yaml:1: warning: webrtc.stun_server: has no effect: webrtc.candidates has no stun:8555"]
    );
    let expected =
        "m.yaml:2: webrtc.stun_server: expected a STUN server such as stun.example.com:3478, found \"a b\"";
    assert_eq!(refused("webrtc: {candidates: [stun:8555],\n  stun_server: a b}\n"), [expected]);
}

#[test]
fn a_ladder_gives_every_camera_the_variants_that_it_lacks() {
    let (config, warnings) = accepted(
        "multistream: {ladder: [720p, 360p], max_ladder: 3}\npreload: [yard-360p]\nstreams:\n\
         \x20 yard: rtsp://h/1\n  yard-720p: rtsp://h/2\n  gate-2: rtsp://h/3\n  pond-180p: rtsp://h/4\n\
         \x20 attic: tapo://h\n  empty:\n",
    );
    let names: Vec<&str> = config.streams.iter().map(|stream| stream.name.as_str()).collect();
    let expected = [
        "yard",
        "yard-360p",
        "yard-720p",
        "gate-2",
        "gate-2-720p",
        "gate-2-360p",
        "pond-180p",
        "attic",
        "empty",
    ];
    assert_eq!(names, expected);
    assert_eq!(sources(&config, "yard-360p"), ["ffmpeg:yard#video=h264#height=360"]);
    assert_eq!(sources(&config, "yard-720p"), ["rtsp://h/2"]);
    let rungs: Vec<_> = config.streams.iter().filter_map(StreamConfig::ladder_rung).collect();
    assert_eq!(rungs, [("yard", 360), ("gate-2", 720), ("gate-2", 360)]);
    assert_eq!(config.multistream.ladder_limit(), 3);
    assert_eq!(warnings.len(), 1, "of attic alone: {warnings:?}");
}

#[test]
fn without_a_ladder_there_are_no_variants_that_nobody_configured() {
    let (config, _) = accepted("streams: {yard: rtsp://h/1}\n");
    assert_eq!(config.streams.len(), 1);
}

#[test]
fn a_ladder_is_of_even_heights_with_a_p() {
    let expected = "expected heights such as [720p, 360p], each an even number from 90p to 2160p, found";
    for wrong in ["720", "hd", "88p", "2162p", "361p", "-360p", "p", "99999999999p"] {
        let problems = refused(&format!("multistream:\n  ladder: [720p, {wrong}]\n"));
        assert_eq!(problems, [format!("m.yaml:2: multistream.ladder[1]: {expected} \"{wrong}\"")]);
    }
    let twice = refused("multistream:\n  ladder:\n    - 360p\n    - 360p\n");
    assert_eq!(twice, ["m.yaml:4: multistream.ladder[1]: \"360p\" is there twice"]);
    let limit = refused("multistream: {ladder: 360p, max_ladder: 0}\n");
    assert_eq!(limit, ["m.yaml:1: multistream.max_ladder: expected a number from 1 to 1000, found \"0\""]);
}

#[test]
fn no_secret_is_in_a_message_or_in_debug_output() {
    let text = "api: {username: [hunter2], password: hunter2, token: hunter2}\nwebrtc:\n  ice_servers: [{urls: turn:h, username: u, credential: hunter2}]\n\
                streams:\n  a: rtsp://u:${CAMERA_PASSWORD}@h:port/1\n  b: tapo://hunter2@h\n  c: rtsp://u:hunter2@h/1\n";
    let mut report = problem::Report::new("m.yaml");
    let config = read(text, &|_| Some("hunter2".to_owned()), &mut report);
    let shown = format!("{config:?} {}", Problems(report.into_problems()));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn every_key_is_documented() {
    let documentation = include_str!("../../../docs/configuration.md");
    let mut report = problem::Report::new("m.yaml");
    read(
        "api: {tokens: [{}], view_keys: [{}]}\nwebrtc: {ice_servers: [{urls: stun:h}]}\nstreams: {a: {url: rtsp://h/1}}\n",
        &|_| None,
        &mut report,
    );
    let keys: Vec<&str> = report.known_keys().collect();
    assert!(keys.len() > 25, "{keys:?}");
    for key in keys {
        let documented = key.replace("[0]", "").replace("streams.a", "streams.NAME");
        assert!(
            documentation.contains(&format!("`{documented}`")),
            "docs/configuration.md lacks `{documented}`"
        );
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = parse(&text);
    }

    #[test]
    fn nothing_in_a_section_panics(
        section in "(api|webrtc|rtsp|multistream|log|ffmpeg|preload|streams|other)",
        key in "(listen|token|origin|candidates|ice_servers|filters|max_slots|linger|level|a)",
        value in "[a-z0-9:/@#\\[\\]{},.'\"&* -]{0,40}",
    ) {
        let _ = parse(&format!("{section}:\n  {key}: {value}\n"));
        let _ = parse(&format!("{section}: {value}\n"));
    }
}

#[test]
fn the_example_is_accepted_without_a_warning() {
    let (config, warnings) = accepted(include_str!("../../../examples/multistream.yaml"));
    assert_eq!((config.streams.len(), warnings.len()), (5, 0), "{warnings:?}");
}

#[test]
fn each_cause_is_said_once_with_the_number_of_other_streams() {
    let (_, warnings) = accepted(
        "streams:\n  a: [rtsp://h/1, 'ffmpeg:a#video=h264#audio=opus', 'ffmpeg:a#audio=aac']\n  b: [http://h/mjpg, 'ffmpeg:b#video=h264#hardware']\n\
         \x20 c: ['rtsp://h/2#proto=x', 'ffmpeg:c#audio=opus']\n  d: ['rtsp://h/3#proto=y', 'ffmpeg:d#audio=opus']\n",
    );
    assert_eq!(
        warnings,
        [
            "m.yaml:2: warning: streams.a: sound is not sent yet: what asks for it has no effect (the same of 2 more streams)",
            "m.yaml:4: warning: streams.c: #proto is not supported and has no effect (the same of 1 more stream)",
        ]
    );
}
