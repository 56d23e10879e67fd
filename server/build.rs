//! Rebuilds the crate when the pages in `www/dist` change, since the program embeds them.

use std::path::Path;

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    if Path::new("../www").exists() {
        // A debug build reads the pages from the disk, including those that are built later. rust-embed uses the canonical path
        // of their folder, so the folder must exist now.
        std::fs::create_dir_all("../www/dist")?;
        println!("cargo::rerun-if-changed=../www/dist");
    }
    Ok(())
}
