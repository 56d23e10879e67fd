//! Set-up, demo, tests and benchmarks of the workspace.
fn main() {}
