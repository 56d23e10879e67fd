//! Shares one connection between its slots: decides when each packet of each slot leaves.
//!
//! Nothing leaves faster than the path is believed to carry it ([`Estimate`]): packets would only wait in the path's queue, or
//! be lost there, and delay all other tiles. Live frames may exceed the estimate a little, since they come in bursts of their
//! own; bursts after a switch get what the live frames leave.

use std::time::{Duration, Instant};

use super::Estimate;
use super::credit::{Credit, Meter};
use super::departures::Departures;
use super::repairs::Repairs;
use crate::rtp::{ArrivalReport, RtpPacket, SlotPosition};
use crate::slot::{Released, Slot};

/// How many packets may leave at once, and in each [`TICK`]: as many arrive without loss (measured in Chromium). More would
/// overflow socket buffers between here and the browser.
const PACKETS_PER_TICK: u32 = 30;
const TICK: Duration = Duration::from_millis(1);
/// How many of these may be repairs, so that live frames still leave when a browser asks for everything again.
const REPAIRS_PER_TICK: u32 = 10;
/// How many packets one slot sends before the next slot has its turn: enough that a frame leaves in few pieces, few enough that
/// nine slots advance together.
const PACKETS_PER_TURN: u32 = 5;
/// All packets together leave at most at this multiple of the estimate: a key frame of the size of several frames then fills
/// only a third of its own time of the path's queue.
const PACE: f64 = 1.5;
/// But no more than fills the path's queue for this long; the rest leaves at the rate of the estimate. On a slow link the key
/// frames of a wall, which often come at the same moment, would otherwise overflow the queue.
const AHEAD: Duration = Duration::from_millis(80);
/// Bursts fill it for this long only, so that live frames need not wait behind them.
const BURSTS_AHEAD: Duration = Duration::from_millis(40);
/// Repairs leave at most at this multiple, so that they leave half of the pace to live frames.
const REPAIR_PACE: f64 = 0.75;
/// Bursts get what the live frames leave of the estimate, and at least this share of it, so that a switch is never without end.
const LEAST_FOR_BURSTS: f64 = 0.25;

/// Which packets of a slot are waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Frames that have just come from the camera.
    Live,
    /// The GOP so far, after a cut or a refresh, and the frames that came while it was being sent.
    Burst,
}

impl Kind {
    fn of(slot: &Slot) -> Self {
        if slot.is_catching_up() { Self::Burst } else { Self::Live }
    }
}

/// A packet that leaves now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departing {
    pub packet: RtpPacket,
    /// The transport-wide sequence number, counted over all slots.
    pub transport_number: u16,
}

/// What has left, padding included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    pub packets: u64,
    pub bytes: u64,
    /// The packets among them that were sent again.
    pub repaired: u64,
}

/// Decides which packets of one connection leave now. A budget limits how many leave in a tick, credits how many bytes.
#[derive(Debug)]
pub struct Pacer {
    /// How many more packets may leave in this tick, and how many of them may be repairs.
    budget: u32,
    repair_budget: u32,
    refilled_at: Instant,
    /// The slot whose turn is next.
    next: SlotPosition,
    estimate: Estimate,
    /// How many bytes may leave now: of all packets, of all packets in the long run and what bursts may take of that, of repairs, and
    /// of bursts.
    credit: Credit,
    ahead: Credit,
    bursts_ahead: Credit,
    repair_credit: Credit,
    burst_credit: Credit,
    /// The rate of live frames.
    live: Meter,
    departures: Departures,
    /// The sent packets of each slot, by position of the slot.
    repairs: Vec<Repairs>,
    /// What has left since [`Self::take_sent`].
    sent: Sent,
}

impl Pacer {
    pub fn new(now: Instant, slots: usize) -> Self {
        Self::within(now, slots, f64::INFINITY)
    }

    /// Never sends more than `most` bytes per second for longer than a burst, whatever the receiver reports.
    pub fn within(now: Instant, slots: usize, most: f64) -> Self {
        Self {
            budget: PACKETS_PER_TICK,
            repair_budget: REPAIRS_PER_TICK,
            refilled_at: now,
            next: SlotPosition(0),
            estimate: Estimate::new(now, most),
            credit: Credit::new(now),
            ahead: Credit::kept_for(now, AHEAD),
            bursts_ahead: Credit::kept_for(now, BURSTS_AHEAD),
            repair_credit: Credit::new(now),
            burst_credit: Credit::new(now),
            live: Meter::new(now),
            departures: Departures::default(),
            repairs: std::iter::repeat_with(Repairs::default).take(slots).collect(),
            sent: Sent::default(),
        }
    }

    /// What the path is believed to carry for all packets of this connection, in bytes per second.
    pub fn estimate(&self) -> f64 {
        self.estimate.get()
    }

    /// The estimate, once something was measured.
    pub fn measured(&self) -> Option<f64> {
        self.estimate.is_measured().then(|| self.estimate.get())
    }

    /// Handles the browser's report on when packets arrived.
    pub fn handle_arrivals(&mut self, now: Instant, reports: &[ArrivalReport]) {
        self.estimate.handle_arrivals(now, &self.departures.resolve(reports));
    }

    /// Handles the browser's NACK for packets of a slot.
    pub fn handle_lost(&mut self, slot: SlotPosition, sequence_numbers: &[u16]) {
        if let Some(repairs) = self.repairs.get_mut(slot.0) {
            for number in sequence_numbers {
                repairs.request(*number);
            }
        }
    }

    /// What has left since this was called last.
    pub fn take_sent(&mut self) -> Sent {
        std::mem::take(&mut self.sent)
    }

    /// Releases the packets that may leave now, slot by slot in turns. Returns when to call it again, if more is waiting.
    pub fn release(
        &mut self,
        now: Instant,
        slots: &mut [Slot],
        mut send: impl FnMut(SlotPosition, Departing),
    ) -> Option<Instant> {
        self.refill(now, slots);
        let more_repairs = self.release_repairs(now, &mut send);
        self.release_kind(Kind::Live, now, slots, &mut send)
            .or_else(|| self.release_kind(Kind::Burst, now, slots, &mut send))
            .or(more_repairs)
            .or_else(|| self.release_padding(now, slots, &mut send))
    }

    /// Sends lost packets again. They come first, since the browser's picture stands still until it has them.
    fn release_repairs(
        &mut self,
        now: Instant,
        send: &mut impl FnMut(SlotPosition, Departing),
    ) -> Option<Instant> {
        for slot in 0..self.repairs.len() {
            while !self.repairs[slot].is_empty() {
                if self.repair_budget == 0 {
                    return Some(self.refilled_at + TICK);
                }
                if let Some(wait) = self.wait().max(self.repair_credit.wait()) {
                    return Some(now + wait.max(TICK));
                }
                let Some(repair) = self.repairs[slot].pop(now) else { break };
                self.departures.handle_repair(now, repair.transport_number);
                let bytes = repair.packet.wire_bytes();
                self.charge(bytes);
                self.repair_credit.charge(bytes);
                self.burst_credit.charge(bytes);
                send(SlotPosition(slot), repair);
                self.sent.repaired += 1;
                self.repair_budget -= 1;
                self.budget = self.budget.saturating_sub(1);
            }
        }
        None
    }

    /// Releases the packets of this kind, slot by slot in turns. Returns when to go on, if the budget or the credit is used up.
    fn release_kind(
        &mut self,
        kind: Kind,
        now: Instant,
        slots: &mut [Slot],
        send: &mut impl FnMut(SlotPosition, Departing),
    ) -> Option<Instant> {
        let mut idle = 0;
        while idle < slots.len() {
            if self.budget == 0 {
                return Some(self.refilled_at + TICK);
            }
            let position = self.next;
            let slot = &mut slots[position.0];
            let mut turn = PACKETS_PER_TURN.min(self.budget);
            let before = self.budget;
            while turn > 0 && !slot.is_empty() && Kind::of(slot) == kind {
                let burst_wait =
                    self.burst_credit.wait().max(self.bursts_ahead.wait()).filter(|_| kind == Kind::Burst);
                if let Some(wait) = self.wait().max(burst_wait) {
                    return Some(now + wait.max(TICK));
                }
                let Some(Released { packet, shows_stream }) = slot.pop_packet(now) else { break };
                let timestamp = packet.timestamp;
                match kind {
                    Kind::Live => self.live.count(now, packet.wire_bytes()),
                    Kind::Burst => self.burst_credit.charge(packet.wire_bytes()),
                }
                self.send(now, position, packet, send);
                if shows_stream {
                    self.repairs[position.0].forget_before(timestamp);
                }
                turn -= 1;
            }
            idle = if self.budget == before { idle + 1 } else { 0 };
            self.next = SlotPosition((position.0 + 1) % slots.len());
        }
        None
    }

    /// Sends padding while the path is probed and nothing else is waiting. Returns when to go on, if the probe is not over.
    fn release_padding(
        &mut self,
        now: Instant,
        slots: &mut [Slot],
        send: &mut impl FnMut(SlotPosition, Departing),
    ) -> Option<Instant> {
        while self.estimate.wants_padding(now) {
            if self.budget == 0 || self.wait().is_some() {
                return Some(self.refilled_at + TICK);
            }
            let padding = slots.iter_mut().enumerate().find_map(|(slot, s)| Some((slot, s.pop_padding()?)));
            let Some((slot, packet)) = padding else { break };
            self.send(now, SlotPosition(slot), packet, send);
        }
        self.estimate.handle_nothing_waits();
        None
    }

    fn send(
        &mut self,
        now: Instant,
        slot: SlotPosition,
        packet: RtpPacket,
        send: &mut impl FnMut(SlotPosition, Departing),
    ) {
        let bytes = packet.wire_bytes();
        self.charge(bytes);
        self.budget -= 1;
        let probe = self.estimate.handle_sent(bytes);
        let departing = Departing { packet, transport_number: self.departures.number(now, bytes, probe) };
        self.repairs[slot.0].note(now, departing.clone());
        send(slot, departing);
    }

    fn charge(&mut self, bytes: usize) {
        self.sent.packets += 1;
        self.sent.bytes += bytes as u64;
        self.credit.charge(bytes);
        self.ahead.charge(bytes);
        self.bursts_ahead.charge(bytes);
    }

    /// How long to wait until any packet may leave; `None` if one may leave now.
    fn wait(&self) -> Option<Duration> {
        self.credit.wait().max(self.ahead.wait())
    }

    fn refill(&mut self, now: Instant, slots: &[Slot]) {
        let since = now.saturating_duration_since(self.refilled_at);
        if since >= TICK {
            // Unused budget is not added to that of the next tick, or more than 30 packets could leave at once.
            self.budget = PACKETS_PER_TICK;
            self.repair_budget = REPAIRS_PER_TICK;
            self.refilled_at = now;
        }
        let probe = self.estimate.probe_rate(now, slots.iter().any(Slot::is_catching_up));
        let estimate = self.estimate.get();
        let left = (estimate - self.live.get(now)).max(LEAST_FOR_BURSTS * estimate);
        self.credit.refill(now, probe.unwrap_or(PACE * estimate));
        self.ahead.refill(now, probe.unwrap_or(estimate));
        self.bursts_ahead.refill(now, probe.unwrap_or(estimate));
        self.repair_credit.refill(now, REPAIR_PACE * estimate);
        self.burst_credit.refill(now, probe.unwrap_or(left));
    }
}
