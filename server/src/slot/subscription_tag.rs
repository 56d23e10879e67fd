//! Which of a slot's subscriptions something is about.

/// What a slot calls one of its subscriptions. A slot uses each tag once, so an event that is still under way when its
/// subscription is given back is not taken for one of the next. Another slot may use the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SubscriptionTag(pub(super) u64);

impl SubscriptionTag {
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
