//! The subscriptions of a session's slots. Each has a queue of its own, so a busy stream takes no space in the queue of another
//! slot.

use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::rtp::SlotPosition;
use crate::slot::SubscriptionTag;
use crate::stream::{Registry, StreamEvent, StreamName, Subscription};

/// How many events of one subscription are taken in one call of [`Subscriptions::poll_events`]. The others follow in the next
/// call, after the events of the other slots.
const TURN: usize = 16;
/// How many events of one stream may wait for the session: frames of two seconds at 30 fps. When the queue is full, the viewer
/// misses frames.
const EVENTS_PER_STREAM: usize = 64;
/// How soon a stream that took no more viewers is asked again.
const RETRY: Duration = Duration::from_millis(500);

#[derive(Debug)]
struct Entry {
    position: SlotPosition,
    tag: SubscriptionTag,
    name: StreamName,
    /// `None` while the stream takes no more viewers.
    subscription: Option<Subscription>,
}

#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    entries: Vec<Entry>,
    /// When the streams are asked again that took no more viewers; `None` if there are none.
    retry_at: Option<Instant>,
}

/// An event of a stream, with the slot and the subscription that it is for.
#[derive(Debug)]
pub(super) struct SlotEvent {
    pub(super) position: SlotPosition,
    pub(super) tag: SubscriptionTag,
    /// `None`: the stream's hub has ended, and the subscription with it.
    pub(super) event: Option<StreamEvent>,
}

impl Subscriptions {
    /// Subscribes to a stream. Returns false if it takes no more viewers now; then it is asked again later.
    pub(super) fn subscribe(
        &mut self,
        now: Instant,
        registry: &Registry,
        (position, tag): (SlotPosition, SubscriptionTag),
        name: StreamName,
    ) -> bool {
        let subscription = registry.subscribe(&name, EVENTS_PER_STREAM);
        let is_there = subscription.is_some();
        if !is_there {
            self.retry_at.get_or_insert(now + RETRY);
        }
        self.entries.push(Entry { position, tag, name, subscription });
        is_there
    }

    /// Subscribes anew to a stream whose hub has ended, and returns its name.
    pub(super) fn renew(
        &mut self,
        now: Instant,
        registry: &Registry,
        place: (SlotPosition, SubscriptionTag),
    ) -> Option<StreamName> {
        let ended = self.entries.iter().position(|entry| (entry.position, entry.tag) == place)?;
        let name = self.entries.swap_remove(ended).name;
        self.subscribe(now, registry, place, name.clone());
        Some(name)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.retry_at
    }

    /// Asks the streams again that took no more viewers, if it is time.
    pub(super) fn handle_timeout(&mut self, now: Instant, registry: &Registry) {
        if self.retry_at.take_if(|at| *at <= now).is_none() {
            return;
        }
        for entry in self.entries.iter_mut().filter(|entry| entry.subscription.is_none()) {
            entry.subscription = registry.subscribe(&entry.name, EVENTS_PER_STREAM);
            if entry.subscription.is_none() {
                self.retry_at = Some(now + RETRY);
            }
        }
    }

    /// Returns the stream that was subscribed to.
    pub(super) fn remove(&mut self, position: SlotPosition, tag: SubscriptionTag) -> Option<StreamName> {
        let is_it = |entry: &Entry| (entry.position, entry.tag) == (position, tag);
        let entry = self.entries.iter().position(is_it)?;
        Some(self.entries.swap_remove(entry).name)
    }

    pub(super) fn get(&self, position: SlotPosition, tag: SubscriptionTag) -> Option<&Subscription> {
        let entry = self.entries.iter().find(|entry| (entry.position, entry.tag) == (position, tag))?;
        entry.subscription.as_ref()
    }

    /// The streams that are subscribed to.
    pub(super) fn streams(&self) -> impl Iterator<Item = &StreamName> {
        self.entries.iter().map(|entry| &entry.name)
    }

    /// Takes some of the waiting events of each subscription. Pending if there are none.
    pub(super) fn poll_events(&mut self, context: &mut Context<'_>, events: &mut Vec<SlotEvent>) -> Poll<()> {
        let before = events.len();
        for Entry { position, tag, subscription, .. } in &mut self.entries {
            let Some(subscription) = subscription else { continue };
            for _ in 0..TURN {
                let Poll::Ready(event) = subscription.poll_recv(context) else { break };
                let has_ended = event.is_none();
                events.push(SlotEvent { position: *position, tag: *tag, event });
                if has_ended {
                    break;
                }
            }
        }
        if events.len() > before { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::config::Config;
    use crate::stream::{Registry, StreamError};

    fn event() -> StreamEvent {
        StreamEvent::Offline(StreamError { permanent: false, message: "gone".to_owned() })
    }

    /// How many events of each slot are taken in one turn.
    async fn turn(subscriptions: &mut Subscriptions) -> [usize; 2] {
        let mut events = Vec::new();
        poll_fn(|context| subscriptions.poll_events(context, &mut events)).await;
        let of = |position| events.iter().filter(|event| event.position == SlotPosition(position)).count();
        [of(0), of(1)]
    }

    #[tokio::test]
    async fn a_busy_stream_takes_no_queue_space_and_no_turn_from_another_slot() {
        let (busy, busy_events) = Subscription::detached(64);
        let (quiet, quiet_events) = Subscription::detached(64);
        let yaml = "streams: {busy: rtsp://127.0.0.1:9/busy, quiet: rtsp://127.0.0.1:9/quiet}";
        let (config, _) = Config::parse("test.yaml", yaml, &|_| None).expect("the config is fine");
        let registry = Registry::new(&config);
        let name = |name| registry.resolve(name, None).expect("it exists");
        let mut subscriptions = Subscriptions::default();
        for (slot, name, events) in [(0, name("busy"), busy_events), (1, name("quiet"), quiet_events)] {
            let (position, tag) = (SlotPosition(slot), SubscriptionTag::default());
            subscriptions.entries.push(Entry { position, tag, name, subscription: Some(events) });
        }
        while busy.try_send(event()).is_ok() {}
        quiet.try_send(event()).expect("the busy stream has not taken its place");
        assert_eq!(turn(&mut subscriptions).await, [TURN, 1], "nor does it come before it");
        quiet.try_send(event()).expect("there is room");
        assert_eq!(turn(&mut subscriptions).await, [TURN, 1]);
    }

    #[tokio::test]
    async fn a_stream_whose_hub_has_ended_is_subscribed_to_anew_under_the_same_tag() {
        let yaml = "streams: {camera: rtsp://127.0.0.1:9/camera}";
        let (config, _) = Config::parse("test.yaml", yaml, &|_| None).expect("the config is fine");
        let registry = Registry::new(&config);
        let name = registry.resolve("camera", None).expect("it exists");
        let (hub, events) = Subscription::detached(64);
        let mut subscriptions = Subscriptions::default();
        let place = (SlotPosition(0), SubscriptionTag::default());
        let entry = Entry { position: place.0, tag: place.1, name, subscription: Some(events) };
        subscriptions.entries.push(entry);
        drop(hub);
        let mut events = Vec::new();
        poll_fn(|context| subscriptions.poll_events(context, &mut events)).await;
        assert!(matches!(events[..], [SlotEvent { event: None, .. }]), "{events:?}");
        subscriptions.renew(Instant::now(), &registry, place);
        events.clear();
        // Nothing listens on this port.
        poll_fn(|context| subscriptions.poll_events(context, &mut events)).await;
        assert!(matches!(events[..], [SlotEvent { event: Some(StreamEvent::Offline(_)), .. }]), "{events:?}");
    }
}
