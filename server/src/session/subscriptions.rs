//! The streams that a session's slots watch, each with a queue of its own: a stream that sends much takes no room from
//! another slot's.

use std::task::{Context, Poll};

use crate::stream::{StreamEvent, Subscription};

/// Events of one subscription that are taken in one turn. What is left comes in the next, after the other slots' events.
const TURN: usize = 16;

/// What a slot calls its subscription; no other of the same slot has the same.
pub(super) type Tag = u64;

#[derive(Debug)]
struct Entry {
    /// The slot's place among the slots of the session.
    position: usize,
    tag: Tag,
    subscription: Subscription,
}

#[derive(Debug, Default)]
pub(super) struct Subscriptions(Vec<Entry>);

/// An event, and whose it is.
#[derive(Debug)]
pub(super) struct SlotEvent {
    pub(super) position: usize,
    pub(super) tag: Tag,
    pub(super) event: StreamEvent,
}

impl Subscriptions {
    pub(super) fn insert(&mut self, position: usize, tag: Tag, subscription: Subscription) {
        self.0.push(Entry { position, tag, subscription });
    }

    pub(super) fn remove(&mut self, position: usize, tag: Tag) {
        self.0.retain(|entry| (entry.position, entry.tag) != (position, tag));
    }

    pub(super) fn get(&self, position: usize, tag: Tag) -> Option<&Subscription> {
        let entry = self.0.iter().find(|entry| (entry.position, entry.tag) == (position, tag))?;
        Some(&entry.subscription)
    }

    /// Takes some of the events that wait, of each subscription in turn. Pending when there are none.
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
