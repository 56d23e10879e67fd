//! Distributes each frame to each viewer without waiting for any.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::media::Frame;

use super::{Gop, StreamError, StreamEvent};

/// The viewers of a stream, with the state of each.
///
/// A viewer whose queue is full misses a frame, and then all frames up to the next key frame too, since they cannot be decoded
/// without the missed one. To shorten this gap it gets the GOP as soon as its queue has space, but only once per GOP, so that a
/// viewer that is always slow is not sent everything twice.
#[derive(Debug, Default)]
pub(crate) struct Viewers {
    viewers: Vec<Viewer>,
    frames_skipped: u64,
}

#[derive(Debug)]
struct Viewer {
    id: u64,
    queue: mpsc::Sender<StreamEvent>,
    place: Place,
    /// Whether the viewer was already sent the current GOP again because it had missed frames.
    caught_up: bool,
    /// The failure of the stream that the viewer could not be informed of yet, since its queue was full.
    owed: Option<StreamError>,
}

/// Which frames a viewer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The viewer has every frame of the current GOP up to now.
    Following,
    /// The viewer has had no GOP since it joined or since the stream went offline.
    New,
    /// The viewer has missed frames because its queue was full.
    Behind,
    /// The viewer only keeps the stream running, and receives no events.
    Keeping,
}

impl Viewers {
    pub(crate) fn len(&self) -> usize {
        self.viewers.len()
    }

    pub(crate) fn frames_skipped(&self) -> u64 {
        self.frames_skipped
    }

    /// Adds a viewer. Its first event is `gop`, or, without one, `down`: why the stream is offline.
    pub(crate) fn join(
        &mut self,
        id: u64,
        queue: mpsc::Sender<StreamEvent>,
        gop: Option<Gop>,
        down: Option<StreamError>,
    ) {
        let mut viewer = Viewer { id, queue, place: Place::New, caught_up: false, owed: down };
        match gop {
            Some(gop) => viewer.send_gop(gop),
            None => viewer.send_owed(),
        }
        self.viewers.push(viewer);
    }

    /// Adds a viewer that keeps the stream running and takes no events.
    pub(super) fn keep(&mut self, id: u64, queue: mpsc::Sender<StreamEvent>) {
        self.viewers.push(Viewer { id, queue, place: Place::Keeping, caught_up: false, owed: None });
    }

    /// Removes a viewer. Returns whether it was there.
    pub(crate) fn leave(&mut self, id: u64) -> bool {
        let before = self.viewers.len();
        self.viewers.retain(|viewer| viewer.id != id);
        self.viewers.len() < before
    }

    /// Sends a viewer the GOP again; without one, why the stream is offline, if it is.
    pub(crate) fn refresh(&mut self, id: u64, gop: Option<Gop>, down: Option<StreamError>) {
        let wants = |viewer: &&mut Viewer| viewer.id == id && viewer.place != Place::Keeping;
        let Some(viewer) = self.viewers.iter_mut().find(wants) else { return };
        if let Some(gop) = gop {
            viewer.send_gop(gop);
        } else {
            viewer.owed = down;
            viewer.send_owed();
        }
    }

    /// The next frame of this viewer comes with its GOP, which it is not sent now.
    pub(super) fn hold_back(&mut self, id: u64) {
        let wants = |viewer: &&mut Viewer| viewer.id == id && viewer.place != Place::Keeping;
        if let Some(viewer) = self.viewers.iter_mut().find(wants) {
            viewer.place = Place::New;
        }
    }

    /// Sends a frame to all viewers. `gop` returns the GOP that ends with `frame`, if there is one.
    pub(crate) fn send(&mut self, frame: &Arc<Frame>, mut gop: impl FnMut() -> Option<Gop>) {
        for viewer in &mut self.viewers {
            viewer.caught_up &= !frame.keyframe;
            match viewer.place {
                Place::Following => viewer.send_frame(frame),
                Place::New => {
                    if let Some(gop) = gop() {
                        viewer.send_gop(gop);
                    }
                }
                Place::Behind if frame.keyframe || !viewer.caught_up => {
                    if let Some(gop) = gop() {
                        viewer.send_gop(gop);
                        viewer.caught_up |= viewer.place == Place::Following && !frame.keyframe;
                    }
                }
                Place::Behind | Place::Keeping => {}
            }
            self.frames_skipped += u64::from(viewer.place == Place::Behind);
        }
    }

    /// The source begins anew: what follows has nothing to do with what the viewers have.
    pub(crate) fn begin_anew(&mut self) {
        for viewer in self.viewers.iter_mut().filter(|viewer| viewer.place != Place::Keeping) {
            viewer.place = Place::New;
        }
    }

    pub(crate) fn tell_offline(&mut self, error: &StreamError) {
        for viewer in self.viewers.iter_mut().filter(|viewer| viewer.place != Place::Keeping) {
            viewer.place = Place::New;
            viewer.owed = Some(error.clone());
            viewer.send_owed();
        }
    }

    /// Informs those viewers of a failure that have no picture yet.
    pub(crate) fn tell_waiting(&mut self, error: &StreamError) {
        for viewer in self.viewers.iter_mut().filter(|viewer| viewer.place == Place::New) {
            viewer.owed = Some(error.clone());
            viewer.send_owed();
        }
    }

    /// Whether a viewer has no picture yet.
    pub(crate) fn await_key_frame(&self) -> bool {
        self.viewers.iter().any(|viewer| viewer.place == Place::New)
    }

    /// Informs the viewers of a failure whose queue was full when the stream failed. Returns whether any is left.
    pub(crate) fn send_owed(&mut self) -> bool {
        for viewer in &mut self.viewers {
            viewer.send_owed();
        }
        self.owes()
    }

    pub(crate) fn owes(&self) -> bool {
        self.viewers.iter().any(|viewer| viewer.owed.is_some())
    }
}

impl Viewer {
    fn send_frame(&mut self, frame: &Arc<Frame>) {
        if !self.try_send(StreamEvent::Frame(Arc::clone(frame))) {
            self.place = Place::Behind;
        }
    }

    fn send_gop(&mut self, gop: Gop) {
        self.owed = None;
        self.place = if self.try_send(StreamEvent::Gop(gop)) { Place::Following } else { Place::Behind };
    }

    fn send_owed(&mut self) {
        if let Some(error) = self.owed.take()
            && !self.try_send(StreamEvent::Offline(error.clone()))
        {
            self.owed = Some(error);
        }
    }

    /// Returns whether the event was queued, or the queue is closed because the viewer is leaving.
    fn try_send(&self, event: StreamEvent) -> bool {
        !matches!(self.queue.try_send(event), Err(TrySendError::Full(_)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use tokio::sync::mpsc::Receiver;

    use super::*;
    use crate::media::{Codec, GopCache, GopLimits, Timestamp90k};

    struct Bench {
        viewers: Viewers,
        cache: GopCache,
        next: u64,
    }

    type Events = Receiver<StreamEvent>;

    fn bench() -> Bench {
        let limits = GopLimits { max_bytes: 1 << 20, max_duration: Duration::from_mins(1) };
        Bench { viewers: Viewers::default(), cache: GopCache::new(limits), next: 0 }
    }

    impl Bench {
        fn join(&mut self, room: usize) -> Events {
            let (events, received) = mpsc::channel(room);
            let gop = self.cache.gop();
            self.viewers.join(0, events, gop, None);
            received
        }

        fn frame(&mut self, keyframe: bool) {
            let frame = Arc::new(Frame {
                codec: Codec::H264,
                timestamp: Timestamp90k(self.next),
                keyframe,
                dimensions: None,
                display: None,
                payloads: Box::new([Bytes::from_static(b"x")]),
            });
            self.next += 1;
            self.cache.push(Arc::clone(&frame));
            self.viewers.send(&frame, || self.cache.gop());
        }
    }

    /// `g0-3` a GOP of frames 0 to 3, `4` a frame, `!` offline.
    fn seen(events: &mut Events) -> String {
        let mut text = Vec::new();
        while let Ok(event) = events.try_recv() {
            text.push(match event {
                StreamEvent::Gop(gop) => {
                    format!("g{}-{}", gop[0].timestamp.0, gop[gop.len() - 1].timestamp.0)
                }
                StreamEvent::Frame(frame) => frame.timestamp.0.to_string(),
                StreamEvent::Offline(_) => "!".to_owned(),
            });
        }
        text.join(" ")
    }

    #[test]
    fn a_newcomer_gets_the_gop_and_then_each_frame() {
        let mut bench = bench();
        bench.frame(true);
        bench.frame(false);
        let mut events = bench.join(8);
        bench.frame(false);
        bench.frame(true);
        assert_eq!(seen(&mut events), "g0-1 2 3");
    }

    #[test]
    fn a_viewer_that_joins_before_the_first_key_frame_waits_for_it() {
        let mut bench = bench();
        let mut events = bench.join(8);
        bench.frame(false);
        bench.frame(true);
        assert_eq!(seen(&mut events), "g1-1");
        assert_eq!(bench.viewers.frames_skipped(), 0);
    }

    #[test]
    fn a_slow_viewer_gets_the_gop_again_once_and_then_waits_for_the_key_frame() {
        let mut bench = bench();
        let mut events = bench.join(2);
        bench.frame(true);
        bench.frame(false);
        bench.frame(false); // no room: 2 is lost
        assert_eq!(seen(&mut events), "g0-0 1");
        bench.frame(false);
        bench.frame(false);
        bench.frame(false); // no room again: 5 is lost
        assert_eq!(seen(&mut events), "g0-3 4");
        bench.frame(false);
        assert_eq!(seen(&mut events), "");
        bench.frame(true);
        bench.frame(false);
        assert_eq!(seen(&mut events), "g7-7 8");
        assert_eq!(bench.viewers.frames_skipped(), 3);
    }

    #[test]
    fn a_viewer_whose_gop_is_held_back_gets_it_with_the_next_frame() {
        let mut bench = bench();
        let mut events = bench.join(8);
        (0..2).for_each(|number| bench.frame(number == 0));
        bench.viewers.hold_back(0);
        assert_eq!(seen(&mut events), "g0-0 1");
        assert!(bench.viewers.await_key_frame());
        (0..2).for_each(|_| bench.frame(false));
        assert_eq!(seen(&mut events), "g0-2 3");
    }

    #[test]
    fn a_slow_viewer_does_not_affect_the_others() {
        let mut bench = bench();
        let _slow = bench.join(1);
        let mut quick = bench.join(8);
        (0..5).for_each(|number| bench.frame(number == 0));
        assert_eq!(seen(&mut quick), "g0-0 1 2 3 4");
    }

    #[test]
    fn a_viewer_that_keeps_the_stream_running_misses_nothing_and_is_owed_nothing() {
        let mut bench = bench();
        let (queue, mut events) = mpsc::channel(1);
        bench.viewers.keep(7, queue);
        (0..10).for_each(|number| bench.frame(number == 0));
        bench.viewers.tell_offline(&StreamError { permanent: false, message: "gone".to_owned() });
        assert_eq!(
            (bench.viewers.len(), bench.viewers.frames_skipped(), bench.viewers.owes()),
            (1, 0, false)
        );
        assert_eq!(seen(&mut events), "");
        assert!(bench.viewers.leave(7));
    }

    #[test]
    fn a_viewer_with_a_full_queue_is_informed_later_that_the_stream_is_offline() {
        let mut bench = bench();
        let mut events = bench.join(1);
        bench.frame(true);
        bench.viewers.tell_offline(&StreamError { permanent: false, message: "gone".to_owned() });
        assert!(bench.viewers.owes());
        assert_eq!(seen(&mut events), "g0-0");
        assert!(!bench.viewers.send_owed());
        assert_eq!(seen(&mut events), "!");
    }

    #[test]
    fn a_refresh_repeats_the_gop() {
        let mut bench = bench();
        bench.frame(true);
        let mut events = bench.join(8);
        bench.frame(false);
        let gop = bench.cache.gop();
        bench.viewers.refresh(0, gop, None);
        bench.frame(false);
        assert_eq!(seen(&mut events), "g0-0 1 g0-1 2");
    }
}
