//! A slot: which packets of which stream leave on one m-line. Pure: no clock, no task, no socket.
//!
//! [`Slot`] decides which stream is shown and requests what it needs by [`Action`]s; [`settle_layouts`] makes the slots of an
//! atomic layout change together. A slot's [`Splicer`] joins the frames of successive streams into one continuous RTP stream.
//! [`Pacer`](crate::egress::Pacer) decides when a slot's packets leave.

mod action;
mod atomic;
mod codecs;
mod held;
mod keyframes;
mod machine;
#[expect(clippy::module_inception, reason = "the slot itself, beside the parts it is made of")]
mod slot;
mod splicer;
mod step;
mod subscription_tag;
#[cfg(test)]
pub(crate) mod tests;
mod transitions;

pub use action::Action;
pub use atomic::settle_layouts;
pub use held::Readiness;
pub use machine::{Reason, Target, Wanted};
pub use slot::Slot;
pub use splicer::{Released, Splicer};
pub use step::{Change, Order, Pictures, Step, StepFailure};
pub use subscription_tag::SubscriptionTag;
