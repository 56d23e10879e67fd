//! Sources whose pictures no browser shows as they are: ffmpeg makes H.264 of them.

use crate::config::{FfmpegInput, FfmpegSource, RtspSource, RtspTransport, Source};

/// How the pictures of a source are had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    /// As the config says it.
    #[default]
    AsItIs,
    /// As H.264 that every browser shows.
    AsH264,
}

/// The same source, read and encoded by ffmpeg. `None` where it is encoded already, as the config says it. A program's output is
/// passed through ffmpeg instead, so its source stays as it is.
pub fn as_h264(source: &Source) -> Option<Source> {
    match source {
        Source::Rtsp(source) => Some(Source::Ffmpeg(rtsp(source))),
        Source::Ffmpeg(source) if source.copies() => {
            Some(Source::Ffmpeg(FfmpegSource { video: vec!["h264".to_owned()], ..source.clone() }))
        }
        Source::Exec(source) => Some(Source::Exec(source.clone())),
        // What the camera names then is read by ffmpeg.
        Source::Onvif(source) => Some(Source::Onvif(source.clone())),
        Source::Ffmpeg(_) | Source::Unsupported(_) => None,
    }
}

/// The same pictures, taken by ffmpeg, which passes them on as they are.
pub fn copied(source: &RtspSource) -> FfmpegSource {
    let transport = match source.transport {
        RtspTransport::Tcp => "tcp",
        // Packets that come late by no more than 50 ms are put in their place.
        RtspTransport::Udp => "udp -max_delay 50000",
    };
    // How the pictures are coded is read from the SDP and from the pictures themselves, so ffmpeg need not look long.
    let input = format!(
        "-flags low_delay -analyzeduration 300000 -rtsp_transport {transport} -timeout {{timeout}} -i {{input}}"
    );
    FfmpegSource {
        video: vec!["copy".to_owned()],
        input_template: Some(input),
        // Pictures before the first key frame are a sign of life.
        raw: vec!["-copyinkf".to_owned()],
        ..rtsp(source)
    }
}

fn rtsp(source: &RtspSource) -> FfmpegSource {
    let mut url = source.url.clone();
    if let Some((user, password)) = &source.credentials {
        // Only URLs that have no host take none.
        let _ = url.set_username(user);
        let _ = url.set_password(Some(password));
    }
    FfmpegSource {
        video: vec!["h264".to_owned()],
        input_template: (source.transport == RtspTransport::Udp).then(|| "rtsp/udp".to_owned()),
        start_timeout: source.start_timeout,
        timeout: source.timeout,
        ..FfmpegSource::new(FfmpegInput::Url(url.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(line: &str) -> Source {
        let text = format!("streams: {{b: rtsp://h/b, a: '{line}'}}");
        let (mut config, _) =
            crate::config::Config::parse("test.yaml", &text, &|_| None).expect("the config is fine");
        config.streams.remove(1).sources.remove(0)
    }

    #[test]
    fn a_camera_is_opened_by_ffmpeg_with_its_login_and_transport() {
        let Some(Source::Ffmpeg(made)) =
            as_h264(&source("rtsp://me:p%40ss@h:8554/a?b=c#transport=udp#timeout=7"))
        else {
            panic!("ffmpeg reads it");
        };
        assert_eq!(made.input, FfmpegInput::Url("rtsp://me:p%40ss@h:8554/a?b=c".to_owned()));
        assert_eq!(made.input_template.as_deref(), Some("rtsp/udp"));
        assert_eq!(made.video, ["h264"]);
        assert_eq!(made.timeout, Some(std::time::Duration::from_secs(7)));
    }

    #[test]
    fn a_camera_that_ffmpeg_passes_on_is_copied() {
        let Source::Rtsp(camera) = source("rtsp://me:p%40ss@h:8554/a#transport=udp") else { panic!("it is") };
        let made = copied(&camera);
        assert!(made.copies() && as_h264(&Source::Ffmpeg(made.clone())).is_some());
        assert_eq!(made.input, FfmpegInput::Url("rtsp://me:p%40ss@h:8554/a".to_owned()));
        assert!(made.input_template.is_some_and(|input| input.contains("-rtsp_transport udp")));
    }

    #[test]
    fn what_is_copied_is_encoded_and_what_is_encoded_already_is_not_encoded_otherwise() {
        for line in ["http://h/mjpg", "ffmpeg:b", "ffmpeg:http://h/a#video=copy", "exec:cat a"] {
            assert!(as_h264(&source(line)).is_some(), "{line}");
        }
        for line in [
            "ffmpeg:b#video=h264",
            "ffmpeg:b#height=360",
            "ffmpeg:virtual?video=testsrc",
            "ffmpeg:b#video=vp9",
        ] {
            assert!(as_h264(&source(line)).is_none(), "{line}");
        }
    }
}
