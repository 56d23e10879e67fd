//! The section `webrtc:`: the port of the media and the addresses that are announced to browsers.

use std::net::{IpAddr, Ipv4Addr};

use multistream_protocol::server::IceServer;

use crate::config::candidate::{CANDIDATE, STUN_SERVER};
use crate::config::problem::Report;
use crate::config::reader::{Field, Section};
use crate::config::value::{LISTEN, listen};
use crate::config::{ApiConfig, Candidate, HostPort, WebrtcConfig};

const FOREIGN_FILTERS: &[(&str, &str)] = &[
    ("candidates", "the candidates of the config are always announced"),
    ("interfaces", "name the addresses under filters.ips"),
    ("loopback", "loopback is announced when it is the address that is listened on"),
    ("networks", "UDP and TCP are both served"),
    ("udp_ports", "one port serves all: webrtc.listen"),
];

pub(super) fn read(mut section: Section<'_>, api: &ApiConfig, report: &mut Report) -> WebrtcConfig {
    let mut webrtc = WebrtcConfig::default();
    let named = section.field("listen", report);
    let is_named = named.is_some();
    if let Some(field) = named {
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
        let candidate = field.parse(report, CANDIDATE, |text| Candidate::parse(text, webrtc.listen.port()));
        webrtc.candidates.extend(candidate);
    }
    for field in section.field("ice_servers", report).iter().flat_map(Field::items) {
        webrtc.ice_servers.extend(ice_server(&field, report));
    }
    stun_server(&mut section, &mut webrtc, report);
    if let Some(field) = section.field("turn_secret", report) {
        webrtc.turn_secret = field.string(report).filter(|secret| !secret.is_empty());
        let without_credential = |server: &IceServer| {
            server.credential.is_none() && server.urls.iter().any(|url| url.starts_with("turn"))
        };
        if !webrtc.ice_servers.iter().any(without_credential) {
            field.warning(
                report,
                "has no effect: webrtc.ice_servers has no turn: server without a credential",
            );
        }
    }
    // Pages of this machine alone need no media port that others can reach. A proxy before them is told by what only it needs.
    let is_behind_a_proxy = !api.origins.is_empty() || !webrtc.candidates.is_empty();
    if !is_named && api.is_for_this_machine() && !is_behind_a_proxy {
        webrtc.listen.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let mut filters = section.section("filters", report);
    for field in filters.field("ips", report).iter().flat_map(Field::items) {
        webrtc.ips.extend(field.parse(report, "an IP address", |text| text.parse::<IpAddr>().ok()));
    }
    filters.finish(FOREIGN_FILTERS, report);
    section.finish(&[], report);
    webrtc
}

/// The server that tells the address of `stun:` candidates: the one of the key, or else the first that pages are given too.
fn stun_server(section: &mut Section<'_>, webrtc: &mut WebrtcConfig, report: &mut Report) {
    let mut urls = webrtc.ice_servers.iter().flat_map(|server| &server.urls);
    let of_pages = urls.find(|url| url.starts_with("stun:")).and_then(|url| HostPort::of_url(url));
    let field = section.field("stun_server", report);
    if let Some(field) = &field
        && !webrtc.candidates.iter().any(|candidate| matches!(candidate, Candidate::Stun { .. }))
    {
        field.warning(report, "has no effect: webrtc.candidates has no stun:8555");
    }
    let named = field.and_then(|field| field.parse(report, STUN_SERVER, HostPort::stun_server));
    if let Some(server) = named.or(of_pages) {
        webrtc.stun_server = server;
    }
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
