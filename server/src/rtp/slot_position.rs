//! Which of a connection's slots something is about.

/// A slot's place among the slots of its connection, counted from 0 in the order of the m-lines. It is not the index by which
/// the client names the slot: those are any distinct numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotPosition(pub usize);
