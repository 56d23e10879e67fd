//! A camera with the parts that its hub consists of, for the property tests.

use tokio::sync::mpsc;

use super::*;
use crate::media::{GopCache, GopLimits, StreamEvent};
use crate::stream::Viewers;

/// The length of a subscription's queue. It is short, so that a slot is often too slow for its hub.
pub(crate) const QUEUE: usize = 12;

pub(crate) struct Hub {
    pub(crate) camera: Camera,
    gop: GopCache,
    viewers: Viewers,
    down: Option<StreamError>,
}

impl Hub {
    pub(crate) fn new(id: usize, codec: Codec, gop_len: usize) -> Self {
        let limits = GopLimits { max_bytes: 1 << 20, max_duration: Duration::from_hours(1) };
        let camera = Camera::new(id as u8, codec, gop_len);
        Self { camera, gop: GopCache::new(limits), viewers: Viewers::default(), down: None }
    }

    /// The camera sends its next frame. Returns whether it is a key frame.
    pub(crate) fn frame(&mut self, ticks: u64, packets: usize) -> bool {
        let frame = self.camera.next_frame(Timestamp90k(ticks), packets);
        self.down = None;
        self.gop.push(frame.clone());
        self.viewers.send(&frame, || self.gop.gop());
        frame.keyframe
    }

    /// The camera continues with this codec, from a key frame.
    pub(crate) fn change_codec(&mut self, codec: Codec) {
        self.camera.codec = codec;
        self.begin_anew();
    }

    /// The camera is offline until its next frame, which is a key frame.
    pub(crate) fn go_offline(&mut self) {
        self.begin_anew();
        self.down = Some(gone());
        self.viewers.tell_offline(&gone());
    }

    pub(crate) fn is_down(&self) -> bool {
        self.down.is_some()
    }

    /// The camera is not offline, and its next frame is a key frame.
    pub(crate) fn recover(&mut self) {
        self.begin_anew();
        self.down = None;
    }

    fn begin_anew(&mut self) {
        self.camera.gop.clear();
        self.gop.clear();
    }

    /// Adds a viewer and returns its queue.
    pub(crate) fn join(&mut self, viewer: u64) -> mpsc::Receiver<StreamEvent> {
        let (sender, events) = mpsc::channel(QUEUE);
        self.viewers.join(viewer, sender, self.gop.gop(), self.down.clone());
        events
    }

    pub(crate) fn leave(&mut self, viewer: u64) {
        self.viewers.leave(viewer);
    }

    /// Sends the GOP to a viewer again.
    pub(crate) fn refresh(&mut self, viewer: u64) {
        self.viewers.refresh(viewer, self.gop.gop(), self.down.clone());
    }

    pub(crate) fn send_owed(&mut self) {
        self.viewers.send_owed();
    }
}
