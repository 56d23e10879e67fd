//! Limits how often a slot's GOP is sent again (a *refresh*), and keeps the requests for a key frame until one has left.

use std::time::{Duration, Instant};

/// The shortest time between two refreshes of a slot's GOP, for any reason.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_millis(250);
/// After this time without a key frame a request is answered `unsupported`. A cached GOP arrives long before.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);

/// For how long after the slot's last packet a PLI is believed. Chromium also sends one when it has got no frame for three
/// seconds; the GOP of a camera that stands still would then look as if the camera moved.
const BELIEVED_FOR: Duration = Duration::from_secs(2);

/// The key-frame requests of one slot: `multistream/keyframe` of the client, and PLI or FIR of the browser.
#[derive(Debug, Default)]
pub(super) struct Keyframes {
    /// When the slot's last packet left.
    left_at: Option<Instant>,
    /// When the GOP was last requested from the hub, or the slot last cut to another stream.
    refreshed_at: Option<Instant>,
    /// When to request the GOP for requests that came less than [`MIN_REFRESH_INTERVAL`] after the last refresh.
    due: Option<Instant>,
    /// The ids of the client's open requests, each with the time at which it is answered `unsupported`.
    requests: Vec<(String, Instant)>,
}

impl Keyframes {
    /// Handles a PLI or FIR (RFC 4585 §6.3.1). Returns whether to send the GOP again. Shortly after a refresh it does not: the
    /// browser sent the PLI before the refresh reached it, and repeats it if it still cannot decode. Long after the last packet
    /// it does not either: a browser that cannot decode what comes then says so again.
    pub(super) fn lost(&mut self, now: Instant) -> bool {
        let is_quiet = self.left_at.is_some_and(|at| now.saturating_duration_since(at) >= BELIEVED_FOR);
        if is_quiet || self.next_refresh().is_some_and(|at| now < at) {
            return false;
        }
        self.refreshed(now);
        true
    }

    /// Handles `multistream/keyframe`. Returns whether to send the GOP again now. Otherwise [`Self::handle_timeout`] does so
    /// once [`MIN_REFRESH_INTERVAL`] is over, unless a key frame has left before and answered the request.
    pub(super) fn request(&mut self, now: Instant, request_id: String) -> bool {
        self.requests.push((request_id, now + REQUEST_TIMEOUT));
        self.due = self.next_refresh().filter(|at| now < *at);
        if self.due.is_some() {
            return false;
        }
        self.refreshed(now);
        true
    }

    /// Records a refresh, for whatever reason: the GOP was requested, or has come from the hub.
    pub(super) fn refreshed(&mut self, now: Instant) {
        self.refreshed_at = Some(now);
        self.due = None;
    }

    /// A packet has left.
    pub(super) fn packet_left(&mut self, now: Instant) {
        self.left_at = Some(now);
    }

    /// A complete key frame has left. Returns the requests that it answers.
    pub(super) fn sent(&mut self) -> impl Iterator<Item = String> {
        self.due = None;
        self.requests.drain(..).map(|(request_id, _)| request_id)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.requests.iter().map(|(_, give_up_at)| *give_up_at).chain(self.due).min()
    }

    /// Returns whether to send the GOP again now, for requests that came too soon after the last refresh.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        let is_due = self.due.is_some_and(|at| at <= now);
        if is_due {
            self.refreshed(now);
        }
        is_due
    }

    /// Removes and returns the requests that no key frame has answered in time.
    pub(super) fn expired(&mut self, now: Instant) -> impl Iterator<Item = String> {
        let expired = self.requests.extract_if(.., move |(_, give_up_at)| *give_up_at <= now);
        let expired: Vec<_> = expired.map(|(request_id, _)| request_id).collect();
        if self.requests.is_empty() {
            self.due = None;
        }
        expired.into_iter()
    }

    fn next_refresh(&self) -> Option<Instant> {
        self.refreshed_at.map(|at| at + MIN_REFRESH_INTERVAL)
    }
}
