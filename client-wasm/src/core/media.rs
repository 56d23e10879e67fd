//! Judges by what the browser has received whether the pictures move, and what to do when they do not.
//!
//! The server sends something on every connection that plays: the packets of its slots, and each second a sender report for each.
//! So a connection on which nothing arrives is broken, whatever ICE believes: its own checks take several seconds. The shell is
//! asked for the counts about once a second ([`Command::Look`]), and more often when there is a reason to doubt.

use std::time::Duration;

use multistream_protocol::client::{Keyframe, Undecodable};
use multistream_protocol::{SlotState, SlotStatus};

use super::Client;
use super::command::{Attempt, Command, Event, Stall, State};
use super::lifecycle::{Phase, Step};

/// How often the counts are read, and how often while something gives reason to doubt.
const LOOK: Duration = Duration::from_millis(700);
const ALERT_LOOK: Duration = Duration::from_millis(150);
/// How long a reason to doubt, such as another network, counts.
const ALERT: Duration = Duration::from_secs(3);
/// How long a connection may be silent: where packets came fast until then (sender reports come each second), where they came
/// slowly, and while there is a reason to doubt.
const SILENCE: Duration = Duration::from_millis(1_200);
const SLOW_SILENCE: Duration = Duration::from_millis(2_500);
const ALERT_SILENCE: Duration = Duration::from_millis(600);
/// The same while the WebSocket is gone, whatever came until then: long enough for the sender reports of each second.
const ALONE_SILENCE: Duration = Duration::from_millis(1_300);
/// How many packets between two looks are fast.
const FAST: f64 = 12.0;
/// A path that was just replaced and is silent again gets this much longer each time, so that a network with long pauses is
/// not made worse by new connections.
const MAX_DOUBT: u32 = 4;
/// For how long a slot's packets may come without a picture until a key frame is requested, and until the connection is made
/// again.
const UNDECODED: Duration = Duration::from_millis(1_500);
const STUCK: Duration = Duration::from_secs(4);
/// For how long a slot may be silent on a connection that works.
const SLOT_SILENCE: Duration = Duration::from_secs(3);

/// Why a slot's picture is said to be lost: the server cannot be heard, or only its media cannot.
pub(super) const CONNECTION_LOST: &str = "connection-lost";
pub(super) const MEDIA_LOST: &str = "media-lost";

/// What a peer has received so far.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// RTP and RTCP packets on the connection.
    pub packets: f64,
    /// How long ago the last RTP packet came.
    pub age: Duration,
    /// Of each slot: its index, its RTP packets and its decoded pictures.
    pub slots: Vec<(u32, f64, f64)>,
}

#[derive(Debug, Default)]
pub(super) struct Media {
    /// The attempt whose peer the counts are of.
    peer: Attempt,
    /// It is a new one, so that its first picture is one that moves; another attempt may have taken over an old peer.
    is_fresh: bool,
    pub(super) look_at: Option<Duration>,
    seen_at: Duration,
    heard_at: Duration,
    packets: f64,
    is_fast: bool,
    alert_until: Duration,
    /// How often the connection was replaced since something arrived for a while.
    doubts: u32,
    /// The previous peer is silent.
    pub(super) silent: bool,
    slots: Vec<SlotMedia>,
}

#[derive(Debug, Default)]
struct SlotMedia {
    index: u32,
    state: Option<SlotState>,
    /// What the server last said.
    status: Option<SlotStatus>,
    /// The app was told that the picture is lost. What the server said counts again when the picture moves.
    is_lost: bool,
    /// The time between two pictures that the server announces, where it sends key frames only.
    picture_every: Duration,
    packets: f64,
    decoded: f64,
    /// When its packets last arrived, and since when they do so without a picture.
    arrived_at: Duration,
    undecoded_since: Option<Duration>,
    asked: bool,
    /// Whether the server sends H.265, which some browsers offer and do not decode, and no picture has come of it yet.
    may_lack_decoder: bool,
    stalled: Option<Stall>,
}

impl Media {
    pub(super) fn start(&mut self, is_fresh: bool) {
        self.look_at = Some(Duration::ZERO);
        self.is_fresh = is_fresh;
        self.silent = false;
    }

    fn slot(&mut self, index: u32) -> &mut SlotMedia {
        let at = self.slots.iter().position(|slot| slot.index == index).unwrap_or_else(|| {
            self.slots.push(SlotMedia { index, ..SlotMedia::default() });
            self.slots.len() - 1
        });
        &mut self.slots[at]
    }

    fn silence(&self, now: Duration, doubts: u32) -> Duration {
        if now < self.alert_until {
            return ALERT_SILENCE;
        }
        if self.is_fast { SILENCE * (1 + doubts) } else { SLOW_SILENCE * (1 + doubts) }
    }

    /// The next status that says that a picture is lost. While the server is heard, it is believed about slots without one.
    fn lose(&mut self, is_heard: bool, reason: &str) -> Option<SlotStatus> {
        let loses = |state| match state {
            Some(SlotState::Active) => true,
            Some(SlotState::Buffering | SlotState::Offline) => !is_heard,
            _ => false,
        };
        let slot = self.slots.iter_mut().find(|slot| !slot.is_lost && loses(slot.state))?;
        slot.is_lost = true;
        let mut status = slot.status.clone()?;
        (status.status, status.reason, status.error) = (SlotState::Buffering, Some(reason.to_owned()), None);
        Some(status)
    }
}

impl Client {
    /// Why a slot's picture stands still; `None` while it moves or need not.
    pub fn stalled(&self, slot: u32) -> Option<Stall> {
        self.media.slots.iter().find(|known| known.index == slot)?.stalled
    }

    /// The next counts are read at once, and a silence counts sooner.
    pub(super) fn doubt(&mut self, now: Duration) {
        self.media.alert_until = now + ALERT;
        if self.media.look_at.is_some() {
            self.media.look_at = Some(now);
        }
    }

    pub(super) fn handle_look_timeout(&mut self, now: Duration) {
        if self.media.look_at.is_some_and(|at| at <= now) {
            let is_urgent = self.state != State::Connected
                || now < self.media.alert_until
                || self.media.slots.iter().any(|slot| slot.is_lost);
            self.media.look_at = Some(now + if is_urgent { ALERT_LOOK } else { LOOK });
            self.push(Command::Look(self.previous_peer.unwrap_or(self.attempt)));
        }
    }

    /// The server said what a slot does.
    pub(super) fn note_state(&mut self, status: &SlotStatus) {
        let seen_at = self.media.seen_at;
        let slot = self.media.slot(status.slot);
        // Of a slot whose picture was lost, only the picture proves that it is live: the server goes on sending to a viewer that
        // receives nothing, and a session that is resumed repeats its statuses.
        slot.is_lost &= status.status == SlotState::Active;
        let is_told = !slot.is_lost;
        // A slot that begins to send is not silent before.
        slot.arrived_at = seen_at;
        slot.state = Some(status.status);
        slot.status = Some(status.clone());
        slot.picture_every = Duration::from_millis(status.picture_every_ms.unwrap_or_default().into());
        slot.undecoded_since = None;
        slot.asked = false;
        slot.may_lack_decoder = status.codec.as_deref() == Some("h265");
        if is_told {
            self.tell_status(status.slot);
        }
        match status.status {
            SlotState::Offline | SlotState::Error => self.set_stalled(status.slot, Some(Stall::Source)),
            SlotState::Paused => self.set_stalled(status.slot, None),
            SlotState::Buffering | SlotState::Active => {}
        }
    }

    /// What the peer of this attempt has received until now.
    pub fn handle_received(&mut self, now: Duration, attempt: Attempt, received: &Received) {
        if self.previous_peer.unwrap_or(self.attempt) != attempt || self.media.look_at.is_none() {
            return;
        }
        let media = &mut self.media;
        // A page that was frozen or asleep has not looked: what it missed says nothing.
        let was_away = now.saturating_sub(media.seen_at) > LOOK * 3;
        let is_new = media.peer != attempt;
        let arrived = received.packets - media.packets;
        if is_new || was_away {
            media.heard_at = now;
            media.slots.iter_mut().for_each(|slot| slot.arrived_at = now);
        } else if arrived > 0.0 {
            media.heard_at = media.seen_at.max(now.saturating_sub(received.age));
            media.is_fast = arrived >= FAST;
        }
        (media.peer, media.seen_at, media.packets) = (attempt, now, received.packets);
        if is_new {
            let is_fresh = std::mem::take(&mut media.is_fresh);
            for (index, packets, decoded) in &received.slots {
                let slot = media.slot(*index);
                (slot.packets, slot.undecoded_since) = (*packets, None);
                slot.decoded = if is_fresh { 0.0 } else { *decoded };
            }
        }
        let is_alone = self.state == State::Reconnecting;
        let expects = media.slots.iter().any(|slot| slot.state == Some(SlotState::Active));
        if !expects && !is_alone {
            media.heard_at = now;
        }
        let silence = now.saturating_sub(media.heard_at);
        let is_silent = expects && silence >= media.silence(now, media.doubts);
        // The app is told at once what is left in doubt before a new connection is made.
        let mut patience = media.silence(now, 0);
        if is_alone {
            patience = patience.min(ALONE_SILENCE);
        }
        let is_lost = silence >= patience;
        if arrived > 0.0 && !is_new {
            if now.saturating_sub(media.alert_until) > SLOW_SILENCE * 4 {
                media.doubts = 0;
            }
            if std::mem::take(&mut media.silent) {
                self.revived(now, attempt);
            }
        } else if silence > ALERT_LOOK && !is_lost {
            // Looks again when the silence is long enough, not only at the next turn.
            let due = media.heard_at + patience;
            media.look_at = media.look_at.map(|at| at.min(due.max(now + ALERT_LOOK / 2)));
        }
        if is_lost {
            self.tell_lost(if is_alone { CONNECTION_LOST } else { MEDIA_LOST });
        }
        self.judge_slots(now, received, is_lost, silence);
        if is_silent && matches!(self.phase, Phase::Connected { .. }) {
            self.lost_media(now, "nothing arrives on the media path");
        }
    }

    /// The previous peer receives again. Its session is taken over at once, unless the server has dropped it for another peer.
    fn revived(&mut self, now: Duration, peer: Attempt) {
        match &self.phase {
            Phase::Waiting { .. } => self.start_attempt(now),
            Phase::Handshake(handshake) if handshake.resuming && handshake.step == Step::Offer => {
                self.resumed(peer);
            }
            _ => {}
        }
    }

    /// The media path is broken, or a decoder is. A new connection is made while the old one is kept, which may recover.
    pub(super) fn lost_media(&mut self, now: Duration, reason: &str) {
        if self.options.keeps_watch {
            self.media.silent = true;
            self.media.doubts = (self.media.doubts + 1).min(MAX_DOUBT);
            self.media.alert_until = now;
            // The credential of a TURN server may have expired: then the next `ready` brings another.
            if self.ice_servers.iter().all(|server| server.credential.is_none()) {
                self.make_spare(self.attempt + 1);
            }
            self.lost(reason.to_owned(), true);
        }
    }

    /// The pictures that were there stand still: no slot that had one, or might have got one, is said to be live.
    pub(super) fn tell_lost(&mut self, reason: &str) {
        let is_heard = match &self.phase {
            Phase::Handshake(handshake) => handshake.step > Step::Ready,
            _ => self.state == State::Connected,
        };
        while let Some(status) = self.media.lose(is_heard, reason) {
            self.emit(Event::Status(status));
        }
    }

    /// What the server said last of a slot.
    #[inline(never)]
    pub(super) fn tell_status(&mut self, index: u32) {
        if let Some(status) = self.media.slot(index).status.clone() {
            self.emit(Event::Status(status));
        }
    }

    /// There is no peer any more that could receive anything.
    pub(super) fn stop_looking(&mut self) {
        self.media.look_at = None;
        self.tell_lost(CONNECTION_LOST);
        let active = self.media.slots.iter().filter(|slot| slot.state == Some(SlotState::Active));
        for index in active.map(|slot| slot.index).collect::<Vec<_>>() {
            self.set_stalled(index, Some(Stall::Network));
        }
    }

    fn judge_slots(&mut self, now: Duration, received: &Received, is_silent: bool, silence: Duration) {
        let mut is_stuck = false;
        for &(index, packets, decoded) in &received.slots {
            let slot = self.media.slot(index);
            if packets > slot.packets {
                slot.arrived_at = now;
                slot.undecoded_since.get_or_insert(now);
            }
            if decoded > slot.decoded {
                (slot.undecoded_since, slot.asked, slot.may_lack_decoder) = (None, false, false);
            }
            let moves = decoded > slot.decoded;
            (slot.packets, slot.decoded) = (packets, decoded);
            match slot.state {
                Some(SlotState::Active) => {}
                // The picture from before a switch.
                Some(SlotState::Buffering) if moves => {}
                _ => continue,
            }
            let undecoded = slot.undecoded_since.map_or(Duration::ZERO, |since| now.saturating_sub(since));
            let is_quiet = now.saturating_sub(slot.arrived_at) >= SLOT_SILENCE + slot.picture_every;
            let stalled = if moves {
                None
            } else if is_silent {
                Some(Stall::Network)
            } else if undecoded >= UNDECODED {
                Some(Stall::Decoder)
            } else if is_quiet && silence < SLOT_SILENCE {
                Some(Stall::Source)
            } else {
                slot.stalled
            };
            // A camera that sends nothing is no loss of the connection.
            let is_back = slot.is_lost && (moves || stalled == Some(Stall::Source));
            slot.is_lost &= !is_back;
            let asks = stalled == Some(Stall::Decoder) && !slot.asked;
            slot.asked |= asks;
            is_stuck |= undecoded >= STUCK;
            self.set_stalled(index, stalled);
            if is_back {
                self.tell_status(index);
            }
            if asks && self.state == State::Connected {
                let lacks = std::mem::take(&mut self.media.slot(index).may_lack_decoder);
                let (request_id, slot) = (self.next_id().to_string(), index as i32);
                let message = if lacks {
                    Undecodable { request_id, slot }.into()
                } else {
                    Keyframe { request_id, slot }.into()
                };
                self.push(Command::Send(self.attempt, message));
            }
        }
        if is_stuck && matches!(self.phase, Phase::Connected { .. }) {
            self.media.slots.iter_mut().for_each(|slot| slot.undecoded_since = None);
            self.lost_media(now, "packets arrive, but no pictures come of them");
        }
    }

    fn set_stalled(&mut self, index: u32, stalled: Option<Stall>) {
        let slot = self.media.slot(index);
        if std::mem::replace(&mut slot.stalled, stalled) != stalled {
            self.emit(Event::Stalled { slot: index, stalled });
        }
    }
}
