//! The section `rtsp:`: where other programs read the streams, and what is asked of them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::api::non_empty;
use crate::config::problem::Report;
use crate::config::reader::Section;
use crate::config::value::listen;
use crate::config::{ApiConfig, RtspConfig};

const FOREIGN: &[(&str, &str)] = &[
    ("default_query", "readers get the picture; sound is not sent yet"),
    ("pkt_size", "packets are small enough for every network"),
];

const LISTEN: &str = "an address such as \":8554\" (all interfaces) or \"127.0.0.1:8554\"";

pub(super) fn read(mut section: Section<'_>, api: &ApiConfig, report: &mut Report) -> RtspConfig {
    let mut rtsp = RtspConfig::default();
    let listen_field = section.field("listen", report);
    rtsp.listen = listen_field.as_ref().and_then(|field| field.parse(report, LISTEN, address));
    let username = section.field("username", report);
    let password = section.field("password", report);
    rtsp.username = non_empty(username.as_ref(), report);
    rtsp.password = non_empty(password.as_ref(), report);
    match (&username, &password) {
        (Some(field), None) => field.error(report, "expected a password beside it (rtsp.password)"),
        (None, Some(field)) => field.error(report, "expected a user beside it (rtsp.username)"),
        _ => {}
    }
    let auth = section.field("auth", report);
    let open = auth.as_ref().is_some_and(|field| {
        let parse = |text: &str| (text == "none").then_some(true);
        field.parse(report, "none (or leave the key out)", parse).is_some()
    });
    if let Some(field) = auth.filter(|_| open && password.is_some()) {
        field.error(report, "expected either none or a password, not both");
    }
    if !open && rtsp.password.is_none() {
        rtsp.username.clone_from(&api.username);
        rtsp.password.clone_from(&api.password);
    }
    match (&listen_field, rtsp.listen) {
        (Some(field), Some(address)) => {
            if !open && rtsp.password.is_none() && !address.ip().is_loopback() {
                field.error(
                    report,
                    format!(
                        "{address} can be reached from other machines: expected rtsp.username and rtsp.password, or \
                         \"auth: none\" to let everybody in, or a listen address of this machine alone (127.0.0.1:{}); \
                         tokens of api: do not count here, since players have no place for them",
                        address.port()
                    ),
                );
            }
        }
        _ => {
            for field in [username, password].into_iter().flatten() {
                field.warning(report, "has no effect without rtsp.listen");
            }
        }
    }
    section.finish(FOREIGN, report);
    rtsp
}

/// A listen address, whose port may be left out.
fn address(text: &str) -> Option<SocketAddr> {
    let alone = match text {
        "localhost" => Some(Ipv4Addr::LOCALHOST.into()),
        _ => text.trim_matches(['[', ']']).parse::<IpAddr>().ok(),
    };
    listen(text).or_else(|| Some(SocketAddr::new(alone?, RtspConfig::PORT)))
}
