//! Whatever the trouble of the network, of a camera or of the viewer's machine: two seconds after it every slot is live, and every
//! request is answered. The slots, the pacer, the allocator, the GOP caches and the queues between them are the real ones; the
//! network and the clock are virtual, and a seed decides what happens.

use std::time::Duration;

use multistream_testkit::NetworkConditions;

use super::world::{CAMERAS, FRAME_MS, GOP_FRAMES, KEY_PACKETS, MS, World, open_link};
use crate::slot::Slot;
use crate::slot::tests::hubs::Hub;

const SEEDS: std::ops::Range<u64> = 0..150;
/// The key frame of a camera of 4K.
const HUGE_KEY_PACKETS: usize = 250;
const LIVE_AFTER: Duration = Duration::from_secs(2);
/// Then no slot shows less than its stream.
const WHOLE_AFTER_THAT: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Trouble {
    /// The link carries almost nothing.
    Rate(f64),
    Loss(f64),
    /// What the viewer reports is lost.
    FeedbackLost,
    Reordered,
    /// The path takes a detour, and then no longer.
    Delay(Duration),
    /// The viewer's machine gives the browser a turn only this often.
    Busy(Duration),
    /// The viewer's clock runs wrong.
    Drift,
    /// The key frames are those of 4K.
    HugeKeyFrames,
    /// One camera is gone.
    CameraGone,
}

const TROUBLES: [Trouble; 12] = [
    Trouble::Rate(2_000.0),
    Trouble::Rate(30_000.0),
    Trouble::Rate(120_000.0),
    Trouble::Loss(1.0),
    Trouble::Loss(0.3),
    Trouble::FeedbackLost,
    Trouble::Reordered,
    Trouble::Delay(Duration::from_millis(400)),
    Trouble::Busy(Duration::from_millis(250)),
    Trouble::Drift,
    Trouble::HugeKeyFrames,
    Trouble::CameraGone,
];

impl World {
    fn begin(&mut self, trouble: Trouble) {
        let link = &mut self.network.conditions;
        match trouble {
            Trouble::Rate(rate) => link.bytes_per_second = rate,
            Trouble::Loss(share) => link.loss = share,
            Trouble::FeedbackLost => self.back.conditions.loss = 1.0,
            Trouble::Reordered => (link.reordered, link.detour) = (0.3, Duration::from_millis(60)),
            Trouble::Delay(delay) => (link.delay, self.back.conditions.delay) = (delay, delay),
            Trouble::Busy(every) => self.runs_every = every,
            Trouble::Drift => self.clock_ppm = 100.0,
            Trouble::HugeKeyFrames => self.set_key_packets(HUGE_KEY_PACKETS),
            Trouble::CameraGone => {
                let camera = self.below(CAMERAS);
                self.gone = Some(camera);
                self.hubs[camera].go_offline();
                self.hubs[camera + CAMERAS].go_offline();
            }
        }
    }

    fn end_all(&mut self) {
        self.network.conditions = open_link();
        self.back.conditions = NetworkConditions::default();
        self.runs_every = MS;
        self.clock_ppm = 0.0;
        if self.hubs[0].camera.key_packets != Some(KEY_PACKETS) {
            self.set_key_packets(KEY_PACKETS);
            self.hubs.iter_mut().for_each(Hub::recover);
        }
        self.gone = None;
    }

    /// Until the last packet that came to a slow link has passed it.
    fn drain(&mut self) {
        while self.network.queued(self.now) > Duration::from_millis(20) {
            self.run(MS, false);
        }
    }

    fn set_key_packets(&mut self, packets: usize) {
        self.hubs[..CAMERAS].iter_mut().for_each(|hub| hub.camera.key_packets = Some(packets));
    }

    /// What is not as it should be: slots that are not live, and requests without an answer.
    fn wrong(&self) -> Vec<String> {
        let mut wrong: Vec<String> = self.open.values().map(|what| format!("no answer: {what}")).collect();
        for (slot, camera) in self.wanted.iter().enumerate() {
            let Some(camera) = *camera else { continue };
            let shows = self.receivers[slot].shows();
            let is_live = shows.is_some_and(|(picture, at)| {
                let pictured = usize::from(picture.camera);
                let behind = self.hubs[pictured].camera.frames.wrapping_sub(picture.number);
                // A tile that gets key frames only waits for the next one.
                let most = if self.slots[slot].status().picture_every_ms.is_some() { GOP_FRAMES } else { 10 };
                let most = most + 2;
                pictured % CAMERAS == camera
                    && usize::from(behind) < most
                    && self.now - at < MS * (FRAME_MS * most) as u32
            });
            if !is_live {
                let since = shows.map(|(picture, at)| (picture, self.now - at));
                let estimate = self.pacer.estimate() as u64;
                wrong.push(format!(
                    "slot {slot}, camera {camera}: shows {since:?}, {:?}, {estimate} B/s",
                    self.slots[slot].status()
                ));
            }
        }
        wrong
    }

    /// The slots that do not show their whole stream.
    fn limited(&self) -> Vec<String> {
        let limited = |slot: &&Slot| slot.step().is_some_and(|step| step.is_limited);
        self.slots.iter().filter(limited).map(|slot| format!("still: {:?}", slot.status())).collect()
    }
}

#[test]
fn two_seconds_after_any_trouble_all_is_live_and_answered_and_after_five_whole() {
    let mut failures = Vec::new();
    for seed in SEEDS {
        let mut world = World::new(seed);
        world.run(Duration::from_secs(3), true);
        assert!(world.pacer.measured().is_some(), "seed {seed}: the network is measured");
        let troubles: [Trouble; 2] = std::array::from_fn(|_| TROUBLES[world.below(TROUBLES.len())]);
        for trouble in troubles {
            world.begin(trouble);
            let seconds = 2 + world.below(8) as u64;
            world.run(Duration::from_secs(seconds), true);
        }
        world.end_all();
        world.drain();
        world.run(LIVE_AFTER, false);
        let mut wrong = world.wrong();
        world.run(WHOLE_AFTER_THAT, false);
        wrong.extend(world.limited());
        if !wrong.is_empty() {
            failures.push(format!("seed {seed}, {troubles:?}:\n  {}", wrong.join("\n  ")));
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), SEEDS.end, failures.join("\n"));
}
