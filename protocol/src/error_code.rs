//! The stable codes of `multistream/error` and of a slot's `reason`.

/// Declares the codes once: the variant, its wire name and what it means stand in one row.
macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $wire:literal,)+) => {
        /// A stable code for programs; the sentence beside it is for people.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode { $($(#[doc = $doc])+ $variant,)+ }

        impl ErrorCode {
            /// Every code, for the documentation's and the typings' tests.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$variant,)+];

            /// The code on the wire: kebab-case, never renamed.
            pub const fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$variant => $wire,)+ }
            }
        }
    };
}

error_codes! {
    /// The frame is not JSON, not an object, binary, or lacks a field.
    BadMessage = "bad-message",
    /// An unknown `type` in the `multistream/` namespace.
    UnknownType = "unknown-type",
    /// The message needs a session, and there is none: send `multistream/init` first.
    NoSession = "no-session",
    /// This socket already has a session: send `multistream/close` first.
    SessionExists = "session-exists",
    /// The session already has its answer; slots change by `multistream/switch`, never by a new offer.
    AlreadyNegotiated = "already-negotiated",
    /// `slots` is empty, too long, or has a negative or repeated index.
    InvalidSlots = "invalid-slots",
    /// No slot of the session has this index.
    UnknownSlot = "unknown-slot",
    /// The offer could not be parsed or applied.
    InvalidSdp = "invalid-sdp",
    /// The offer has fewer video m-lines that can receive than the session has slots.
    NotEnoughMedia = "not-enough-media",
    /// The offer and the stream have no codec in common.
    UnsupportedCodec = "unsupported-codec",
    /// The config has no stream of this name.
    UnknownStream = "unknown-stream",
    /// The stream exists, but not in this quality.
    UnknownQuality = "unknown-quality",
    /// A later switch of the same slot overrode this one.
    Superseded = "superseded",
    /// The source could not be reached or stopped sending.
    SourceOffline = "source-offline",
    /// The source sent no key frame in time.
    SwitchTimeout = "switch-timeout",
    /// The source cannot work as it is configured.
    SourceInvalid = "source-invalid",
    /// A limit of the server is reached (sessions, message rate, message size).
    LimitReached = "limit-reached",
    /// Something failed in the server; its log says what.
    Internal = "internal",
}

impl core::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}
