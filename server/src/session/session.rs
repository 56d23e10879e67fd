//! One session: its slots, its subscriptions and its connection. It decides; [`super::task`] waits and calls it.

use std::collections::HashSet;
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use multistream_protocol::server::{Error, IceServer};
use multistream_protocol::{ClientMessage, ErrorCode, ServerMessage, SlotStatus, client};

use super::Histogram;
use super::bandwidth::Bandwidth;
use super::link::{Attempt, Change, Link};
use super::resolve::{Refusal, not_granted, resolve, wanted};
use super::subscriptions::{SlotEvent, Subscriptions};
use super::traffic::Traffic;
use super::transcoders::Transcoders;
use super::warm::WarmStreams;
use crate::access::Grant;
use crate::config::MultistreamConfig;
use crate::rtc::{IceServers, Inbound, Port};
use crate::rtp::SlotPosition;
use crate::slot::{Slot, Splicer, SubscriptionTag, settle_layouts};
use crate::stream::{Registry, StreamError, StreamEvent};

mod actions;
mod offer;
mod requests;

/// How many packets of the browser are handled in one turn.
const PACKETS_PER_TURN: usize = 64;

/// How long after `init` the offer must come. A client that makes no offer would keep cameras running for nothing.
const OFFER_TIMEOUT: Duration = Duration::from_secs(15);

/// The state that all sessions share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) registry: Arc<Registry>,
    pub(super) port: Port,
    /// The most that is sent to one session.
    pub(super) bytes_per_second: f64,
    pub(super) config: MultistreamConfig,
    /// How many ffmpeg one session may keep running.
    pub(super) transcoders_per_session: usize,
    pub(super) ice_servers: IceServers,
    /// How long switches took: from the request until the last packet of the stream's first key frame has left.
    pub(super) shown_after: Histogram,
    /// What all sessions have sent and been asked for.
    pub(super) traffic: Traffic,
}

/// What a session receives besides the commands of its sockets.
#[derive(Debug)]
pub(super) enum Received {
    Browser(Inbound),
    Stream(SlotEvent),
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// Nothing comes from the browser any more.
    Lost,
    /// The browser has closed the connection.
    Closed,
    /// The browser has made no offer in time.
    NoOffer,
}

#[derive(Debug)]
pub(super) struct Session {
    shared: Arc<Shared>,
    /// What the client may see.
    grant: Grant,
    /// In ascending order of the slots' indices, which is also the order of the m-lines.
    slots: Vec<Slot>,
    subscriptions: Subscriptions,
    link: Option<Link>,
    /// The server's address to which the client's WebSocket is connected.
    pub(super) reached: Option<IpAddr>,
    /// Whether the client has resumed the session since its last offer, and so may make another one.
    takes_offer: bool,
    /// When the session ends without an offer.
    offer_by: Instant,
    warm: WarmStreams,
    bandwidth: Bandwidth,
    transcoders: Transcoders,
    /// The number of atomic layouts so far.
    layouts: u64,
    replies: Vec<ServerMessage>,
}

impl Session {
    /// Opens a session with the slots of `init`. Their streams start at once, while the browser prepares its offer.
    pub(super) fn open(
        now: Instant,
        shared: Arc<Shared>,
        grant: Grant,
        init: &client::Init,
    ) -> Result<Self, Error> {
        let requested = valid_slots(&init.slots, shared.config.max_slots)
            .map_err(|message| Error::new(ErrorCode::InvalidSlots, message).answering(&init.request_id))?;
        let mut bandwidth = Bandwidth::new(requested.len());
        let mut slots = Vec::with_capacity(requested.len());
        for (index, request) in requested {
            let splicer = Splicer::new(rand::random(), rand::random());
            let resolved = resolve(&shared.registry, &grant, request);
            let mut slot = Slot::new(index, wanted(&resolved), splicer, shared.config.switch_timeout);
            let position = SlotPosition(slots.len());
            match resolved {
                Ok(target) => {
                    let order = bandwidth.order(&shared.registry, &slots, position, target, None);
                    slot.show(now, order, None);
                }
                Err(Refusal { reason, .. }) => slot.fail(reason),
            }
            slots.push(slot);
        }
        let mut session = Self {
            shared,
            grant,
            slots,
            subscriptions: Subscriptions::default(),
            link: None,
            reached: None,
            takes_offer: true,
            offer_by: now + OFFER_TIMEOUT,
            warm: WarmStreams::default(),
            bandwidth,
            transcoders: Transcoders::default(),
            layouts: 0,
            replies: Vec::new(),
        };
        session.perform_actions(now);
        // The client gets the statuses of the slots with the SDP answer (`multistream/answer`), not before.
        session.replies.clear();
        Ok(session)
    }

    /// The client may do this from now on. Slots that show what it may no longer see show nothing.
    pub(super) fn set_grant(&mut self, grant: Grant) {
        self.grant = grant;
        for slot in &mut self.slots {
            if let Some(reason) = not_granted(&self.shared.registry, &self.grant, &slot.wanted()) {
                slot.fail(reason);
            }
        }
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

    /// How the connection was tried; `None` before there is an offer.
    pub(super) fn attempt(&self) -> Option<&Attempt> {
        self.link.as_ref().map(Link::attempt)
    }

    /// The client has resumed the session, perhaps since nothing arrived on its connection: it may make another one.
    pub(super) fn resumed(&mut self) -> Vec<IceServer> {
        self.takes_offer = true;
        self.shared.ice_servers.at(SystemTime::now())
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
                    Some(StreamEvent::Gop(gop)) => slot.handle_gop(now, tag, &gop),
                    Some(StreamEvent::Frame(frame)) => slot.handle_frame(now, tag, frame),
                    Some(StreamEvent::Offline(error)) => slot.handle_offline(now, tag, &error),
                    None => self.handle_stream_ended(now, position, tag),
                }
            }
        }
    }

    /// The hub of a stream has ended: it has panicked and starts anew, its stream was changed or removed, or the server stops.
    fn handle_stream_ended(&mut self, now: Instant, position: SlotPosition, tag: SubscriptionTag) {
        let name = self.subscriptions.renew(now, &self.shared.registry, (position, tag));
        let error = match name {
            Some(name) if !self.shared.registry.has(&name) => StreamError {
                permanent: true,
                message: format!("{name} was removed from the server's config"),
            },
            _ => StreamError { permanent: false, message: "the stream starts anew".to_owned() },
        };
        self.slots[position.0].handle_offline(now, tag, &error);
    }

    /// Handles a message other than `init`, `close` and `token`, which the socket handles.
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
            ClientMessage::Priority(priority) => self
                .position(priority.slot, &priority.request_id)
                .map(|slot| self.bandwidth.set_priority(slot, priority.priority)),
            ClientMessage::Undecodable(undecodable) => {
                self.position(undecodable.slot, &undecodable.request_id).map(|slot| {
                    let codec = self.slots[slot.0].codec();
                    // What one slot's decoder lacks the others' lack too.
                    let slots = self.slots.iter_mut();
                    slots.for_each(|slot| codec.into_iter().for_each(|codec| slot.cannot_decode(codec)));
                })
            }
            // A lite agent needs no candidates of the browser: it learns the browser's addresses from its checks.
            ClientMessage::Ice(_)
            | ClientMessage::Init(_)
            | ClientMessage::Close(_)
            | ClientMessage::Token(_) => Ok(()),
        };
        self.perform_actions(now);
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
        [
            slots,
            self.subscriptions.poll_timeout(),
            self.warm.poll_timeout(),
            self.bandwidth.poll_timeout(),
            link,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Handles the timers that are due, and sends the packets that may leave. Returns why the session is over, if it is.
    pub(super) fn drive(&mut self, now: Instant) -> Option<Over> {
        for slot in &mut self.slots {
            slot.handle_timeout(now);
        }
        // A stream that the browser cannot show is replaced before its layout is settled.
        self.perform_actions(now);
        settle_layouts(now, &mut self.slots);
        self.warm.handle_timeout(now);
        self.subscriptions.handle_timeout(now, &self.shared.registry);
        let change = self.link.as_mut().and_then(|link| link.drive(now, &mut self.slots));
        if change == Some(Change::Connected) {
            self.slots.iter_mut().for_each(|slot| slot.connected(now));
        }
        if let Some(link) = &mut self.link {
            self.shared.traffic.add(&link.take_counts(&mut self.slots));
        }
        let estimate = self.estimate(now);
        self.bandwidth.handle_timeout(now, &self.shared.registry, &mut self.slots, estimate);
        self.perform_actions(now);
        match change {
            Some(Change::Lost) => Some(Over::Lost),
            Some(Change::Closed) => Some(Over::Closed),
            Some(Change::Connected) | None => {
                (self.link.is_none() && self.offer_by <= now).then_some(Over::NoOffer)
            }
        }
    }

    /// Takes the messages for the client, in order.
    pub(super) fn take_replies(&mut self) -> Vec<ServerMessage> {
        std::mem::take(&mut self.replies)
    }

    /// Keeps the streams of the slots running for `time` from now, whatever becomes of the session.
    pub(super) fn keep_streams_for(&self, time: Duration) {
        let registry = &self.shared.registry;
        let kept: Vec<_> =
            self.subscriptions.streams().filter_map(|name| registry.keep_running(name)).collect();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            drop(kept);
        });
    }

    pub(super) fn close(mut self) {
        self.subscriptions = Subscriptions::default();
        if let Some(link) = self.link.take() {
            link.close();
        }
    }

    /// What the path carries, in bytes per second; `None` before it is known and on a connection that does not report it.
    fn estimate(&self, now: Instant) -> Option<f64> {
        self.link.as_ref().and_then(|link| link.estimate(now))
    }

    fn slot(&mut self, index: i32, request_id: &str) -> Result<&mut Slot, Error> {
        let position = self.position(index, request_id)?;
        Ok(&mut self.slots[position.0])
    }

    fn position(&self, index: i32, request_id: &str) -> Result<SlotPosition, Error> {
        let is_it = |slot: &Slot| i64::from(slot.index()) == i64::from(index);
        self.slots.iter().position(is_it).map(SlotPosition).ok_or_else(|| {
            let known: Vec<_> = self.slots.iter().map(|slot| slot.index().to_string()).collect();
            let message = format!("there is no slot {index}; this session has {}", known.join(", "));
            Error::new(ErrorCode::UnknownSlot, message).answering(request_id)
        })
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
