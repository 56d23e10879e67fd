//! A viewer of a camera that has nothing to do with a fault: whatever happens to others, it misses no picture.

use std::time::{Duration, Instant};

use multistream_testkit::{Cameras, CamerasOptions, Viewer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

/// The longest time between two pictures on a machine whose processors a compiler is using too. A viewer to whom a fault of
/// another had got through would stand still for as long as the fault lasts.
const LONGEST_GAP: Duration = Duration::from_secs(1);
const WINDOW: Duration = Duration::from_millis(500);

/// The healthy camera, which each server under test has as `good`.
pub(crate) fn good_camera() -> Cameras {
    let options = CamerasOptions { width: 320, height: 180, gop_s: 1.0, ..Default::default() };
    Cameras::start(&options).expect("the test cameras start")
}

pub(crate) async fn watch(url: &str, stream: &str) -> Viewer {
    let slots = json!([{ "slot": 0, "stream": stream }]);
    Viewer::connect(url, &slots).await.expect("the viewer connects")
}

/// Does `trouble` while a viewer watches `good`, and asserts that it noticed nothing.
pub(crate) async fn unnoticed<T>(url: &str, trouble: impl Future<Output = T>) -> T {
    let witness = watch(url, "good").await;
    witness.until_frames(15).await.expect("the healthy camera plays");
    let (start, before) = (Instant::now(), witness.counts()[&0].clone());
    let mut longest = Duration::ZERO;
    tokio::pin!(trouble);
    let done = loop {
        tokio::select! {
            gaps = witness.longest_gaps(WINDOW) => longest = longest.max(gaps[&0]),
            done = &mut trouble => break done,
        }
    };
    longest = longest.max(witness.longest_gaps(WINDOW).await[&0]);
    let (lasted, after) = (start.elapsed(), witness.counts()[&0].clone());
    let frames = after.frames - before.frames;
    println!("the witness got {frames} pictures in {lasted:?}, {longest:?} apart at most");
    assert!(longest < LONGEST_GAP, "another viewer stood still for {longest:?}");
    assert_eq!((after.lost, after.backwards), (0, 0), "another viewer lost packets");
    assert!(frames as f64 > lasted.as_secs_f64() * 30.0 * 0.9, "{frames} pictures in {lasted:?}");
    done
}

/// Waits until the only slot of a viewer shows its stream at the full rate again, for a second without a hole.
pub(crate) async fn whole_again(viewer: &Viewer, fps: u32, patience: Duration) {
    let start = Instant::now();
    let mut last = 0;
    while start.elapsed() < patience {
        let before = frames(viewer);
        sleep(Duration::from_secs(1)).await;
        last = frames(viewer) - before;
        if last >= u64::from(fps) * 8 / 10 {
            return;
        }
    }
    panic!("not whole again after {patience:?}: {last} pictures in the last second");
}

/// The pictures so far.
pub(crate) fn frames(viewer: &Viewer) -> u64 {
    viewer.counts().get(&0).map_or(0, |counts| counts.frames)
}

/// A stream as `/api/streams` says.
pub(crate) async fn stream(url: &str, name: &str) -> Value {
    let host = url.trim_start_matches("http://");
    let mut socket = TcpStream::connect(host).await.expect("the server listens");
    let request = format!("GET /api/streams?src={name} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("it answers");
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// Waits until a stream has an error in `/api/streams` that contains all of these words, and returns it.
pub(crate) async fn error_with(url: &str, name: &str, words: &[&str], patience: Duration) -> String {
    let start = Instant::now();
    loop {
        let seen = stream(url, name).await;
        let error = seen["error"].as_str().unwrap_or_default();
        if words.iter().all(|word| error.contains(word)) {
            return error.to_owned();
        }
        assert!(start.elapsed() < patience, "no error with {words:?}: {seen}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Asserts that a stream is live and has no error.
pub(crate) async fn assert_live(url: &str, name: &str) {
    let seen = stream(url, name).await;
    assert_eq!((&seen["state"], &seen["error"]), (&json!("live"), &Value::Null), "{seen}");
}
