//! Shares one connection between its slots: decides when each packet of each slot leaves.
//!
//! A burst of a thousand packets at once overflows socket buffers between here and the browser, and repairing it takes longer
//! than pacing it: 30 packets per millisecond arrive without loss (measured in Chromium), whichever slots they belong to. On a
//! slower path bursts are slower still ([`Pace`]). Bursts leave after the live frames of other slots, so that a tile that
//! catches up does not delay the others.

use std::time::{Duration, Instant};

use super::Pace;
use super::departures::Departures;
use super::repairs::Repairs;
use crate::rtp::{ArrivalReport, RtpPacket, SlotPosition};
use crate::slot::Slot;

/// How many packets may leave at once, and in each [`TICK`].
const PACKETS_PER_TICK: u32 = 30;
const TICK: Duration = Duration::from_millis(1);
/// How many of these may be repairs, so that live frames still leave when a browser asks for everything again.
const REPAIRS_PER_TICK: u32 = 10;
/// How many packets one slot sends before the next slot has its turn: enough that a frame leaves in few pieces, few enough that
/// nine slots advance together.
const PACKETS_PER_TURN: u32 = 5;
/// How long unused credit for bursts is kept, since timers are late by a millisecond or two.
const CREDIT_MEMORY: Duration = Duration::from_millis(4);
/// Repairs leave at once and reduce the credit of bursts, also below zero. This limits the debt to what bursts may send in this
/// time.
const LONGEST_DEBT: Duration = Duration::from_millis(50);

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
    /// The transport-wide sequence number, counted over all slots; only for packets whose arrival is to be reported.
    pub transport_number: Option<u16>,
}

/// Decides which packets of one connection leave now. `budget` limits how many leave in a tick, `burst_credit` how many bytes
/// of them belong to bursts.
#[derive(Debug)]
pub struct Pacer {
    /// How many more packets may leave in this tick, and how many of them may be repairs.
    budget: u32,
    repair_budget: u32,
    refilled_at: Instant,
    /// The slot whose turn is next.
    next: SlotPosition,
    pace: Pace,
    /// How many bytes of bursts may leave now. It grows at the rate of `pace`; the last packet may make it negative.
    burst_credit: f64,
    credited_at: Instant,
    departures: Departures,
    /// The sent packets of each slot, by position of the slot.
    repairs: Vec<Repairs>,
}

impl Pacer {
    pub fn new(now: Instant, slots: usize) -> Self {
        Self {
            budget: PACKETS_PER_TICK,
            repair_budget: REPAIRS_PER_TICK,
            refilled_at: now,
            next: SlotPosition(0),
            pace: Pace::new(now),
            // The first refill reduces it to its maximum.
            burst_credit: f64::INFINITY,
            credited_at: now,
            departures: Departures::default(),
            repairs: std::iter::repeat_with(Repairs::default).take(slots).collect(),
        }
    }

    /// How fast bursts may leave, in bytes per second.
    #[cfg(test)]
    pub(super) fn pace(&self) -> f64 {
        self.pace.get()
    }

    /// Handles the browser's report on when packets of bursts arrived.
    pub fn handle_arrivals(&mut self, now: Instant, reports: &[ArrivalReport]) {
        self.pace.handle_arrivals(now, &self.departures.resolve(reports));
    }

    /// Handles the browser's NACK for packets of a slot.
    pub fn handle_lost(&mut self, slot: SlotPosition, sequence_numbers: &[u16]) {
        if let Some(repairs) = self.repairs.get_mut(slot.0) {
            for number in sequence_numbers {
                repairs.request(*number);
            }
        }
    }

    /// Releases the packets that may leave now, slot by slot in turns. Returns when to call it again, if more is waiting.
    pub fn release(
        &mut self,
        now: Instant,
        slots: &mut [Slot],
        mut send: impl FnMut(SlotPosition, Departing),
    ) -> Option<Instant> {
        self.refill(now);
        let more_repairs = self.release_repairs(&mut send);
        self.release_kind(Kind::Live, now, slots, &mut send)
            .or_else(|| self.release_kind(Kind::Burst, now, slots, &mut send))
            .or(more_repairs)
    }

    /// Sends lost packets again. They come first, since the browser's picture stands still until it has them.
    fn release_repairs(&mut self, send: &mut impl FnMut(SlotPosition, Departing)) -> Option<Instant> {
        for slot in 0..self.repairs.len() {
            while !self.repairs[slot].is_empty() {
                if self.repair_budget == 0 {
                    return Some(self.refilled_at + TICK);
                }
                let Some(repair) = self.repairs[slot].pop() else { break };
                self.charge(repair.packet.payload.len());
                send(SlotPosition(slot), repair);
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
            while turn > 0 && Kind::of(slot) == kind {
                if kind == Kind::Burst && self.burst_credit <= 0.0 {
                    let wait = Duration::from_secs_f64(-self.burst_credit / self.pace.get());
                    return Some(self.credited_at + wait.max(TICK));
                }
                let Some(packet) = slot.pop_packet(now) else { break };
                if kind == Kind::Burst {
                    self.charge(packet.payload.len());
                }
                let transport_number =
                    packet.report_arrival.then(|| self.departures.number(now, packet.payload.len()));
                let departing = Departing { packet, transport_number };
                self.repairs[position.0].note(now, departing.clone());
                send(position, departing);
                turn -= 1;
                self.budget -= 1;
            }
            idle = if self.budget == before { idle + 1 } else { 0 };
            self.next = SlotPosition((position.0 + 1) % slots.len());
        }
        None
    }

    /// Charges a packet of a burst, or a repair, to the credit of bursts.
    fn charge(&mut self, bytes: usize) {
        self.burst_credit -= bytes as f64;
        self.pace.handle_sent(bytes);
    }

    fn refill(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.refilled_at);
        if since >= TICK {
            // Unused budget is not added to that of the next tick, or more than 30 packets could leave at once.
            self.budget = PACKETS_PER_TICK;
            self.repair_budget = REPAIRS_PER_TICK;
            self.refilled_at = now;
        }
        let rate = self.pace.get();
        let since = now.saturating_duration_since(self.credited_at).as_secs_f64();
        let most = rate * CREDIT_MEMORY.as_secs_f64();
        let least = -rate * LONGEST_DEBT.as_secs_f64();
        self.burst_credit = (self.burst_credit + since * rate).clamp(least, most);
        self.credited_at = now;
    }
}
