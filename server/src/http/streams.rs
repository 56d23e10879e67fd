//! `GET /api/streams`: what is known about each stream, in go2rtc's shape (`producers`, `consumers`) with more beside it.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use super::variants::{self, Variant};
use super::{AppState, error};
use crate::stream::{ProducerSnapshot, StreamSnapshot};

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// One stream instead of all.
    src: Option<String>,
}

pub(super) async fn streams(State(state): State<AppState>, Query(wanted): Query<Wanted>) -> Response {
    let snapshots = state.registry.snapshot().await;
    let described = |snapshot: &StreamSnapshot| {
        let name = snapshot.name.as_str();
        let variants = variants::of(name, &state.registry, &state.config, &snapshots);
        Stream::of(snapshot, state.registry.qualities(name), variants)
    };
    let Some(name) = wanted.src else {
        let all = snapshots.iter().map(|snapshot| (snapshot.name.to_string(), described(snapshot))).collect();
        return Json(Streams(all)).into_response();
    };
    match snapshots.iter().find(|snapshot| snapshot.name.as_str() == name) {
        Some(snapshot) => Json(described(snapshot)).into_response(),
        None => error(StatusCode::NOT_FOUND, "there is no stream of this name"),
    }
}

/// An object in the order of the config, which a sorted map would lose.
struct Streams(Vec<(String, Stream)>);

impl Serialize for Streams {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, stream) in &self.0 {
            map.serialize_entry(name, stream)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct Stream {
    producers: Vec<Producer>,
    consumers: Vec<Consumer>,
    /// `idle`, `starting`, `live` or `offline`.
    state: &'static str,
    codec: Option<&'static str>,
    width: Option<u32>,
    height: Option<u32>,
    fps: f64,
    /// Frames from one key frame to the next.
    gop_length: Option<u32>,
    gop_duration_s: Option<f64>,
    bitrate_bps: u64,
    viewers: usize,
    last_frame_age_s: Option<f64>,
    error: Option<String>,
    /// `native` first.
    qualities: Vec<String>,
    /// The same with their sizes.
    variants: Vec<Variant>,
    restarts: u64,
    frames_skipped: u64,
}

#[derive(Serialize)]
struct Producer {
    /// Secrets masked.
    url: String,
    active: bool,
}

#[derive(Serialize)]
struct Consumer {
    format_name: &'static str,
}

impl Stream {
    fn of(snapshot: &StreamSnapshot, qualities: Vec<String>, variants: Vec<Variant>) -> Self {
        let producer =
            |producer: &ProducerSnapshot| Producer { url: producer.source.clone(), active: producer.active };
        let tenth = |value: f64| (value * 10.0).round() / 10.0;
        Self {
            producers: snapshot.producers.iter().map(producer).collect(),
            consumers: (0..snapshot.viewers).map(|_| Consumer { format_name: "multistream" }).collect(),
            state: snapshot.state.name(),
            codec: snapshot.codec.map(crate::media::Codec::name),
            width: snapshot.dimensions.map(|dimensions| dimensions.width),
            height: snapshot.dimensions.map(|dimensions| dimensions.height),
            fps: tenth(snapshot.fps),
            gop_length: snapshot.gop_frames,
            gop_duration_s: snapshot.gop_duration.map(|duration| duration.as_secs_f64()),
            bitrate_bps: snapshot.bitrate_bps,
            viewers: snapshot.viewers,
            last_frame_age_s: snapshot.last_frame_age.map(|age| age.as_secs_f64()),
            error: snapshot.error.as_ref().map(|error| error.message.clone()),
            qualities,
            variants,
            restarts: snapshot.restarts,
            frames_skipped: snapshot.frames_skipped,
        }
    }
}
