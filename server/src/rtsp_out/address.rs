//! What a URL of a request names: `rtsp://host:8554/NAME`, or a track of it.

use percent_encoding::percent_decode_str;
use rtsp_types::Url;

/// The track of the picture, as the SDP calls it.
pub(super) const VIDEO: &str = "trackID=0";
const TRACK: &str = "trackID=";

/// What a URL names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// The name of a stream, decoded; whether there is one is not known here.
    pub(super) stream: String,
    /// `None` for all tracks.
    pub(super) track: Option<String>,
    /// The URL of the stream, with a slash at its end and without a login and a query.
    pub(super) base: String,
}

/// Reads a URL. What go2rtc takes in the query (`?video&audio`) has no effect. `None` for a name that is not UTF-8.
pub(super) fn read(url: &Url) -> Option<Address> {
    // Clients that know no `Content-Base` put the track behind a query.
    let of_query = url.query().and_then(|query| query.rsplit_once('/')).map(|(_, last)| last);
    let path = url.path().trim_matches('/');
    let (path, of_path) = match path.rsplit_once('/') {
        Some((stream, last)) if last.starts_with(TRACK) => (stream, Some(last)),
        _ => (path, None),
    };
    let track = of_path.or(of_query.filter(|last| last.starts_with(TRACK)));
    let stream = percent_decode_str(path).decode_utf8().ok()?.into_owned();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let base = format!("{}://{}{port}/{path}/", url.scheme(), url.host_str().unwrap_or_default());
    Some(Address { stream, track: track.map(str::to_owned), base })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> (String, Option<String>, String) {
        let Address { stream, track, base } = read(&Url::parse(url).expect("a URL")).expect("UTF-8");
        (stream, track, base)
    }

    #[test]
    fn a_url_names_a_stream_and_maybe_a_track_of_it() {
        let yard = "rtsp://h:8554/yard/";
        for (url, track) in [
            ("rtsp://h:8554/yard", None),
            ("rtsp://h:8554/yard/", None),
            ("rtsp://u:p@h:8554/yard?video=copy&audio", None),
            ("rtsp://h:8554/yard/trackID=0", Some("trackID=0")),
            ("rtsp://h:8554/yard?video/trackID=1", Some("trackID=1")),
        ] {
            assert_eq!(of(url), ("yard".to_owned(), track.map(str::to_owned), yard.to_owned()), "{url}");
        }
    }

    #[test]
    fn names_are_percent_decoded_and_written_as_they_came() {
        let base = "rtsp://h/front%20door%2F%C3%BC/";
        assert_eq!(of(base), ("front door/ü".to_owned(), None, base.to_owned()));
        assert_eq!(of("rtsp://h/a/b/trackID=0").0, "a/b");
        assert_eq!(of("rtsp://h"), (String::new(), None, "rtsp://h//".to_owned()));
        assert_eq!(read(&Url::parse("rtsp://h/%ff").expect("a URL")), None);
    }
}
