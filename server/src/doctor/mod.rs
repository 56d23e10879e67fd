//! `multistream doctor`: tries what a page needs of the network, of ffmpeg and of each stream, and says in plain lines what works
//! and what does not.

mod ffmpeg;
mod ice_servers;
mod running;
mod streams;

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::config::{Candidate, Config, WebrtcConfig};
use crate::net;
use crate::rtc::{Port, PortError};

/// What was found, a line for each thing that was tried. No line has a secret.
#[derive(Debug, Default)]
pub struct Findings {
    pub lines: Vec<String>,
    /// Whether something does not work.
    pub ill: bool,
}

impl Findings {
    fn add(&mut self, found: Result<String, String>) {
        self.ill |= found.is_err();
        self.lines.push(match found {
            Ok(what) => format!("ok: {what}"),
            Err(what) => format!("not ok: {what}"),
        });
    }
}

/// Tries ffmpeg and the streams, or one of them.
pub async fn examine_streams(config: &Config, only: Option<&str>) -> Findings {
    let mut findings = Findings::default();
    ffmpeg::examine(config, &mut findings).await;
    let of_streams = streams::examine(config, only).await;
    findings.ill |= of_streams.ill;
    findings.lines.extend(of_streams.lines);
    findings
}

/// Tries what the config names of the network. It takes a few seconds when something does not answer.
pub async fn examine(config: &Config) -> Findings {
    let mut findings = Findings::default();
    let webrtc = &config.webrtc;
    let (port, media) = match open(webrtc, webrtc.listen).await {
        Ok(port) => {
            findings.add(Ok(format!("media port: {} is free, UDP and TCP", listening(&port))));
            let media = port.local_addr().port();
            (port, media)
        }
        Err(error) => {
            findings.add(taken(config, &error).await);
            let other = SocketAddr::new(webrtc.listen.ip(), 0);
            match open(webrtc, other).await {
                Ok(port) => (port, webrtc.listen.port()),
                // Nothing can be asked without a port.
                Err(_) => return findings,
            }
        }
    };
    interfaces(webrtc, &port, media, &mut findings);
    for candidate in &webrtc.candidates {
        let found = match candidate {
            Candidate::Stun { .. } => outside(webrtc, &port, media).await,
            Candidate::Address(_) | Candidate::Host(_) => {
                let found = port.find(candidate).await;
                found.map(|found| described(&found, media)).map_err(|error| error.to_string())
            }
        };
        let line = |what: String| format!("webrtc.candidates: {candidate}: {what}");
        findings.add(found.map(line).map_err(line));
    }
    for found in ice_servers::ask(&webrtc.ice_servers, &port).await {
        findings.add(found);
    }
    findings
}

/// Opens a port as the server does, without the search for candidates that it makes beside its answers.
async fn open(webrtc: &WebrtcConfig, listen: SocketAddr) -> Result<Port, PortError> {
    Port::open(&WebrtcConfig { listen, candidates: Vec::new(), ..webrtc.clone() }).await
}

fn listening(port: &Port) -> String {
    let local = port.local_addr();
    let number = local.port();
    match local.ip() {
        ip if ip.is_loopback() => format!("{number} on {ip}, for browsers on this machine alone,"),
        ip if !ip.is_unspecified() => format!("{number} on {ip}"),
        IpAddr::V6(_) => format!("{number} on every interface, IPv6 and IPv4,"),
        IpAddr::V4(_) => format!("{number} on every interface, IPv4 alone,"),
    }
}

/// Why the media port could not be opened: that is fine if this config's server has it.
async fn taken(config: &Config, error: &PortError) -> Result<String, String> {
    let PortError::Bind { source, .. } = error;
    if let Some(listen) = config.api.listen
        && source.kind() == io::ErrorKind::AddrInUse
        && running::answers(listen, &config.api.base_path).await
    {
        let number = config.webrtc.listen.port();
        return Ok(format!(
            "media port: a multistream server runs on {listen} and has port {number}, so what follows was asked from another port"
        ));
    }
    Err(format!("media port: {error}"))
}

/// The addresses of the interfaces that are announced, each tried.
fn interfaces(webrtc: &WebrtcConfig, port: &Port, media: u16, findings: &mut Findings) {
    let own = port.own_addresses();
    for ip in own.iter().map(SocketAddr::ip) {
        let address = SocketAddr::new(ip, media);
        findings.add(match UdpSocket::bind((ip, 0)) {
            Ok(_) => Ok(format!("{address}: an address of this machine")),
            Err(error) => Err(format!("{address}: an address of this machine that cannot be used: {error}")),
        });
    }
    for ip in webrtc.ips.iter().filter(|ip| !own.iter().any(|address| address.ip() == **ip)) {
        // With candidates of the config, filters.ips may be what keeps the interfaces' addresses from being announced.
        let alone = own.is_empty() && webrtc.candidates.is_empty();
        let what = format!("webrtc.filters.ips: no interface has {ip}, which is not announced");
        findings.add(if alone { Err(what) } else { Ok(what) });
    }
}

/// What is known of these addresses from here.
fn described(addresses: &[SocketAddr], media: u16) -> String {
    let own = net::addresses();
    let of_each = addresses.iter().map(|address| {
        let (ip, port) = (address.ip(), address.port());
        if own.contains(&ip) && port == media {
            format!("{address} is an address of this machine")
        } else {
            format!("{address} has to be forwarded to port {media} of this machine, UDP and TCP")
        }
    });
    of_each.collect::<Vec<_>>().join("; ")
}

/// The address that the STUN server sees, and what becomes of the port on the way.
async fn outside(webrtc: &WebrtcConfig, port: &Port, media: u16) -> Result<String, String> {
    let server = &webrtc.stun_server;
    let seen = port.ask(server).await.map_err(|error| error.to_string())?;
    let (ip, from) = (seen.ip(), port.local_addr().port());
    if net::addresses().contains(&ip) {
        return Ok(format!("{server} sees {ip}, an address of this machine: there is no NAT"));
    }
    let mapped = if seen.port() == from {
        format!("the NAT keeps the port {from}")
    } else {
        format!("the NAT does not keep the port: it maps {from} to {}", seen.port())
    };
    Ok(format!(
        "{server} sees {ip}; {mapped}; the router has to forward the announced port to {media}, UDP and TCP"
    ))
}
