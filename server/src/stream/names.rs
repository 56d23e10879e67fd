//! The names of the streams of a config.

use crate::config::Config;
use crate::media::StreamNames;

/// Those of the config, with the cameras whose qualities they are.
pub(super) fn of(config: &Config) -> StreamNames {
    let names = config.streams.iter().map(|stream| &*stream.name);
    StreamNames::new(names.zip(config.qualities()))
}
