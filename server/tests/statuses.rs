//! What a camera answers, over RTSP and HTTP, is said in words with what to do.

#[path = "support/camera.rs"]
#[allow(dead_code, reason = "each test file uses its own part of it")]
mod camera;
#[path = "support/clip.rs"]
#[allow(dead_code, reason = "each test file uses its own part of it")]
mod clip;
#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;
#[allow(dead_code, reason = "each test file uses its own part of it")]
#[path = "support/witness.rs"]
mod witness;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use multistream::config::{Config, FfmpegInput, FfmpegSource, Source, StreamConfig};
use multistream::media::Codec;

use camera::Camera;
use clip::Clip;
use support::{Server, rtsp};
use witness::error_with;

const PATIENCE: Duration = Duration::from_secs(20);

const RTSP: &[(&str, &str)] = &[
    ("302 Moved Temporarily", "enter in its place the URL that the camera's own page or ONVIF tells"),
    ("401 Unauthorized", "check them in the source's URL"),
    ("403 Forbidden", "allow the user to view"),
    ("404 Not Found", "check the path of the URL"),
    ("451 Parameter Not Understood", "check the query of the URL"),
    ("453 Not Enough Bandwidth", "use its smaller stream"),
    ("454 Session Not Found", "restart the camera if that stays"),
    ("461 Unsupported Transport", "switch on RTP over RTSP (TCP) or unicast"),
    ("503 Service Unavailable", "close other viewers of the camera"),
];

const HTTP: &[(&str, &str)] = &[
    ("401 Unauthorized", "check them in the source's URL"),
    ("403 Forbidden", "allow the user to view"),
    ("404 Not Found", "check the path of the URL"),
    ("451 Unavailable", "(4XX): check the path and the query of the URL"),
    ("500 Internal Server Error", "(5XX): close other viewers"),
    ("503 Service Unavailable", "restart it if that stays"),
];

/// The URL of a web server with this answer to everything.
fn answers(status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let Ok(reader) = socket.try_clone() else { continue };
            BufReader::new(reader).lines().map_while(Result::ok).find(String::is_empty);
            let _ = write!(socket, "HTTP/1.0 {status}\r\nContent-Length: 0\r\n\r\n");
        }
    });
    format!("http://ann:secret@{address}/mjpg")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_status_is_said_with_what_to_do() {
    let clip = Arc::new(Clip::new(Codec::H264, "160x90", 5));
    let (mut cameras, mut streams, mut expected) = (Vec::new(), Vec::new(), Vec::new());
    for (status, advice) in RTSP {
        let camera = Camera::start(&clip);
        camera.answers(|exchange, answer| {
            if exchange.method != "OPTIONS" {
                answer.body.clear();
                answer.say(status);
            }
        });
        streams.push(rtsp(&format!("rtsp-{}", &status[..3]), &camera.url()));
        cameras.push(camera);
        expected.push((*status, *advice));
    }
    for (status, advice) in HTTP {
        let source = FfmpegSource::new(FfmpegInput::Url(answers(status)));
        let name = format!("http-{}", &status[..3]);
        streams.push(StreamConfig { name, sources: vec![Source::Ffmpeg(source)] });
        expected.push((*status, *advice));
    }
    let names: Vec<String> = streams.iter().map(|stream| stream.name.clone()).collect();
    let server = Server::start(Config { streams, preload: names.clone(), ..Config::default() }).await;
    for (name, (status, advice)) in names.iter().zip(expected) {
        let error = error_with(&server.url, name, &[advice], PATIENCE).await;
        assert!(name.starts_with("http") || error.contains(&format!("({})", &status[..3])), "{error}");
        println!("{name}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
