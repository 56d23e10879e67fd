//! Tests that the rate of bursts recovers after any temporary trouble of the network or the viewer's machine.

use std::time::Duration;

use multistream_testkit::NetworkConditions;

use super::wall::Wall;

const SEEDS: std::ops::Range<u64> = 0..8;
/// In bytes per second: 20 Mbit/s, at which the key frame of a tile leaves within 10 ms.
const FAST_ENOUGH: f64 = 2.5e6;

fn gigabit() -> NetworkConditions {
    NetworkConditions { jitter: Duration::from_millis(2), ..NetworkConditions::default() }
}

/// Switches slot after slot, four times a second. Returns how long each took to show its key frame, in ms; at most 250.
fn switch_about(wall: &mut Wall, turns: usize, key_packets: usize, delta_frames: u64) -> Vec<u128> {
    let shown = (0..turns).map(|turn| {
        let shown = wall.switch(turn % wall.slots.len(), key_packets, delta_frames, 250);
        shown.map_or(250, |after| after.as_millis())
    });
    shown.collect()
}

#[test]
fn clock_drift_during_an_idle_hour_is_not_taken_for_a_queue() {
    for (seed, ppm) in SEEDS.zip([-50.0, -20.0, 20.0, 30.0, 50.0, 50.0, 80.0, 100.0]) {
        let mut wall = Wall::new(6, gigabit(), seed);
        wall.clock_ppm = ppm;
        switch_about(&mut wall, 12, 15, 40);
        let before = wall.estimate();
        wall.idle(Duration::from_hours(1));
        switch_about(&mut wall, 12, 15, 40);
        let after = wall.estimate();
        assert!(after >= 0.9 * before, "{ppm} ppm: {before:.0} B/s before the hour, {after:.0} after");
    }
}

/// A minute in which the viewer's machine runs the browser only every 200 ms, then calm.
fn after_a_busy_minute(key_packets: usize, delta_frames: u64) {
    for seed in SEEDS {
        let mut wall = Wall::new(6, gigabit(), seed);
        switch_about(&mut wall, 12, key_packets, delta_frames);
        wall.busy = Some(Duration::from_millis(200));
        switch_about(&mut wall, 240, key_packets, delta_frames);
        let busy = wall.estimate();
        wall.busy = None;
        switch_about(&mut wall, 20, key_packets, delta_frames);
        let calm = wall.estimate();
        let shown = switch_about(&mut wall, 20, key_packets, delta_frames);
        let late = shown.iter().filter(|ms| **ms > 30).count();
        assert!(
            calm >= FAST_ENOUGH && late == 0,
            "seed {seed}: {busy:.0} B/s while busy, {calm:.0} after 5 s of calm; {late} of 20 later than 30 ms: {shown:?}"
        );
    }
}

#[test]
fn the_rate_has_recovered_5_s_after_the_viewers_machine_was_busy() {
    after_a_busy_minute(15, 45);
}

#[test]
fn the_rate_recovers_also_with_small_bursts_only() {
    after_a_busy_minute(8, 2);
}

#[test]
fn the_rate_has_recovered_5_s_after_the_network_was_bad() {
    let slow = NetworkConditions { bytes_per_second: 150e3, ..gigabit() };
    let lossy = NetworkConditions { loss: 0.3, ..gigabit() };
    for bad in [slow, lossy] {
        for seed in SEEDS {
            let mut wall = Wall::new(6, gigabit(), seed);
            switch_about(&mut wall, 12, 15, 45);
            wall.network.conditions = bad;
            switch_about(&mut wall, 40, 15, 45);
            let low = wall.estimate();
            wall.network.conditions = gigabit();
            switch_about(&mut wall, 20, 15, 45);
            assert!(wall.estimate() >= FAST_ENOUGH, "{bad:?}: {low:.0} B/s, then {:.0}", wall.estimate());
        }
    }
}

#[test]
fn lost_packets_are_sent_again() {
    for seed in SEEDS {
        let lossy = NetworkConditions { loss: 0.05, ..gigabit() };
        let mut wall = Wall::new(6, lossy, seed);
        switch_about(&mut wall, 40, 15, 45);
        let packets: usize = wall.received.iter().map(|received| received.packets).sum();
        wall.network.conditions = gigabit();
        wall.run(300);
        assert!(packets > 3000, "{packets}");
        assert_eq!(wall.missing(), 0, "seed {seed}: of {packets} packets");
    }
}

#[test]
fn packets_that_overtake_others_do_not_count_as_lost() {
    for seed in SEEDS {
        let crossing = NetworkConditions { reordered: 0.3, ..gigabit() };
        let mut wall = Wall::new(6, crossing, seed);
        let shown = switch_about(&mut wall, 60, 15, 45);
        assert!(wall.estimate() >= FAST_ENOUGH, "seed {seed}: {:.0} B/s; {shown:?}", wall.estimate());
    }
}
