//! The configuration: YAML in, typed values out. Pure: nothing here opens a file or a socket.
//!
//! The text passes these modules in order: `env` replaces `${NAME}`, `yaml` makes a tree whose nodes know their lines,
//! `sections` reads it with `reader`, and `grammar` parses the sources. Each adds its findings to the report of `problem`.

mod access;
mod candidate;
mod env;
mod frigate;
mod grammar;
mod model;
mod outlook;
mod patience;
mod problem;
mod qualities;
mod reader;
mod redact;
mod secret_names;
mod secrets;
mod sections;
mod source;
mod templates;
#[cfg(test)]
mod tests;
mod tls;
mod value;
mod words;
mod yaml;

use std::cell::RefCell;

pub use access::{AccessToken, Action, TokenValue, ViewKey, ViewKeyKind};
pub use candidate::{Candidate, HostPort};
pub use model::{
    ApiConfig, Config, FfmpegConfig, LimitsConfig, LogConfig, LogFormat, MultistreamConfig, RtspConfig,
    StreamConfig, Unshowable, WebrtcConfig,
};
pub use outlook::Machine;
pub use patience::Patience;
pub use problem::{Problem, Problems, Severity};
pub use redact::{Known, Masked, masked_argv};
pub use secrets::Secrets;
pub use source::{
    ExecSource, FfmpegInput, FfmpegSource, Hardware, Rotation, RtspSource, RtspTransport, RtspVia, Source,
    UnsupportedSource,
};
pub use tls::{Pem, PemSource, TlsConfig};
pub use value::duration;
pub(crate) use words::words;

impl Source {
    /// A source in the words of the config.
    pub fn named(text: &str, ffmpeg: &FfmpegConfig) -> Option<Self> {
        grammar::named(text, ffmpeg)
    }
}

impl Config {
    /// Reads the text of a config file. `file` is its name for messages; `lookup` knows the value of `${NAME}`.
    ///
    /// Returns the config and the warnings, or every error and warning.
    pub fn parse(
        file: &str,
        text: &str,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(Self, Vec<Problem>), Problems> {
        let mut report = problem::Report::new(file);
        let config = read(text, lookup, &mut report);
        if report.has_errors() {
            return Err(Problems(report.into_problems()));
        }
        Ok((config, report.into_problems()))
    }
}

fn read(text: &str, lookup: &dyn Fn(&str) -> Option<String>, report: &mut problem::Report) -> Config {
    let set = RefCell::new(Vec::new());
    let noted = |name: &str| {
        let value = lookup(name);
        set.borrow_mut().extend(value.clone().map(|value| (name.to_owned(), value)));
        value
    };
    let text = text.trim_start_matches('\u{feff}');
    let lines = frigate::lines(text).unwrap_or(0..usize::MAX);
    let text = env::substitute(text, &lines, &noted, report);
    let document = yaml::parse(&text, report);
    let secrets = match &document {
        None => Secrets::of_lines(&text),
        tree => Secrets::of(tree.as_ref(), &set.take()),
    };
    report.mask(secrets.clone());
    Config { secrets, ..sections::config(document.as_ref(), report) }
}
