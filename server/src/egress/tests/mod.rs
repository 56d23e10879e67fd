//! The pacer over real slots, on a virtual clock.

mod pacing;
mod recovery;
mod wall;
