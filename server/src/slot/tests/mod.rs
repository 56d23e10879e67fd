//! Tests of slots with made-up cameras, on a virtual clock.

mod any_layouts;
mod any_order;
mod atomic;
pub(crate) mod hubs;
mod layouts_world;
mod quick_switches;
mod steps;
mod switching;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use multistream_protocol::SlotState;
use multistream_protocol::server::KeyframeStatus;

use super::{Action, Slot, Splicer, SubscriptionTag, Target, Wanted};
use crate::media::{Codec, Dimensions, Frame, StreamError, StreamName, StreamNames, Timestamp90k};
use crate::rtp::{PayloadTypes, RtpPacket};

pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);
pub(crate) const FRAME_TICKS: u64 = 3000;
/// An offset with which timestamps wrap soon.
pub(crate) const TIMESTAMP_OFFSET: u32 = u32::MAX - 500;
/// A payload type for every codec but AV1.
pub(crate) const TYPES: [(Codec, u8); 4] =
    [(Codec::H264, 103), (Codec::Vp8, 96), (Codec::Vp9, 98), (Codec::H265, 49)];

/// A camera whose packets identify themselves: the payload is camera, kind, frame number.
pub(crate) struct Camera {
    id: u8,
    codec: Codec,
    pub(crate) gop: Vec<Arc<Frame>>,
    pub(crate) frames: u8,
    pub(crate) gop_len: usize,
    /// How long each payload is, with zeros at its end.
    pub(crate) payload_bytes: usize,
    /// Of how many packets each key frame consists, if not of as many as the others.
    pub(crate) key_packets: Option<usize>,
}

impl Camera {
    pub(crate) fn new(id: u8, codec: Codec, gop_len: usize) -> Self {
        Self { id, codec, gop: Vec::new(), frames: 0, gop_len, payload_bytes: 5, key_packets: None }
    }

    pub(crate) fn next_frame(&mut self, timestamp: Timestamp90k, packets: usize) -> Arc<Frame> {
        let keyframe = self.gop.len().is_multiple_of(self.gop_len);
        if keyframe {
            self.gop.clear();
        }
        self.frames = self.frames.wrapping_add(1);
        let packets = self.key_packets.filter(|_| keyframe).unwrap_or(packets);
        let mut about = vec![self.id, u8::from(keyframe), self.frames, self.codec as u8, packets as u8];
        about.resize(self.payload_bytes, 0);
        let payload = Bytes::from(about);
        let frame = Arc::new(Frame {
            codec: self.codec,
            timestamp,
            keyframe,
            dimensions: None,
            display: None,
            payloads: vec![payload; packets].into(),
        });
        self.gop.push(frame.clone());
        frame
    }
}

/// The tag of a slot's first, second, … subscription, counted from 0.
pub(crate) fn tag(number: u64) -> SubscriptionTag {
    SubscriptionTag(number)
}

pub(crate) fn stream(name: &str) -> StreamName {
    StreamNames::new([(name, None)]).resolve(name, None).expect("it is the one there is")
}

pub(crate) fn target(name: &str) -> Target {
    Target { name: stream(name), quality: None }
}

fn gone() -> StreamError {
    StreamError { permanent: false, message: "gone".to_owned() }
}

/// A slot that shows nothing, on an established connection.
pub(crate) fn slot() -> Slot {
    let mut slot = Slot::new(0, target("camera0").into(), Splicer::new(65_530, TIMESTAMP_OFFSET), TIMEOUT);
    slot.negotiated(PayloadTypes::new(TYPES.to_vec()));
    slot.connected(Instant::now());
    slot
}

pub(crate) fn actions(slot: &mut Slot) -> Vec<Action> {
    let mut said = Vec::new();
    while let Some(action) = slot.poll_action() {
        match action {
            // Nothing stands in for it.
            Action::Unplayable { tag, codec } => slot.cannot_play(tag, codec),
            action => said.push(action),
        }
    }
    said
}

/// The statuses among `actions`, each as `state`, `(reason)` and `#request`, where it has them.
pub(crate) fn statuses(actions: &[Action]) -> Vec<String> {
    let brief = |action: &Action| {
        let Action::Status { status, request_id } = action else { return None };
        let reason = status.reason.as_ref().map(|reason| format!(" ({reason})"));
        let request = request_id.as_ref().map(|id| format!(" #{id}"));
        let state = format!("{:?}", status.status).to_lowercase();
        Some(state + &reason.unwrap_or_default() + &request.unwrap_or_default())
    };
    actions.iter().filter_map(brief).collect()
}

pub(crate) fn drain(slot: &mut Slot) -> Vec<RtpPacket> {
    std::iter::from_fn(|| slot.pop_packet(Instant::now())).map(|released| released.packet).collect()
}

/// Shows `camera`, whose GOP has `frames` frames so far, on a fresh slot.
pub(crate) fn showing(camera: &mut Camera, frames: u64) -> (Slot, Instant) {
    let now = Instant::now();
    let mut slot = slot();
    slot.show(now, target("camera0"), Some("1".to_owned()));
    for index in 0..frames {
        camera.next_frame(Timestamp90k(1_000_000 + index * FRAME_TICKS), 2);
    }
    slot.handle_gop(now, tag(0), &camera.gop);
    (slot, now)
}
