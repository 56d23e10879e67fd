//! Words of the wire: what stands for a state or a cause there.

/// Declares such words once: the variant, its wire name and what it means stand in one row.
macro_rules! words {
    ($(#[$about:meta])+ pub enum $name:ident { $($(#[$doc:meta])+ $variant:ident = $wire:literal,)+ }) => {
        $(#[$about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])+ $variant,)+ }

        impl $name {
            /// All of them, for the tests of documentation and typings.
            pub const ALL: &[$name] = &[$($name::$variant,)+];

            /// The word on the wire; it is never renamed.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $wire,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::ALL[0]
            }
        }

        impl $crate::json::Field for $name {
            fn read(&mut self, value: $crate::json::Json) -> Result<(), $crate::json::Fault> {
                let word = match &value {
                    $crate::json::Json::Text(text) => Self::ALL.iter().find(|word| word.as_str() == text),
                    _ => None,
                };
                *self = *word.ok_or_else(|| $crate::json::Fault::new(self.expected(), &value))?;
                Ok(())
            }

            fn expected(&self) -> &'static str {
                concat!("one of" $(, " `", $wire, "`")+)
            }
        }
    };
}
pub(crate) use words;

words! {
    /// A stable code for programs, of `multistream/error` and of a slot's `reason`; the sentence beside it is for people.
    #[non_exhaustive]
    pub enum ErrorCode {
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
        /// The source cannot work as it is configured: a wrong password, a wrong path, no video, a missing program.
        SourceInvalid = "source-invalid",
        /// The link is too slow for the stream: a smaller variant is shown in its place, or fewer pictures.
        Bandwidth = "bandwidth",
        /// The browser does not show the codec of the stream: a variant, or the same pictures as H.264, are shown in its place.
        Codec = "codec",
        /// A limit of the server is reached (sessions, message rate, message size).
        LimitReached = "limit-reached",
        /// The token of the WebSocket has expired: its session is over.
        TokenExpired = "token-expired",
        /// `multistream/token` contains a token that the server does not know.
        TokenInvalid = "token-invalid",
    }
}

words! {
    /// Why a session ended, in `multistream/disconnected`. A client whose WebSocket is closed gets no such message: neither one
    /// that closed it on purpose (close code 1000 or 1001), nor one that lost it and did not resume the session in time.
    #[non_exhaustive]
    pub enum SessionEnd {
        /// The client sent `multistream/close`.
        Closed = "closed",
        /// The media path broke, or the client made no offer in time.
        ConnectionLost = "connection_lost",
        /// The offer was answered, and no encrypted connection was made: the client reaches none of the announced addresses.
        NeverConnected = "never_connected",
        /// The server stops.
        ServerShutdown = "server_shutdown",
    }
}
