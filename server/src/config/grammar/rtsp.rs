//! `rtsp://user:password@host:port/path#transport=udp#via=native#timeout=5`, and `onvif://user:password@host:port?subtype=profile`

use url::Url;

use super::{Context, Outcome, login, split, timeout};
use crate::config::source::{RtspSource, RtspTransport, RtspVia, Source};

pub(super) fn source(text: &str, context: &mut Context<'_>) -> Outcome {
    camera("rtsp", "/path", text, context, Source::Rtsp)
}

pub(super) fn onvif(text: &str, context: &mut Context<'_>) -> Outcome {
    let outcome = camera("onvif", "[?subtype=profile]", text, context, Source::Onvif);
    if let Outcome::Source(Source::Onvif(source)) = &outcome {
        for (key, _) in source.url.query_pairs().filter(|(key, _)| key != "subtype") {
            let key = context.quoted(&key);
            context.warning(format!("{key} in the URL has no effect: expected ?subtype= and a profile"));
        }
    }
    outcome
}

fn camera(
    scheme: &str,
    path: &str,
    text: &str,
    context: &mut Context<'_>,
    kind: fn(RtspSource) -> Source,
) -> Outcome {
    let (head, parameters) = split(text);
    let expected = format!("expected {scheme}://[user:password@]host[:port]{path}, found");
    let Some(rest) = head.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://")) else {
        return context.invalid(format!("{expected} {}", context.quoted(head)));
    };
    let (login, host_and_path) = login::split(rest);
    // ONVIF is spoken over HTTP.
    let is_valid = scheme != "onvif" || Url::parse(&format!("http://{host_and_path}")).is_ok();
    let url = Url::parse(&format!("{scheme}://{host_and_path}")).ok().filter(|_| is_valid);
    let Some(url) = url.filter(|url| url.host_str().is_some_and(|host| !host.is_empty())) else {
        return context.invalid(format!("{expected} {}", context.quoted(head)));
    };
    let mut source = RtspSource::new(url);
    source.credentials = login.map(login::user_and_password);
    for (key, value) in parameters {
        match (key, value) {
            ("transport", "tcp") => source.transport = RtspTransport::Tcp,
            ("transport", "udp") => source.transport = RtspTransport::Udp,
            ("transport", _) => context.warning(format!(
                "#transport={} is not supported, TCP is used: expected tcp or udp",
                context.quoted(value).trim_matches('"')
            )),
            ("via", "ffmpeg") => source.via = RtspVia::Ffmpeg,
            ("via", "native") => source.via = RtspVia::Native,
            ("via", _) => context.warning(format!(
                "#via={} has no effect: expected native or ffmpeg",
                context.quoted(value).trim_matches('"')
            )),
            ("starttimeout", _) => source.start_timeout = timeout(key, value, context),
            ("timeout", _) => source.timeout = timeout(key, value, context),
            ("media", "audio") => return context.sound_alone(text),
            // Only video is received and nothing is sent to the camera, so both have no effect.
            ("media" | "backchannel", _) => {}
            _ => context.warning(format!("#{key} is not supported and has no effect")),
        }
    }
    Outcome::Source(kind(source))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{parse, problem, valid};
    use super::*;

    fn rtsp(text: &str) -> RtspSource {
        match valid(text) {
            Source::Rtsp(source) => source,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_url_loses_its_credentials_and_its_parameters() {
        let source =
            rtsp("rtsp://admin:p%40ss@10.0.0.9:554/ch1?a=1&b=2#transport=udp#timeout=5#backchannel=0");
        assert_eq!(source.url.as_str(), "rtsp://10.0.0.9:554/ch1?a=1&b=2");
        assert_eq!(source.credentials, Some(("admin".to_owned(), "p@ss".to_owned())));
        assert_eq!((source.transport, source.timeout), (RtspTransport::Udp, Some(Duration::from_secs(5))));
        assert_eq!(rtsp("rtsp://h/1"), RtspSource::new("rtsp://h/1".parse().expect("a URL")));
    }

    #[test]
    fn who_speaks_with_the_camera_can_be_said() {
        for (text, via) in [
            ("rtsp://h/1#via=ffmpeg", RtspVia::Ffmpeg),
            ("rtsp://h/1#via=native", RtspVia::Native),
            ("rtsp://h/1", RtspVia::Any),
        ] {
            let source = rtsp(text);
            assert_eq!((source.via, source.to_string()), (via, text.to_owned()));
        }
    }

    #[test]
    fn passwords_that_were_not_percent_encoded_are_understood() {
        for (text, password, url) in [
            ("rtsp://u:p@ss@h/1", "p@ss", "rtsp://h/1"),
            ("rtsp://u:p/s@h/1", "p/s", "rtsp://h/1"),
            ("rtsp://u:p/s@x@h:554/1", "p/s@x", "rtsp://h:554/1"),
            ("rtsp://u:100%@h/1", "100%", "rtsp://h/1"),
            ("rtsp://u:p@h/live@2", "p", "rtsp://h/live@2"),
        ] {
            let source = rtsp(text);
            assert_eq!(source.credentials, Some(("u".to_owned(), password.to_owned())), "{text}");
            assert_eq!(source.url.as_str(), url);
        }
        assert_eq!(rtsp("rtsp://h:554/live@2").url.as_str(), "rtsp://h:554/live@2");
    }

    #[test]
    fn a_text_that_is_no_url_is_refused_with_the_expected_form() {
        for text in ["rtsp:camera", "rtsp://", "rtsp://u:hunter2@", "rtsp://u:hunter2@h:port/1"] {
            let problem = problem(text);
            assert!(problem.contains("expected rtsp://[user:password@]host[:port]/path"), "{problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }

    #[test]
    fn parameters_without_effect_are_warnings() {
        assert!(problem("rtsp://h/1#proto=Onvif").contains("#proto is not supported"));
        assert!(problem("rtsp://h/1#transport=ws://h").contains("expected tcp or udp"));
        assert!(problem("rtsp://h/1#via=vlc").contains("expected native or ffmpeg"));
        assert!(problem("rtsp://h/1#timeout=soon").contains("#timeout: expected seconds"));
        assert!(matches!(parse("rtsp://h/1#media=audio").0, Outcome::LeftOut(_)));
    }
}
