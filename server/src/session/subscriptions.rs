//! The subscriptions of a session's slots. Each has a queue of its own, so a busy stream takes no space in the queue of another
//! slot.

use std::task::{Context, Poll};

use crate::rtp::SlotPosition;
use crate::slot::SubscriptionTag;
use crate::stream::{StreamEvent, Subscription};

/// How many events of one subscription are taken in one call of [`Subscriptions::poll_events`]. The others follow in the next
/// call, after the events of the other slots.
const TURN: usize = 16;

#[derive(Debug)]
struct Entry {
    position: SlotPosition,
    tag: SubscriptionTag,
    subscription: Subscription,
}

#[derive(Debug, Default)]
pub(super) struct Subscriptions(Vec<Entry>);

/// An event of a stream, with the slot and the subscription that it is for.
#[derive(Debug)]
pub(super) struct SlotEvent {
    pub(super) position: SlotPosition,
    pub(super) tag: SubscriptionTag,
    pub(super) event: StreamEvent,
}

impl Subscriptions {
    pub(super) fn insert(
        &mut self,
        position: SlotPosition,
        tag: SubscriptionTag,
        subscription: Subscription,
    ) {
        self.0.push(Entry { position, tag, subscription });
    }

    pub(super) fn remove(&mut self, position: SlotPosition, tag: SubscriptionTag) {
        self.0.retain(|entry| (entry.position, entry.tag) != (position, tag));
    }

    pub(super) fn get(&self, position: SlotPosition, tag: SubscriptionTag) -> Option<&Subscription> {
        let entry = self.0.iter().find(|entry| (entry.position, entry.tag) == (position, tag))?;
        Some(&entry.subscription)
    }

    /// Takes some of the waiting events of each subscription. Pending if there are none.
    pub(super) fn poll_events(&mut self, context: &mut Context<'_>, events: &mut Vec<SlotEvent>) -> Poll<()> {
        let before = events.len();
        for Entry { position, tag, subscription } in &mut self.0 {
            for _ in 0..TURN {
                let Poll::Ready(Some(event)) = subscription.poll_recv(context) else { break };
                events.push(SlotEvent { position: *position, tag: *tag, event });
            }
        }
        if events.len() > before { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::stream::StreamError;

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
        let mut subscriptions = Subscriptions::default();
        subscriptions.insert(SlotPosition(0), SubscriptionTag::default(), busy_events);
        subscriptions.insert(SlotPosition(1), SubscriptionTag::default(), quiet_events);
        while busy.try_send(event()).is_ok() {}
        quiet.try_send(event()).expect("the busy stream has not taken its place");
        assert_eq!(turn(&mut subscriptions).await, [TURN, 1], "nor does it come before it");
        quiet.try_send(event()).expect("there is room");
        assert_eq!(turn(&mut subscriptions).await, [TURN, 1]);
    }
}
