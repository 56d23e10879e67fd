//! An estimate that steers a sender over a network on virtual time, without slots: cameras offer frames, the sender paces them,
//! and the receiver reports as Chromium does.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use multistream_testkit::{Network, NetworkConditions};

use crate::egress::{Arrival, Estimate};

const MS: Duration = Duration::from_millis(1);
const CAMERAS: u32 = 6;
const FRAME_MS: u32 = 40;
/// A key frame is this much larger than the other frames, and comes this often.
const KEY_FRAME: f64 = 4.0;
const KEY_EVERY: u32 = 50;
const PACKET: usize = 1200;
/// How much faster than the estimate packets leave.
const PACING: f64 = 1.5;

/// What the cameras send.
#[derive(Debug, Clone, Copy)]
pub(super) enum Demand {
    /// This share of the estimate.
    Share(f64),
    /// This many bytes per second.
    Rate(f64),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    number: u64,
    at: Instant,
    bytes: usize,
    probe: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Packet {
    Media(Sent),
    Tcp,
}

/// A sample of each millisecond.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) estimate: f64,
    /// In milliseconds.
    pub(super) queue: f32,
    pub(super) delivered: u32,
    pub(super) tcp_delivered: u32,
    pub(super) padding: u32,
}

/// A TCP flow that always has something to send: slow start, then one segment per round trip more, half after a loss.
#[derive(Debug)]
pub(super) struct Tcp {
    window: f64,
    threshold: f64,
    in_flight: usize,
    acks: VecDeque<Instant>,
    losses: VecDeque<Instant>,
    reduced_at: Instant,
}

pub(super) struct Path {
    pub(super) start: Instant,
    pub(super) now: Instant,
    pub(super) estimate: Estimate,
    pub(super) network: Network<Packet>,
    back: Network<Vec<Arrival>>,
    pub(super) demand: Demand,
    pub(super) tcp: Option<Tcp>,
    /// How much faster the receiver's clock runs than the sender's.
    pub(super) clock_ppm: f64,
    /// The reading of the receiver's clock at the start.
    pub(super) clock_start: Duration,
    /// How often the receiver's process runs; packets count as arrived when it does.
    pub(super) busy: Option<Duration>,
    /// Until when the receiver's process does not run at all.
    pub(super) stalled_until: Option<Instant>,
    pub(super) feedback_lost: bool,
    random: u64,
    pub(super) backlog: f64,
    credit: f64,
    next_number: u64,
    frames: u32,
    /// The packets that the receiver has not reported yet, and the first number of the next report.
    arrived: Vec<(Sent, Duration)>,
    sent: VecDeque<Sent>,
    reported_before: u64,
    report_at: Instant,
    pub(super) samples: Vec<Sample>,
}

impl Path {
    pub(super) fn new(conditions: NetworkConditions, seed: u64) -> Self {
        let now = Instant::now();
        let back = NetworkConditions { delay: Duration::from_millis(50), ..NetworkConditions::default() };
        Self {
            start: now,
            now,
            estimate: Estimate::new(now, f64::INFINITY),
            network: Network::new(now, conditions, seed),
            back: Network::new(now, back, seed),
            demand: Demand::Share(0.9),
            tcp: None,
            clock_ppm: 0.0,
            clock_start: Duration::from_secs(1000),
            busy: None,
            stalled_until: None,
            feedback_lost: false,
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            backlog: 0.0,
            credit: 0.0,
            next_number: 0,
            frames: (seed * 7 % 300) as u32,
            arrived: Vec::new(),
            sent: VecDeque::new(),
            reported_before: 0,
            report_at: now,
            samples: Vec::new(),
        }
    }

    /// In 0 to 1; xorshift64* (Vigna, 2016).
    fn uniform(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn add_tcp(&mut self) {
        self.tcp = Some(Tcp {
            window: 10.0,
            threshold: f64::INFINITY,
            in_flight: 0,
            acks: VecDeque::new(),
            losses: VecDeque::new(),
            reduced_at: self.now,
        });
    }

    /// Passes this time without sending anything.
    pub(super) fn idle(&mut self, how_long: Duration) {
        self.now += how_long;
        self.report_at = self.now;
    }

    pub(super) fn run(&mut self, seconds: f64) {
        for _ in 0..(seconds * 1000.0) as u32 {
            self.now += MS;
            let padding = self.send();
            self.send_tcp();
            let (delivered, tcp_delivered) = self.receive();
            for (_, arrivals) in self.back.receive(self.now) {
                self.estimate.handle_arrivals(self.now, &arrivals);
            }
            self.samples.push(Sample {
                estimate: self.estimate.get(),
                queue: self.network.queued(self.now).as_secs_f32() * 1e3,
                delivered,
                tcp_delivered,
                padding,
            });
        }
    }

    fn send(&mut self) -> u32 {
        let rate = match self.demand {
            Demand::Share(share) => share * self.estimate.get(),
            Demand::Rate(rate) => rate,
        };
        let ms = self.samples.len() as u32;
        // The cameras' frames are spread over the time between two frames of one camera.
        if ms * CAMERAS / FRAME_MS != (ms + 1) * CAMERAS / FRAME_MS {
            self.frames += 1;
            let frame = rate / 1000.0 * f64::from(FRAME_MS) / f64::from(CAMERAS);
            // Each camera has its key frames at another time.
            let is_key = (self.frames / CAMERAS + self.frames % CAMERAS * 8).is_multiple_of(KEY_EVERY);
            let usual = 1.0 / (1.0 + (KEY_FRAME - 1.0) / f64::from(KEY_EVERY));
            let size = if is_key { KEY_FRAME } else { 1.0 } * usual * (0.8 + 0.4 * self.uniform());
            self.backlog += frame * size;
        }
        let probe = self.estimate.probe_rate(self.now, false);
        let pace = probe.unwrap_or(PACING * self.estimate.get());
        self.credit = (self.credit + pace / 1000.0).min(pace * 0.004 + PACKET as f64);
        let mut padding = 0;
        while self.credit >= 0.0 {
            let bytes = (self.backlog as usize).min(PACKET);
            let is_padding = bytes < 200;
            if is_padding && !self.estimate.wants_padding(self.now) {
                self.estimate.handle_nothing_waits();
                break;
            }
            let bytes = if is_padding { 256 } else { bytes };
            if is_padding {
                padding += bytes as u32;
            } else {
                self.backlog -= bytes as f64;
            }
            self.credit -= bytes as f64;
            let probe = self.estimate.handle_sent(bytes);
            let sent = Sent { number: self.next_number, at: self.now, bytes, probe };
            self.next_number += 1;
            self.sent.push_back(sent);
            self.network.send(self.now, bytes, Packet::Media(sent));
        }
        padding
    }

    fn send_tcp(&mut self) {
        let Some(tcp) = &mut self.tcp else { return };
        while tcp.acks.front().is_some_and(|at| *at <= self.now) {
            tcp.acks.pop_front();
            tcp.in_flight = tcp.in_flight.saturating_sub(1);
            tcp.window += if tcp.window < tcp.threshold { 1.0 } else { 1.0 / tcp.window };
        }
        while tcp.losses.front().is_some_and(|at| *at <= self.now) {
            tcp.losses.pop_front();
            tcp.in_flight = tcp.in_flight.saturating_sub(1);
            if self.now - tcp.reduced_at > Duration::from_millis(300) {
                tcp.window = (tcp.window / 2.0).max(2.0);
                tcp.threshold = tcp.window;
                tcp.reduced_at = self.now;
            }
        }
        // At most ten at once, as a pacing sender.
        let room = (tcp.window as usize).saturating_sub(tcp.in_flight).min(10);
        for _ in 0..room {
            tcp.in_flight += 1;
            if !self.network.send(self.now, 1500, Packet::Tcp) {
                tcp.losses.push_back(self.now + Duration::from_millis(300));
            }
        }
    }

    /// The time on the receiver's clock.
    fn receiver_clock(&self, at: Instant) -> Duration {
        let mut since = at - self.start;
        if let Some(every) = self.busy {
            since = every * (since.as_nanos().div_ceil(every.as_nanos()) as u32);
        }
        if let Some(until) = self.stalled_until {
            since = since.max(until - self.start);
        }
        let wrap = Duration::from_millis(64) * (1 << 24);
        let reading = (self.clock_start + since.mul_f64(1.0 + self.clock_ppm / 1e6)).as_micros();
        // A report counts in quarters of a millisecond.
        Duration::from_micros((reading / 250 * 250 % wrap.as_micros()) as u64)
    }

    fn receive(&mut self) -> (u32, u32) {
        let (mut delivered, mut tcp_delivered) = (0, 0);
        for (at, packet) in self.network.receive(self.now) {
            match packet {
                Packet::Media(sent) => {
                    delivered += sent.bytes as u32;
                    self.arrived.push((sent, self.receiver_clock(at)));
                }
                Packet::Tcp => {
                    tcp_delivered += 1500;
                    if let Some(tcp) = &mut self.tcp {
                        tcp.acks.push_back(at + Duration::from_millis(50));
                    }
                }
            }
        }
        self.stalled_until = self.stalled_until.filter(|until| *until > self.now);
        let runs = self.stalled_until.is_none()
            && self.busy.is_none_or(|every| {
                let ms = |time: Duration| time.as_millis();
                ms(self.now - self.start) % ms(every) == 0
            });
        if runs && self.now >= self.report_at && !self.arrived.is_empty() {
            self.report_at = self.now + MS.mul_f64(50.0 + 50.0 * self.uniform());
            self.report();
        }
        (delivered, tcp_delivered)
    }

    fn report(&mut self) {
        let last = self.arrived.iter().map(|(sent, _)| sent.number).max().unwrap_or_default();
        let mut arrived = std::mem::take(&mut self.arrived);
        arrived.sort_by_key(|(sent, _)| sent.number);
        let mut arrivals = Vec::new();
        let arrival = |sent: Sent, arrived, was_lost| Arrival {
            sent: sent.at,
            arrived,
            bytes: sent.bytes,
            probe: sent.probe,
            was_lost,
            is_repair: false,
        };
        for (sent, at) in arrived.iter().filter(|(sent, _)| sent.number < self.reported_before) {
            arrivals.push(arrival(*sent, Some(*at), true));
        }
        while let Some(sent) = self.sent.pop_front_if(|sent| sent.number <= last) {
            let at = arrived.binary_search_by_key(&sent.number, |(sent, _)| sent.number);
            arrivals.push(arrival(sent, at.ok().map(|index| arrived[index].1), false));
        }
        self.reported_before = self.reported_before.max(last + 1);
        if !self.feedback_lost {
            self.back.send(self.now, 100, arrivals);
        }
    }
}
