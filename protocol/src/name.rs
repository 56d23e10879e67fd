//! How a stream and a quality become one name.

/// The quality that means "the stream itself"; the empty string and an absent quality mean the same.
pub const NATIVE: &str = "native";

/// The name of the stream that shows `stream` in `quality`: `camera1` + `720p` → `camera1-720p`.
pub fn stream_name(stream: &str, quality: Option<&str>) -> String {
    match quality {
        None | Some("" | NATIVE) => stream.to_owned(),
        Some(quality) => format!("{stream}-{quality}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quality_is_a_suffix() {
        assert_eq!(stream_name("camera4", Some("720p")), "camera4-720p");
    }

    #[test]
    fn native_empty_and_absent_name_the_stream_itself() {
        for quality in [None, Some(""), Some("native")] {
            assert_eq!(stream_name("camera4", quality), "camera4");
        }
    }
}
