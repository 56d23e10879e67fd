//! By what a browser shows that it is still there and wants its pictures (consent, RFC 7675).

use std::time::{Duration, Instant};

/// A check that comes later than this after the path was chosen is one for consent, and not one of those by which it was chosen.
const CHOSEN_AFTER: Duration = Duration::from_secs(2);
/// How often RTCP counts.
const RTCP_COUNTS_EVERY: Duration = Duration::from_secs(1);

/// Browsers send STUN checks all the time, and are believed by these alone. Stacks without consent (`webrtcbin`) send none
/// once the path is chosen: of them RTCP counts, which was decrypted, so that nobody else can have sent it.
#[derive(Debug, Default)]
pub(super) struct SignsOfLife {
    /// When the path was chosen.
    chosen_at: Option<Instant>,
    sends_checks: bool,
    rtcp_counted_at: Option<Instant>,
}

impl SignsOfLife {
    /// The browser has chosen a path.
    pub(super) fn handle_chosen(&mut self, now: Instant) {
        self.chosen_at.get_or_insert(now);
    }

    /// A check with a valid integrity has come.
    pub(super) fn handle_check(&mut self, now: Instant) {
        self.sends_checks |= self.chosen_at.is_some_and(|at| now >= at + CHOSEN_AFTER);
    }

    /// RTCP has come. Returns whether it counts as a sign of life.
    pub(super) fn handle_rtcp(&mut self, now: Instant) -> bool {
        let is_due = self.rtcp_counted_at.is_none_or(|at| now >= at + RTCP_COUNTS_EVERY);
        let counts = self.chosen_at.is_some() && !self.sends_checks && is_due;
        if counts {
            self.rtcp_counted_at = Some(now);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rtcp_counts_only_from_who_sends_no_checks() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut signs = SignsOfLife::default();
        assert!(!signs.handle_rtcp(start), "before there is a path");
        signs.handle_chosen(start);
        signs.handle_check(at(100));
        assert!(signs.handle_rtcp(at(200)), "the checks so far were for the choice");
        assert!(!signs.handle_rtcp(at(300)), "once a second");
        assert!(signs.handle_rtcp(at(5_000)));
        signs.handle_check(at(5_100));
        assert!(!signs.handle_rtcp(at(7_000)), "it sends checks");
    }
}
