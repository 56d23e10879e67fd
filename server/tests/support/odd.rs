//! How a camera is odd, for the table of `odd_cameras.rs`.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::camera::Camera;
use crate::camera::oddity::{Answer, Exchange, Sent};
use crate::{CLIP, LATER};

pub(crate) fn every(camera: &Camera, change: impl Fn(&Exchange<'_>, &mut Answer) + Send + Sync + 'static) {
    camera.answers(change);
}

pub(crate) fn on(
    camera: &Camera,
    method: &'static str,
    change: impl Fn(&mut Answer) + Send + Sync + 'static,
) {
    every(camera, move |exchange, answer| {
        if exchange.method == method {
            change(answer);
        }
    });
}

pub(crate) fn describe(camera: &Camera, change: impl Fn(&mut Answer) + Send + Sync + 'static) {
    on(camera, "DESCRIBE", change);
}

pub(crate) fn latin1_name(answer: &mut Answer) {
    answer.edit("s=-", "s=Camera");
    for byte in &mut answer.body {
        if *byte == b'C' {
            *byte = 0xe9;
        }
    }
}

pub(crate) fn session(camera: &Camera, session: &'static str) {
    every(camera, move |exchange, answer| {
        if exchange.method != "DESCRIBE" {
            answer.set("Session", session);
        }
    });
}

pub(crate) fn transport(camera: &Camera, transport: &'static str) {
    on(camera, "SETUP", move |answer| answer.set("Transport", transport));
}

pub(crate) fn packet(camera: &Camera, change: impl Fn(u32, &mut Vec<u8>) + Send + Sync + 'static) {
    camera.packets(move |number, mut packet| {
        change(number, &mut packet);
        vec![Sent::Packet(packet)]
    });
}

/// Sends this before one packet.
pub(crate) fn before(camera: &Camera, sent: Sent) {
    camera.packets(move |number, packet| {
        let first = (number == LATER).then(|| sent.clone());
        first.into_iter().chain([Sent::Packet(packet)]).collect()
    });
}

pub(crate) fn other_channels(camera: &Camera) {
    transport(camera, "RTP/AVP/TCP;unicast;interleaved=2-3");
    camera.packets(|_, packet| vec![Sent::On(2, packet)]);
}

pub(crate) fn odd_channels(camera: &Camera) {
    transport(camera, "RTP/AVP/TCP;unicast;interleaved=1-2");
    camera.packets(|_, packet| vec![Sent::On(1, packet)]);
}

pub(crate) fn is_keep_alive(exchange: &Exchange<'_>) -> bool {
    matches!(exchange.method, "OPTIONS" | "GET_PARAMETER" | "SET_PARAMETER")
        && exchange.header("Session").is_some()
}

pub(crate) fn old_keep_alive(camera: &Camera) {
    every(camera, |exchange, answer| {
        answer.set("Session", "1;timeout=4");
        if is_keep_alive(exchange) {
            answer.set("CSeq", "1");
        }
    });
}

pub(crate) fn refused_keep_alive(camera: &Camera) {
    every(camera, |exchange, answer| {
        answer.set("Session", "1;timeout=4");
        if is_keep_alive(exchange) {
            answer.say("501 Not Implemented");
        }
    });
}

/// Refuses what has no login that `is_right`.
pub(crate) fn locked(camera: &Camera, challenge: &'static str, is_right: fn(&str, &str) -> bool) {
    every(camera, move |exchange, answer| {
        let login = exchange.header("Authorization").unwrap_or_default();
        if !is_right(exchange.method, login) {
            answer.latin1 = true;
            answer.body.clear();
            answer.say("401 Unauthorized");
            answer.set("WWW-Authenticate", challenge);
        }
    });
}

pub(crate) fn basic(_: &str, login: &str) -> bool {
    login == "Basic YW5uOnNlY3JldA=="
}

/// RFC 7616 §3.4.1, in the form of RFC 2069 that is left where there is no `qop`.
pub(crate) fn sha_256(method: &str, login: &str) -> bool {
    let part =
        |name: &str| login.split_once(&format!("{name}=\"")).and_then(|(_, rest)| rest.split('"').next());
    let hash = |text: &str| {
        Sha256::digest(text).iter().fold(String::new(), |mut hash, byte| {
            let _ = write!(hash, "{byte:02x}");
            hash
        })
    };
    let (Some(uri), Some(response)) = (part("uri"), part("response")) else { return false };
    let request = hash(&format!("{method}:{uri}"));
    login.contains("algorithm=SHA-256")
        && response == hash(&format!("{}:1:{request}", hash("ann:camera:secret")))
}

/// To another camera, which outlives this one.
pub(crate) fn redirects(camera: &Camera) {
    let other = Camera::start(&CLIP);
    every(camera, move |_, answer| {
        answer.say("302 Moved Temporarily");
        answer.body.clear();
        answer.set("Location", &other.url());
    });
}

pub(crate) fn udp_only(camera: &Camera) {
    every(camera, |exchange, answer| {
        if exchange.header("Transport").is_some_and(|transport| transport.contains("interleaved")) {
            answer.say("461 Unsupported Transport");
        }
    });
}

/// A sender report.
pub(crate) fn report(ssrc: u8) -> Vec<u8> {
    let mut report = vec![0x80, 200, 0, 6, 0, 0, 0, ssrc];
    report.extend([0xe0, 0, 0, 0, 0, 0, 0, 0]);
    report.extend([0x99; 4]);
    report.extend([0; 8]);
    report
}
