#!/usr/bin/env bash
# Makes `--target wasm32-unknown-unknown` work for plain cargo, wasm-pack and wasm-bindgen's test runner, by the least
# that works: nothing, if a module links already; else rustup; else (rustup's server out of reach) a standard library
# built with Debian's rustc-web, which rustup then uses in this folder.
#
#   scripts/setup-wasm-target.sh            make it work
#   scripts/setup-wasm-target.sh --check    only tell whether it does (exit code)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."   # rustup keeps its override per folder: the repository's root

readonly TARGET=wasm32-unknown-unknown
readonly TOOLCHAIN=debian                # rustup's name for the compiler under /usr
readonly RUSTUP_TIMEOUT_S=120
readonly PACKAGES=(rustc-web cargo-web rust-web-src rust-web-clippy rustfmt-web)

say() { printf 'wasm target: %s\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Links a real module: a target that is listed can still lack its standard library or its linker.
works() {
  local out status=0
  out=$(mktemp -d)
  echo '#[unsafe(no_mangle)] pub extern "C" fn f(n: usize) -> usize { vec![0u8; n].len() }' |
    rustc --edition 2024 --target "$TARGET" --crate-type cdylib --crate-name probe -o "$out/probe.wasm" - \
      2>/dev/null || status=1
  rm -rf "$out"
  return $status
}

from_rustup() {
  command -v rustup >/dev/null || return 1
  timeout "$RUSTUP_TIMEOUT_S" rustup target add "$TARGET" && works
}

install_debian_compiler() {
  dpkg-query -W "${PACKAGES[@]}" >/dev/null 2>&1 && return
  say "installing ${PACKAGES[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${PACKAGES[@]}"
}

# What rustup's rust-std holds: std, both panic runtimes, and test, which `cargo test` links. A standard library belongs
# to one exact compiler, so the stamp names it.
build_standard_library() {
  local dest=/usr/lib/rustlib/$TARGET build
  [ "$(cat "$dest/built-by" 2>/dev/null)" = "$(/usr/bin/rustc -V)" ] && return
  say 'building the standard library'
  build=$(mktemp -d)
  mkdir "$build/src" && : >"$build/src/lib.rs"
  printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$build/Cargo.toml"
  # Bitcode stays in, so that a crate built with `lto = true` can still inline std.
  (cd "$build" && RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS='-Cembed-bitcode=yes' \
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 /usr/bin/cargo build --release --target "$TARGET" --target-dir target \
    -Zbuild-std=std,panic_abort,panic_unwind,proc_macro,test)
  as_root rm -rf "$dest"
  as_root mkdir -p "$dest/lib"
  as_root cp "$build/target/$TARGET"/release/deps/lib*.rlib "$dest/lib/"
  as_root rm -f "$dest"/lib/libempty-*.rlib
  /usr/bin/rustc -V | as_root tee "$dest/built-by" >/dev/null
  rm -rf "$build"
}

# Debian's rustc comes without the linker; any toolchain of rustup has one. A link, not a copy: it looks for its libLLVM
# beside itself.
borrow_linker() {
  local host lld theirs
  host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')
  lld=/usr/lib/rustlib/$host/bin/rust-lld
  [ -x "$lld" ] && return
  theirs=$(find "${RUSTUP_HOME:-$HOME/.rustup}"/toolchains/*/lib/rustlib/"$host"/bin/rust-lld | head -n1)
  as_root mkdir -p "${lld%/*}"
  as_root ln -sfn "$theirs" "$lld"
}

if works; then say "ready ($(rustc -V))"; exit 0; fi
if [ "${1:-}" = --check ]; then exit 1; fi
if from_rustup; then say "added by rustup ($(rustc -V))"; exit 0; fi
say "rustup cannot add it: building it with Debian's rustc-web instead"
install_debian_compiler
build_standard_library
borrow_linker
rustup toolchain link "$TOOLCHAIN" /usr
rustup override set "$TOOLCHAIN"
works || { say "failed: the compiler from Debian cannot link a module either"; exit 1; }
say "ready ($(rustc -V))"
