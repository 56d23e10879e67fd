//! Shares one connection between its slots.
//!
//! A burst of a thousand packets at once overruns socket buffers between here and the browser, and the repairs cost more
//! than the pacing: 30 packets in a millisecond arrive clean (measured in Chromium), whichever slots they belong to. On a
//! slower path bursts go slower still ([`BurstRate`]), and never before a live frame: one tile that catches up shall not
//! make the others late.

use std::time::{Duration, Instant};

use super::{Arrival, BurstRate, Released, Slot};

/// Packets that may leave at once, and per [`TICK`].
const PACKETS_PER_TICK: u32 = 30;
const TICK: Duration = Duration::from_millis(1);
/// A slot's turn: long enough that a frame leaves in few pieces, short enough that nine slots advance together.
const PACKETS_PER_TURN: u32 = 5;
/// Credit for bursts is saved up for this long, since timers are late by a millisecond or two.
const CREDIT_MEMORY: Duration = Duration::from_millis(4);

/// The budget of one connection.
#[derive(Debug)]
pub struct Pacer {
    budget: u32,
    refilled_at: Instant,
    /// The slot whose turn is next.
    next: usize,
    burst_rate: BurstRate,
    /// Bytes of bursts that may leave; the last packet may overdraw it.
    burst_credit: f64,
    credited_at: Instant,
}

impl Pacer {
    pub fn new(now: Instant) -> Self {
        Self {
            budget: PACKETS_PER_TICK,
            refilled_at: now,
            next: 0,
            burst_rate: BurstRate::new(now),
            // Capped by the first refill.
            burst_credit: f64::INFINITY,
            credited_at: now,
        }
    }

    /// Takes the receiver's report on packets of bursts.
    pub fn handle_arrivals(&mut self, now: Instant, arrivals: &[Arrival]) {
        self.burst_rate.handle_arrivals(now, arrivals);
    }

    /// Hands out the packets that may leave now, slot by slot in turns. Returns when to come back, if more is waiting.
    pub fn release(
        &mut self,
        now: Instant,
        slots: &mut [Slot],
        mut send: impl FnMut(usize, Released),
    ) -> Option<Instant> {
        self.refill(now);
        self.release_kind(false, now, slots, &mut send)
            .or_else(|| self.release_kind(true, now, slots, &mut send))
    }

    /// Hands out live frames or bursts only.
    fn release_kind(
        &mut self,
        bursts: bool,
        now: Instant,
        slots: &mut [Slot],
        send: &mut impl FnMut(usize, Released),
    ) -> Option<Instant> {
        let mut idle = 0;
        while idle < slots.len() {
            if self.budget == 0 {
                return Some(self.refilled_at + TICK);
            }
            self.next %= slots.len();
            let mut turn = PACKETS_PER_TURN.min(self.budget);
            let before = self.budget;
            while turn > 0 && slots[self.next].is_catching_up() == bursts {
                if bursts && self.burst_credit <= 0.0 {
                    let wait = Duration::from_secs_f64(-self.burst_credit / self.burst_rate.get());
                    return Some(self.credited_at + wait.max(TICK));
                }
                let Some(released) = slots[self.next].pop_packet(now) else { break };
                if bursts {
                    self.charge(released.packet.payload.len());
                }
                send(self.next, released);
                turn -= 1;
                self.budget -= 1;
            }
            idle = if self.budget == before { idle + 1 } else { 0 };
            self.next += 1;
        }
        None
    }

    fn charge(&mut self, bytes: usize) {
        self.burst_credit -= bytes as f64;
        self.burst_rate.handle_sent(bytes);
    }

    fn refill(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.refilled_at);
        if since >= TICK {
            // Unused budget is not saved up: the limit is what may leave at once.
            self.budget = PACKETS_PER_TICK;
            self.refilled_at = now;
        }
        let rate = self.burst_rate.get();
        let since = now.saturating_duration_since(self.credited_at).as_secs_f64();
        let most = rate * CREDIT_MEMORY.as_secs_f64();
        self.burst_credit = (self.burst_credit + since * rate).min(most);
        self.credited_at = now;
    }
}
