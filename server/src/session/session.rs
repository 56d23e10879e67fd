//! One session: its slots, its subscriptions and its connection. It decides; [`super::task`] waits and calls it.

use std::collections::{BTreeMap, HashSet};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use multistream_protocol::server::{self, Error, IceServer};
use multistream_protocol::{ClientMessage, ErrorCode, ServerMessage, SlotStatus, client};

use super::Histogram;
use super::link::{Change, Link};
use super::resolve::{Refusal, code_of, resolve, wanted};
use super::subscriptions::{SlotEvent, Subscriptions};
use super::warm::WarmStreams;
use crate::config::MultistreamConfig;
use crate::rtc::{Inbound, PeerError, Port};
use crate::rtp::SlotPosition;
use crate::slot::{Action, Reason, Slot, Splicer, Wanted, settle_layouts};
use crate::stream::{Registry, StreamError, StreamEvent};

/// How many events of one stream may wait for the session: frames of two seconds at 30 fps. When the queue is full, the viewer
/// misses frames.
const EVENTS_PER_STREAM: usize = 64;
/// How many packets of the browser are handled in one turn.
const PACKETS_PER_TURN: usize = 64;

/// How long after `init` the offer must come. A client that makes no offer would keep cameras running for nothing.
const OFFER_TIMEOUT: Duration = Duration::from_secs(15);

/// The state that all sessions share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) registry: Arc<Registry>,
    pub(super) port: Port,
    pub(super) config: MultistreamConfig,
    pub(super) ice_servers: Vec<IceServer>,
    /// How long switches took: from the request until the last packet of the stream's first key frame has left.
    pub(super) shown_after: Histogram,
}

/// What a session receives besides the commands of its sockets.
#[derive(Debug)]
pub(super) enum Received {
    Browser(Inbound),
    Stream(SlotEvent),
}

#[derive(Debug)]
pub(super) struct Session {
    shared: Arc<Shared>,
    /// In ascending order of the slots' indices, which is also the order of the m-lines.
    slots: Vec<Slot>,
    subscriptions: Subscriptions,
    link: Option<Link>,
    /// When the session ends without an offer.
    offer_by: Instant,
    warm: WarmStreams,
    /// The number of atomic layouts so far.
    layouts: u64,
    replies: Vec<ServerMessage>,
}

impl Session {
    /// Opens a session with the slots of `init`. Their streams start at once, while the browser prepares its offer.
    pub(super) fn open(now: Instant, shared: Arc<Shared>, init: &client::Init) -> Result<Self, Error> {
        let requested = valid_slots(&init.slots, shared.config.max_slots)
            .map_err(|message| Error::new(ErrorCode::InvalidSlots, message).answering(&init.request_id))?;
        let mut slots = Vec::with_capacity(requested.len());
        for (index, request) in requested {
            let splicer = Splicer::new(rand::random(), rand::random());
            let resolved = resolve(&shared.registry, request);
            let mut slot = Slot::new(index, wanted(&resolved), splicer, shared.config.switch_timeout);
            match resolved {
                Ok(target) => slot.show(now, target, None),
                Err(Refusal { reason, .. }) => slot.fail(reason),
            }
            slots.push(slot);
        }
        let mut session = Self {
            shared,
            slots,
            subscriptions: Subscriptions::default(),
            link: None,
            offer_by: now + OFFER_TIMEOUT,
            warm: WarmStreams::default(),
            layouts: 0,
            replies: Vec::new(),
        };
        session.perform_actions();
        // The client gets the statuses of the slots with the SDP answer (`multistream/answer`), not before.
        session.replies.clear();
        Ok(session)
    }

    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn statuses(&self) -> Vec<SlotStatus> {
        self.slots.iter().map(Slot::status).collect()
    }

    pub(super) fn is_connected(&self) -> bool {
        self.link.as_ref().is_some_and(Link::is_connected)
    }

    pub(super) fn is_negotiated(&self) -> bool {
        self.link.is_some()
    }

    /// Waits for packets of the browser or events of a stream. Cancel-safe.
    pub(super) async fn receive(&mut self, received: &mut Vec<Received>) {
        let Self { link, subscriptions, .. } = self;
        let (mut packets, mut events) = (Vec::new(), Vec::new());
        poll_fn(|context| {
            let browser = match link {
                Some(link) => {
                    link.socket.inbound.poll_recv_many(context, &mut packets, PACKETS_PER_TURN).map(drop)
                }
                None => Poll::Pending,
            };
            let streams = subscriptions.poll_events(context, &mut events);
            if browser.is_ready() { browser } else { streams }
        })
        .await;
        received.extend(packets.into_iter().map(Received::Browser));
        received.extend(events.into_iter().map(Received::Stream));
    }

    pub(super) fn handle_received(&mut self, now: Instant, received: Received) {
        match received {
            Received::Browser(inbound) => {
                if let Some(link) = &mut self.link {
                    link.handle_inbound(now, inbound);
                }
            }
            Received::Stream(SlotEvent { position, tag, event }) => {
                let Some(slot) = self.slots.get_mut(position.0) else { return };
                match event {
                    StreamEvent::Gop(gop) => slot.handle_gop(now, tag, &gop),
                    StreamEvent::Frame(frame) => slot.handle_frame(tag, frame),
                    StreamEvent::Offline(error) => slot.handle_offline(tag, &error),
                }
            }
        }
    }

    /// Handles a message other than `init` and `close`, which the socket handles.
    pub(super) fn handle_request(&mut self, now: Instant, request: ClientMessage) {
        let served = match request {
            ClientMessage::Offer(offer) => self.offer(now, &offer),
            ClientMessage::Switch(switch) => {
                let request_id = switch.request_id.clone();
                self.switch(now, &switch.into_slot_request(), &request_id)
            }
            ClientMessage::Layout(layout) => self.layout(now, &layout),
            ClientMessage::Pause(pause) => self.slot(pause.slot, &pause.request_id).map(|slot| {
                slot.pause(id(&pause.request_id));
            }),
            ClientMessage::Resume(resume) => self.resume(now, resume),
            ClientMessage::Keyframe(keyframe) => self.keyframe(now, &keyframe),
            ClientMessage::Warm(warm) => self.warm(now, warm),
            // A lite agent needs no candidates of the browser: it learns the browser's addresses from its checks.
            ClientMessage::Ice(_) | ClientMessage::Init(_) | ClientMessage::Close(_) => Ok(()),
        };
        self.perform_actions();
        if let Err(refusal) = served {
            self.replies.push(refusal.into());
        }
    }

    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        let slots = self.slots.iter().filter_map(Slot::poll_timeout).min();
        let link = match &mut self.link {
            Some(link) => link.poll_timeout(),
            None => Some(self.offer_by),
        };
        [slots, self.warm.poll_timeout(), link].into_iter().flatten().min()
    }

    /// Handles the timers that are due, and sends the packets that may leave. Returns whether the session is over, because the
    /// browser is gone or has not made an offer in time.
    pub(super) fn drive(&mut self, now: Instant) -> bool {
        for slot in &mut self.slots {
            slot.handle_timeout(now);
        }
        settle_layouts(now, &mut self.slots);
        self.warm.handle_timeout(now);
        let change = self.link.as_mut().and_then(|link| link.drive(now, &mut self.slots));
        if change == Some(Change::Connected) {
            self.slots.iter_mut().for_each(|slot| slot.connected(now));
        }
        self.perform_actions();
        change == Some(Change::Lost) || (self.link.is_none() && self.offer_by <= now)
    }

    /// Takes the messages for the client, in order.
    pub(super) fn take_replies(&mut self) -> Vec<ServerMessage> {
        std::mem::take(&mut self.replies)
    }

    pub(super) fn close(mut self) {
        self.subscriptions = Subscriptions::default();
        if let Some(link) = self.link.take() {
            link.close();
        }
    }

    fn offer(&mut self, now: Instant, offer: &client::Offer) -> Result<(), Error> {
        if self.link.is_some() {
            let message =
                "this session has its answer already; slots change by multistream/switch, not by an offer";
            return Err(Error::new(ErrorCode::AlreadyNegotiated, message).answering(&offer.request_id));
        }
        let (link, answer) =
            Link::answer(now, &offer.sdp, self.slots.len(), &self.shared.port).map_err(|error| {
                let code = match error {
                    PeerError::NotEnoughMedia { .. } | PeerError::NotReceiving => ErrorCode::NotEnoughMedia,
                    PeerError::NoCodec => ErrorCode::UnsupportedCodec,
                    PeerError::Sdp(_) | PeerError::Apply(_) => ErrorCode::InvalidSdp,
                };
                Error::new(code, error.to_string()).answering(&offer.request_id)
            })?;
        self.link = Some(link);
        let mut mids = BTreeMap::new();
        for (slot, negotiated) in self.slots.iter_mut().zip(answer.slots) {
            mids.insert(slot.index(), negotiated.mid);
            slot.negotiated(negotiated.payload_types);
        }
        let request_id = offer.request_id.clone();
        let slots = self.statuses();
        self.replies.push(server::Answer { request_id, sdp: answer.sdp, slots, mids }.into());
        Ok(())
    }

    fn switch(&mut self, now: Instant, request: &client::SlotRequest, request_id: &str) -> Result<(), Error> {
        let resolved = resolve(&self.shared.registry, request);
        let slot = self.slot(request.slot, request_id)?;
        match resolved {
            Ok(target) => slot.show(now, target, id(request_id)),
            Err(Refusal { wanted, reason }) => slot.refuse(&wanted, id(request_id), &reason),
        }
        Ok(())
    }

    fn layout(&mut self, now: Instant, layout: &client::Layout) -> Result<(), Error> {
        // The last request for a slot wins, and an unknown slot refuses the layout before any slot changes.
        let mut latest = BTreeMap::new();
        for request in &layout.slots {
            self.slot(request.slot, &layout.request_id)?;
            latest.insert(request.slot, request);
        }
        if layout.atomic {
            self.hold_layout(now, &latest, &layout.request_id);
            return Ok(());
        }
        for request in latest.into_values() {
            self.switch(now, request, &layout.request_id)?;
        }
        Ok(())
    }

    /// Makes the slots of an atomic layout prepare their streams; [`Session::drive`] changes them together. If one of the
    /// streams does not exist, all slots are refused at once.
    fn hold_layout(&mut self, now: Instant, latest: &BTreeMap<i32, &client::SlotRequest>, request_id: &str) {
        let registry = &self.shared.registry;
        let resolved: BTreeMap<_, _> =
            latest.iter().map(|(index, request)| (i64::from(*index), resolve(registry, request))).collect();
        let refusal = resolved.iter().find_map(|(index, resolved)| {
            let Reason { code, message } = &resolved.as_ref().err()?.reason;
            let message = format!("the layout was refused as a whole: slot {index}: {message}");
            Some(Reason { code: *code, message })
        });
        self.layouts += 1;
        for slot in &mut self.slots {
            let Some(resolved) = resolved.get(&i64::from(slot.index())) else { continue };
            match (&refusal, resolved) {
                (Some(reason), _) => slot.refuse(&wanted(resolved), id(request_id), reason),
                (None, Ok(target)) => slot.hold(now, self.layouts, target.clone(), id(request_id)),
                // Unreachable: an unresolved name would have set `refusal`.
                (None, Err(_)) => {}
            }
        }
    }

    fn resume(&mut self, now: Instant, resume: client::Resume) -> Result<(), Error> {
        let wanted = self.slot(resume.slot, &resume.request_id)?.wanted();
        let is_for_another = resume.stream.is_some() || resume.quality.is_some();
        let request = client::SlotRequest {
            slot: resume.slot,
            // The slot's own name is a resolved one, which already contains the quality (`door-360p`).
            stream: resume.stream.unwrap_or_else(|| wanted.name().to_owned()),
            quality: resume.quality,
        };
        if is_for_another {
            return self.switch(now, &request, &resume.request_id);
        }
        let resolved = match &wanted {
            Wanted::Known(target) => Ok(target.clone()),
            // A slot whose stream `init` could not find still exists: look the name up again.
            Wanted::Unknown { .. } => resolve(&self.shared.registry, &request),
        };
        let slot = self.slot(resume.slot, &resume.request_id)?;
        match resolved {
            Ok(target) => slot.show(now, target, id(&resume.request_id)),
            Err(Refusal { reason, .. }) => slot.refuse(&wanted, id(&resume.request_id), &reason),
        }
        Ok(())
    }

    fn keyframe(&mut self, now: Instant, keyframe: &client::Keyframe) -> Result<(), Error> {
        if keyframe.slot == -1 {
            for slot in &mut self.slots {
                slot.request_keyframe(now, keyframe.request_id.clone());
            }
            return Ok(());
        }
        self.slot(keyframe.slot, &keyframe.request_id)?.request_keyframe(now, keyframe.request_id.clone());
        Ok(())
    }

    fn warm(&mut self, now: Instant, warm: client::Warm) -> Result<(), Error> {
        let registry = &self.shared.registry;
        let refused = |code, message: String| Error::new(code, message).answering(&warm.request_id);
        let name = registry
            .resolve(&warm.stream, warm.quality.as_deref())
            .map_err(|error| refused(code_of(&error), error.to_string()))?;
        let stream = name.to_string();
        let kept = self.warm.keep(now, registry, name, warm.ttl_s);
        let ttl_s = kept.map_err(|message| refused(ErrorCode::LimitReached, message))?;
        self.replies.push(server::Warm { request_id: warm.request_id, stream, ttl_s }.into());
        Ok(())
    }

    fn slot(&mut self, index: i32, request_id: &str) -> Result<&mut Slot, Error> {
        let known: Vec<_> = self.slots.iter().map(|slot| slot.index().to_string()).collect();
        self.slots.iter_mut().find(|slot| i64::from(slot.index()) == i64::from(index)).ok_or_else(|| {
            let message = format!("there is no slot {index}; this session has {}", known.join(", "));
            Error::new(ErrorCode::UnknownSlot, message).answering(request_id)
        })
    }

    /// Performs the actions that the slots have requested.
    fn perform_actions(&mut self) {
        for (position, slot) in (0..).map(SlotPosition).zip(&mut self.slots) {
            while let Some(action) = slot.poll_action() {
                let index = slot.index();
                match action {
                    Action::Subscribe { tag, name } => {
                        if let Some(subscription) = self.shared.registry.subscribe(&name, EVENTS_PER_STREAM) {
                            self.subscriptions.insert(position, tag, subscription);
                        } else {
                            let message = "too many viewers come to it at once".to_owned();
                            slot.handle_offline(tag, &StreamError { permanent: false, message });
                        }
                    }
                    Action::Unsubscribe { tag } => self.subscriptions.remove(position, tag),
                    Action::Refresh { tag } => {
                        if let Some(subscription) = self.subscriptions.get(position, tag) {
                            subscription.refresh();
                        }
                    }
                    Action::Status { status, request_id } => {
                        self.replies.push(server::Status { slot: index, status, request_id }.into());
                    }
                    Action::Shown { after } => self.shared.shown_after.record(after),
                    Action::Keyframe { status, request_id } => {
                        self.replies.push(server::Keyframe { request_id, slot: index, status }.into());
                    }
                }
            }
        }
    }
}

/// The id that answers the request; `None` for an empty one, which asks for no answer.
fn id(request_id: &str) -> Option<String> {
    (!request_id.is_empty()).then(|| request_id.to_owned())
}

/// The slots in order of their indices, or a sentence that says what is wrong with them.
fn valid_slots(
    slots: &[client::SlotRequest],
    max: usize,
) -> Result<Vec<(u32, &client::SlotRequest)>, String> {
    if slots.is_empty() {
        return Err("`slots` is empty; a session needs at least one".to_owned());
    }
    if slots.len() > max {
        return Err(format!(
            "{} slots were asked for; this server allows {max} (`multistream.max_slots`)",
            slots.len()
        ));
    }
    let mut seen = HashSet::new();
    let mut valid = Vec::with_capacity(slots.len());
    for request in slots {
        let index = u32::try_from(request.slot)
            .map_err(|_| format!("slot {} is negative; indices start at 0", request.slot))?;
        if !seen.insert(index) {
            return Err(format!("slot {index} is there twice; indices must be distinct"));
        }
        valid.push((index, request));
    }
    valid.sort_by_key(|(index, _)| *index);
    Ok(valid)
}

#[cfg(test)]
mod tests;
