//! `MultiStreamClient` in Rust → WASM.
