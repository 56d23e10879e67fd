//! A network on virtual time: a bottleneck with a queue, then a path that delays, loses and reorders packets, by a seed.
//!
//! It has no socket and no clock: packets go in with the time at which they are sent, and come out when the time that is passed
//! to
//! [`Network::receive`] has reached their arrival. `path.rs` does the same on real sockets.

use std::time::{Duration, Instant};

/// The conditions of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetworkConditions {
    pub bytes_per_second: f64,
    /// How long a packet may wait for those before it; one that would wait longer is dropped.
    pub queue: Duration,
    /// The one-way delay behind the bottleneck.
    pub delay: Duration,
    /// The largest random addition to the delay, uniform from zero. It keeps the order of packets.
    pub jitter: Duration,
    /// The share of packets that are lost, from 0 to 1.
    pub loss: f64,
    /// The share of packets that take [`Self::detour`] longer than the others, so that later ones overtake them.
    pub reordered: f64,
    pub detour: Duration,
}

impl Default for NetworkConditions {
    /// A gigabit and 10 ms.
    fn default() -> Self {
        Self {
            bytes_per_second: 125e6,
            queue: Duration::from_millis(300),
            delay: Duration::from_millis(10),
            jitter: Duration::ZERO,
            loss: 0.0,
            reordered: 0.0,
            detour: Duration::from_millis(5),
        }
    }
}

/// One direction of a network that carries `T`.
#[derive(Debug)]
pub struct Network<T> {
    /// May be changed at any time; packets that are under way keep their arrival.
    pub conditions: NetworkConditions,
    random: u64,
    /// When the bottleneck will have sent everything in its queue.
    free_at: Instant,
    /// The latest arrival of a packet that took no detour.
    in_order_until: Instant,
    /// The packets under way, in order of arrival.
    under_way: Vec<(Instant, T)>,
}

impl<T> Network<T> {
    pub fn new(now: Instant, conditions: NetworkConditions, seed: u64) -> Self {
        // Any odd number makes a full-period state of the generator below.
        let random = seed.wrapping_mul(2).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self { conditions, random, free_at: now, in_order_until: now, under_way: Vec::new() }
    }

    /// Sends a packet. Returns whether it will arrive.
    pub fn send(&mut self, now: Instant, bytes: usize, packet: T) -> bool {
        let conditions = self.conditions;
        if self.free_at.saturating_duration_since(now) > conditions.queue {
            return false;
        }
        let takes = Duration::from_secs_f64(bytes as f64 / conditions.bytes_per_second);
        self.free_at = self.free_at.max(now) + takes;
        let (lost, detour) = (self.chance(conditions.loss), self.chance(conditions.reordered));
        let jitter = conditions.jitter.mul_f64(self.uniform());
        if lost {
            return false;
        }
        let mut at = (self.free_at + conditions.delay + jitter).max(self.in_order_until);
        if detour {
            at += conditions.detour;
        } else {
            self.in_order_until = at;
        }
        let place = self.under_way.partition_point(|(arrival, _)| *arrival <= at);
        self.under_way.insert(place, (at, packet));
        true
    }

    /// Takes the packets that have arrived by `now`, each with its time of arrival, in that order.
    pub fn receive(&mut self, now: Instant) -> Vec<(Instant, T)> {
        let arrived = self.under_way.partition_point(|(at, _)| *at <= now);
        self.under_way.drain(..arrived).collect()
    }

    /// How long a packet that is sent now would wait for those before it.
    pub fn queued(&self, now: Instant) -> Duration {
        self.free_at.saturating_duration_since(now)
    }

    fn chance(&mut self, share: f64) -> bool {
        self.uniform() < share
    }

    /// In 0 to 1; xorshift64* (Vigna, 2016).
    fn uniform(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(conditions: NetworkConditions, packets: u32) -> (Vec<u32>, Duration) {
        let start = Instant::now();
        let mut network = Network::new(start, conditions, 7);
        for number in 0..packets {
            network.send(start + Duration::from_millis(number.into()), 1000, number);
        }
        let arrived = network.receive(start + Duration::from_mins(1));
        let last = arrived.last().map_or(Duration::ZERO, |(at, _)| *at - start);
        (arrived.into_iter().map(|(_, number)| number).collect(), last)
    }

    #[test]
    fn packets_arrive_at_the_rate_of_the_bottleneck_and_those_its_queue_cannot_hold_are_dropped() {
        let slow = NetworkConditions { bytes_per_second: 100e3, ..NetworkConditions::default() };
        let (arrived, last) = through(slow, 20);
        assert_eq!(arrived, (0..20).collect::<Vec<_>>());
        assert_eq!(last, Duration::from_millis(210));
        let (arrived, _) = through(NetworkConditions { queue: Duration::from_millis(25), ..slow }, 20);
        // 10 ms each: 3 and 4 would wait 27 and 26 ms, 5 just 25; then one place in ten packets becomes free.
        assert_eq!(arrived, [0, 1, 2, 5, 15]);
    }

    #[test]
    fn the_shares_of_lost_and_reordered_packets_are_as_configured_and_a_seed_repeats_them() {
        let bad = NetworkConditions { loss: 0.1, reordered: 0.05, ..NetworkConditions::default() };
        let (arrived, _) = through(bad, 10_000);
        assert!((8_900..9_100).contains(&arrived.len()), "{}", arrived.len());
        let overtaken = arrived.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert!((350..550).contains(&overtaken), "{overtaken}");
        assert_eq!(through(bad, 10_000).0, arrived);
    }

    #[test]
    fn jitter_keeps_the_order() {
        let (arrived, _) = through(
            NetworkConditions { jitter: Duration::from_millis(20), ..NetworkConditions::default() },
            500,
        );
        assert_eq!(arrived, (0..500).collect::<Vec<_>>());
    }
}
