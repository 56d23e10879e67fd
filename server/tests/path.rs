//! Tests of switches over a slow, long or lossy path: a tile that catches up does not delay the others.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use multistream::config::{Candidate, Config, ExecSource, Source, StreamConfig};
use multistream_testkit::{Cameras, CamerasOptions, EmulatedPath, PathConditions, Viewer, free_port};
use serde_json::{Value, json};

use support::{Server, rtsp};

/// Noise at 6 Mbit/s with a key frame every 5 s, so its GOP has up to 30 Mbit.
const HEAVY: &str = "ffmpeg -v error -re -f lavfi -i testsrc2=size=960x540:rate=30,noise=alls=60:allf=t \
    -pix_fmt yuv420p -c:v libx264 -preset ultrafast -tune zerolatency -b:v 6M -maxrate 6M -bufsize 1M \
    -g 150 -keyint_min 150 -f h264 -";

struct Scene {
    _cameras: Cameras,
    path: EmulatedPath,
    server: Server,
}

/// Three small cameras and a heavy one behind a path.
async fn scene(conditions: PathConditions) -> Scene {
    let cameras = Cameras::start(&CamerasOptions { count: 3, ..CamerasOptions::default() }).expect("cameras");
    let path = EmulatedPath::start(conditions).await.expect("a path");
    let mut config = Config::default();
    config.webrtc.candidates = vec![Candidate::Address(path.address())];
    config.webrtc.ips = vec![Ipv4Addr::new(192, 0, 2, 1).into()];
    config.streams = (1..=3).map(|n| rtsp(&format!("camera{n}"), &cameras.url(n))).collect();
    let argv = HEAVY.split_whitespace().map(str::to_owned).collect();
    config
        .streams
        .push(StreamConfig { name: "heavy".to_owned(), sources: vec![Source::Exec(ExecSource::new(argv))] });
    config.preload = vec!["heavy".to_owned()];
    let media = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let server = Server::start_media_at(media, config).await;
    path.lead_to(media);
    Scene { _cameras: cameras, path, server }
}

async fn watch_small_cameras(scene: &Scene) -> Viewer {
    let slots: Value = (0..3).map(|n| json!({ "slot": n, "stream": format!("camera{}", n + 1) })).collect();
    let viewer = Viewer::connect(&scene.server.url, &slots).await.expect("connects");
    viewer.until_frames(30).await.expect("all play");
    viewer
}

/// Returns when the switch is answered.
async fn switch(viewer: &mut Viewer, slot: u32, stream: &str) -> Value {
    let id = format!("{slot} {stream}");
    let request = json!({ "type": "multistream/switch", "request_id": id, "slot": slot, "stream": stream });
    viewer.control.send(&request).await.expect("open");
    viewer.control.until("answer", |message| message["request_id"] == id.as_str()).await.expect("it answers")
}

/// Waits until the heavy stream's cached GOP is a large one.
async fn late_in_the_heavy_gop() {
    tokio::time::sleep(Duration::from_secs(4)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gop_too_large_for_the_path_does_not_make_the_other_tiles_late() {
    let conditions = PathConditions {
        bits_per_second: 12e6,
        queue: Duration::from_millis(300),
        delay: Duration::from_millis(15),
        loss: 0.0,
    };
    let scene = scene(conditions).await;
    let mut viewer = watch_small_cameras(&scene).await;
    // At the first switch the path is not measured yet; at the second one the burst is paced from its first packet.
    for (turn, longest_allowed) in [(0, 450), (1, 250)] {
        switch(&mut viewer, 0, "camera1").await;
        late_in_the_heavy_gop().await;
        let before = viewer.counts();
        let answer = switch(&mut viewer, 0, "heavy").await;
        assert_eq!(answer["status"]["status"], "active", "{answer}");
        let gaps = viewer.longest_gaps(Duration::from_secs(4)).await;
        let others = gaps[&1].max(gaps[&2]);
        assert!(
            others < Duration::from_millis(longest_allowed),
            "turn {turn}: the others stood still: {gaps:?}"
        );
        let after = viewer.counts();
        assert!(after[&0].frames - before[&0].frames > 60, "turn {turn}: the heavy stream plays");
        for slot in [1, 2] {
            let lost = after[&slot].lost - before[&slot].lost;
            assert_eq!(lost, 0, "turn {turn}: slot {slot} lost packets to the burst of slot 0");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_that_the_path_loses_are_sent_again() {
    let conditions = PathConditions {
        bits_per_second: 50e6,
        queue: Duration::from_millis(300),
        delay: Duration::from_millis(15),
        loss: 0.03,
    };
    let scene = scene(conditions).await;
    let viewer = watch_small_cameras(&scene).await;
    viewer.until_frames(90).await.expect("three seconds of all");
    for (slot, counts) in viewer.counts() {
        let expected_to_be_lost = counts.packets / 33;
        assert!(expected_to_be_lost >= 4, "slot {slot}: {counts:?}");
        // What is just under way is missing at any moment; what is not sent again would be missing for ever.
        let start = tokio::time::Instant::now();
        while viewer.counts()[&slot].lost > 1 {
            assert!(start.elapsed() < Duration::from_secs(1), "slot {slot}: {:?}", viewer.counts());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_whose_nat_gives_it_another_address_gets_its_packets_there() {
    let conditions = PathConditions {
        bits_per_second: 50e6,
        queue: Duration::from_millis(300),
        delay: Duration::from_millis(5),
        loss: 0.0,
    };
    let scene = scene(conditions).await;
    let viewer = watch_small_cameras(&scene).await;
    scene.path.rebind();
    // Longer than the server goes on sending to a browser that it does not hear.
    let gaps = viewer.longest_gaps(Duration::from_secs(9)).await;
    // The viewer checks the path every two seconds.
    let longest = gaps.values().max().expect("three slots");
    println!("longest gap after the rebind: {longest:?}");
    assert!(*longest < Duration::from_millis(2_700), "{gaps:?}");
}
