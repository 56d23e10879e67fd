//! A smaller allocator than the standard library's: every byte of the module is downloaded.

#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
