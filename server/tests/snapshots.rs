//! Tests of pictures that a camera's web server gives one at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use multistream::config::{Config, FfmpegConfig};
use multistream::media::{AccessUnit, Codec};
use multistream::source::{SourceError, Way, run_once};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

fn jpeg() -> Vec<u8> {
    let words = "-v error -f lavfi -i testsrc=size=320x180 -frames:v 1 -c:v mjpeg -f image2pipe -";
    std::process::Command::new("ffmpeg").args(words.split(' ')).output().expect("ffmpeg starts").stdout
}

/// A web server that answers each request with what `answer` makes of its number and its text.
async fn camera(
    answer: impl Fn(usize, &str) -> Vec<u8> + Send + Sync + 'static,
) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let number = counted.fetch_add(1, Ordering::Relaxed);
            let text = String::from_utf8_lossy(&request[..read]).into_owned();
            let _ = stream.write_all(&answer(number, &text)).await;
        }
    });
    (address.to_string(), count)
}

fn ok(kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn start(line: &str) -> (mpsc::Receiver<AccessUnit>, JoinHandle<Result<(), SourceError>>) {
    let text = format!("streams:\n  a: '{line}'\n");
    let (mut config, warnings) = Config::parse("m.yaml", &text, &|_| None).expect("the config is fine");
    assert_eq!(warnings, []);
    let source = config.streams.remove(0).sources.remove(0);
    let (output, units) = mpsc::channel(64);
    (
        units,
        tokio::spawn(
            async move { run_once(&source, &FfmpegConfig::default(), Way::AsItIs, None, output).await },
        ),
    )
}

#[tokio::test]
async fn a_picture_is_fetched_once_a_second_and_shown_as_h264() {
    let jpeg = jpeg();
    // Every third request fails.
    let (address, count) = camera(move |number, _| {
        if number % 3 == 2 {
            b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n".to_vec()
        } else {
            ok("image/jpeg", &jpeg)
        }
    })
    .await;
    let (mut units, run) = start(&format!("http://{address}/snapshot.jpg"));
    let began = Instant::now();
    let mut last = None;
    for number in 0..4 {
        let unit =
            timeout(Duration::from_secs(10), units.recv()).await.expect("in time").expect("it goes on");
        assert_eq!(unit.codec, Codec::H264);
        assert!(last.is_none_or(|last| unit.timestamp > last));
        last = Some(unit.timestamp);
        if number == 0 {
            assert!(began.elapsed() < Duration::from_secs(3), "the first one does not wait for the next one");
        }
    }
    assert!((4..=8).contains(&count.load(Ordering::Relaxed)), "{count:?}");
    drop(units);
    run.await.expect("no panic").expect("ended by its viewer");
}

#[tokio::test]
async fn a_login_by_digest_is_given_when_it_is_asked_for() {
    let jpeg = jpeg();
    let (address, _) = camera(move |_, request| {
        let request = request.to_ascii_lowercase();
        if request.contains("authorization: digest") && request.contains("username=\"me\"") {
            return ok("image/jpeg", &jpeg);
        }
        b"HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"cam\", nonce=\"abc\", qop=\"auth\"\r\nContent-Length: 0\r\n\r\n".to_vec()
    })
    .await;
    let (mut units, run) = start(&format!("ffmpeg:http://me:word@{address}/cgi-bin/snapshot.cgi#video=h264"));
    let unit = timeout(Duration::from_secs(10), units.recv()).await.expect("in time");
    assert!(unit.is_some(), "{:?}", run.await);
}

#[tokio::test]
async fn what_is_no_picture_or_not_allowed_is_said() {
    for (answer, words) in [
        (ok("text/html", b"<html>"), "expected a JPEG picture, found status 200 with \"text/html\""),
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n".to_vec(), "refuses the user or the password"),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".to_vec(), "does not exist on the camera"),
    ] {
        let (address, _) = camera(move |_, _| answer.clone()).await;
        let (mut units, run) = start(&format!("http://{address}/snapshot.jpg"));
        assert!(timeout(Duration::from_secs(10), units.recv()).await.expect("in time").is_none());
        let error = run.await.expect("no panic").expect_err("it fails").to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_stream_behind_the_url_of_a_picture_is_shown_as_the_stream() {
    let jpeg = jpeg();
    let (address, _) = camera(move |_, _| {
        let part = [
            format!("--x\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len()).as_bytes(),
            &jpeg,
            b"\r\n",
        ]
        .concat();
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=x\r\n\r\n";
        [&head[..], &part.repeat(50)].concat()
    })
    .await;
    let (mut units, run) = start(&format!("http://{address}/snapshot"));
    let unit = timeout(Duration::from_secs(10), units.recv()).await.expect("in time");
    assert!(unit.is_some(), "{:?}", run.await);
}
