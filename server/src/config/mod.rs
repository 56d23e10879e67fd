//! The configuration: YAML in, typed values out. Pure: nothing here opens a file or a socket.

mod model;
mod redact;
mod source;
mod templates;
mod words;

pub use model::{
    ApiConfig, Config, FfmpegConfig, LogConfig, LogFormat, MultistreamConfig, StreamConfig, WebrtcConfig,
};
pub use redact::{Masked, masked_argv};
pub use source::{
    ExecSource, FfmpegInput, FfmpegSource, Hardware, Rotation, RtspSource, RtspTransport, Source,
    UnsupportedSource,
};
pub(crate) use words::words;
