//! What each slot may send of the path's rate: knows the steps of every slot from the streams of the config and what they need,
//! and passes the allocator's decisions on to the slots.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use multistream_protocol::NATIVE;
use tracing::debug;

use crate::egress::{Allocator, Importance, Tile};
use crate::media::Codec;
use crate::rtp::SlotPosition;
use crate::slot::{Change, Order, Pictures, Slot, Step, StepFailure, Target};
use crate::stream::{Needs, Registry, StreamName};

/// How often the division is reviewed while the connection is up.
const REVIEW_EVERY: Duration = Duration::from_millis(100);
/// RTP, SRTP, UDP and IP headers on packets of 1200 bytes.
const OVERHEAD: f64 = 1.06;
/// A variant that needs more than this share of the better one is no step of its own.
const NOTICEABLY_LESS: f64 = 0.8;
/// A burst may take this long of the path. A longer one would delay the other tiles; the slot waits for a key frame instead.
const LONGEST_BURST: Duration = Duration::from_millis(500);
/// For how long a variant that failed is not used in place of its camera.
const FAILED_FOR: Duration = Duration::from_secs(30);

/// How the path's rate is divided among a session's slots.
#[derive(Debug)]
pub(super) struct Bandwidth {
    allocator: Allocator,
    /// By position of the slot.
    importance: Vec<Importance>,
    /// The variants that cannot be used at present, until when; `None` for the rest of the session.
    failed: HashMap<StreamName, Option<Instant>>,
    review_at: Option<Instant>,
}

/// The steps of one slot's stream, best first, with what each needs in bytes per second. The last one sends nothing more.
struct Choices {
    steps: Vec<Step>,
    needs: Vec<f64>,
    /// The index of the smallest step that sends all pictures.
    moving: usize,
}

impl Bandwidth {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            allocator: Allocator::default(),
            importance: vec![Importance::default(); slots],
            failed: HashMap::new(),
            review_at: None,
        }
    }

    pub(super) fn set_priority(&mut self, slot: SlotPosition, priority: i32) {
        if let Some(importance) = self.importance.get_mut(slot.0) {
            importance.priority = priority;
        }
    }

    /// What a slot is to show for a new request. `estimate` is what the path carries, in bytes per second, if it is known.
    pub(super) fn order(
        &mut self,
        registry: &Registry,
        slots: &[Slot],
        position: SlotPosition,
        target: Target,
        estimate: Option<f64>,
    ) -> Order {
        self.allocator.forget(position.0);
        if let Some(importance) = self.importance.get_mut(position.0) {
            importance.is_chosen = target.quality.as_deref() == Some(NATIVE);
        }
        let Choices { steps, needs, moving } = self.choices(registry, slots.get(position.0), &target);
        let others = slots.iter().enumerate().filter(|(index, _)| *index != position.0);
        let used: f64 = others.map(|(_, slot)| self.used(registry, slot)).sum();
        let fits = |index: usize| {
            let Some(estimate) = estimate else { return true };
            let burst = burst_of(registry.needs(&steps[index].source.name));
            needs[index] <= (estimate - used).max(estimate / slots.len().max(1) as f64)
                && burst <= burst_limit(estimate)
        };
        let fitting = (0..=moving).find(|index| fits(*index));
        // Where even the smallest variant does not fit, the review that follows lowers the tiles by their importance.
        let step = steps[fitting.unwrap_or(moving)].clone();
        let is_live = |step: &Step| registry.needs(&step.source.name).is_live;
        let first = (!is_live(&step))
            .then(|| steps[..=moving].iter().rev().find(|smaller| is_live(smaller)))
            .flatten()
            .map(|smaller| smaller.source.clone());
        Order { target, step, first }
    }

    /// What a slot is to show in an atomic layout: the layout must not fail because of a variant that nobody requested.
    pub(super) fn order_at_once(
        &mut self,
        registry: &Registry,
        slots: &[Slot],
        position: SlotPosition,
        target: Target,
        estimate: Option<f64>,
    ) -> Order {
        let order = self.order(registry, slots, position, target, estimate);
        if registry.needs(&order.step.source.name).is_live { order } else { order.target.into() }
    }

    /// A variant that was to be shown in place of its camera failed.
    pub(super) fn handle_failure(&mut self, now: Instant, failure: StepFailure) {
        let until = (!failure.permanent).then(|| now + FAILED_FOR);
        self.failed.insert(failure.source.name, until);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.review_at
    }

    /// Reviews the division if it is time. `estimate` is what the path carries, in bytes per second; `None` before it is known
    /// and on a connection that does not report it.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        registry: &Registry,
        slots: &mut [Slot],
        estimate: Option<f64>,
    ) {
        let Some(estimate) = estimate else {
            self.review_at = None;
            return;
        };
        if self.review_at.is_some_and(|at| at > now) {
            return;
        }
        self.review_at = Some(now + REVIEW_EVERY);
        self.failed.retain(|_, until| until.is_none_or(|until| until > now));
        let (mut tiles, mut present) = (Vec::with_capacity(slots.len()), Vec::with_capacity(slots.len()));
        for (slot, importance) in slots.iter().zip(&self.importance) {
            let (tile, found, steps) = self.tile(registry, slot, *importance).unwrap_or_default();
            tiles.push(tile);
            present.push((found, steps));
        }
        let chosen = self.allocator.allocate(now, estimate, &tiles);
        // Slots that change at the same time share what may be sent for that; the most important one comes first.
        let mut changes: Vec<usize> = (0..slots.len()).collect();
        changes.sort_by_key(|index| std::cmp::Reverse(tiles[*index].importance));
        let mut burst = burst_limit(estimate);
        for index in changes {
            let (found, steps) = &mut present[index];
            if steps.is_empty() {
                continue;
            }
            if *found == Some(chosen[index]) {
                slots[index].rejoin(burst);
                continue;
            }
            let step = steps.swap_remove(chosen[index]);
            let needed = burst_of(registry.needs(&step.source.name));
            debug!(
                slot = slots[index].index(),
                source = %step.source.name,
                pictures = ?step.pictures,
                estimate_kbps = (estimate * 8.0 / 1000.0) as u64,
                "goes to another step"
            );
            slots[index].go_to(step, Change { burst, is_urgent: chosen[index] > tiles[index].current });
            burst = burst.saturating_sub(needed);
        }
    }

    /// What the allocator is told of a slot, the index of its present step, and its steps; `None` for one that shows nothing.
    fn tile(
        &self,
        registry: &Registry,
        slot: &Slot,
        importance: Importance,
    ) -> Option<(Tile, Option<usize>, Vec<Step>)> {
        let (target, present) = slot.target().zip(slot.next_step().or_else(|| slot.step()))?;
        let Choices { steps, needs, moving } = self.choices(registry, Some(slot), target);
        let found = steps.iter().position(|step| is_same(step, present));
        // A step that is none any more, for the measured rates have changed, counts as the smallest that moves.
        let current = found.unwrap_or(moving);
        Some((Tile { importance, steps: needs, moving, current }, found, steps))
    }

    /// What a slot uses at its present step, in bytes per second.
    fn used(&self, registry: &Registry, slot: &Slot) -> f64 {
        self.tile(registry, slot, Importance::default()).map_or(0.0, |(tile, ..)| tile.used())
    }

    /// What is shown in place of a stream whose codec the browser does not show: the largest variant that it shows, else the same
    /// pictures as H.264.
    pub(super) fn stand_in(
        &self,
        registry: &Registry,
        target: &Target,
        plays: impl Fn(Codec) -> bool,
    ) -> Option<Step> {
        let wanted = registry.needs(&target.name);
        let is_no_larger =
            |needs: &Needs| needs.pixels.zip(wanted.pixels).is_none_or(|(its, most)| its <= most);
        let mut variants: Vec<(Needs, Target)> = registry
            .renditions(&target.name)
            .into_iter()
            .filter(|(_, name)| {
                *name != target.name && !self.failed.contains_key(name) && registry.admits(name)
            })
            .map(|(quality, name)| (registry.needs(&name), Target { name, quality: Some(quality) }))
            .filter(|(needs, _)| needs.codec.is_none_or(&plays) && is_no_larger(needs))
            .collect();
        // One whose codec is known comes first.
        variants.sort_by(|(a, _), (b, _)| {
            let order = |needs: &Needs| (needs.codec.is_some(), needs.pixels.unwrap_or_default());
            order(b).partial_cmp(&order(a)).unwrap_or(std::cmp::Ordering::Equal)
        });
        let variant = variants.into_iter().next().map(|(_, source)| source);
        let source = variant.or_else(|| {
            let name = registry.stand_in(&target.name).filter(|_| plays(Codec::H264))?;
            Some(Target { name, quality: Some(Codec::H264.to_string()) })
        });
        Some(Step { unshown: wanted.codec, ..Step::whole(source?) })
    }

    fn choices(&self, registry: &Registry, slot: Option<&Slot>, target: &Target) -> Choices {
        let rate = |name: &StreamName| registry.needs(name).bytes_per_second * OVERHEAD;
        let plays = |codec| slot.is_none_or(|slot| slot.plays(codec));
        let is_shown = |name: &StreamName| registry.needs(name).codec.is_none_or(plays);
        let instead = (!is_shown(&target.name)).then(|| self.stand_in(registry, target, plays)).flatten();
        let best = instead.unwrap_or_else(|| Step::whole(target.clone()));
        let whole = registry.needs(&best.source.name);
        let mut smaller: Vec<(f64, Target)> = registry
            .renditions(&target.name)
            .into_iter()
            .filter(|(_, name)| {
                registry.needs(name).is_smaller_than(&whole)
                    && *name != best.source.name
                    && is_shown(name)
                    && !self.failed.contains_key(name)
                    && registry.admits(name)
            })
            .map(|(quality, name)| (rate(&name), Target { name, quality: Some(quality) }))
            .collect();
        smaller.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut needs = vec![rate(&best.source.name)];
        let mut steps = vec![best];
        for (rate, source) in smaller {
            if rate < needs[needs.len() - 1] * NOTICEABLY_LESS {
                needs.push(rate);
                steps.push(Step { is_limited: true, ..Step::whole(source) });
            }
        }
        let moving = steps.len() - 1;
        let source = steps[moving].source.clone();
        let smallest = registry.needs(&source.name);
        let every = smallest.gop;
        let key_frames = smallest.key_frames_per_second() * OVERHEAD;
        // A stream of key frames only has no such step.
        if key_frames < needs[moving] * NOTICEABLY_LESS {
            needs.push(key_frames);
            let pictures = Pictures::KeyFrames { every };
            steps.push(Step { pictures, is_limited: true, ..Step::whole(source.clone()) });
        }
        steps.push(Step { pictures: Pictures::First, is_limited: true, ..Step::whole(source) });
        Choices { steps, needs, moving }
    }
}

/// Whether both are the same step, also when the measured time between key frames has changed since.
fn is_same(a: &Step, b: &Step) -> bool {
    a.source.name == b.source.name
        && std::mem::discriminant(&a.pictures) == std::mem::discriminant(&b.pictures)
}

/// The size of a GOP's burst in the middle of the GOP.
fn burst_of(needs: Needs) -> usize {
    let gop = needs.gop.unwrap_or_default().as_secs_f64();
    needs.key_frame_bytes + (needs.bytes_per_second * gop / 2.0) as usize
}

/// The largest burst for a step, in bytes.
fn burst_limit(estimate: f64) -> usize {
    (estimate * LONGEST_BURST.as_secs_f64()) as usize
}
