//! What std would bring: an allocator, and what a panic does.
//!
//! The client goes without std because std formats every panic, for a console that never shows it: the text, the
//! formatting and the tables for it were a third of the download. A panic still ends in a trap, as with std.

use core::panic::PanicInfo;

/// The one that std uses.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
