//! The typings of the npm package must not drift from the Rust types.
//!
//! `UPDATE_TYPINGS=1 cargo test -p multistream-protocol --features typescript` rewrites them.

use std::fs;
use std::path::Path;

#[test]
fn the_typings_of_the_npm_package_are_those_of_the_protocol() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../npm/src/generated/protocol.ts");
    let expected = multistream_protocol::typescript::module();
    if std::env::var_os("UPDATE_TYPINGS").is_some() {
        fs::write(&path, &expected).expect("npm/src/generated can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        found, expected,
        "npm/src/generated/protocol.ts drifted: run `npm run types -w npm` and commit it"
    );
}
