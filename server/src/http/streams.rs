//! `GET /api/streams`: the state of each stream, in go2rtc's shape (`producers`, `consumers`) with more fields.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use multistream_protocol::api::{Consumer, Producer, Stream, Streams, Variant};
use serde::Deserialize;

use super::{AppState, error};
use crate::access::Grant;
use crate::session::may_see;
use crate::stream::{ProducerSnapshot, StreamSnapshot, variants};

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// One stream instead of all.
    src: Option<String>,
}

pub(super) async fn streams(
    State(state): State<AppState>,
    Extension(grant): Extension<Grant>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let mut snapshots = state.registry.snapshot().await;
    snapshots.retain(|snapshot| may_see(&state.registry, &grant, &snapshot.name));
    let described = |snapshot: &StreamSnapshot| {
        let name = snapshot.name.as_str();
        let variants = variants::of(name, &state.registry, &state.registry.config(), &snapshots);
        describe(snapshot, state.registry.qualities(name), variants)
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

fn describe(snapshot: &StreamSnapshot, qualities: Vec<String>, variants: Vec<Variant>) -> Stream {
    let producer = |producer: &ProducerSnapshot| Producer {
        url: producer.source.clone(),
        active: producer.active,
        via: producer.via.map(str::to_owned),
    };
    let tenth = |value: f64| (value * 10.0).round() / 10.0;
    Stream {
        producers: snapshot.producers.iter().map(producer).collect(),
        consumers: (0..snapshot.viewers)
            .map(|_| Consumer { format_name: "multistream".to_owned() })
            .collect(),
        state: snapshot.state,
        codec: snapshot.codec.map(|codec| codec.to_string()),
        width: snapshot.dimensions.map(|dimensions| dimensions.width),
        height: snapshot.dimensions.map(|dimensions| dimensions.height),
        display_width: snapshot.display.map(|display| display.width),
        display_height: snapshot.display.map(|display| display.height),
        fps: tenth(snapshot.fps),
        gop_length: snapshot.gop_frames,
        gop_duration_s: snapshot.gop_duration.map(|duration| duration.as_secs_f64()),
        bitrate_bps: snapshot.bitrate_bps,
        viewers: snapshot.viewers as u32,
        last_frame_age_s: snapshot.last_frame_age.map(|age| age.as_secs_f64()),
        error: snapshot.error.as_ref().map(|error| error.message.clone()),
        transcoded: snapshot.transcoded.clone(),
        qualities,
        variants,
        restarts: snapshot.restarts,
        frames_skipped: snapshot.frames_skipped,
    }
}
