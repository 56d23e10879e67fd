//! Limits how often a slot's GOP is sent again, and keeps the requests that the next key frame answers.

use std::time::{Duration, Instant};

/// The shortest time between two refreshes of a slot's GOP, for any reason.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_millis(250);
/// After this time without a key frame a request is answered `unsupported`. A cached GOP arrives long before.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Keyframes {
    /// When the GOP was last requested or cut to.
    refreshed_at: Option<Instant>,
    /// When it will be requested for requests that came too early.
    due: Option<Instant>,
    /// The open requests, each with the time at which it is given up.
    requests: Vec<(String, Instant)>,
}

impl Keyframes {
    /// Handles a report that the browser cannot decode (RFC 4585 §6.3.1). Returns whether to send the GOP again. A report
    /// shortly after a refresh is about the time before it, and a browser repeats a report that still holds.
    pub(super) fn lost(&mut self, now: Instant) -> bool {
        if self.next_refresh().is_some_and(|at| now < at) {
            return false;
        }
        self.refreshed(now);
        true
    }

    /// Handles the client's request for a key frame. Returns whether to send the GOP again now; otherwise it is sent when that
    /// is allowed, unless a key frame that is under way comes first.
    pub(super) fn request(&mut self, now: Instant, request_id: String) -> bool {
        self.requests.push((request_id, now + REQUEST_TIMEOUT));
        self.due = self.next_refresh().filter(|at| now < *at);
        if self.due.is_some() {
            return false;
        }
        self.refreshed(now);
        true
    }

    /// Records that the GOP was requested, or will be sent for another reason.
    pub(super) fn refreshed(&mut self, now: Instant) {
        self.refreshed_at = Some(now);
        self.due = None;
    }

    /// A complete key frame has left. Returns the requests that it answers.
    pub(super) fn sent(&mut self) -> impl Iterator<Item = String> {
        self.due = None;
        self.requests.drain(..).map(|(request_id, _)| request_id)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.requests.iter().map(|(_, give_up_at)| *give_up_at).chain(self.due).min()
    }

    /// Whether to send the GOP again now, for requests that came too early.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        let is_due = self.due.is_some_and(|at| at <= now);
        if is_due {
            self.refreshed(now);
        }
        is_due
    }

    /// Takes the requests that have expired.
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
