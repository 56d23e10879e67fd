//! What `multistream doctor` says of cameras that are fine, and of those that browsers, or late viewers, have trouble with.

use std::path::Path;
use std::process::Command;

use multistream::config::Config;
use multistream::doctor;
use multistream_testkit::{Cameras, CamerasOptions, Login};
use tempfile::TempDir;

const B_FRAMES: &str = "-x264-params bframes=3:b-adapt=0:keyint=25:scenecut=0";
/// A key frame every seven seconds.
const LONG_GOP: &str = "-bf 0 -g 175 -sc_threshold 0";

/// A minute of pictures with sound.
fn clip(folder: &Path, name: &str, encoder: &str) -> String {
    let path = folder.join(name);
    let status = Command::new("ffmpeg")
        .args("-v error -y -f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i sine -t 60".split(' '))
        .args("-pix_fmt yuv420p -c:v libx264 -preset ultrafast -c:a aac".split(' '))
        .args(encoder.split(' '))
        .arg(&path)
        .status();
    assert!(status.expect("ffmpeg is installed").success());
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_of_each_camera_what_it_sends_and_what_to_change() {
    let folder = TempDir::new().expect("a folder");
    let mp4 = clip(folder.path(), "b.mp4", B_FRAMES);
    let long = clip(folder.path(), "long.mkv", LONG_GOP);
    let plain = clip(folder.path(), "plain.mp4", "-bf 0 -g 25");
    let pictures = |file: &str| {
        format!("filesrc location={file} ! qtdemux ! h264parse ! rtph264pay name=pay0 config-interval=-1")
    };
    let sound = format!(
        "filesrc location={plain} ! qtdemux name=d d. ! queue ! h264parse ! rtph264pay name=pay0 config-interval=-1 \
         d. ! queue ! aacparse ! rtpmp4gpay name=pay1"
    );
    let launch = |name: &str, pipeline: String| (name.to_owned(), pipeline);
    let launches =
        vec![launch("b", pictures(&mp4)), launch("sound", sound), launch("silent", pictures(&plain))];
    let cameras = |login| {
        let options = CamerasOptions { count: 0, launches: launches.clone(), login, ..Default::default() };
        Cameras::start(&options).expect("the test cameras start")
    };
    let (open, locked) = (
        cameras(None),
        cameras(Some(Login { user: "admin".to_owned(), password: "hunter2".to_owned(), method: "digest" })),
    );
    let text = format!(
        "ffmpeg: {{rare: '-c:v libx264 -preset ultrafast -tune zerolatency -g 80 -pix_fmt yuv420p'}}\nstreams:\n  \
         b: {}\n  sound: {}\n  silent: {}\n  long: ffmpeg:{long}#video=copy\n  \
         locked: ffmpeg:{}#video=copy\n  \
         rare: ffmpeg:virtual?video=testsrc&size=160x90&rate=10#video=rare\n",
        open.url_of("b"),
        open.url_of("sound"),
        open.url_of("silent"),
        locked.url_of("sound"),
    );
    let (config, _) = Config::parse("test.yaml", &text, &|_| None).expect("the config is fine");
    let said = doctor::examine_streams(&config, None).await;
    let all = said.lines.join("\n");
    println!("{all}");
    assert!(!said.ill && !all.contains("hunter2"), "{all}");
    for (name, words, not) in [
        ("b", "it sends B-frames, which browsers cannot show: ffmpeg encodes it again", "sound in"),
        ("b", "switch B-frames off in the camera", "set the key frame interval"),
        ("sound", "sound in aac", "B-frames"),
        ("silent", "no sound", "set the key frame interval"),
        (
            "long",
            "a key frame every 7.0 s: set the key frame interval (GOP, I-frame interval) of the camera",
            "no sound",
        ),
        ("long", "sound in aac", "B-frames"),
        ("locked", "sound in aac", "B-frames"),
        ("rare", "a key frame every 8.0 s: set the key frame interval (-g) in ffmpeg.rare", "sound"),
    ] {
        let line = said.lines.iter().find(|line| line.starts_with(&format!("ok: streams.{name}: ")));
        let line = line.unwrap_or_else(|| panic!("nothing of {name} in {all}"));
        assert!(line.contains(words) && !line.contains(not), "{words} without {not}: {line}");
    }
}
