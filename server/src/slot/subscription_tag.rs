//! The tag by which a slot tells its subscriptions apart.

/// The tag of one subscription of a slot. A slot uses each tag once: an event of a subscription that has ended meanwhile is not
/// taken for an event of a later one. Tags of different slots may be equal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SubscriptionTag(pub(super) u64);

impl SubscriptionTag {
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
