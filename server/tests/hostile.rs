//! A camera that attacks: it sends a picture without an end as fast as the machine takes it. The server and its other viewers do not
//! notice.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use multistream::config::Config;
use multistream_testkit::{Cameras, CamerasOptions, Viewer};
use serde_json::json;

use support::{Server, rtsp};

const SDP: &str = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n\
    a=fmtp:96 packetization-mode=1\r\na=control:trackID=0\r\n";
/// How many NAL units of one byte each of its aggregation packets has (STAP-A, RFC 6184 §5.7.1).
const NALS: usize = 400;

/// An interleaved packet of one picture that never ends: all have the same timestamp, and none the marker.
fn packet(sequence_number: u16) -> Vec<u8> {
    let mut payload = vec![24];
    for _ in 0..NALS {
        payload.extend([0, 1, 0x65]);
    }
    let mut bytes = vec![b'$', 0];
    bytes.extend((12 + payload.len() as u16).to_be_bytes());
    bytes.extend([0x80, 96]);
    bytes.extend(sequence_number.to_be_bytes());
    bytes.extend([0, 0, 0, 9, 0, 0, 0, 7]);
    bytes.extend(payload);
    bytes
}

fn attack(mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let (mut method, mut cseq) = (String::new(), String::new());
    while let Some(line) = lines.next().transpose()? {
        if method.is_empty() {
            line.split(' ').next().unwrap_or_default().clone_into(&mut method);
        } else if let Some(number) = line.to_ascii_lowercase().strip_prefix("cseq:") {
            number.trim().clone_into(&mut cseq);
        }
        if !line.is_empty() {
            continue;
        }
        let (more, body) = match &*method {
            "DESCRIBE" => {
                (format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n", SDP.len()), SDP)
            }
            "SETUP" => (
                "Transport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=00000007\r\nSession: 1\r\n".to_owned(),
                "",
            ),
            _ => ("Session: 1\r\n".to_owned(), ""),
        };
        stream.write_all(format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n{more}\r\n{body}").as_bytes())?;
        if method == "PLAY" {
            for number in (0..=u16::MAX).cycle().step_by(50) {
                let many: Vec<u8> = (0..50).flat_map(|more| packet(number.wrapping_add(more))).collect();
                stream.write_all(&many)?;
            }
        }
        method.clear();
    }
    Ok(())
}

/// A camera that attacks everybody who plays it.
fn hostile() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("port 0 is free");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // It ends when the server closes the connection.
            std::thread::spawn(move || attack(stream));
        }
    });
    address
}

/// The memory of this process, in MiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("of every process");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_sends_a_picture_without_an_end_takes_neither_memory_nor_time_from_others() {
    let cameras = Cameras::start(&CamerasOptions::default()).expect("cameras");
    let url = format!("rtsp://{}/", hostile());
    let streams = vec![rtsp("good", &cameras.url(1)), rtsp("hostile", &url)];
    let server = Server::start(Config { streams, ..Config::default() }).await;
    let slots = |stream: &str| json!([{ "slot": 0, "stream": stream }]);
    let viewer = Viewer::connect(&server.url, &slots("good")).await.expect("connects");
    viewer.until_frames(30).await.expect("it plays");
    let before = memory();
    let _victim = Viewer::connect(&server.url, &slots("hostile")).await.expect("connects");
    let gaps = viewer.longest_gaps(Duration::from_secs(8)).await;
    let asked = Instant::now();
    let mut control = server.control().await;
    let init = json!({ "type": "multistream/init", "request_id": "i", "slots": slots("good") });
    control.send(&init).await.expect("the socket is open");
    control.until("ready", |message| message["type"] == "multistream/ready").await.expect("it answers");
    let (answered, grown) = (asked.elapsed(), memory().saturating_sub(before));
    println!("longest gap {gaps:?}, answered after {answered:?}, {grown} MiB more");
    assert!(gaps[&0] < Duration::from_millis(700), "{gaps:?}");
    assert!(answered < Duration::from_secs(1), "{answered:?}");
    assert!(grown < 200, "{grown} MiB more");
}
