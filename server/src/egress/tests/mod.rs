//! Tests of the pacer with real slots, on a virtual clock.

mod allocating;
mod estimate;
mod nothing_sticks;
mod pacing;
mod path;
mod receiver;
mod recovery;
mod reports;
mod wall;
mod world;
