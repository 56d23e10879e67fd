//! For tests and benchmarks only: the test cameras of `e2e/cameras` and the server binary as values that end their
//! processes when they are dropped, a viewer that needs no browser, a network that is
//! slow and lossy, and the barcode that the cameras draw into the picture.

pub mod barcode;
mod cameras;
mod child;
mod control;
mod namespace;
mod network;
mod path;
mod port;
mod server;
mod slot_counts;
mod stun;
mod viewer;

pub use cameras::{CameraEvent, Cameras, CamerasOptions, Login};
pub use control::Control;
pub use namespace::Namespace;
pub use network::{Network, NetworkConditions};
pub use path::{EmulatedPath, PathConditions};
pub use port::free_port;
pub use server::Server;
pub use slot_counts::{SlotCounts, Tally};
pub use stun::StunServer;
pub use viewer::{Viewer, ViewerError};

/// Why a process of the test bench could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TestkitError {
    #[error("cannot start {program}: {source}")]
    Spawn { program: String, source: std::io::Error },
    #[error("{program} did not become ready within {seconds} s; its last output was: {output}")]
    NotReady { program: String, seconds: u64, output: String },
    #[error("cannot write {path}: {source}")]
    Write { path: std::path::PathBuf, source: std::io::Error },
}
