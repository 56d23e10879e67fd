//! What a camera says and sends in ways of its own.

use std::sync::Arc;

/// A request and its method.
pub(crate) struct Exchange<'a> {
    pub(crate) method: &'a str,
    pub(crate) request: &'a str,
}

impl Exchange<'_> {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.request.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// The answer to a request, before it is sent.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// Written before the status line.
    pub(crate) before: Vec<u8>,
    /// Without the version.
    pub(crate) status: String,
    /// As they are written; they need not be UTF-8.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) latin1: bool,
    pub(crate) body: Vec<u8>,
}

pub(super) type AnswerHook = Arc<dyn Fn(&Exchange<'_>, &mut Answer) + Send + Sync>;
pub(super) type PacketHook = Arc<dyn Fn(u32, Vec<u8>) -> Vec<Sent> + Send + Sync>;

/// What is sent in place of a packet.
#[derive(Debug, Clone)]
pub(crate) enum Sent {
    Packet(Vec<u8>),
    /// On this channel of the RTSP connection.
    On(u8, Vec<u8>),
    /// Bytes on the RTSP connection, without a frame.
    Bytes(Vec<u8>),
}

impl Sent {
    pub(super) fn framed(&self) -> Vec<u8> {
        let (channel, packet) = match self {
            Self::Packet(packet) => (0, packet),
            Self::On(channel, packet) => (*channel, packet),
            Self::Bytes(bytes) => return bytes.clone(),
        };
        let mut framed = vec![b'$', channel];
        framed.extend((packet.len() as u16).to_be_bytes());
        framed.extend(packet);
        framed
    }
}

impl Answer {
    pub(super) fn of(status: &str) -> Self {
        Self { status: status.to_owned(), ..Self::default() }
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    pub(super) fn with_body(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self
    }

    pub(crate) fn say(&mut self, status: &str) {
        status.clone_into(&mut self.status);
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Replaces a part of the body, which must be there.
    pub(crate) fn edit(&mut self, from: &str, to: &str) {
        let body = String::from_utf8(self.body.clone()).expect("it is text");
        assert!(body.contains(from), "{body}");
        self.body = body.replace(from, to).into_bytes();
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut lines = vec![format!("RTSP/1.0 {}", self.status)];
        lines.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        if !self.body.is_empty() {
            lines.push(format!("Content-Length: {}", self.body.len()));
        }
        let text = lines.join("\r\n") + "\r\n\r\n";
        let head = if self.latin1 { text.chars().map(|c| c as u8).collect() } else { text.into_bytes() };
        [self.before.clone(), head, self.body.clone()].concat()
    }
}
