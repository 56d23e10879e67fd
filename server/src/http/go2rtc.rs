//! go2rtc's ways to view a stream: its messages on `/api/ws?src=`, and `POST /api/webrtc?src=`. Players and cards that were made for
//! it work with this server as they are.
//!
//! Its player closes the WebSocket once pictures come, and a request is over with its answer. So these sessions end as go2rtc's do:
//! when the viewer closes its connection, or nothing comes from it any more. A lite agent learns the viewer's addresses from its
//! checks, so that the candidates of these messages are not needed, and the answer has all of the server's.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, http};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use multistream_protocol::ErrorCode;
use multistream_protocol::server::Error;
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::client::Asking;
use super::{AppState, body, error, query};
use crate::session::{Sessions, Viewer};

/// A message of go2rtc's, or of another protocol.
#[derive(Debug, Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    value: Value,
}

/// Where a message is to be shown from: `?src=` of the WebSocket's address.
pub(super) fn source(uri: &Uri) -> Option<String> {
    query::first(uri, &["src"])
}

/// Answers a message that is not of the namespace `multistream/`. `None` if it takes no answer.
pub(super) async fn answer(
    text: &str,
    source: Option<&str>,
    viewer: Viewer,
    sessions: &Sessions,
) -> Option<String> {
    let Message { kind, value } = serde_json::from_str(text).ok()?;
    let offer = match &*kind {
        "webrtc/candidate" => return None,
        "webrtc/offer" => value.as_str(),
        "webrtc" => value["sdp"].as_str(),
        "mse" | "mp4" | "hls" | "mjpeg" => {
            return Some(refusal(&kind, "this server sends pictures by WebRTC alone: send webrtc/offer"));
        }
        _ => {
            return Some(refusal(&kind, "this server does not know messages of this type"));
        }
    };
    let Some(offer) = offer else { return Some(refusal(&kind, "the message has no SDP")) };
    let Some(source) = source else {
        let sentence = "connect to /api/ws?src=NAME to say which stream is to be shown; this server takes no pictures from its viewers";
        return Some(refusal(&kind, sentence));
    };
    let answer = match show(sessions, viewer, source, offer.to_owned()).await {
        Ok(answer) => answer,
        Err(error) => return Some(refusal(&kind, &error.error)),
    };
    let message = if kind == "webrtc" {
        json!({ "type": "webrtc", "value": { "type": "answer", "sdp": answer } })
    } else {
        json!({ "type": "webrtc/answer", "value": answer })
    };
    Some(message.to_string())
}

/// An error in go2rtc's form. The type is the client's own text, of which only the beginning is repeated.
pub(super) fn refusal(kind: &str, sentence: &str) -> String {
    const LONGEST: usize = 64;
    let kind: String = kind.chars().take(LONGEST).collect();
    json!({ "type": "error", "value": format!("{kind}: {sentence}") }).to_string()
}

/// Opens a session, and returns the answer to its offer.
async fn show(sessions: &Sessions, viewer: Viewer, source: &str, offer: String) -> Result<String, Error> {
    let mut single = sessions.watch(viewer, source, offer).await?;
    let answer = std::mem::take(&mut single.answer);
    tokio::spawn(single.keep(std::future::pending()));
    Ok(answer)
}

/// The form of an offer, and of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Urlencoded,
    Sdp,
    Raw,
}

impl Form {
    fn of(headers: &HeaderMap) -> Self {
        match &*media_type(headers) {
            "application/json" => Self::Json,
            "application/x-www-form-urlencoded" => Self::Urlencoded,
            "application/sdp" => Self::Sdp,
            _ => Self::Raw,
        }
    }

    fn offer(self, body: String) -> Result<String, String> {
        #[derive(Deserialize)]
        struct Offer {
            sdp: String,
        }
        match self {
            Self::Json => serde_json::from_str(&body)
                .map(|Offer { sdp }| sdp)
                .map_err(|error| format!("expected {{\"type\": \"offer\", \"sdp\": \"…\"}}: {error}")),
            Self::Urlencoded => {
                let data = form_urlencoded::parse(body.as_bytes()).find(|(key, _)| key == "data");
                let decoded = data.and_then(|(_, value)| STANDARD.decode(&*value).ok());
                let offer = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
                offer.ok_or_else(|| "expected data= with the offer in base64".to_owned())
            }
            Self::Sdp | Self::Raw => Ok(body),
        }
    }

    fn answer(self, sdp: String) -> Response {
        match self {
            Self::Json => Json(json!({ "type": "answer", "sdp": sdp })).into_response(),
            Self::Urlencoded => {
                ([(CONTENT_TYPE, "application/x-www-form-urlencoded")], STANDARD.encode(sdp)).into_response()
            }
            Self::Sdp => (StatusCode::CREATED, [(CONTENT_TYPE, "application/sdp")], sdp).into_response(),
            Self::Raw => ([(CONTENT_TYPE, "text/plain; charset=utf-8")], sdp).into_response(),
        }
    }
}

/// The media type of a request's body, without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// `POST /api/webrtc?src=NAME`
pub(super) async fn webrtc(
    State(state): State<AppState>,
    Asking(viewer): Asking,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Some(source) = source(&uri) else {
        if query::first(&uri, &["dst"]).is_some() {
            return super::refused::pictures();
        }
        return error(StatusCode::BAD_REQUEST, "name the stream: /api/webrtc?src=NAME");
    };
    let form = Form::of(&headers);
    let offer = match body::text(body).await.map_err(str::to_owned).and_then(|body| form.offer(body)) {
        Ok(offer) => offer,
        Err(sentence) => return error(StatusCode::BAD_REQUEST, sentence),
    };
    match show(&state.sessions, viewer, &source, offer).await {
        Ok(answer) => form.answer(answer),
        Err(refusal) => {
            let status = status_of(&refusal);
            let mut response = error(status, refusal.error);
            if status == StatusCode::SERVICE_UNAVAILABLE {
                response.headers_mut().insert(RETRY_AFTER, http::HeaderValue::from_static("5"));
            }
            response
        }
    }
}

/// The status that tells by HTTP why there is no session.
pub(super) fn status_of(error: &Error) -> StatusCode {
    let is = |code: ErrorCode| error.code == code.to_string();
    if is(ErrorCode::UnknownStream) || is(ErrorCode::UnknownQuality) {
        StatusCode::NOT_FOUND
    } else if is(ErrorCode::LimitReached) || is(ErrorCode::NoSession) {
        StatusCode::SERVICE_UNAVAILABLE
    } else if is(ErrorCode::UnsupportedCodec) {
        StatusCode::NOT_ACCEPTABLE
    } else {
        StatusCode::BAD_REQUEST
    }
}
