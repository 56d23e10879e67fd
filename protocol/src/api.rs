//! The answers of the HTTP API: `GET /api` and `GET /api/streams`.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
#[cfg(feature = "typescript")]
use ts_rs::TS;

/// `GET /api`: which server this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct About {
    /// `multistream`.
    pub name: String,
    /// The version of go2rtc's API whose ways to view a stream this server has: its clients refuse one that they do not know.
    pub version: String,
    /// The version of this server.
    #[serde(default)]
    pub server_version: String,
    /// How many slots one session may have: a page offers no layout beyond it.
    pub max_slots: u32,
}

/// `GET /api/streams`: every stream by its name, in the order of the config.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Streams(pub Vec<(String, Stream)>);

/// One stream: what is known of its source, its pictures and its viewers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Stream {
    /// The sources of the config, in go2rtc's form.
    #[serde(default)]
    pub producers: Vec<Producer>,
    /// The viewers, in go2rtc's form.
    #[serde(default)]
    pub consumers: Vec<Consumer>,
    pub state: StreamState,
    /// `h264`, `h265`, `vp8`, `vp9` or `av1`.
    pub codec: Option<String>,
    /// Width of the picture in pixels.
    pub width: Option<u32>,
    /// Height of the picture in pixels.
    pub height: Option<u32>,
    /// Width to show the picture in, where its samples are not square.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub display_width: Option<u32>,
    /// Height to show the picture in, where its samples are not square.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub display_height: Option<u32>,
    /// Pictures per second, over the last 5 s.
    #[serde(default)]
    pub fps: f64,
    /// Frames from one key frame to the next.
    pub gop_length: Option<u32>,
    /// Seconds from one key frame to the next.
    pub gop_duration_s: Option<f64>,
    /// Bits per second, over the last 5 s.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub bitrate_bps: u64,
    #[serde(default)]
    pub viewers: u32,
    /// Seconds since the last frame came from the source.
    pub last_frame_age_s: Option<f64>,
    /// Why there is no picture: a sentence for people, without secrets.
    pub error: Option<String>,
    /// What the source sends that browsers cannot show (`B-frames`, `MJPEG`), so that ffmpeg makes H.264 of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub transcoded: Option<String>,
    /// The qualities that a client can ask for, `native` first.
    #[serde(default)]
    pub qualities: Vec<String>,
    /// The same qualities with the sizes of their pictures.
    #[serde(default)]
    pub variants: Vec<Variant>,
    /// How often the source was started again after it had failed.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub restarts: u64,
    /// Frames that viewers missed because they were too slow.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub frames_skipped: u64,
}

/// The state of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
#[serde(rename_all = "lowercase")]
pub enum StreamState {
    /// The stream has no viewer, and its source is not running.
    Idle,
    /// The source runs, and no key frame has come yet.
    Starting,
    /// Frames arrive from the source.
    Live,
    /// The source failed. The server keeps trying it.
    Offline,
}

/// A source of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Producer {
    /// As in the config, secrets masked.
    pub url: String,
    /// Whether the stream's pictures come from this one.
    #[serde(default)]
    pub active: bool,
    /// How the camera is read where that is not as configured: `ffmpeg` in place of this server's RTSP client, or RTP over `udp` or `tcp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub via: Option<String>,
}

/// A viewer of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Consumer {
    pub format_name: String,
}

/// A quality of a stream, and the size of its picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(TS))]
pub struct Variant {
    /// The quality's name, as in a request.
    pub quality: String,
    /// The stream that this quality resolves to.
    pub stream: String,
    /// In pixels; `null` as long as it is not known.
    pub width: Option<u32>,
    /// In pixels; `null` as long as it is not known.
    pub height: Option<u32>,
}

impl Serialize for Streams {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, stream)| (name, stream)))
    }
}

impl<'de> Deserialize<'de> for Streams {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Keeps the order of the entries, which a map would lose.
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Streams;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a stream per name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Streams, A::Error> {
                let mut streams = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    streams.push(entry);
                }
                Ok(Streams(streams))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_keep_the_order_of_the_config_and_need_no_more_than_their_state() {
        let text = r#"{"yard":{"state":"idle"},"door":{"state":"live","variants":[{"quality":"360p","stream":"door-360p","width":null,"height":360}]}}"#;
        let Streams(streams) = serde_json::from_str(text).expect("well formed");
        let names: Vec<_> = streams.iter().map(|(name, stream)| (name.as_str(), stream.state)).collect();
        assert_eq!(names, [("yard", StreamState::Idle), ("door", StreamState::Live)]);
        let again = serde_json::to_string(&Streams(streams.clone())).expect("plain data");
        assert_eq!(serde_json::from_str::<Streams>(&again).expect("its own text"), Streams(streams));
    }
}
