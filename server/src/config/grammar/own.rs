//! URLs by which a stream of go2rtc's file reads another one from go2rtc itself: `rtsp://127.0.0.1:8554/other` and
//! `http://127.0.0.1:1984/api/stream.mp4?src=other`. Here the other stream is read directly.

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::Context;

/// go2rtc's default ports.
const RTSP: u16 = 8554;
const HTTP: u16 = 1984;

/// The stream of this file that a URL, without its `#` parameters, names at go2rtc's addresses. A stream that names itself
/// there means another server, such as one that other programs publish to.
pub(super) fn stream(url: &str, context: &Context<'_>) -> Option<String> {
    let url = Url::parse(url).ok()?;
    // `Url` knows the hosts of http only.
    let is_here = match url.host()? {
        Host::Domain(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback())
        }
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    };
    let name = match (url.scheme(), url.port()?) {
        ("rtsp", RTSP) => percent_decode_str(url.path().strip_prefix('/')?).decode_utf8().ok()?.into_owned(),
        ("http", HTTP) => {
            let file = url.path().strip_prefix("/api/")?;
            let is_picture = file.starts_with("stream.") || file.starts_with("frame.");
            url.query_pairs().find(|(key, _)| is_picture && key == "src")?.1.into_owned()
        }
        _ => return None,
    };
    let itself = context.key.strip_prefix("streams.").is_some_and(|own| own == name);
    (is_here && !itself && context.streams.contains(&*name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::super::testing::valid;

    /// What a line becomes in a config with the streams `camera1` and `yard`.
    fn read(text: &str) -> String {
        valid(text).to_string()
    }

    #[test]
    fn go2rtcs_addresses_of_a_stream_are_the_stream_itself() {
        for text in [
            "rtsp://127.0.0.1:8554/yard",
            "rtsp://localhost:8554/yard?video=h264&audio=aac",
            "rtsp://[::1]:8554/yard#timeout=5",
            "rtsp://user:word@127.0.0.1:8554/yard?mp4#backchannel=0",
            "http://127.0.0.1:1984/api/stream.mp4?src=yard",
            "http://localhost:1984/api/stream.m3u8?src=yard&mp4",
            "http://[::1]:1984/api/stream.ts?x=1&src=yard",
            "http://127.0.0.1:1984/api/frame.jpeg?src=yard",
            "ffmpeg:rtsp://127.0.0.1:8554/yard",
        ] {
            assert_eq!(read(text), "ffmpeg:yard", "{text}");
        }
        for text in ["rtsp://127.0.0.1:8554/yard?video", "http://127.0.0.1:1984/api/stream.mp4?src=yard"] {
            assert_eq!(
                read(&format!("ffmpeg:{text}#video=h264#height=360")),
                "ffmpeg:yard#video=h264#height=360"
            );
        }
    }

    #[test]
    fn other_addresses_and_names_are_cameras() {
        for text in [
            "rtsp://127.0.0.1:8554/attic",
            "rtsp://127.0.0.1:554/yard",
            "rtsp://127.0.0.1/yard",
            "rtsp://10.0.0.9:8554/yard",
            "rtsp://127.0.0.1:8554/yard/sub",
            "rtsp://127.0.0.1:8554/",
            // The stream in which the test's lines stand.
            "rtsp://127.0.0.1:8554/x",
        ] {
            assert_eq!(read(text), text);
        }
        for text in [
            "http://127.0.0.1:1984/api/streams?src=yard",
            "http://127.0.0.1:1984/api/stream.mp4?src=attic",
            "http://127.0.0.1:1984/api/stream.mp4",
            "http://10.0.0.9:1984/api/stream.mp4?src=yard",
        ] {
            assert_eq!(read(text), format!("ffmpeg:{text}"));
        }
    }
}
