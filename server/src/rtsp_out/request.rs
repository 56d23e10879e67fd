//! Takes requests from the bytes of a client, within bounds.

use bytes::{Buf as _, BytesMut};
use rtsp_types::{HeaderName, Message, ParseError};

/// A request with its headers and its body is never longer; real ones have some hundreds of bytes.
pub(super) const LONGEST: usize = 16 << 10;

pub(super) type Request = rtsp_types::Request<Vec<u8>>;

/// What a client sends.
#[derive(Debug)]
pub(super) enum Incoming {
    Request(Request),
    /// Interleaved RTCP, or an answer to nothing: the client is there.
    SignOfLife,
}

/// The client sends something else than RTSP, or too much of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// Takes the first message off the input; `None` while it is incomplete.
pub(super) fn take(input: &mut BytesMut) -> Result<Option<Incoming>, Unreadable> {
    let empty_lines = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    input.advance(empty_lines);
    let is_begun = match input.first() {
        None => return Ok(None),
        Some(b'$') => true,
        // What has no end yet is not parsed again and again.
        Some(_) => input.windows(4).any(|end| end == b"\r\n\r\n"),
    };
    let is_too_long = input.len() >= LONGEST;
    if !is_begun {
        return if is_too_long { Err(Unreadable) } else { Ok(None) };
    }
    match Message::<Vec<u8>>::parse(&input[..]) {
        Ok((message, length)) => {
            input.advance(length.min(input.len()));
            Ok(Some(match message {
                Message::Request(request) => Incoming::Request(request),
                Message::Response(_) | Message::Data(_) => Incoming::SignOfLife,
            }))
        }
        Err(ParseError::Incomplete(_)) if !is_too_long => Ok(None),
        Err(_) => Err(Unreadable),
    }
}

/// The value of a header.
pub(super) fn header<'a>(request: &'a Request, name: &HeaderName) -> Option<&'a str> {
    request.header(name).map(rtsp_types::HeaderValue::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &str = "OPTIONS rtsp://h/yard RTSP/1.0\r\nCSeq: 7\r\n\r\n";

    #[test]
    fn requests_are_taken_one_by_one_between_interleaved_reports() {
        let mut input = BytesMut::from(&*format!("\r\n{OPTIONS}$\x01\x00\x02ab{OPTIONS}OPT"));
        let mut methods = Vec::new();
        while let Some(incoming) = take(&mut input).expect("RTSP") {
            methods.push(match incoming {
                Incoming::Request(request) => header(&request, &rtsp_types::headers::CSEQ).map(str::to_owned),
                Incoming::SignOfLife => None,
            });
        }
        let seven = Some("7".to_owned());
        assert_eq!(methods, [seven.clone(), None, seven]);
        assert_eq!(&input[..], b"OPT");
    }

    #[test]
    fn what_never_ends_or_is_no_rtsp_is_refused() {
        for text in
            ["GET / HTTP/1.1\r\nHost: h\r\n\r\n", "\x16\x03\x01\r\n\r\n", "OPTIONS yard RTSP/1.0\r\n\r\n"]
        {
            assert_eq!(take(&mut BytesMut::from(text)).err(), Some(Unreadable), "{text}");
        }
        let long = format!("OPTIONS rtsp://h/yard RTSP/1.0\r\nX: {}", "x".repeat(LONGEST));
        assert_eq!(take(&mut BytesMut::from(&*long)).err(), Some(Unreadable));
        let body =
            "SET_PARAMETER rtsp://h/a RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 18446744073709551615\r\n\r\n";
        assert!(take(&mut BytesMut::from(body)).is_ok_and(|taken| taken.is_none()));
        let filled = format!("{body}{}", "x".repeat(LONGEST));
        assert_eq!(take(&mut BytesMut::from(&*filled)).err(), Some(Unreadable));
    }
}
