//! Templates of ffmpeg arguments, as the config has them.

use crate::config::words;

/// Splits a template into words. Quotes were checked when the config was read; a template with an open quote is split at its
/// spaces.
pub(super) fn split(template: &str) -> Vec<String> {
    words(template).unwrap_or_else(|| template.split_whitespace().map(str::to_owned).collect())
}
