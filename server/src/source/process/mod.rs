//! The processes that sources run.

mod child;
mod stderr;

pub(super) use child::{Child, Joined};
