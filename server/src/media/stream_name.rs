//! Resolves a stream and a quality, as a viewer requests them, to a stream that exists.
//!
//! Variants are streams of their own, found by their name: `camera1-720p` is the `720p` of `camera1`. Which streams are variants
//! is told with their names.

use std::sync::Arc;

use multistream_protocol::{NATIVE, stream_name};

/// The name of a stream that exists. Only `StreamNames`, the list of all names, makes one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName(Arc<str>);

impl StreamName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for StreamName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a request names no stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    #[error("there is no stream named \"{stream}\"")]
    UnknownStream { stream: String },
    #[error("stream \"{stream}\" has no quality \"{quality}\"; it has {}", .qualities.join(", "))]
    UnknownQuality { stream: String, quality: String, qualities: Vec<String> },
}

/// The names of all streams, in the order of the config.
#[derive(Debug)]
pub(crate) struct StreamNames(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    name: StreamName,
    /// The camera that it is a quality of, which need not exist, and the name of the quality.
    quality: Option<(String, String)>,
}

impl StreamNames {
    /// The names, each with its camera and the name of the quality if it is one.
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = (&'a str, Option<(String, String)>)>) -> Self {
        let entry = |(name, quality): (&str, _)| Entry { name: StreamName(name.into()), quality };
        Self(names.into_iter().map(entry).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &StreamName> {
        self.0.iter().map(|entry| &entry.name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&StreamName> {
        self.iter().find(|known| known.as_str() == name)
    }

    pub(crate) fn resolve(&self, stream: &str, quality: Option<&str>) -> Result<StreamName, ResolveError> {
        if let Some(name) = self.get(&stream_name(stream, quality)) {
            return Ok(name.clone());
        }
        if self.get(stream).is_none() && self.qualities(stream).len() <= 1 {
            return Err(ResolveError::UnknownStream { stream: stream.to_owned() });
        }
        Err(ResolveError::UnknownQuality {
            stream: stream.to_owned(),
            quality: quality.unwrap_or(NATIVE).to_owned(),
            qualities: self.qualities(stream),
        })
    }

    /// The camera that `name` is a quality of; the name itself where it is none.
    pub(crate) fn camera_of<'a>(&self, name: &'a StreamName) -> &'a str {
        let text = name.as_str();
        let prefixes = text.match_indices('-').map(|(at, _)| &text[..at]).rev();
        let camera = std::iter::once(text).chain(prefixes).find(|camera| {
            let qualities = self.qualities(camera);
            let has = |quality: &String| self.get(&stream_name(camera, Some(quality))) == Some(name);
            qualities.len() > 1 && qualities.iter().any(has)
        });
        camera.unwrap_or(text)
    }

    /// All qualities of the camera that `name` is a quality of, with the stream of each.
    pub(crate) fn renditions(&self, name: &StreamName) -> Vec<(String, StreamName)> {
        let camera = self.camera_of(name);
        let qualities = self.qualities(camera).into_iter();
        qualities
            .filter_map(|quality| {
                let stream = self.get(&stream_name(camera, Some(&quality)))?.clone();
                Some((quality, stream))
            })
            .collect()
    }

    /// The qualities of `stream`; `native` comes first if the stream itself exists.
    pub(crate) fn qualities(&self, stream: &str) -> Vec<String> {
        let native = self.get(stream).map(|_| NATIVE.to_owned());
        let variants = self.0.iter().filter_map(|entry| entry.quality.as_ref());
        let variants = variants.filter(|(camera, _)| camera == stream).map(|(_, quality)| quality.clone());
        native.into_iter().chain(variants).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> StreamNames {
        StreamNames::new([
            ("camera1", None),
            ("camera1-360p", Some(quality("camera1", "360p"))),
            ("camera1-720p", Some(quality("camera1", "720p"))),
            ("door", None),
            ("door-2", None),
            ("door-2-360p", Some(quality("door-2", "360p"))),
        ])
    }

    fn quality(camera: &str, name: &str) -> (String, String) {
        (camera.to_owned(), name.to_owned())
    }

    #[test]
    fn a_stream_with_a_quality_is_the_variant() {
        assert_eq!(names().resolve("camera1", Some("720p")).expect("exists").as_str(), "camera1-720p");
    }

    #[test]
    fn a_variant_can_be_named_directly() {
        assert_eq!(names().resolve("camera1-720p", None).expect("exists").as_str(), "camera1-720p");
        assert_eq!(names().resolve("camera1-720p", Some("native")).expect("exists").as_str(), "camera1-720p");
    }

    #[test]
    fn an_unknown_stream_is_refused_by_name() {
        let error = names().resolve("garage", Some("720p")).expect_err("does not exist");
        assert_eq!(error.to_string(), "there is no stream named \"garage\"");
    }

    #[test]
    fn a_missing_quality_lists_those_that_exist() {
        let error = names().resolve("camera1", Some("1080p")).expect_err("does not exist");
        assert_eq!(
            error.to_string(),
            "stream \"camera1\" has no quality \"1080p\"; it has native, 360p, 720p"
        );
    }

    #[test]
    fn the_variant_of_a_camera_with_a_dash_in_its_name_is_not_taken_for_anothers() {
        assert_eq!(names().qualities("door"), ["native"]);
        assert_eq!(names().resolve("door", Some("2")).expect("exists").as_str(), "door-2");
        assert_eq!(names().qualities("door-2"), ["native", "360p"]);
    }

    #[test]
    fn a_variant_knows_the_other_qualities_of_its_camera() {
        let of = |name: &str| {
            let names = names();
            let renditions = names.renditions(names.get(name).expect("exists"));
            renditions
                .iter()
                .map(|(quality, stream)| format!("{quality}={stream}"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let camera1 = "native=camera1 360p=camera1-360p 720p=camera1-720p";
        assert_eq!((of("camera1"), of("camera1-720p")), (camera1.to_owned(), camera1.to_owned()));
        assert_eq!(of("door-2-360p"), "native=door-2 360p=door-2-360p");
    }

    #[test]
    fn a_camera_that_exists_in_variants_only_has_no_native_quality() {
        let names = StreamNames::new([
            ("yard-360p", Some(quality("yard", "360p"))),
            ("yard-720p", Some(quality("yard", "720p"))),
        ]);
        assert_eq!(names.qualities("yard"), ["360p", "720p"]);
        let error = names.resolve("yard", None).expect_err("native does not exist");
        assert!(matches!(error, ResolveError::UnknownQuality { .. }));
    }
}
