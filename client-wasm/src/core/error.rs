//! What a promise is rejected with: a stable code and a sentence for people.

use std::borrow::Cow;

use multistream_protocol::ErrorCode;

/// Declares the client's own codes once. A test compares them with the typings of the npm package.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $wire:literal,)+) => {
        /// The codes the client makes itself. Those of the server (`ErrorCode` of the protocol) pass through as they are.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$variant,)+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $wire,)+ }
            }
        }
    };
}

codes! {
    /// The server's address is not an `http(s)` or `ws(s)` URL.
    InvalidUrl = "invalid-url",
    /// The slots are empty, repeated, negative, or lack a stream.
    InvalidSlots = "invalid-slots",
    /// `connect` was called twice.
    AlreadyConnected = "already-connected",
    /// The call needs a connection.
    NotConnected = "not-connected",
    /// The connection has no such slot.
    UnknownSlot = "unknown-slot",
    /// A later call for the same slot overrode this one.
    Superseded = "superseded",
    /// `disconnect()` or an `AbortSignal` ended the call.
    Aborted = "aborted",
    /// The WebSocket was closed during the handshake, or could not be opened for a cause that the façade did not find.
    WebsocketFailed = "websocket-failed",
    /// Nothing answers at the server's address, or what answers is no such server. The façade finds that out.
    Unreachable = "unreachable",
    /// The handshake took longer than `connectionTimeout`.
    ConnectionTimeout = "connection-timeout",
    /// The connection broke while the call was waiting.
    ConnectionLost = "connection-lost",
    /// The `RTCPeerConnection` refused the session.
    PeerFailed = "peer-failed",
    /// The server answers, but no path was found for the media.
    MediaUnreachable = "media-unreachable",
    /// The server sent something that is not part of the protocol.
    BadMessage = "bad-message",
    /// The server did not answer in time.
    Timeout = "timeout",
    /// The stream's source is down.
    SourceOffline = "source-offline",
    /// This environment has no WebRTC.
    NoWebrtc = "no-webrtc",
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientError {
    /// Kebab-case; a [`Code`] or one of the server's.
    pub code: Cow<'static, str>,
    /// A sentence for people.
    pub message: String,
    /// The slot that the error is about; `None` if it is about the whole call.
    pub slot: Option<u32>,
    /// The call changed nothing: every slot goes on as it was before it.
    pub kept: bool,
}

impl ClientError {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code: Cow::Borrowed(code.as_str()), message: message.into(), slot: None, kept: false }
    }

    /// An error with the code and the sentence that the server sent, or that the façade made.
    pub fn from_server(code: String, message: String) -> Self {
        Self { code: Cow::Owned(code), message, slot: None, kept: false }
    }

    #[must_use]
    pub fn for_slot(mut self, slot: u32) -> Self {
        self.slot = Some(slot);
        self
    }

    /// Marks the error of a call that was refused before anything was done for it.
    #[must_use]
    pub fn keeping(mut self) -> Self {
        self.kept = true;
        self
    }

    /// Whether the same call may succeed later without anyone changing anything.
    pub fn may_pass(&self) -> bool {
        let client = [
            Code::WebsocketFailed,
            Code::Unreachable,
            Code::ConnectionTimeout,
            Code::ConnectionLost,
            Code::PeerFailed,
            Code::MediaUnreachable,
        ];
        client.iter().any(|code| code.as_str() == self.code) || self.code == ErrorCode::LimitReached.as_str()
    }

    pub fn not_connected() -> Self {
        Self::new(Code::NotConnected, "There is no connection: call connect() first.")
    }
}
