//! Tests of the estimate on simulated paths, each over many seeds.

use std::time::Duration;

use multistream_testkit::NetworkConditions;

use super::path::{Demand, Path, Sample};
use crate::egress::Estimate;

const SEEDS: std::ops::Range<u64> = 0..20;

fn mbit(rate: f64) -> f64 {
    rate * 1e6 / 8.0
}

/// A link with a round trip of 100 ms and a queue of 200 ms.
fn link(rate: f64) -> NetworkConditions {
    NetworkConditions {
        bytes_per_second: mbit(rate),
        queue: Duration::from_millis(200),
        delay: Duration::from_millis(50),
        ..NetworkConditions::default()
    }
}

/// Runs a path of these conditions for each seed.
fn paths(conditions: NetworkConditions, run: impl Fn(&mut Path)) -> Vec<Path> {
    let paths = SEEDS.map(|seed| {
        let mut path = Path::new(conditions, seed);
        run(&mut path);
        path
    });
    paths.collect()
}

fn ms(seconds: f64) -> usize {
    (seconds * 1000.0) as usize
}

/// The queue's 95th percentile in milliseconds.
fn queue_p95(samples: &[Sample]) -> f64 {
    let mut queues: Vec<f32> = samples.iter().map(|sample| sample.queue).collect();
    queues.sort_by(f32::total_cmp);
    queues[queues.len() * 95 / 100].into()
}

fn mean(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> f64 {
    samples.iter().map(of).sum::<f64>() / samples.len() as f64
}

fn mean_estimate(samples: &[Sample]) -> f64 {
    mean(samples, |sample| sample.estimate)
}

fn lowest_estimate(samples: &[Sample]) -> f64 {
    samples.iter().map(|sample| sample.estimate).fold(f64::INFINITY, f64::min)
}

/// What arrived, in bytes per second.
fn delivered(samples: &[Sample]) -> f64 {
    mean(samples, |sample| f64::from(sample.delivered) * 1000.0)
}

/// For how many seconds at most the estimate was below this, without a break.
fn longest_below(samples: &[Sample], rate: f64) -> f64 {
    let runs = samples.chunk_by(|a, b| (a.estimate < rate) == (b.estimate < rate));
    let below = runs.filter(|run| run[0].estimate < rate).map(<[_]>::len).max();
    below.unwrap_or(0) as f64 / 1000.0
}

/// After how many seconds the estimate was at most a tenth above the link's rate, and the queue below 100 ms, for a second.
fn settled(samples: &[Sample], rate: f64) -> f64 {
    let is_bad = |sample: &Sample| sample.estimate > 1.1 * mbit(rate) || sample.queue > 100.0;
    let calm = samples.windows(1000).position(|window| !window.iter().any(is_bad));
    calm.map_or(f64::INFINITY, |ms| ms as f64 / 1000.0)
}

/// Checks a figure of every seed, and prints the median and the worst one.
#[track_caller]
fn check(what: &str, figures: impl Iterator<Item = f64>, limits: std::ops::RangeInclusive<f64>) {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let (least, median, most) = (figures[0], figures[figures.len() / 2], figures[figures.len() - 1]);
    println!("{what}: {median:.2}, from {least:.2} to {most:.2}");
    assert!(limits.contains(&least) && limits.contains(&most), "{what}: {figures:.2?}, not in {limits:?}");
}

#[test]
fn it_follows_a_link_that_becomes_slower_in_steps_and_fast_again() {
    let paths = paths(link(20.0), |path| {
        path.run(10.0);
        for rate in [4.0, 1.5, 0.4, 20.0] {
            path.network.conditions = link(rate);
            path.run(15.0);
        }
    });
    for (step, rate) in [4.0, 1.5, 0.4].into_iter().enumerate() {
        let from = ms(10.0 + 15.0 * step as f64);
        let phases = || paths.iter().map(|path| &path.samples[from..from + ms(15.0)]);
        let later = || phases().map(|phase| &phase[ms(2.0)..]);
        check(&format!("{rate} Mbit/s: settled after s"), phases().map(|p| settled(p, rate)), 0.0..=2.0);
        check(&format!("{rate} Mbit/s: queue p95 in ms"), later().map(queue_p95), 0.0..=100.0);
        let used = later().map(|phase| delivered(phase) / mbit(rate));
        check(&format!("{rate} Mbit/s: used"), used, 0.8..=1.0);
    }
    let risen = paths.iter().map(|path| &path.samples[ms(55.0)..]).map(|samples| {
        let at = samples.iter().position(|sample| sample.estimate >= mbit(16.0));
        at.map_or(f64::INFINITY, |ms| ms as f64 / 1000.0)
    });
    check("20 Mbit/s again: 16 Mbit/s after s", risen, 0.0..=4.0);
    let end = || paths.iter().map(|path| &path.samples[ms(60.0)..]);
    check("20 Mbit/s again: used", end().map(|phase| delivered(phase) / mbit(20.0)), 0.8..=1.0);
    check("20 Mbit/s again: queue p95 in ms", end().map(queue_p95), 0.0..=100.0);
}

#[test]
fn a_sender_that_falls_silent_once_the_queue_is_long_is_not_taken_for_a_slow_path() {
    let paths = SEEDS.map(|seed| {
        let mut path = Path::new(link(20.0), seed);
        path.run(10.0);
        path.network.conditions = link(4.0);
        path.run(0.15 + 0.01 * seed as f64);
        // The tiles are lowered, and wait for their key frames: nothing is sent.
        path.backlog = 0.0;
        path.demand = Demand::Rate(0.0);
        path.run(0.5);
        path.demand = Demand::Rate(mbit(0.05));
        path.run(1.0);
        path.demand = Demand::Share(0.9);
        path.run(3.0);
        path
    });
    let lowest = paths.map(|path| lowest_estimate(&path.samples[ms(10.0)..]) / mbit(4.0));
    check("silent: lowest share of the path", lowest, 0.5..=1.0);
}

/// The mean estimate as a share of that without the trouble.
fn cost(rate: f64, trouble: NetworkConditions, what: &str) {
    let estimates = |conditions| {
        let paths = paths(conditions, |path| path.run(30.0));
        paths.into_iter().map(|path| mean_estimate(&path.samples[ms(5.0)..]))
    };
    let shares = estimates(link(rate)).zip(estimates(trouble)).map(|(clean, troubled)| troubled / clean);
    check(&format!("{rate} Mbit/s: share left by {what}"), shares, 0.75..=1.25);
}

#[test]
fn random_loss_of_5_percent_costs_less_than_a_quarter() {
    for rate in [2.0, 20.0] {
        cost(rate, NetworkConditions { loss: 0.05, ..link(rate) }, "loss");
    }
}

#[test]
fn jitter_of_30_ms_costs_less_than_a_quarter() {
    for rate in [2.0, 20.0] {
        let (delay, jitter) = (Duration::from_millis(20), Duration::from_millis(60));
        cost(rate, NetworkConditions { delay, jitter, ..link(rate) }, "jitter");
    }
}

#[test]
fn a_greedy_flow_beside_it_gets_and_leaves_a_third_to_two_thirds() {
    for rate in [4.0, 20.0] {
        let paths = paths(link(rate), |path| {
            path.add_tcp();
            path.run(90.0);
        });
        let shares = paths.iter().map(|path| {
            let samples = &path.samples[ms(30.0)..];
            let other = mean(samples, |sample| f64::from(sample.tcp_delivered) * 1000.0);
            delivered(samples) / (delivered(samples) + other)
        });
        check(&format!("{rate} Mbit/s: share beside TCP"), shares, 1.0 / 3.0..=2.0 / 3.0);
    }
}

#[test]
fn an_hour_of_little_to_send_neither_raises_nor_lowers_it() {
    // On the first two the estimate is low enough for padded probes all the time.
    for rate in [4.0, 8.0, 50.0] {
        let mut path = Path::new(link(rate), 1);
        path.run(20.0);
        path.demand = Demand::Rate(mbit(1.0));
        path.run(3600.0);
        let samples = &path.samples[ms(25.0)..];
        let (low, high) = (lowest_estimate(samples), samples.iter().map(|s| s.estimate).fold(0.0, f64::max));
        let padding = mean(samples, |sample| f64::from(sample.padding) * 1000.0);
        println!("{rate} Mbit/s: {low:.0} to {high:.0} B/s, {padding:.0} B/s of padding");
        assert!(low > 0.8 * mbit(rate) && high < 1.2 * mbit(rate), "{rate}: {low:.0} to {high:.0} B/s");
        assert!(padding < 0.03 * mbit(rate), "{rate}: {padding:.0} B/s");
    }
}

/// Runs a path of 20 Mbit/s for 10 s, then with some trouble of the receiver, then for 10 s without it. The estimate must not
/// stay below what is available for more than 2 s after that.
fn recovers(what: &str, trouble: impl Fn(&mut Path)) {
    for demand in [Demand::Share(0.9), Demand::Rate(mbit(3.0))] {
        let paths = paths(link(20.0), |path| {
            path.demand = demand;
            path.run(10.0);
            trouble(path);
            path.run(10.0);
        });
        let below = paths.iter().map(|path| longest_below(&path.samples[ms(10.0)..], mbit(15.0)));
        check(&format!("{what}, {demand:?}: too low for s"), below, 0.0..=2.0);
    }
}

#[test]
fn a_receiver_that_stalls_for_a_second_lowers_it_for_2_s_at_most() {
    recovers("stall", |path| {
        path.stalled_until = Some(path.now + Duration::from_secs(1));
        path.run(1.0);
    });
}

#[test]
fn a_receiver_that_is_busy_for_a_minute_lowers_it_for_2_s_at_most() {
    recovers("busy", |path| {
        path.busy = Some(Duration::from_millis(200));
        path.run(60.0);
        path.busy = None;
    });
}

#[test]
fn feedback_that_is_lost_for_5_s_lowers_it_for_2_s_at_most() {
    recovers("no feedback", |path| {
        path.feedback_lost = true;
        path.run(5.0);
        path.feedback_lost = false;
    });
}

#[test]
fn the_drift_of_clocks_over_a_week_does_not_lower_it() {
    for ppm in [-100.0, 100.0] {
        recovers("drift", |path| {
            path.clock_ppm = ppm;
            path.idle(Duration::from_hours(7 * 24));
            path.run(20.0);
        });
    }
}

#[test]
fn the_wrap_of_the_receivers_clock_does_not_lower_it() {
    recovers("wrap", |path| {
        let wrap = Duration::from_millis(64) * (1 << 24);
        path.clock_start = wrap.saturating_sub(path.now - path.start + Duration::from_secs(2));
        path.run(5.0);
    });
}

#[test]
fn the_estimate_never_exceeds_the_limit_of_a_session_whatever_the_receiver_reports() {
    for limit in [f64::INFINITY, mbit(25.0), mbit(5.0)] {
        let mut path = Path::new(link(250.0), 1);
        path.estimate = Estimate::new(path.now, limit);
        path.demand = Demand::Share(0.9);
        path.run(10.0);
        let highest = path.samples.iter().map(|sample| sample.estimate).fold(0.0, f64::max);
        assert!(highest <= limit, "{highest} of {limit}");
        assert!(highest >= mbit(30.0).min(limit) * 0.9, "it rises to there: {highest} of {limit}");
    }
}
