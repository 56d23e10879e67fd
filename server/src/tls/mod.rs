//! TLS of the web server (rustls): a certificate and its key, read again when their files change.

mod certificates;
mod pair;

pub use certificates::Certificates;
pub use pair::{PairError, check};
