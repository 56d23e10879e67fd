//! What the headers of coded pictures tell, each piece of knowledge once. Pure, and the lowest module: it knows of no stream,
//! no packet and no source.

pub mod annex_b;
pub mod av1;
mod codec;
mod dimensions;
pub mod leb128;
pub mod nal;
pub mod sps;
pub mod vpx;

pub use codec::Codec;
pub use dimensions::Dimensions;
