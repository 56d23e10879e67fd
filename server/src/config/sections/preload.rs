//! The section `preload:`: streams that run without a viewer, as a list of names or as go2rtc's map, whose values are ignored.

use crate::config::StreamConfig;
use crate::config::problem::Report;
use crate::config::reader::{Field, Section};
use crate::config::yaml::Value;

pub(super) fn read(field: Option<Field<'_>>, streams: &[StreamConfig], report: &mut Report) -> Vec<String> {
    let Some(field) = field else { return Vec::new() };
    let mut preload = Vec::new();
    let mut add = |name: &str, field: &Field<'_>, report: &mut Report| {
        if !streams.iter().any(|stream| stream.name == name) {
            field.error(report, format!("expected the name of a stream, found \"{name}\""));
        } else if !preload.iter().any(|known| known == name) {
            preload.push(name.to_owned());
        }
    };
    if matches!(field.node.value, Value::Map(_)) {
        for named in Section::of(Some(&field), "preload", report).rest() {
            add(&named.path["preload.".len()..], &named, report);
        }
    } else {
        for item in field.items() {
            if let Some(name) = item.text(report) {
                add(name, &item, report);
            }
        }
    }
    preload
}
