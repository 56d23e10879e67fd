//! A slot: which packets of which stream leave on one m-line. Pure: no clock, no task, no socket.
//!
//! [`Slot`] chooses what is shown and says what it needs by [`Action`]s; [`settle_layouts`] has the slots of an atomic layout
//! change at the same moment. A slot's [`Splicer`] joins frames of one stream after another into one unbroken RTP stream. When a
//! slot's packets leave is decided by [`Pacer`](crate::egress::Pacer).

mod atomic;
mod held;
mod keyframes;
mod machine;
#[expect(clippy::module_inception, reason = "the slot itself, beside the parts it is made of")]
mod slot;
mod splicer;
mod subscription_tag;
#[cfg(test)]
pub(crate) mod tests;
mod transitions;

pub use atomic::settle_layouts;
pub use held::Readiness;
pub use machine::{Reason, Target, Wanted};
pub use slot::{Action, Slot};
pub use splicer::{Released, Splicer};
pub use subscription_tag::SubscriptionTag;
