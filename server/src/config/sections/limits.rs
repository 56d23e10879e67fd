//! The section `limits:`: what one client may take, so that others still find room.

use std::net::IpAddr;

use crate::config::LimitsConfig;
use crate::config::problem::Report;
use crate::config::reader::{Field, Section, number};

pub(super) fn read(mut section: Section<'_>, report: &mut Report) -> LimitsConfig {
    let mut limits = LimitsConfig::default();
    number(&mut section, "connections", 1..=1_000_000, &mut limits.connections, report);
    number(
        &mut section,
        "connections_per_address",
        1..=1_000_000,
        &mut limits.connections_per_address,
        report,
    );
    number(&mut section, "media_connections", 1..=1_000_000, &mut limits.media_connections, report);
    number(&mut section, "sessions_per_address", 1..=100_000, &mut limits.sessions_per_address, report);
    number(&mut section, "transcoders", 1..=10_000, &mut limits.transcoders, report);
    number(&mut section, "transcoders_per_session", 1..=10_000, &mut limits.transcoders_per_session, report);
    number(&mut section, "mbps_per_session", 1..=10_000, &mut limits.mbps_per_session, report);
    for field in section.field("exempt", report).iter().flat_map(Field::items) {
        limits.exempt.extend(field.parse(report, "an IP address", |text| text.parse::<IpAddr>().ok()));
    }
    section.finish(&[], report);
    limits
}
