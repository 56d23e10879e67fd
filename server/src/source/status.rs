//! What a status of RTSP (RFC 2326 §11) or HTTP says, and what a person can do about it.

/// Any status of the 400s and 500s: ffmpeg does not say which, except for 400, 401, 403 and 404.
const SOME_4XX: u16 = 4;
const SOME_5XX: u16 = 5;

/// The end of a sentence that begins with the URL.
pub(super) fn sentence(status: u16) -> String {
    let (what, advice) = match status {
        300..=399 => (
            "is said to be at another address",
            "enter in its place the URL that the camera's own page or ONVIF tells",
        ),
        401 => ("refuses the user or the password", "check them in the source's URL"),
        403 => (
            "is forbidden to this user",
            "allow the user to view (RTSP or ONVIF) in the camera's settings, or use another user",
        ),
        404 => ("does not exist on the camera", "check the path of the URL"),
        408 | 504 => ("is answered too late", "check the load of the camera and the network between"),
        429 => ("is asked for too often", "close other viewers of the camera"),
        451 => (
            "is asked for with a parameter that the camera does not know",
            "check the query of the URL, which is what follows its question mark",
        ),
        453 => (
            "needs more bandwidth than the camera has left",
            "close other viewers of the camera, or use its smaller stream",
        ),
        454 => (
            "belongs to a session that the camera has forgotten",
            "it is opened anew; restart the camera if that stays",
        ),
        461 => (
            "comes neither over TCP nor over UDP",
            "switch on RTP over RTSP (TCP) or unicast in the camera; multicast is not supported",
        ),
        503 => (
            "is not given now, since the camera is busy",
            "close other viewers of the camera (its app, a recorder), of which it allows only so many, or restart it",
        ),
        500..=599 => ("meets an error of the camera", "restart the camera if that stays"),
        SOME_5XX => (
            "is not given by the camera",
            "close other viewers of it, of which it allows only so many, and restart it if that stays",
        ),
        _ => ("is refused by the camera", "check the path and the query of the URL"),
    };
    let status = match status {
        SOME_4XX => "4XX".to_owned(),
        SOME_5XX => "5XX".to_owned(),
        _ => status.to_string(),
    };
    format!("{what} ({status}): {advice}")
}

/// Whether asking again is useless until someone changes something.
pub(super) fn permanent(status: u16) -> bool {
    match status {
        408 | 429 | 453 | 454 | SOME_5XX => false,
        _ => status < 500,
    }
}

/// Whether the answer may be about how the request was made, so that another client may fare better.
pub(super) fn is_about_the_request(status: u16) -> bool {
    !matches!(status, 401 | 403 | 404 | 408 | 429 | 453 | 461 | 500 | 503 | 504)
}

/// The status in what ffmpeg writes on stderr, if a server's answer ended it.
pub(super) fn of_ffmpeg(said: &str) -> Option<u16> {
    // `method DESCRIBE failed: 404 Not Found` (RTSP), `Server returned 404 Not Found`.
    let places = [" failed: ", "Server returned "];
    if said.contains("Server returned 4XX") {
        return Some(SOME_4XX);
    }
    if said.contains("Server returned 5XX") {
        return Some(SOME_5XX);
    }
    places.iter().find_map(|place| {
        said.match_indices(place).find_map(|(at, place)| {
            let number = said[at + place.len()..].split(' ').next()?;
            number.parse().ok().filter(|status| number.len() == 3 && (300..600).contains(status))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_says_what_to_do_and_whether_it_may_pass_by_itself() {
        for (status, advice, is_permanent) in [
            (302, "enter in its place the URL", true),
            (401, "check them in the source's URL", true),
            (403, "allow the user to view", true),
            (404, "check the path of the URL", true),
            (451, "check the query of the URL", true),
            (453, "close other viewers", false),
            (454, "it is opened anew", false),
            (461, "switch on RTP over RTSP (TCP)", true),
            (500, "restart the camera", false),
            (503, "close other viewers", false),
            (400, "check the path and the query", true),
            (SOME_4XX, "(4XX): check the path and the query", true),
            (SOME_5XX, "(5XX): close other viewers", false),
        ] {
            let said = sentence(status);
            let is_named = status < 100 || said.contains(&format!("({status})"));
            assert!(said.contains(advice) && is_named, "{said}");
            assert_eq!(permanent(status), is_permanent, "{status}");
        }
    }

    #[test]
    fn the_status_is_found_in_what_ffmpeg_says() {
        for (said, status) in [
            (
                "[rtsp @ 0x55] method DESCRIBE failed: 404 Not Found; rtsp://h/1: Server returned 404 Not Found",
                Some(404),
            ),
            ("[rtsp @ 0x55] method SETUP failed: 461 Unsupported Transport", Some(461)),
            ("http://h/1: Server returned 403 Forbidden (access denied)", Some(403)),
            ("http://h/1: Server returned 5XX Server Error reply", Some(SOME_5XX)),
            ("http://h/1: Server returned 4XX Client Error, but not one of 40{0,1,3,4}", Some(SOME_4XX)),
            ("Connection to tcp://h:80 failed: Connection refused", None),
            ("a failed: 12 b", None),
            (" failed: ", None),
        ] {
            assert_eq!(of_ffmpeg(said), status, "{said}");
        }
    }
}
