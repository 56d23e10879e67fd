//! Tests of when a source runs, on a virtual clock.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A `Life` with a virtual clock.
struct Bench {
    life: Life,
    now: Instant,
}

fn bench(sources: usize) -> Bench {
    let settings = LifeSettings {
        linger: 10 * SECOND,
        preload: false,
        patience: vec![Patience { start: 10 * SECOND, silence: 10 * SECOND }; sources],
        key_frame_within: 5 * SECOND,
    };
    let now = Instant::now();
    Bench { life: Life::new(settings, now), now }
}

fn down(message: &str) -> StreamError {
    StreamError { permanent: false, message: message.to_owned() }
}

impl Bench {
    fn join(&mut self) -> Vec<Action> {
        self.life.handle_joined(true, self.now);
        self.actions()
    }

    fn leave(&mut self) -> Vec<Action> {
        self.life.handle_left(self.now);
        self.actions()
    }

    fn key_frame(&mut self) {
        self.life.handle_frame(true, self.now);
    }

    fn end(&mut self, message: &str) -> Vec<Action> {
        self.life.handle_ended(down(message), 0.5, self.now);
        self.actions()
    }

    fn pass(&mut self, time: Duration) -> Vec<Action> {
        let until = self.now + time;
        let mut actions = Vec::new();
        while let Some(at) = self.life.poll_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.life.handle_timeout(0.5, self.now);
            actions.extend(self.actions());
        }
        self.now = until;
        actions
    }

    fn actions(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.life.poll_action()).collect()
    }
}

#[test]
fn the_first_viewer_starts_the_source_and_the_others_share_it() {
    let mut bench = bench(1);
    assert_eq!(bench.life.state(), StreamState::Idle);
    assert_eq!(bench.join(), [Action::Start(0)]);
    assert_eq!(bench.life.state(), StreamState::Starting);
    assert_eq!(bench.join(), []);
    bench.key_frame();
    assert_eq!(bench.life.state(), StreamState::Live);
}

#[test]
fn the_source_lingers_after_the_last_viewer() {
    let mut bench = bench(1);
    bench.join();
    bench.join();
    bench.key_frame();
    bench.leave();
    bench.leave();
    assert_eq!(bench.pass(9 * SECOND), []);
    assert_eq!(bench.pass(SECOND), [Action::Stop]);
    assert_eq!(bench.end("stopped"), []);
    assert_eq!(bench.life.state(), StreamState::Idle);
}

#[test]
fn a_viewer_that_comes_back_in_time_finds_the_source_running() {
    let mut bench = bench(1);
    bench.join();
    bench.key_frame();
    bench.leave();
    bench.pass(5 * SECOND);
    assert_eq!(bench.join(), []);
    bench.life.handle_frame(false, bench.now);
    assert_eq!(bench.pass(14 * SECOND), []);
}

#[test]
fn a_viewer_that_joins_while_the_source_stops_starts_it_again() {
    let mut bench = bench(1);
    bench.join();
    bench.leave();
    assert_eq!(bench.pass(10 * SECOND), [Action::Stop]);
    assert_eq!(bench.join(), []);
    assert_eq!(bench.end("stopped"), [Action::Start(0)]);
}

#[test]
fn sources_are_tried_in_order_before_viewers_are_informed() {
    let mut bench = bench(2);
    bench.join();
    assert_eq!(bench.end("first"), [Action::Start(1)]);
    assert_eq!(bench.end("second"), [Action::TellOffline(down("first"))]);
    assert_eq!(bench.life.state(), StreamState::Offline);
    assert_eq!(bench.pass(2 * SECOND), [Action::Start(0)]);
}

#[test]
fn the_failure_of_a_live_source_is_reported_at_once_and_retried_a_second_later() {
    let mut bench = bench(2);
    bench.join();
    bench.key_frame();
    assert_eq!(bench.end("cable"), [Action::TellOffline(down("cable"))]);
    assert_eq!(bench.pass(SECOND), [Action::Start(0)]);
    assert_eq!(bench.life.error(), Some(&down("cable")));
    bench.key_frame();
    assert_eq!(bench.life.error(), None);
}

#[test]
fn a_silent_source_is_stopped_and_started_again_once_it_has_ended() {
    let mut bench = bench(1);
    bench.join();
    bench.key_frame();
    let actions = bench.pass(15 * SECOND);
    assert_eq!(actions, [Action::Stop, Action::TellOffline(down("the source gave no picture for 15 s"))]);
    assert_eq!(bench.pass(60 * SECOND), []);
    bench.end("stopped");
    assert_eq!(bench.pass(8 * SECOND), [Action::Start(0)]);
}

#[test]
fn after_a_silent_first_source_the_second_starts_once_the_first_has_ended() {
    let mut bench = bench(2);
    bench.join();
    assert_eq!(bench.pass(15 * SECOND), [Action::Stop]);
    assert_eq!(bench.end("stopped"), [Action::Start(1)]);
}

#[test]
fn a_source_without_key_frames_fails_after_30_s() {
    let mut bench = bench(1);
    bench.join();
    bench.life.handle_waiting_frame(bench.now);
    for _ in 0..29 {
        assert_eq!(bench.pass(SECOND), []);
        bench.life.handle_waiting_frame(bench.now);
    }
    assert!(matches!(bench.pass(SECOND)[..], [Action::Stop, Action::TellOffline(_)]));
}

#[test]
fn a_live_source_without_a_key_frame_after_a_loss_fails_after_30_s() {
    let mut bench = bench(1);
    bench.join();
    bench.key_frame();
    for _ in 0..30 {
        assert_eq!(bench.pass(SECOND), []);
        bench.life.handle_waiting_frame(bench.now);
    }
    assert_eq!(bench.life.state(), StreamState::Live, "a long GOP is no fault");
    assert!(matches!(bench.pass(SECOND)[..], [Action::Stop, Action::TellOffline(_)]));
}

#[test]
fn without_viewers_there_are_no_retries() {
    let mut bench = bench(1);
    bench.join();
    bench.end("refused");
    bench.leave();
    for _ in 0..20 {
        if bench.pass(SECOND).contains(&Action::Start(0)) {
            bench.end("refused");
        }
    }
    assert_eq!(bench.life.state(), StreamState::Idle);
}

#[test]
fn a_new_viewer_shortens_a_long_back_off_but_not_after_a_permanent_failure() {
    for permanent in [false, true] {
        let mut bench = bench(1);
        bench.join();
        for _ in 0..25 {
            bench.life.handle_ended(StreamError { permanent, message: "no".to_owned() }, 0.5, bench.now);
            bench.actions();
            while bench.pass(SECOND).is_empty() {}
        }
        bench.life.handle_ended(StreamError { permanent, message: "no".to_owned() }, 0.5, bench.now);
        bench.actions();
        bench.pass(SECOND);
        bench.join();
        assert_eq!(bench.pass(2 * SECOND).is_empty(), permanent);
    }
}

#[test]
fn a_variant_recovers_within_seconds_after_any_outage_of_its_camera() {
    let mut bench = bench(1);
    bench.join();
    for turn in 0..100 {
        let error = StreamError { permanent: turn % 2 == 0, ..down("camera1 is down") };
        bench.life.handle_input_down(error, 0.5, bench.now);
        bench.actions();
        assert_eq!(bench.pass(2 * SECOND), [Action::Start(0)]);
    }
}

#[test]
fn a_variant_that_resubscribes_does_not_shorten_its_cameras_back_off() {
    let mut bench = bench(1);
    bench.join();
    for _ in 0..25 {
        bench.end("unplugged");
        while bench.pass(SECOND).is_empty() {}
    }
    bench.end("unplugged");
    let retry = bench.life.poll_timeout();
    bench.life.handle_joined(false, bench.now);
    bench.life.handle_left(bench.now);
    assert_eq!(bench.life.poll_timeout(), retry);
    bench.life.handle_joined(true, bench.now);
    assert!(bench.life.poll_timeout() < retry);
}

#[test]
fn a_preloaded_stream_runs_without_viewers() {
    let settings = LifeSettings { linger: SECOND, preload: true, ..bench(1).life.settings };
    let now = Instant::now();
    let mut bench = Bench { life: Life::new(settings, now), now };
    assert_eq!(bench.actions(), [Action::Start(0)]);
    bench.key_frame();
    bench.join();
    bench.leave();
    assert_eq!(bench.pass(10 * SECOND), []);
}

/// A live stream whose viewer gets pictures, but no key frame.
fn keyless() -> Bench {
    let mut bench = bench(1);
    bench.join();
    bench.key_frame();
    bench
}

impl Bench {
    /// Pictures come for so many seconds.
    fn frames(&mut self, seconds: u32) -> Vec<Action> {
        let second = |_| {
            self.life.handle_frame(false, self.now);
            self.pass(SECOND)
        };
        (0..seconds).flat_map(second).collect()
    }

    fn awaited(&mut self, waits: bool) {
        self.life.handle_awaited(waits, self.now);
    }
}

#[test]
fn a_source_is_started_anew_for_a_viewer_that_no_key_frame_comes_for() {
    let mut bench = keyless();
    assert_eq!(bench.frames(60), [], "as long as everybody has a picture");
    bench.awaited(true);
    assert_eq!(bench.frames(4), []);
    let actions = bench.frames(2);
    assert!(
        matches!(&actions[..], [Action::TellWaiting(error), Action::Stop] if error.message.contains("key frame interval"))
    );
    assert_eq!(bench.end("stopped"), [Action::Start(0)]);
    assert_eq!((bench.life.state(), bench.life.restarts()), (StreamState::Starting, 1));
    assert!(bench.life.error().is_some());
    bench.key_frame();
    assert_eq!((bench.life.state(), bench.life.error()), (StreamState::Live, None));
    assert_eq!(bench.frames(60), []);
}

#[test]
fn a_silent_source_that_is_started_anew_for_a_viewer_is_not_said_to_lack_key_frames() {
    let mut bench = keyless();
    bench.frames(2);
    bench.awaited(true);
    let actions = bench.pass(5 * SECOND);
    assert!(
        matches!(&actions[..], [Action::TellWaiting(error), Action::Stop] if error.message.contains("no picture for")),
        "{actions:?}"
    );
}

#[test]
fn a_key_frame_in_time_or_a_viewer_that_leaves_needs_no_new_start() {
    let mut bench = keyless();
    bench.awaited(true);
    bench.frames(4);
    bench.key_frame();
    assert_eq!(bench.frames(20), []);
    bench.awaited(true);
    bench.frames(4);
    bench.awaited(false);
    assert_eq!(bench.frames(20), []);
}

#[test]
fn starts_for_a_key_frame_are_ten_seconds_apart_at_least_until_the_camera_sends_one_by_itself() {
    let mut bench = keyless();
    let asks = |bench: &mut Bench| {
        bench.awaited(true);
        let mut seconds = 0;
        while bench.frames(1).is_empty() {
            seconds += 1;
        }
        bench.end("stopped");
        bench.key_frame();
        seconds
    };
    assert_eq!([asks(&mut bench), asks(&mut bench), asks(&mut bench)], [4, 9, 9]);
    bench.key_frame();
    assert_eq!(asks(&mut bench), 4, "it had sent one by itself");
    for _ in 0..20 {
        asks(&mut bench);
    }
    assert_eq!(asks(&mut bench), 59);
}

#[test]
fn a_source_may_take_longer_for_its_first_picture_than_for_others() {
    let mut bench = bench(1);
    bench.life.settings.patience[0].start = 60 * SECOND;
    bench.join();
    assert_eq!(bench.pass(64 * SECOND), []);
    bench.key_frame();
    assert_eq!(bench.pass(14 * SECOND), []);
    assert_eq!(bench.pass(SECOND)[0], Action::Stop);
}
