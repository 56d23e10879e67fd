//! `GET /api/frame.jpeg?src=&width=&height=&cache=&cold=`: the newest key frame of a stream as a JPEG picture, in go2rtc's form.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::client::Asking;
use super::{AppState, error, query};
use crate::media::Dimensions;
use crate::snapshot::Wanted;

/// The longest side that a picture is scaled to.
const LONGEST_SIDE: u32 = 4096;

pub(super) async fn jpeg(State(state): State<AppState>, Asking(viewer): Asking, uri: Uri) -> Response {
    let Some(name) = query::first(&uri, &["src"]) else {
        return error(StatusCode::BAD_REQUEST, "name the stream: /api/frame.jpeg?src=NAME");
    };
    let stream = match state.sessions.find(&viewer.grant, &name) {
        Ok(stream) => stream,
        Err(refusal) => return error(StatusCode::NOT_FOUND, refusal.error),
    };
    let size = match (side(&uri, &["width", "w"]), side(&uri, &["height", "h"])) {
        (Ok(0), Ok(0)) => None,
        (Ok(width), Ok(height)) => Some(Dimensions { width, height }),
        (Err(sentence), _) | (_, Err(sentence)) => return error(StatusCode::BAD_REQUEST, sentence),
    };
    let cache = match query::first(&uri, &["cache"]).map(|text| duration(&text)) {
        Some(None) => {
            return error(StatusCode::BAD_REQUEST, "`cache` is a time such as 30s, 5m or 1h30m");
        }
        cache => cache.flatten(),
    };
    let cold = query::first(&uri, &["cold"]).is_some_and(|value| matches!(&*value, "1" | "true"));
    match state.snapshots.get(Wanted { stream, size }, cache, cold).await {
        Ok(picture) => ([(CONTENT_TYPE, "image/jpeg"), (CACHE_CONTROL, "no-store")], picture).into_response(),
        Err(none) => {
            let mut response = error(StatusCode::SERVICE_UNAVAILABLE, none.to_string());
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
            response
        }
    }
}

/// A side of the picture; 0 where it is not given.
fn side(uri: &Uri, names: &[&str]) -> Result<u32, String> {
    let Some(text) = query::first(uri, names) else { return Ok(0) };
    let side = text.parse().ok().filter(|side| (1..=LONGEST_SIDE).contains(side));
    side.ok_or_else(|| format!("`{}` is a number from 1 to {LONGEST_SIDE}", names[0]))
}

/// A time as Go writes it: `1h30m`, `1.5s`, `500ms`.
fn duration(text: &str) -> Option<Duration> {
    let (mut rest, mut seconds) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = rest.split_at(digits);
        let end = unit.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(unit.len());
        let (unit, after) = unit.split_at(end);
        let unit = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * unit;
        rest = after;
    }
    Duration::try_from_secs_f64(seconds).ok().filter(|_| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_go_writes_them() {
        for (text, seconds) in
            [("30s", 30.0), ("5m", 300.0), ("1h30m", 5400.0), ("1.5s", 1.5), ("500ms", 0.5)]
        {
            assert_eq!(duration(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "30", "s", "5x", "-3s", "1h30", "..s", "\u{e4}", "9e9s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
