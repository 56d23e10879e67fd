//! `GET /metrics`: the Prometheus text format, version 0.0.4.

use std::fmt::{Display, Write};

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::AppState;
use crate::faults;
use crate::limits;
use crate::session::Histogram;
use crate::stream::{StreamSnapshot, StreamState};

pub(super) async fn metrics(State(state): State<AppState>) -> impl IntoResponse {
    let mut page = Page::default();
    let summary = state.sessions.summary();
    page.family("multistream_sessions", "gauge", "Sessions that are open.");
    page.sample("multistream_sessions", "", summary.sessions);
    page.histogram(
        "multistream_shown_seconds",
        "From the request for a stream to the last packet of its first key frame.",
        state.sessions.shown_after(),
    );
    page.family("multistream_panics_total", "counter", "Panics, which are bugs, since the server started.");
    page.sample("multistream_panics_total", "", faults::panics());
    let help =
        "Lines of the log that were dropped, as what takes them was too slow, since the server started.";
    page.family("multistream_log_lines_lost_total", "counter", help);
    page.sample("multistream_log_lines_lost_total", "", faults::lost_lines());
    let help = "Clients that were refused or slowed down by a limit, since the server started.";
    page.family("multistream_limits_hit_total", "counter", help);
    for (limit, count) in limits::hits() {
        page.sample("multistream_limits_hit_total", &format!("{{limit=\"{}\"}}", limit.name()), count);
    }
    page.streams(&state.registry.snapshot().await);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page.0)
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.family(name, "histogram", help);
        let mut count = 0;
        for (bound, up_to) in histogram.cumulative() {
            let bound = if bound.is_infinite() { "+Inf".to_owned() } else { bound.to_string() };
            self.sample(&format!("{name}_bucket"), &format!("{{le=\"{bound}\"}}"), up_to);
            count = up_to;
        }
        self.sample(&format!("{name}_sum"), "", histogram.sum().as_secs_f64());
        self.sample(&format!("{name}_count"), "", count);
    }

    fn streams(&mut self, streams: &[StreamSnapshot]) {
        type Value = fn(&StreamSnapshot) -> f64;
        let families: [(&str, &str, &str, Value); 9] = [
            ("live", "gauge", "1 while the stream gives pictures.", |s| {
                f64::from(s.state == StreamState::Live)
            }),
            ("viewers", "gauge", "Viewers, variants among them.", |s| s.viewers as f64),
            ("fps", "gauge", "Pictures per second, over the last seconds.", |s| s.fps),
            ("bitrate_bps", "gauge", "Bits per second, over the last seconds.", |s| s.bitrate_bps as f64),
            ("frames_total", "counter", "Pictures since the server started.", |s| s.frames as f64),
            ("key_frames_total", "counter", "Key frames since the server started.", |s| s.key_frames as f64),
            ("bytes_total", "counter", "Bytes of pictures since the server started.", |s| s.bytes as f64),
            ("restarts_total", "counter", "Times the source was started again.", |s| s.restarts as f64),
            ("frames_skipped_total", "counter", "Pictures that slow viewers missed.", |s| {
                s.frames_skipped as f64
            }),
        ];
        for (name, kind, help, value) in families {
            let name = format!("multistream_stream_{name}");
            self.family(&name, kind, help);
            for stream in streams {
                self.sample(
                    &name,
                    &format!("{{stream=\"{}\"}}", escaped(stream.name.as_str())),
                    value(stream),
                );
            }
        }
    }
}

/// Escapes a label's value.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_histogram_ends_with_everything_its_sum_and_its_count() {
        let histogram = Histogram::default();
        histogram.record(Duration::from_millis(8));
        let mut page = Page::default();
        page.histogram("h_seconds", "Help.", &histogram);
        assert!(page.0.starts_with("# HELP h_seconds Help.\n# TYPE h_seconds histogram\n"), "{}", page.0);
        assert!(
            page.0.contains("h_seconds_bucket{le=\"0.005\"} 0\nh_seconds_bucket{le=\"0.01\"} 1\n"),
            "{}",
            page.0
        );
        assert!(
            page.0.ends_with("h_seconds_bucket{le=\"+Inf\"} 1\nh_seconds_sum 0.008\nh_seconds_count 1\n"),
            "{}",
            page.0
        );
    }

    #[test]
    fn a_stream_name_is_escaped_in_its_label() {
        assert_eq!(escaped("a\"b\\c\n"), "a\\\"b\\\\c\\n");
    }
}
