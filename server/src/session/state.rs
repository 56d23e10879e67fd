//! How far a session has come, for metrics.

use std::sync::atomic::{AtomicU8, Ordering};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum SessionState {
    /// The client has made no offer yet.
    NoOffer,
    /// The offer is answered, and the encrypted connection is not there.
    Connecting,
    Connected,
    /// Its WebSocket is gone, and its client may resume it.
    Detached,
}

impl SessionState {
    pub const ALL: [Self; 4] = [Self::NoOffer, Self::Connecting, Self::Connected, Self::Detached];

    /// The label in `/metrics`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoOffer => "no_offer",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Detached => "detached",
        }
    }
}

/// The state as the session's task writes it and others read it.
#[derive(Debug)]
pub(super) struct SharedState(AtomicU8);

impl SharedState {
    pub(super) const fn new() -> Self {
        Self(AtomicU8::new(SessionState::NoOffer as u8))
    }

    pub(super) fn set(&self, state: SessionState) {
        self.0.store(state as u8, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> SessionState {
        let state = usize::from(self.0.load(Ordering::Relaxed));
        SessionState::ALL.get(state).copied().unwrap_or(SessionState::NoOffer)
    }
}
