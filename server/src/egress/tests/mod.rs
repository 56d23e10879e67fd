//! Tests of the pacer with real slots, on a virtual clock.

mod pacing;
mod recovery;
mod wall;
