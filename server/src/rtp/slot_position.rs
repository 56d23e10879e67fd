//! The position of a slot on its connection.

/// The position of a slot among the slots of its connection, counted from 0 in the order of the m-lines. The client's index of
/// a slot is another number: a client may choose any distinct indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotPosition(pub usize);
