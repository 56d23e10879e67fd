//! Reads the sections of the file, each in a module of its own.

mod access;
mod api;
mod ffmpeg;
mod ladder;
mod limits;
mod log;
mod multistream;
mod preload;
mod rtsp;
mod streams;
mod tls;
mod webrtc;

use super::frigate;
use super::problem::Report;
use super::yaml::Node;
use super::{Config, Secrets};

/// Sections of go2rtc's file that have no counterpart here.
const FOREIGN: &[(&str, &str)] = &[
    ("app", "all that multistream has is always there"),
    ("echo", "multistream has no echo: sources"),
    ("env", "set these in the environment of the server"),
    ("exec", "sources come from this file alone, so there is nothing to allow"),
    ("hass", "multistream does not read Home Assistant's settings"),
    ("hls", "multistream serves WebRTC"),
    ("homekit", "multistream is no HomeKit accessory"),
    ("mjpeg", "multistream serves WebRTC"),
    ("mp4", "multistream serves WebRTC"),
    ("ngrok", "run the tunnel beside multistream"),
    ("onvif", "multistream is no ONVIF server; cameras that speak ONVIF are sources, as onvif://camera"),
    ("pinggy", "run the tunnel beside multistream"),
    ("publish", "multistream sends to browsers only"),
    ("rtmp", "multistream is no RTMP server"),
    ("srtp", "multistream is no HomeKit accessory"),
    ("tuya", "multistream has no tuya: sources"),
    ("webtorrent", "multistream serves WebRTC"),
    ("wyoming", "multistream has no voice assistant"),
    ("wyze", "multistream has no wyze: sources"),
    ("xiaomi", "multistream has no xiaomi: sources"),
];

pub(super) fn config(document: Option<&Node>, report: &mut Report) -> Config {
    let mut root = frigate::root(document, report);
    let ffmpeg = ffmpeg::read(root.section("ffmpeg", report), report);
    let mut streams = streams::read(root.section("streams", report), &ffmpeg, report);
    let multistream = multistream::read(root.section("multistream", report), report);
    ladder::add(&mut streams, &multistream);
    let api = api::read(root.section("api", report), report);
    let config = Config {
        webrtc: webrtc::read(root.section("webrtc", report), &api, report),
        rtsp: rtsp::read(root.section("rtsp", report), &api, report),
        api,
        multistream,
        limits: limits::read(root.section("limits", report), report),
        log: log::read(root.section("log", report), report),
        preload: preload::read(root.field("preload", report), &streams, report),
        ffmpeg,
        streams,
        secrets: Secrets::default(),
    };
    root.finish(FOREIGN, report);
    config
}
