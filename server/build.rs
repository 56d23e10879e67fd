//! The pages in `www/dist` are part of the program: a change of them is a change of it.

use std::path::Path;

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    if Path::new("../www").exists() {
        // A debug build reads the pages from the disk, also those that are built after it: rust-embed then looks for them
        // under the canonical path of their folder, which only a folder that is there already has.
        std::fs::create_dir_all("../www/dist")?;
        println!("cargo::rerun-if-changed=../www/dist");
    }
    Ok(())
}
