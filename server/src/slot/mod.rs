//! A slot: which packets of which stream leave on one m-line. Pure: no clock, no task, no socket.
//!
//! [`Slot`] chooses what is shown and says what it needs by [`Action`]s; its [`Splicer`] joins frames of one stream after
//! another into one unbroken RTP stream. When a slot's packets leave is decided by [`Pacer`](crate::egress::Pacer).

#[expect(clippy::module_inception, reason = "the slot itself, beside the parts it is made of")]
mod slot;
mod splicer;
#[cfg(test)]
pub(crate) mod tests;

pub use slot::{Action, Slot, Target};
pub use splicer::{Released, Splicer};
