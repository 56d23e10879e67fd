//! The section `webrtc:`: the port of the media and the addresses that are announced to browsers.

use std::net::IpAddr;

use multistream_protocol::server::IceServer;

use crate::config::WebrtcConfig;
use crate::config::problem::{Report, quoted};
use crate::config::reader::{Field, Section};
use crate::config::value::{LISTEN, candidate, listen};

const FOREIGN_FILTERS: &[(&str, &str)] = &[
    ("candidates", "the candidates of the config are always announced"),
    ("interfaces", "name the addresses under filters.ips"),
    ("loopback", "loopback is announced when it is the address that is listened on"),
    ("networks", "UDP and TCP are both served"),
    ("udp_ports", "one port serves all: webrtc.listen"),
];

pub(super) fn read(mut section: Section<'_>, report: &mut Report) -> WebrtcConfig {
    let mut webrtc = WebrtcConfig::default();
    if let Some(field) = section.field("listen", report) {
        // In go2rtc `:8555/tcp` disables UDP.
        let address = field.parse(report, LISTEN, |text| {
            listen(text.strip_suffix("/tcp").or_else(|| text.strip_suffix("/udp")).unwrap_or(text))
        });
        if field.text(report).is_some_and(|text| text.ends_with("/tcp") || text.ends_with("/udp")) {
            field.warning(report, "/tcp and /udp have no effect: both are served on the port");
        }
        webrtc.listen = address.unwrap_or(webrtc.listen);
    }
    for field in section.field("candidates", report).iter().flat_map(Field::items) {
        let Some(text) = field.text(report) else { continue };
        match candidate(text, webrtc.listen.port()) {
            Some(address) => webrtc.candidates.push(address),
            None if text.starts_with("stun:")
                || text.rsplit_once(':').is_some_and(|(host, _)| !host.is_empty()) =>
            {
                field.warning(
                    report,
                    format!("{} is left out: expected an IP address such as 203.0.113.7:8555", quoted(text)),
                );
            }
            None => {
                field.error(
                    report,
                    format!("expected an address such as 203.0.113.7:8555, found {}", quoted(text)),
                );
            }
        }
    }
    for field in section.field("ice_servers", report).iter().flat_map(Field::items) {
        webrtc.ice_servers.extend(ice_server(&field, report));
    }
    let mut filters = section.section("filters", report);
    for field in filters.field("ips", report).iter().flat_map(Field::items) {
        webrtc.ips.extend(field.parse(report, "an IP address", |text| text.parse::<IpAddr>().ok()));
    }
    filters.finish(FOREIGN_FILTERS, report);
    section.finish(&[], report);
    webrtc
}

fn ice_server(field: &Field<'_>, report: &mut Report) -> Option<IceServer> {
    let mut section = Section::of(Some(field), &field.path, report);
    let urls: Vec<String> = section
        .field("urls", report)
        .iter()
        .flat_map(Field::items)
        .filter_map(|url| {
            url.parse(report, "a URL such as stun:stun.example.com:3478 or turn:…", |text| {
                let known = ["stun:", "stuns:", "turn:", "turns:"];
                known.iter().any(|scheme| text.starts_with(scheme)).then(|| text.to_owned())
            })
        })
        .collect();
    let username = section.field("username", report).and_then(|field| field.string(report));
    let credential = section.field("credential", report).and_then(|field| field.string(report));
    section.finish(&[], report);
    if urls.is_empty() {
        field.error(report, "expected urls: [stun:… or turn:…]");
        return None;
    }
    Some(IceServer { urls, username, credential })
}
