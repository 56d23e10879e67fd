//! Shares one connection between its slots.
//!
//! A burst of a thousand packets at once overruns socket buffers between here and the browser, and the repairs cost more
//! than the pacing: 30 packets in a millisecond arrive clean (measured in Chromium), whichever slots they belong to. On a
//! slower path bursts go slower still ([`Pace`]), and never before a live frame: one tile that catches up shall not
//! make the others late.

use std::time::{Duration, Instant};

use super::Pace;
use super::departures::Departures;
use super::repairs::Repairs;
use crate::rtp::{ArrivalReport, RtpPacket, SlotPosition};
use crate::slot::Slot;

/// Packets that may leave at once, and per [`TICK`].
const PACKETS_PER_TICK: u32 = 30;
const TICK: Duration = Duration::from_millis(1);
/// Of these, packets that were lost and are sent again: a browser that asks for everything twice gets its pictures still.
const REPAIRS_PER_TICK: u32 = 10;
/// A slot's turn: long enough that a frame leaves in few pieces, short enough that nine slots advance together.
const PACKETS_PER_TURN: u32 = 5;
/// Credit for bursts is saved up for this long, since timers are late by a millisecond or two.
const CREDIT_MEMORY: Duration = Duration::from_millis(4);
/// Repairs leave at once and bursts pay for them, but a burst waits no longer than this for repairs that have left.
const LONGEST_DEBT: Duration = Duration::from_millis(50);

/// A packet that leaves now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departing {
    pub packet: RtpPacket,
    /// Transport-wide sequence number, which counts over all slots of the connection; only where an arrival report is wanted.
    pub transport_number: Option<u16>,
}

/// The budget of one connection.
#[derive(Debug)]
pub struct Pacer {
    budget: u32,
    repair_budget: u32,
    refilled_at: Instant,
    /// The slot whose turn is next.
    next: SlotPosition,
    pace: Pace,
    /// Bytes of bursts that may leave; the last packet may overdraw it.
    burst_credit: f64,
    credited_at: Instant,
    departures: Departures,
    /// By position of the slot.
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
            // Capped by the first refill.
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

    /// Takes the browser's report on packets of bursts.
    pub fn handle_arrivals(&mut self, now: Instant, reports: &[ArrivalReport]) {
        self.pace.handle_arrivals(now, &self.departures.resolve(reports));
    }

    /// Takes the browser's request for packets of a slot that it misses.
    pub fn handle_lost(&mut self, slot: SlotPosition, sequence_numbers: &[u16]) {
        if let Some(repairs) = self.repairs.get_mut(slot.0) {
            for number in sequence_numbers {
                repairs.request(*number);
            }
        }
    }

    /// Hands out the packets that may leave now, slot by slot in turns. Returns when to come back, if more is waiting.
    pub fn release(
        &mut self,
        now: Instant,
        slots: &mut [Slot],
        mut send: impl FnMut(SlotPosition, Departing),
    ) -> Option<Instant> {
        self.refill(now);
        let more_repairs = self.release_repairs(&mut send);
        self.release_kind(false, now, slots, &mut send)
            .or_else(|| self.release_kind(true, now, slots, &mut send))
            .or(more_repairs)
    }

    /// Sends what was lost: its picture waits for it.
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

    /// Hands out live frames or bursts only.
    fn release_kind(
        &mut self,
        bursts: bool,
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
            while turn > 0 && slot.is_catching_up() == bursts {
                if bursts && self.burst_credit <= 0.0 {
                    let wait = Duration::from_secs_f64(-self.burst_credit / self.pace.get());
                    return Some(self.credited_at + wait.max(TICK));
                }
                let Some(packet) = slot.pop_packet(now) else { break };
                if bursts {
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

    fn charge(&mut self, bytes: usize) {
        self.burst_credit -= bytes as f64;
        self.pace.handle_sent(bytes);
    }

    fn refill(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.refilled_at);
        if since >= TICK {
            // Unused budget is not saved up: the limit is what may leave at once.
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
