//! The parsers of what RTSP clients send, for `crate::fuzzing`.

use bytes::BytesMut;
use rtsp_types::headers;

use super::request::{self, Incoming, header};
use super::{address, auth, transport};
use crate::config::RtspConfig;

/// What a client sends, up to its end or to something unreadable.
pub(crate) fn requests(bytes: &[u8]) {
    let login = || Some("user".to_owned());
    let config = RtspConfig { listen: None, username: login(), password: login() };
    let mut input = BytesMut::from(bytes);
    while let Ok(Some(incoming)) = request::take(&mut input) {
        let Incoming::Request(request) = incoming else { continue };
        let _ = (request.request_uri().and_then(address::read), transport::choose(&request));
        let _ = auth::weigh(&config, "nonce", "PLAY", header(&request, &headers::AUTHORIZATION));
    }
}
