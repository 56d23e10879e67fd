//! The configuration: YAML in, typed values out. Pure: nothing here opens a file or a socket.

mod model;
mod source;

pub use model::{
    ApiConfig, Config, FfmpegConfig, LogConfig, LogFormat, MultistreamConfig, StreamConfig, WebrtcConfig,
};
pub use source::{ExecSource, FfmpegInput, FfmpegSource, RtspSource, RtspTransport, Source};
