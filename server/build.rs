//! The pages in `www/dist` are part of the program: a change of them is a change of it.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A path that is missing would count as changed every time.
    let pages = ["../www/dist", "../www"];
    if let Some(pages) = pages.into_iter().find(|path| Path::new(path).exists()) {
        println!("cargo::rerun-if-changed={pages}");
    }
}
