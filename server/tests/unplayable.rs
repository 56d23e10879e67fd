//! Tests that pictures which no browser shows as they are are shown all the same: ffmpeg makes H.264 of them.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use futures_util::future::join_all;
use multistream::config::Config;
use multistream_testkit::{Cameras, CamerasOptions, Viewer};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use support::Server;

/// A minute of a moving picture, coded with these options.
fn clip(folder: &Path, name: &str, encoder: &str) -> String {
    let path = folder.join(name);
    let status = Command::new("ffmpeg")
        .args("-v error -y -f lavfi -i testsrc2=size=320x180:rate=25 -t 60".split(' '))
        .args(encoder.split(' '))
        .arg(&path)
        .status();
    assert!(status.expect("ffmpeg is installed").success());
    path.display().to_string()
}

const B_FRAMES: &str =
    "-pix_fmt yuv420p -c:v libx264 -preset ultrafast -x264-params bframes=3:b-adapt=0:keyint=50:scenecut=0";

/// Pictures of an HTTP camera, one after the other in one answer.
async fn http_camera(jpeg: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port 0 is free");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let jpeg = jpeg.clone();
            tokio::spawn(async move {
                let head =
                    "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n";
                socket.write_all(head.as_bytes()).await?;
                loop {
                    let part = format!(
                        "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
                        jpeg.len()
                    );
                    socket.write_all(part.as_bytes()).await?;
                    socket.write_all(&jpeg).await?;
                    socket.write_all(b"\r\n").await?;
                    tokio::time::sleep(Duration::from_millis(66)).await;
                }
                #[expect(unreachable_code, reason = "the type of the block")]
                std::io::Result::Ok(())
            });
        }
    });
    format!("http://{address}/video.mjpg")
}

async fn streams(server: &Server) -> Value {
    let address = server.url.trim_start_matches("http://").to_owned();
    let answer = tokio::task::spawn_blocking(move || {
        use std::io::{Read as _, Write as _};
        let mut socket = std::net::TcpStream::connect(&address).expect("it listens");
        write!(socket, "GET /api/streams HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
            .expect("it reads");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("it answers");
        answer
    });
    let answer = answer.await.expect("it was asked");
    serde_json::from_str(answer.split_once("\r\n\r\n").expect("a head").1).expect("JSON")
}

/// Waits until a stream is shown with so many pictures per second, and says what it was.
async fn rate_of(server: &Server, stream: &str, at_least: f64) -> Value {
    for _ in 0..300 {
        let now = streams(server).await[stream].clone();
        if now["fps"].as_f64().expect("a rate") >= at_least && now["transcoded"].is_string() {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{stream}: {}", streams(server).await[stream]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_that_no_browser_shows_are_made_h264_by_themselves() {
    let folder = TempDir::new().expect("a folder");
    let mp4 = clip(folder.path(), "b.mp4", B_FRAMES);
    let ts = clip(folder.path(), "b.ts", B_FRAMES);
    let raw = clip(folder.path(), "b.h264", B_FRAMES);
    let h265 = "-pix_fmt yuv420p -c:v libx265 -preset ultrafast -x265-params log-level=none:bframes=3:b-adapt=0:keyint=50";
    let raw265 = clip(folder.path(), "b.h265", h265);
    let sampled =
        clip(folder.path(), "422.h264", "-pix_fmt yuv422p -c:v libx264 -preset ultrafast -bf 0 -g 25");
    let mpeg4 = clip(folder.path(), "4.mp4", "-c:v mpeg4 -bf 0 -g 25");
    let mjpeg = clip(folder.path(), "a.mjpeg", "-c:v mjpeg -q:v 9");
    let jpeg = clip(folder.path(), "a.jpg", "-frames:v 1 -update 1 -c:v mjpeg");
    let http = http_camera(std::fs::read(jpeg).expect("it was written")).await;
    let ball = "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=176,framerate=15/1";
    let launches = [
        (
            "b",
            format!("filesrc location={mp4} ! qtdemux ! h264parse ! rtph264pay name=pay0 config-interval=-1"),
        ),
        ("mjpeg", format!("{ball} ! jpegenc ! rtpjpegpay name=pay0")),
        (
            "mpeg4",
            format!(
                "filesrc location={mpeg4} ! qtdemux ! mpeg4videoparse config-interval=-1 ! rtpmp4vpay name=pay0 config-interval=1"
            ),
        ),
    ];
    let launches = launches.map(|(name, pipeline)| (name.to_owned(), pipeline)).to_vec();
    let cameras = Cameras::start(&CamerasOptions { count: 0, launches, ..CamerasOptions::default() })
        .expect("they start");
    let [b, jpegs, mpeg4] = ["b", "mjpeg", "mpeg4"].map(|name| cameras.url_of(name));
    let config = format!(
        "streams:\n  rtsp-b: {b}\n  rtsp-mjpeg: {jpegs}\n  rtsp-mpeg4: {mpeg4}\n  http-mjpeg: ['{http}', 'ffmpeg:http-mjpeg#video=h264']\n  \
         file-b: ffmpeg:{mp4}#video=copy\n  ts-b: exec:ffmpeg -v error -re -i {ts} -c copy -f mpegts -\n  \
         exec-mjpeg: exec:ffmpeg -v error -re -i {mjpeg} -c copy -f mjpeg -\n  \
         raw-b: exec:ffmpeg -v error -re -i {raw} -c copy -f h264 -\n  raw-b265: exec:ffmpeg -v error -re -i {raw265} -c copy -f hevc -\n  \
         sampled: exec:ffmpeg -v error -re -i {sampled} -c copy -f h264 -\n"
    );
    let (config, warnings) = Config::parse("test.yaml", &config, &|_| None).expect("the config is fine");
    assert_eq!(warnings, []);
    let server = Server::start(config).await;
    let shown = [
        ("rtsp-b", "B-frames", 20.0),
        ("rtsp-mjpeg", "MJPEG", 12.0),
        ("rtsp-mpeg4", "MPEG-4 video", 20.0),
        ("http-mjpeg", "MJPEG", 12.0),
        ("file-b", "B-frames", 20.0),
        ("ts-b", "B-frames", 20.0),
        ("exec-mjpeg", "MJPEG", 20.0),
        ("raw-b", "B-frames", 20.0),
        ("raw-b265", "B-frames", 20.0),
        ("sampled", "H.264 in 4:2:2", 20.0),
    ]
    .map(async |(name, what, fps)| {
        let slots = json!([{ "slot": 0, "stream": name }]);
        let viewer = Viewer::connect(&server.url, &slots).await.expect("connects");
        let shown = rate_of(&server, name, fps).await;
        assert_eq!(
            (shown["codec"].as_str(), shown["state"].as_str()),
            (Some("h264"), Some("live")),
            "{shown}"
        );
        let reason = shown["transcoded"].as_str().unwrap_or_default();
        assert_eq!(reason, what, "{name}");
        viewer.until_frames(25).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let gaps = viewer.longest_gaps(Duration::from_secs(2)).await;
        assert!(gaps[&0] < Duration::from_secs(1), "{name}: {gaps:?}");
    });
    join_all(shown).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_config_refuses_them_the_error_says_what_to_change() {
    let folder = TempDir::new().expect("a folder");
    let [ts, raw] = ["b.ts", "b.h264"].map(|name| clip(folder.path(), name, B_FRAMES));
    // Each key is for its own kind.
    for (key, program, words) in [
        ("b_frames", format!("-i {ts} -c copy -f mpegts -"), ["B-frames", "switch them off in the camera"]),
        ("b_frames", format!("-i {raw} -c copy -f h264 -"), ["B-frames", "have the program write none"]),
        ("unplayable", "-f lavfi -i testsrc2=size=320x180 -f mjpeg -".to_owned(), ["MJPEG", "H.264"]),
    ] {
        let config =
            format!("multistream: {{{key}: refuse}}\nstreams:\n  a: exec:ffmpeg -v error -re {program}\n");
        let (config, _) = Config::parse("test.yaml", &config, &|_| None).expect("the config is fine");
        let server = Server::start(config).await;
        let slots = json!([{ "slot": 0, "stream": "a" }]);
        let viewer = Viewer::connect(&server.url, &slots).await.expect("connects");
        let mut control = viewer.control;
        let told = |message: &Value| message["status"]["reason"] == "source-invalid";
        let status = match viewer.answer["slots"][0]["reason"].as_str() {
            Some("source-invalid") => viewer.answer["slots"][0].clone(),
            _ => control.until("an error", told).await.expect("it is told")["status"].clone(),
        };
        let sentence = status["error"].as_str().unwrap_or_default();
        assert!(words.iter().all(|word| sentence.contains(word)), "{status}");
    }
}
