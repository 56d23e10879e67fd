//! WHEP (draft-ietf-wish-whep-03): a player posts its offer to `/whep/NAME` and gets the answer, and the address of its session, which
//! it ends by `DELETE`. A session that is not deleted ends with its connection.
//!
//! Trickled candidates are taken and not needed: the server's agent is a lite one, which learns the player's addresses from its
//! checks. A restart of ICE is refused as the draft has it, for a lite agent has nothing to restart but the session.

mod fragment;
mod problem;
mod watching;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{ALLOW, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH, LINK, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use multistream_protocol::server::IceServer;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use self::problem::problem;
pub(super) use self::watching::Watching;
use super::client::Asking;
use super::go2rtc::{media_type, status_of};
use super::{AppState, body};
use crate::session::{Sessions, Viewer};

/// What is not written as it is in a part of a path. A dot is, as `..` would be a part of its own.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

const SDP: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
const OF_ENDPOINT: &str = "GET, HEAD, OPTIONS, POST";
const OF_SESSION: &str = "DELETE, GET, HEAD, OPTIONS, PATCH";

/// `POST /whep/NAME`
pub(super) async fn post(
    State(state): State<AppState>,
    Asking(viewer): Asking,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if media_type(&headers) != SDP {
        let refusal = problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "an offer has the type application/sdp");
        return ([(ACCEPT_POST, SDP)], refusal).into_response();
    }
    let offer = match body::text(body).await {
        Ok(offer) => offer,
        Err(sentence) => return problem(StatusCode::BAD_REQUEST, sentence),
    };
    let ufrag = fragment::ufrag(&offer).unwrap_or_default().to_owned();
    let mut single = match state.sessions.watch(viewer, &name, offer).await {
        Ok(single) => single,
        Err(refusal) => return problem(status_of(&refusal), &refusal.error),
    };
    let (answer, servers) = (std::mem::take(&mut single.answer), std::mem::take(&mut single.ice_servers));
    let (id, etag) = state.watching.keep(single, name.clone(), ufrag);
    // Relative to this address, as a proxy may have other segments before it.
    let location = format!("{}/{id}", utf8_percent_encode(&name, RESERVED));
    let headers = [(CONTENT_TYPE, SDP), (LOCATION, &*location), (ETAG, &*etag), (ACCEPT_PATCH, FRAGMENT)];
    let mut response = (StatusCode::CREATED, headers, answer).into_response();
    let links = servers.iter().flat_map(links).filter_map(|link| HeaderValue::try_from(link).ok());
    for link in links {
        response.headers_mut().append(LINK, link);
    }
    response
}

/// The `Link` headers of an ICE server, one for each of its URLs.
fn links(server: &IceServer) -> impl Iterator<Item = String> {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let login = server.username.as_deref().zip(server.credential.as_deref());
    let login = login.map_or_else(String::new, |(username, credential)| {
        let (username, credential) = (quoted(username), quoted(credential));
        format!("; username=\"{username}\"; credential=\"{credential}\"; credential-type=\"password\"")
    });
    server.urls.iter().map(move |url| format!("<{url}>; rel=\"ice-server\"{login}"))
}

/// `GET` and `HEAD /whep/NAME`: there is an endpoint, and nothing to show of it.
pub(super) async fn get(
    State(state): State<AppState>,
    Asking(viewer): Asking,
    Path(name): Path<String>,
) -> Response {
    match state.sessions.find(&viewer.grant, &name) {
        Ok(_) => ([(ACCEPT_POST, SDP)], StatusCode::NO_CONTENT).into_response(),
        Err(refusal) => problem(StatusCode::NOT_FOUND, &refusal.error),
    }
}

/// `OPTIONS /whep/NAME`. It tells the same of every name.
pub(super) async fn options() -> Response {
    ([(ACCEPT_POST, SDP), (ALLOW, OF_ENDPOINT)], StatusCode::OK).into_response()
}

/// Any other method of `/whep/NAME`.
pub(super) async fn no_method() -> Response {
    let refusal = problem(StatusCode::METHOD_NOT_ALLOWED, "an offer is sent by POST");
    ([(ALLOW, OF_ENDPOINT)], refusal).into_response()
}

/// `PATCH /whep/NAME/ID`
pub(super) async fn patch(
    State(state): State<AppState>,
    Asking(viewer): Asking,
    Path((name, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let known = may_ask(&state.sessions, &viewer, &name).then(|| state.watching.get(&name, &id)).flatten();
    let Some(known) = known else { return no_session() };
    if media_type(&headers) != FRAGMENT {
        let sentence = "candidates have the type application/trickle-ice-sdpfrag";
        let refusal = problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence);
        return ([(ACCEPT_PATCH, FRAGMENT)], refusal).into_response();
    }
    let Some(tag) = headers.get(IF_MATCH).map(|tag| String::from_utf8_lossy(tag.as_bytes()).into_owned())
    else {
        let sentence = "send the ETag of the answer to your offer, as If-Match";
        return problem(StatusCode::PRECONDITION_REQUIRED, sentence);
    };
    if tag != "*" && !tag.split(',').any(|tag| tag.trim() == known.etag) {
        return problem(StatusCode::PRECONDITION_FAILED, "the tag in If-Match is not that of this session");
    }
    let fragment = match body::text(body).await {
        Ok(text) if fragment::is_fragment(&text) => text,
        Ok(_) => return problem(StatusCode::BAD_REQUEST, "the body is no SDP fragment (RFC 8840)"),
        Err(sentence) => return problem(StatusCode::BAD_REQUEST, sentence),
    };
    if fragment::ufrag(&fragment).is_some_and(|ufrag| ufrag != known.ufrag) {
        let sentence = "this server does not restart ICE: end the session by DELETE, and post another offer";
        return problem(StatusCode::UNPROCESSABLE_ENTITY, sentence);
    }
    StatusCode::NO_CONTENT.into_response()
}

/// `DELETE /whep/NAME/ID`
pub(super) async fn delete(
    State(state): State<AppState>,
    Asking(viewer): Asking,
    Path((name, id)): Path<(String, String)>,
) -> Response {
    if may_ask(&state.sessions, &viewer, &name) && state.watching.end(&name, &id).await {
        StatusCode::OK.into_response()
    } else {
        no_session()
    }
}

/// `GET` and `HEAD /whep/NAME/ID`
pub(super) async fn get_session(
    State(state): State<AppState>,
    Asking(viewer): Asking,
    Path((name, id)): Path<(String, String)>,
) -> Response {
    if may_ask(&state.sessions, &viewer, &name) && state.watching.get(&name, &id).is_some() {
        StatusCode::NO_CONTENT.into_response()
    } else {
        no_session()
    }
}

/// `OPTIONS /whep/NAME/ID`
pub(super) async fn session_options() -> Response {
    ([(ACCEPT_PATCH, FRAGMENT), (ALLOW, OF_SESSION)], StatusCode::OK).into_response()
}

/// Any other method of `/whep/NAME/ID`.
pub(super) async fn no_session_method() -> Response {
    let refusal = problem(
        StatusCode::METHOD_NOT_ALLOWED,
        "a session takes candidates by PATCH, and is ended by DELETE",
    );
    ([(ALLOW, OF_SESSION)], refusal).into_response()
}

/// Whether the viewer may see the stream. To one who may not, it has no sessions. One that was removed from the config has.
fn may_ask(sessions: &Sessions, viewer: &Viewer, name: &str) -> bool {
    viewer.grant.is_for_all_streams() || sessions.find(&viewer.grant, name).is_ok()
}

fn no_session() -> Response {
    problem(StatusCode::NOT_FOUND, "there is no such session: it is over, or was never there")
}
