//! Remembers how else the pictures of an RTSP camera are had where the configured way brings none: over the other transport, or by ffmpeg,
//! which takes much that the RTSP client of this server does not, and passes the pictures on as they are.

use std::time::Instant;

use crate::config::{RtspSource, RtspTransport, RtspVia, Source};
use crate::source::{self, SourceError};

use super::StreamError;
use super::remembered::Remembered;

#[derive(Debug, Clone)]
struct Detour {
    /// In place of the configured one.
    transport: Option<RtspTransport>,
    by_ffmpeg: bool,
    /// What was wrong with the way before this one.
    reason: String,
}

#[derive(Debug)]
pub(super) struct Detours {
    of: Remembered<Detour>,
}

impl Detours {
    pub(super) fn new(sources: usize) -> Self {
        Self { of: Remembered::new(sources) }
    }

    /// The source to run.
    pub(super) fn source(&mut self, index: usize, source: Source, now: Instant) -> Source {
        match (self.of.at_start(index, now), source) {
            (Some(detour), Source::Rtsp(mut source)) => {
                source.transport = detour.transport.unwrap_or(source.transport);
                if detour.by_ffmpeg { Source::Ffmpeg(source::copied(&source)) } else { Source::Rtsp(source) }
            }
            (Some(detour), Source::Onvif(mut source)) => {
                source.transport = detour.transport.unwrap_or(source.transport);
                // Its URL is not known yet.
                source.via = if detour.by_ffmpeg { RtspVia::Ffmpeg } else { source.via };
                Source::Onvif(source)
            }
            (_, source) => source,
        }
    }

    /// Whether the source, which has failed, is to be tried in another way at once.
    pub(super) fn begin(
        &mut self,
        index: usize,
        source: &Source,
        error: &SourceError,
        was_live: bool,
        now: Instant,
    ) -> bool {
        let (Source::Rtsp(source) | Source::Onvif(source)) = source else { return false };
        let (flipped, by_ffmpeg) =
            self.of.get(index).map_or((None, false), |detour| (detour.transport, detour.by_ffmpeg));
        let (transport, by_ffmpeg) = if by_ffmpeg {
            return false;
        } else if error.is_of_the_transport() && flipped.is_none() {
            (Some(other(source.transport)), false)
        } else if error.is_of_the_client(was_live) && source.via == RtspVia::Any {
            (flipped, true)
        } else {
            return false;
        };
        self.of.set(index, Detour { transport, by_ffmpeg, reason: error.to_string() }, now);
        true
    }

    /// A source has failed, and is tried as it is configured next time. What to tell people of it is returned: where the way that failed
    /// was not the first one, what was wrong with that as well.
    pub(super) fn failed(&mut self, index: Option<usize>, error: StreamError) -> StreamError {
        let detour = index.and_then(|index| self.of.take(index));
        let Some(detour) = detour.filter(|detour| detour.reason != error.message) else { return error };
        let way = match (detour.by_ffmpeg, detour.transport) {
            (true, _) => "by ffmpeg",
            (false, Some(RtspTransport::Udp)) => "over UDP",
            (false, _) => "over TCP",
        };
        // Without ffmpeg there is still the camera, whose fault may pass.
        let permanent = error.permanent && !detour.by_ffmpeg;
        StreamError { permanent, message: format!("{}; tried {way} then: {}", detour.reason, error.message) }
    }

    /// The way in which the source is had, where it is not that of this server's RTSP client over the configured transport.
    pub(super) fn via(&self, index: usize, source: &Source) -> Option<&'static str> {
        let (Source::Rtsp(RtspSource { via, .. }) | Source::Onvif(RtspSource { via, .. })) = source else {
            return None;
        };
        let detour = self.of.get(index);
        match detour.map(|detour| (detour.by_ffmpeg, detour.transport)) {
            Some((false, Some(RtspTransport::Udp))) => Some("udp"),
            Some((false, Some(RtspTransport::Tcp))) => Some("tcp"),
            Some((true, _)) => Some("ffmpeg"),
            _ => (*via == RtspVia::Ffmpeg).then_some("ffmpeg"),
        }
    }
}

fn other(transport: RtspTransport) -> RtspTransport {
    match transport {
        RtspTransport::Tcp => RtspTransport::Udp,
        RtspTransport::Udp => RtspTransport::Tcp,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::remembered::FOR;
    use super::*;

    fn camera(via: RtspVia) -> Source {
        let url = "rtsp://h/1".parse().expect("a URL");
        Source::Rtsp(RtspSource { via, ..RtspSource::new(url) })
    }

    fn misread() -> SourceError {
        SourceError::Misread { url: "rtsp://h/1".to_owned(), reason: "an odd header".to_owned() }
    }

    fn unsupported() -> SourceError {
        SourceError::Status { url: "rtsp://h/1".to_owned(), status: 461 }
    }

    fn offline(message: &str, permanent: bool) -> StreamError {
        StreamError { message: message.to_owned(), permanent }
    }

    #[test]
    fn a_camera_that_is_not_understood_is_read_by_ffmpeg_until_that_fails_or_an_hour_is_over() {
        let (mut detours, now) = (Detours::new(2), Instant::now());
        let camera = camera(RtspVia::Any);
        assert!(detours.begin(1, &camera, &misread(), true, now));
        assert!(!detours.begin(1, &camera, &misread(), true, now), "there is no third way");
        let Source::Ffmpeg(made) = detours.source(1, camera.clone(), now) else { panic!("by ffmpeg") };
        assert!(made.copies());
        assert_eq!((detours.via(1, &camera), detours.via(0, &camera)), (Some("ffmpeg"), None));
        let error = detours.failed(Some(1), offline("ffmpeg is not installed", true));
        assert!(!error.permanent);
        assert!(error.message.contains("an odd header; tried by ffmpeg then: ffmpeg is not"), "{error:?}");
        assert_eq!(detours.source(1, camera.clone(), now), camera);
        assert!(detours.begin(1, &camera, &misread(), false, now));
        assert_eq!(detours.source(1, camera.clone(), now + FOR + Duration::from_secs(1)), camera);
    }

    #[test]
    fn a_camera_that_refuses_a_transport_is_tried_over_the_other_one_once() {
        let (mut detours, now, camera) = (Detours::new(1), Instant::now(), camera(RtspVia::Native));
        assert!(detours.begin(0, &camera, &unsupported(), false, now));
        let Source::Rtsp(source) = detours.source(0, camera.clone(), now) else { panic!("natively") };
        assert_eq!((source.transport, detours.via(0, &camera)), (RtspTransport::Udp, Some("udp")));
        assert!(!detours.begin(0, &camera, &unsupported(), false, now), "it takes neither");
        let error = detours.failed(Some(0), offline(&unsupported().to_string(), true));
        assert_eq!(error.message, unsupported().to_string(), "it is said once");
        assert_eq!(detours.source(0, camera.clone(), now), camera);
    }

    #[test]
    fn ffmpeg_keeps_the_transport_that_was_found() {
        let (mut detours, now, camera) = (Detours::new(1), Instant::now(), camera(RtspVia::Any));
        assert!(detours.begin(0, &camera, &unsupported(), false, now));
        assert!(detours.begin(0, &camera, &misread(), false, now));
        let Source::Ffmpeg(made) = detours.source(0, camera, now) else { panic!("by ffmpeg") };
        assert!(made.input_template.is_some_and(|input| input.contains("-rtsp_transport udp")));
    }

    #[test]
    fn a_camera_that_is_asked_by_onvif_goes_the_same_ways() {
        let (mut detours, now) = (Detours::new(1), Instant::now());
        let url = "onvif://h".parse().expect("a URL");
        let camera = Source::Onvif(RtspSource::new(url));
        assert!(detours.begin(0, &camera, &unsupported(), false, now));
        assert!(detours.begin(0, &camera, &misread(), false, now));
        let made = detours.source(0, camera.clone(), now);
        assert_eq!(made.to_string(), "onvif://h#transport=udp#via=ffmpeg");
        assert_eq!(detours.via(0, &camera), Some("ffmpeg"));
    }

    #[test]
    fn what_is_not_of_the_client_is_not_tried_otherwise_and_neither_is_what_the_config_forbids() {
        let (mut detours, now) = (Detours::new(1), Instant::now());
        let refused = SourceError::Refused { address: "h:554".to_owned() };
        assert!(!detours.begin(0, &camera(RtspVia::Any), &refused, false, now));
        assert!(!detours.begin(0, &camera(RtspVia::Native), &misread(), false, now));
        assert_eq!(detours.via(0, &camera(RtspVia::Ffmpeg)), Some("ffmpeg"));
        assert_eq!(detours.failed(None, offline("a", true)), offline("a", true));
    }
}
