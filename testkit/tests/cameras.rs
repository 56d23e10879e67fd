//! Tests the test cameras with an independent client, ffmpeg.

use std::process::Command;
use std::time::Duration;

use multistream_testkit::{CameraEvent, Cameras, CamerasOptions, Login, barcode};

const WIDTH: usize = 640;
const HEIGHT: usize = 360;

/// The luma of `count` pictures, or ffmpeg's error output.
fn pictures(url: &str, count: usize) -> Result<Vec<Vec<u8>>, String> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-rtsp_transport", "tcp", "-i", url, "-frames:v"])
        .arg(count.to_string())
        .args(["-fps_mode", "passthrough", "-pix_fmt", "gray", "-f", "rawvideo", "-"])
        .output()
        .expect("ffmpeg is installed");
    if output.stdout.is_empty() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(output.stdout.chunks_exact(WIDTH * HEIGHT).map(<[u8]>::to_vec).collect())
}

#[test]
fn each_camera_shows_its_own_barcode_and_counts_frames() {
    let cameras = Cameras::start(&CamerasOptions { count: 2, ..Default::default() }).unwrap();
    for camera in [1, 2] {
        let readings: Vec<_> = pictures(&cameras.url(camera), 20)
            .unwrap()
            .iter()
            .map(|luma| barcode::read(luma, WIDTH, WIDTH).expect("a whole barcode"))
            .collect();
        assert_eq!(readings.len(), 20);
        assert!(readings.iter().all(|reading| reading.camera == camera), "{readings:?}");
        assert!(readings.windows(2).all(|pair| (pair[0].frame + 1) % 300 == pair[1].frame), "{readings:?}");
    }
}

#[test]
fn viewers_are_counted_as_they_come_and_go() {
    let cameras = Cameras::start(&CamerasOptions::default()).unwrap();
    assert_eq!(cameras.viewers(1), 0);
    pictures(&cameras.url(1), 1).unwrap();
    for _ in 0..100 {
        if cameras.events().iter().any(|event| matches!(event, CameraEvent::Closed { .. })) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(
        cameras
            .events()
            .iter()
            .any(|event| matches!(event, CameraEvent::Play { path, .. } if path == "/camera1"))
    );
    assert_eq!(cameras.viewers(1), 0);
}

#[test]
fn a_login_is_required_with_basic_and_digest_authentication() {
    for method in ["basic", "digest"] {
        let login = Some(Login { user: "admin".to_owned(), password: "secret".to_owned(), method });
        let cameras = Cameras::start(&CamerasOptions { login, ..Default::default() }).unwrap();
        assert_eq!(pictures(&cameras.url(1), 1).unwrap().len(), 1, "{method}");
        let without = format!("rtsp://127.0.0.1:{}/camera1", cameras.port());
        assert!(pictures(&without, 1).unwrap_err().contains("401"), "{method}");
    }
}

#[test]
fn an_unknown_camera_is_not_found() {
    let cameras = Cameras::start(&CamerasOptions::default()).unwrap();
    assert!(pictures(&cameras.url(9), 1).unwrap_err().contains("404"));
}
