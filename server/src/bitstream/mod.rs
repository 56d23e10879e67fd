//! Reads the headers of coded pictures. Pure, and the lowest module: it does not know streams, packets or sources.

pub mod access_unit;
pub mod annex_b;
pub mod av1;
mod codec;
mod dimensions;
pub mod leb128;
pub mod nal;
pub mod parameters;
mod slice;
pub mod sps;
pub mod vpx;
mod vui;

pub use codec::Codec;
pub use dimensions::Dimensions;
