//! What the bearer of a token may do.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use wildmatch::WildMatch;

use crate::config::Action;

/// What one client may do. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Grant {
    /// `None` for everything.
    limits: Option<Arc<Limits>>,
}

#[derive(Debug)]
struct Limits {
    streams: Vec<WildMatch>,
    actions: Vec<Action>,
    expires_at: Option<SystemTime>,
}

impl Grant {
    /// Everything, for ever.
    pub const ALL: Self = Self { limits: None };

    /// Only `actions`, and only with streams whose names match one of the patterns, in which `*` stands for any characters.
    pub fn new<'a>(
        streams: impl IntoIterator<Item = &'a str>,
        actions: &[Action],
        expires_at: Option<SystemTime>,
    ) -> Self {
        let streams = streams.into_iter().map(WildMatch::new).collect();
        Self { limits: Some(Arc::new(Limits { streams, actions: actions.to_vec(), expires_at })) }
    }

    pub fn may(&self, action: Action) -> bool {
        self.limits.as_ref().is_none_or(|limits| limits.actions.contains(&action))
    }

    /// Whether every stream may be seen, whatever it is called.
    pub fn is_for_all_streams(&self) -> bool {
        self.limits.is_none()
    }

    /// Whether a stream may be seen. `camera` is the one that it is a quality of: who may see a camera may see it in each quality.
    pub fn allows(&self, stream: &str, camera: &str) -> bool {
        self.limits.as_ref().is_none_or(|limits| {
            limits.streams.iter().any(|pattern| pattern.matches(stream) || pattern.matches(camera))
        })
    }

    pub fn is_expired(&self, now: SystemTime) -> bool {
        self.expires_at().is_some_and(|at| at <= now)
    }

    /// How long it is still valid; `None` for ever.
    pub fn valid_for(&self, now: SystemTime) -> Option<Duration> {
        self.expires_at().map(|at| at.duration_since(now).unwrap_or_default())
    }

    fn expires_at(&self) -> Option<SystemTime> {
        self.limits.as_ref()?.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_of_a_camera_allows_each_of_its_qualities_and_no_other_camera() {
        let grant = Grant::new(["garage-*", "door"], &[Action::View], None);
        for (stream, camera, allowed) in [
            ("garage-in", "garage-in", true),
            ("garage-in-360p", "garage-in", true),
            ("door", "door", true),
            ("door-720p", "door", true),
            ("door2", "door2", false),
            ("doors", "doors", false),
            ("yard", "yard", false),
            ("Door", "Door", false),
        ] {
            assert_eq!(grant.allows(stream, camera), allowed, "{stream}");
            assert!(Grant::ALL.allows(stream, camera));
        }
        assert!(grant.may(Action::View) && !grant.may(Action::Metrics));
    }

    #[test]
    fn a_grant_is_over_when_its_time_is() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        let grant = Grant::new(["*"], &[], Some(now));
        assert!(!grant.is_expired(now - Duration::from_millis(1)) && grant.is_expired(now));
        assert_eq!(grant.valid_for(now - Duration::from_secs(5)), Some(Duration::from_secs(5)));
        assert_eq!((Grant::ALL.is_expired(now), Grant::ALL.valid_for(now)), (false, None));
    }
}
