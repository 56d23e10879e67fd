//! The slots of a session with the parts that real hubs consist of, for the property tests of layouts. Whatever happens to them,
//! it is checked that the slots of an atomic layout change together or stay as they are.

use std::collections::BTreeMap;

use multistream_protocol::ErrorCode;
use tokio::sync::mpsc;

use super::hubs::Hub;
use super::*;
use crate::media::StreamEvent;
use crate::slot::{Reason, settle_layouts};

pub(super) const SLOTS: usize = 3;
pub(super) const CAMERAS: usize = 5;

/// The camera that each slot is to show; slots with `None` are not part of the layout.
pub(super) type Cameras = [Option<usize>; SLOTS];

/// An event of the property tests.
#[derive(Debug, Clone)]
pub(super) enum Event {
    Switch {
        slot: usize,
        camera: usize,
    },
    Layout {
        cameras: Cameras,
        atomic: bool,
    },
    Pause {
        slot: usize,
    },
    /// A request for a stream that does not exist.
    Refuse {
        slot: usize,
    },
    /// The client requests a key frame.
    Keyframe {
        slot: usize,
    },
    /// The browser reports that it cannot decode (RFC 4585, PLI).
    Lost {
        slot: usize,
    },
    Frame {
        camera: usize,
        packets: usize,
    },
    /// The camera continues with another codec, from a key frame.
    Codec {
        camera: usize,
        codec: Codec,
    },
    Offline {
        camera: usize,
    },
    /// The queued events of the hubs are delivered to the slot.
    Deliver {
        slot: usize,
    },
    Release {
        slot: usize,
        packets: usize,
    },
    Wait {
        ms: u64,
    },
}

impl Event {
    /// Whether this is a request that decides anew what the slot shows.
    pub(super) fn is_for(&self, slot: usize) -> bool {
        match self {
            Self::Switch { slot: of, .. } | Self::Pause { slot: of } => *of == slot,
            Self::Layout { cameras, .. } => cameras[slot].is_some(),
            _ => false,
        }
    }
}

struct Subscription {
    slot: usize,
    tag: SubscriptionTag,
    camera: usize,
    events: mpsc::Receiver<StreamEvent>,
}

impl Subscription {
    /// The number of a slot's subscription among those of all slots.
    fn viewer(slot: usize, tag: SubscriptionTag) -> u64 {
        tag.0 * SLOTS as u64 + slot as u64
    }
}

/// What became of a slot's part in an atomic layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Waits,
    Changed,
    Refused,
}

/// The slots of a session, and the hubs that they subscribe to.
pub(super) struct World {
    pub(super) slots: Vec<Slot>,
    pub(super) hubs: Vec<Hub>,
    subscriptions: Vec<Subscription>,
    pub(super) now: Instant,
    pub(super) ticks: u64,
    layouts: u64,
    /// The packets that have left each slot.
    pub(super) sent: Vec<Vec<RtpPacket>>,
    /// How many layouts of several slots have ended in each way.
    pub(super) changed: usize,
    pub(super) refused: usize,
}

impl World {
    pub(super) fn new() -> Self {
        let codecs = [Codec::H264, Codec::Vp8, Codec::H264, Codec::Vp9, Codec::H264];
        let hubs = codecs.into_iter().zip([3, 7, 30, 11, 5]).enumerate();
        Self {
            slots: (0..SLOTS).map(|_| slot()).collect(),
            hubs: hubs.map(|(id, (codec, gop_len))| Hub::new(id, codec, gop_len)).collect(),
            subscriptions: Vec::new(),
            now: Instant::now(),
            ticks: 1_000_000,
            layouts: 0,
            sent: vec![Vec::new(); SLOTS],
            changed: 0,
            refused: 0,
        }
    }

    /// The stream that the slot's m-line carries.
    fn on_screen(&self, slot: usize) -> Option<String> {
        self.slots[slot].machine.shown().map(|shown| shown.feed.target.name.to_string())
    }

    fn layout_of(&self, slot: usize) -> Option<u64> {
        self.slots[slot].readiness().map(|(layout, _)| layout)
    }

    /// Handles an event as a session does, and checks that only a request for a slot takes it out of its layout, and that no
    /// slot of a layout changes its stream before [`settle_layouts`] is called.
    pub(super) fn happen(&mut self, event: &Event) {
        let before: Vec<_> = (0..SLOTS).map(|slot| (self.layout_of(slot), self.on_screen(slot))).collect();
        self.handle(event);
        for (slot, (layout, shown)) in before.into_iter().enumerate() {
            if layout.is_none() || event.is_for(slot) {
                continue;
            }
            assert_eq!(self.layout_of(slot), layout, "slot {slot} has left its layout by {event:?}");
            if let (Some(old), Some(new)) = (shown, self.on_screen(slot)) {
                assert_eq!(old, new, "slot {slot} has changed by {event:?}");
            }
        }
        self.act();
        self.settle();
    }

    fn handle(&mut self, event: &Event) {
        let now = self.now;
        match *event {
            Event::Switch { slot, camera } => self.slots[slot].show(now, target(&format!("{camera}")), None),
            Event::Layout { cameras, atomic } => {
                self.layouts += 1;
                for (slot, camera) in self.slots.iter_mut().zip(cameras) {
                    let Some(target) = camera.map(|camera| target(&format!("{camera}"))) else { continue };
                    let request_id = Some(format!("layout {}", self.layouts));
                    if atomic {
                        slot.hold(now, self.layouts, target, request_id);
                    } else {
                        slot.show(now, target, request_id);
                    }
                }
            }
            Event::Pause { slot } => self.slots[slot].pause(None),
            Event::Refuse { slot } => {
                let wanted = Wanted::Unknown { name: "nothing".to_owned(), quality: None };
                let reason = Reason { code: ErrorCode::UnknownStream, message: "no such stream".to_owned() };
                self.slots[slot].refuse(&wanted, None, &reason);
            }
            Event::Keyframe { slot } => self.slots[slot].request_keyframe(now, "key frame".to_owned()),
            Event::Lost { slot } => self.slots[slot].keyframe_wanted(now),
            Event::Frame { camera, packets } => {
                self.ticks += 1500;
                self.hubs[camera].frame(self.ticks, packets);
            }
            Event::Codec { camera, codec } => self.hubs[camera].change_codec(codec),
            Event::Offline { camera } => self.hubs[camera].go_offline(),
            Event::Deliver { slot } => self.deliver(slot),
            Event::Release { slot, packets } => {
                let released = std::iter::from_fn(|| self.slots[slot].pop_packet(now))
                    .map(|released| released.packet)
                    .take(packets);
                self.sent[slot].extend(released);
            }
            Event::Wait { ms } => {
                self.now += Duration::from_millis(ms);
                self.ticks += ms * 90;
                for slot in &mut self.slots {
                    slot.handle_timeout(self.now);
                }
                for hub in &mut self.hubs {
                    hub.send_owed();
                }
            }
        }
    }

    fn deliver(&mut self, slot: usize) {
        let mut under_way = Vec::new();
        for viewer in self.subscriptions.iter_mut().filter(|viewer| viewer.slot == slot) {
            while let Ok(event) = viewer.events.try_recv() {
                under_way.push((viewer.tag, event));
            }
        }
        for (tag, event) in under_way {
            match event {
                StreamEvent::Gop(gop) => self.slots[slot].handle_gop(self.now, tag, &gop),
                StreamEvent::Frame(frame) => self.slots[slot].handle_frame(self.now, tag, frame),
                StreamEvent::Offline(error) => self.slots[slot].handle_offline(self.now, tag, &error),
            }
        }
    }

    /// Carries out what the slots request. Returns for each slot the requests of layouts that were refused.
    fn act(&mut self) -> Vec<Vec<String>> {
        let mut refused = vec![Vec::new(); SLOTS];
        for (slot, refused) in refused.iter_mut().enumerate() {
            while let Some(action) = self.slots[slot].poll_action() {
                match action {
                    Action::Subscribe { tag, name } => {
                        let camera: usize = name.as_str().parse().expect("cameras are numbers here");
                        let events = self.hubs[camera].join(Subscription::viewer(slot, tag));
                        self.subscriptions.push(Subscription { slot, tag, camera, events });
                    }
                    Action::Unplayable { tag, codec } => self.slots[slot].cannot_play(tag, codec),
                    Action::Unsubscribe { tag } => {
                        for hub in &mut self.hubs {
                            hub.leave(Subscription::viewer(slot, tag));
                        }
                        self.subscriptions.retain(|viewer| (viewer.slot, viewer.tag) != (slot, tag));
                    }
                    Action::Refresh { tag } => {
                        let viewers = &self.subscriptions;
                        if let Some(viewer) =
                            viewers.iter().find(|viewer| (viewer.slot, viewer.tag) == (slot, tag))
                        {
                            self.hubs[viewer.camera].refresh(Subscription::viewer(slot, tag));
                        }
                    }
                    Action::Status { status, request_id: Some(request_id) } if status.kept => {
                        refused.push(request_id);
                    }
                    Action::Status { .. }
                    | Action::Keyframe { .. }
                    | Action::StepFailed(_)
                    | Action::Shown { .. } => {}
                }
            }
        }
        refused
    }

    /// Calls [`settle_layouts`], and checks that the slots of a layout all change to what was asked for, or all stay as they
    /// are.
    fn settle(&mut self) {
        let state = |slot: &Slot| format!("{:?} {:?}", slot.machine, slot.splicer);
        let mut layouts: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for slot in 0..SLOTS {
            if let Some(layout) = self.layout_of(slot) {
                layouts.entry(layout).or_default().push(slot);
            }
        }
        let before: Vec<_> = self.slots.iter().map(|slot| (state(slot), slot.wanted())).collect();
        settle_layouts(self.now, &mut self.slots);
        let after: Vec<_> = self.slots.iter().map(state).collect();
        let waits: Vec<_> = (0..SLOTS).map(|slot| self.layout_of(slot)).collect();
        let refused = self.act();
        let mut in_no_layout: Vec<usize> = (0..SLOTS).collect();
        for (layout, members) in layouts {
            in_no_layout.retain(|slot| !members.contains(slot));
            let outcome = |slot: &usize| match &refused[*slot][..] {
                [] if waits[*slot] == Some(layout) => Outcome::Waits,
                [] => Outcome::Changed,
                [request] if *request == format!("layout {layout}") => Outcome::Refused,
                other => panic!("refused: {other:?}"),
            };
            let outcomes: Vec<_> = members.iter().map(outcome).collect();
            assert!(outcomes.iter().all(|other| *other == outcomes[0]), "slots {members:?}: {outcomes:?}");
            if members.len() > 1 {
                self.changed += usize::from(outcomes[0] == Outcome::Changed);
                self.refused += usize::from(outcomes[0] == Outcome::Refused);
            }
            for &slot in &members {
                match outcomes[0] {
                    Outcome::Changed => {
                        assert_eq!(self.on_screen(slot).as_deref(), Some(before[slot].1.name()));
                    }
                    Outcome::Refused => {
                        assert_eq!(after[slot], before[slot].0, "slot {slot} of a refused layout");
                    }
                    Outcome::Waits => {
                        assert_eq!(after[slot], before[slot].0, "slot {slot} of a layout that waits");
                    }
                }
            }
        }
        for slot in in_no_layout {
            assert_eq!(after[slot], before[slot].0, "slot {slot}, which is in no layout");
        }
    }

    /// Delivers everything that is queued, and lets every packet leave.
    pub(super) fn catch_up(&mut self) {
        for slot in 0..SLOTS {
            self.happen(&Event::Deliver { slot });
        }
        for slot in 0..SLOTS {
            self.happen(&Event::Release { slot, packets: usize::MAX });
        }
    }

    /// Cancels what an atomic layout of these slots cancels: the layout that a slot is part of, and a switch while an old picture
    /// is shown.
    pub(super) fn cancel(&mut self, cameras: Cameras) {
        for slot in (0..SLOTS).filter(|slot| cameras[*slot].is_some()) {
            self.slots[slot].supersede();
            if let Some(old) = self.on_screen(slot) {
                self.slots[slot].show(self.now, target(&old), None);
            }
        }
        self.act();
        self.settle();
    }
}
