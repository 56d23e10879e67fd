//! `GET /metrics`, in the text format `OpenMetrics`, which Prometheus reads.

use std::fmt::Error;

use axum::Extension;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::AppState;
use crate::access::Grant;
use crate::faults;
use crate::limits::{self, Limit};
use crate::session::{Counts, SessionState, SessionSummary, may_see};
use crate::stream::{StreamSnapshot, StreamState};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) async fn metrics(
    State(state): State<AppState>,
    Extension(grant): Extension<Grant>,
) -> impl IntoResponse {
    let mut streams = state.registry.snapshot().await;
    streams.retain(|stream| may_see(&state.registry, &grant, &stream.name));
    let shown = state.sessions.shown_after();
    let now = Now {
        sessions: state.sessions.summary(),
        traffic: state.sessions.traffic(),
        shown: shown.cumulative(),
        shown_s: shown.sum().as_secs_f64(),
        panics: faults::panics(),
        lost_lines: faults::lost_lines(),
        limits: limits::hits().collect(),
        streams,
    };
    let mut registry = Registry::default();
    registry.register_collector(Box::new(now));
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
    ([(CONTENT_TYPE, OPEN_METRICS)], text)
}

/// What is measured, at one moment.
#[derive(Debug)]
struct Now {
    sessions: SessionSummary,
    traffic: Counts,
    /// See [`crate::session::Histogram::cumulative`].
    shown: Vec<(f64, u64)>,
    shown_s: f64,
    panics: u64,
    lost_lines: u64,
    limits: Vec<(Limit, u64)>,
    streams: Vec<StreamSnapshot>,
}

const STATES: &[(StreamState, &str)] = &[
    (StreamState::Idle, "idle"),
    (StreamState::Starting, "starting"),
    (StreamState::Live, "live"),
    (StreamState::Offline, "offline"),
];

/// A figure of a stream: its name, its help, its kind, and where it is.
type Figure<T> = (&'static str, &'static str, fn(&StreamSnapshot) -> Option<T>);

const COUNTS: &[Figure<i64>] = &[
    ("live", "1 while the stream gives pictures", |s| Some(i64::from(s.state == StreamState::Live))),
    ("viewers", "Viewers, variants among them", |s| Some(s.viewers as i64)),
    ("bitrate_bps", "Bits per second, over the last seconds", |s| Some(s.bitrate_bps as i64)),
];
const GAUGES: &[Figure<f64>] = &[
    ("fps", "Pictures per second, over the last seconds", |s| Some(s.fps)),
    ("key_frame_interval_seconds", "From the last key frame but one to the last", |s| {
        s.gop_duration.map(|duration| duration.as_secs_f64())
    }),
    ("last_frame_age_seconds", "Since the last picture arrived", |s| {
        s.last_frame_age.map(|age| age.as_secs_f64())
    }),
];
const COUNTERS: &[Figure<u64>] = &[
    ("frames", "Pictures since the server started", |s| Some(s.frames)),
    ("key_frames", "Key frames since the server started", |s| Some(s.key_frames)),
    ("bytes", "Bytes of pictures since the server started", |s| Some(s.bytes)),
    ("restarts", "Times the source was started again", |s| Some(s.restarts)),
    ("frames_skipped", "Pictures that slow viewers missed", |s| Some(s.frames_skipped)),
];

impl Collector for Now {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        gauge(&mut encoder, "multistream_sessions", "Sessions that are open", self.sessions.sessions as i64)?;
        let states = SessionState::ALL.into_iter().zip(self.sessions.states);
        let states = states.map(|(state, count)| ([("state", state.name())], Some(count as i64)));
        let help = "Sessions that are open, by their state";
        family(
            &mut encoder,
            "multistream_sessions_by_state",
            help,
            MetricType::Gauge,
            states,
            ConstGauge::new,
        )?;
        gauge(
            &mut encoder,
            "multistream_peers",
            "Sessions that have a peer connection",
            self.sessions.peers as i64,
        )?;
        self.encode_traffic(&mut encoder)?;
        self.encode_shown(&mut encoder)?;
        counter(
            &mut encoder,
            "multistream_panics",
            "Panics, which are bugs, since the server started",
            self.panics,
        )?;
        let help =
            "Lines of the log that were dropped, as what takes them was too slow, since the server started";
        counter(&mut encoder, "multistream_log_lines_lost", help, self.lost_lines)?;
        let help = "Clients that were refused or slowed down by a limit, since the server started";
        let limits = self.limits.iter().map(|(limit, count)| ([("limit", limit.name())], Some(*count)));
        family(&mut encoder, "multistream_limits_hit", help, MetricType::Counter, limits, ConstCounter::new)?;

        let in_state = |state| self.streams.iter().filter(|stream| stream.state == state).count() as i64;
        let states = STATES.iter().map(|(state, name)| ([("state", *name)], Some(in_state(*state))));
        family(
            &mut encoder,
            "multistream_streams",
            "Streams by their state",
            MetricType::Gauge,
            states,
            ConstGauge::new,
        )?;
        for (name, help, value) in COUNTS {
            let values =
                self.streams.iter().map(|stream| ([("stream", stream.name.as_str())], value(stream)));
            let name = format!("multistream_stream_{name}");
            family(&mut encoder, &name, help, MetricType::Gauge, values, ConstGauge::new)?;
        }
        for (name, help, value) in GAUGES {
            let values =
                self.streams.iter().map(|stream| ([("stream", stream.name.as_str())], value(stream)));
            let name = format!("multistream_stream_{name}");
            family(&mut encoder, &name, help, MetricType::Gauge, values, ConstGauge::new)?;
        }
        for (name, help, value) in COUNTERS {
            let values =
                self.streams.iter().map(|stream| ([("stream", stream.name.as_str())], value(stream)));
            let name = format!("multistream_stream_{name}");
            family(&mut encoder, &name, help, MetricType::Counter, values, ConstCounter::new)?;
        }
        Ok(())
    }
}

impl Now {
    fn encode_traffic(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let traffic = &self.traffic;
        let help = "RTP packets sent to viewers since the server started, repairs and padding among them";
        counter(encoder, "multistream_packets_sent", help, traffic.packets)?;
        let help = "Bytes of these packets, without the headers of UDP and IP";
        counter(encoder, "multistream_sent_bytes", help, traffic.bytes)?;
        let help = "Packets sent again since the server started, as viewers had not received them (NACK)";
        counter(encoder, "multistream_packets_repaired", help, traffic.repaired)?;
        let help = "Packets that were not sent since the server started: of frames that waited too long (queue), or as the \
                    socket had no room for them (socket)";
        let dropped = [("queue", traffic.dropped_late), ("socket", traffic.dropped_by_socket)];
        let dropped = dropped.map(|(by, count)| ([("by", by)], Some(count)));
        let name = "multistream_packets_dropped";
        family(encoder, name, help, MetricType::Counter, dropped.into_iter(), ConstCounter::new)?;
        let help = "Key frames that browsers asked for since the server started, by PLI or FIR";
        let asked = [("pli", traffic.plis), ("fir", traffic.firs)];
        let asked = asked.map(|(by, count)| ([("by", by)], Some(count)));
        let name = "multistream_keyframe_requests";
        family(encoder, name, help, MetricType::Counter, asked.into_iter(), ConstCounter::new)
    }

    fn encode_shown(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "From the request for a stream to the last packet of its first key frame";
        let mut metric =
            encoder.encode_descriptor("multistream_shown_seconds", help, None, MetricType::Histogram)?;
        let mut before = 0;
        // The encoder adds the buckets up by itself, and writes its largest bound as infinite.
        let buckets: Vec<(f64, u64)> = self
            .shown
            .iter()
            .map(|(bound, up_to)| {
                let count = up_to - std::mem::replace(&mut before, *up_to);
                (bound.min(f64::MAX), count)
            })
            .collect();
        metric.encode_histogram::<NoLabelSet>(self.shown_s, before, &buckets, None)
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: i64) -> Result<(), Error> {
    let gauge = ConstGauge::new(value);
    gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}

/// The name is without the `_total` that the encoder adds.
fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> Result<(), Error> {
    let counter = ConstCounter::new(value);
    counter.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)
}

/// Several values of one name, told apart by a label. Those that are not known are left out.
fn family<T, M: EncodeMetric>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    kind: MetricType,
    values: impl Iterator<Item = (impl EncodeLabelSet, Option<T>)>,
    metric: impl Fn(T) -> M,
) -> Result<(), Error> {
    let mut family = encoder.encode_descriptor(name, help, None, kind)?;
    for (labels, value) in values {
        if let Some(value) = value {
            metric(value).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}
