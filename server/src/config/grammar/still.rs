//! URLs by which cameras give single pictures.

use url::Url;

use crate::config::FfmpegInput;

/// What ffmpeg reads at a URL: a picture that is fetched again and again, if its path or query says so. Where a stream is found there
/// in spite of that, it is read as one.
pub(super) fn input(url: String) -> FfmpegInput {
    if is_picture(&url) { FfmpegInput::Picture(url) } else { FfmpegInput::Url(url) }
}

fn is_picture(url: &str) -> bool {
    let Some(url) = Url::parse(url).ok().filter(|url| url.scheme() == "http") else { return false };
    let path = url.path().to_ascii_lowercase();
    let file = path.rsplit('/').next().unwrap_or_default();
    let asks = |query: &str| {
        let query = query.to_ascii_lowercase();
        ["cmd=snap", "action=snapshot", "cmd=capture"].iter().any(|word| query.contains(word))
    };
    matches!(file.rsplit_once('.'), Some((_, "jpg" | "jpeg")))
        || file.starts_with("snap")
        || matches!(file, "image.cgi" | "picture" | "capture" | "still")
        || url.query().is_some_and(asks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_from_streams_by_their_urls() {
        for url in [
            "http://h/snapshot.jpg",
            "http://u:p@h/cgi-bin/snapshot.cgi?channel=1",
            "http://h/axis-cgi/jpg/image.cgi",
            "http://h/ISAPI/Streaming/channels/101/picture",
            "http://h/cgi-bin/api.cgi?cmd=Snap&channel=0",
            "http://h/capture",
            "http://h/shot.JPEG?x=1",
            "http://h/Snap.jpg?JpegSize=XL",
        ] {
            assert!(is_picture(url), "{url}");
        }
        for url in [
            "http://h/video.mjpg",
            "http://h/live.m3u8",
            "http://h/axis-cgi/mjpg/video.cgi",
            "http://h/flv?port=1935",
            "rtsp://h/a.jpg",
        ] {
            assert!(!is_picture(url), "{url}");
        }
    }
}
