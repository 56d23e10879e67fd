//! Divides what a connection carries among its tiles. Pure: rates in, one step per tile out.
//!
//! Every tile has *steps*, from the stream that was requested down to nothing. Each tile first gets key frames, then moving
//! pictures in the smallest variant, then better ones, always the most important tile first. When the path becomes slower,
//! tiles are lowered at once, the least important ones first. When it becomes faster, they are raised one step at a time. The rules
//! that keep tiles from going up and down follow `LiveKit`'s stream allocator and Jitsi's bitrate controller.

use std::time::{Duration, Instant};

/// The share of the estimate that tiles are raised to. The rest is headroom for key frames and for streams that vary.
const USABLE: f64 = 0.9;
/// How long after one tile was raised the next one may be, so that the estimate takes note of it.
const RAISE_EVERY: Duration = Duration::from_millis(100);
/// A smaller change of the estimate, or of what a tile's step needs, raises no tile.
const CHANGE: f64 = 0.15;
/// A step that lasted less than this is not tried again…
const TOO_SHORT: Duration = Duration::from_secs(5);
/// … for this long, twice as long each time, …
const BARRED: Duration = Duration::from_secs(10);
const LONGEST_BARRED: Duration = Duration::from_mins(1);
/// … unless the estimate is larger by this factor than what all tiles needed when it failed: then the path was slow for a moment.
const MUCH_FASTER: f64 = 1.5;

/// How important a tile is; the greater one is lowered later and raised earlier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Importance {
    /// The viewer has chosen this quality by name.
    pub is_chosen: bool,
    pub priority: i32,
}

/// What the allocator knows of a tile. The default is one that shows nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tile {
    pub importance: Importance,
    /// What each step needs, in bytes per second: first that of the requested stream, then of smaller variants, then of key
    /// frames only. After the last one there is one more step, which sends nothing.
    pub steps: Vec<f64>,
    /// The index of the smallest step that sends all pictures.
    pub moving: usize,
    /// The index of the present step.
    pub current: usize,
}

impl Tile {
    /// What the tile uses at its present step, in bytes per second.
    pub fn used(&self) -> f64 {
        self.needs(self.current)
    }

    fn needs(&self, step: usize) -> f64 {
        self.steps.get(step).copied().unwrap_or(0.0)
    }

    /// Whether nothing has changed since that would let it go up: its step, its importance, and what its steps need.
    fn is_as(&self, before: &Self) -> bool {
        let needs_less = |(now, before): (&f64, &f64)| *now < before * (1.0 - CHANGE);
        (self.current, self.importance, self.steps.len())
            == (before.current, before.importance, before.steps.len())
            && !self.steps.iter().zip(&before.steps).any(needs_less)
    }

    /// The index of the step that sends nothing.
    fn nothing(&self) -> usize {
        self.steps.len()
    }
}

/// What happened to a tile lately.
#[derive(Debug, Clone, Copy, Default)]
struct History {
    /// The last raise: to which step, and when.
    raised: Option<(usize, Instant)>,
    barred: Option<Barred>,
}

/// A step, and all better ones, that are not tried for a while.
#[derive(Debug, Clone, Copy)]
struct Barred {
    step: usize,
    until: Instant,
    /// They are tried earlier when the estimate exceeds this.
    unless_above: f64,
    /// How long it was barred.
    lasted: Duration,
}

/// Decides which step each tile of a connection is at.
#[derive(Debug, Default)]
pub struct Allocator {
    history: Vec<History>,
    /// The estimate and the tiles for which nothing was left to change.
    settled: Option<(f64, Vec<Tile>)>,
    raised_at: Option<Instant>,
}

impl Allocator {
    /// The tile shows another stream now, so what happened to it before says nothing.
    pub fn forget(&mut self, tile: usize) {
        if let Some(history) = self.history.get_mut(tile) {
            *history = History::default();
        }
        self.settled = None;
    }

    /// The new steps of the tiles, in their order. Every call has the same tiles; one that shows nothing has no steps.
    pub fn allocate(&mut self, now: Instant, bytes_per_second: f64, tiles: &[Tile]) -> Vec<usize> {
        self.history.resize(tiles.len(), History::default());
        let current: Vec<usize> = tiles.iter().map(|tile| tile.current).collect();
        let used: f64 = tiles.iter().map(Tile::used).sum();
        let ideal = fill(bytes_per_second * USABLE, tiles);
        if used > bytes_per_second {
            return self.lower(now, used, tiles, &ideal);
        }
        if self.settled.as_ref().is_some_and(|(estimate, settled)| {
            bytes_per_second < estimate * (1.0 + CHANGE)
                && settled.len() == tiles.len()
                && settled.iter().zip(tiles).all(|(before, tile)| tile.is_as(before))
        }) {
            return current;
        }
        if let Some(steps) = self.make_room(now, bytes_per_second, tiles, &ideal) {
            return steps;
        }
        if self.raised_at.is_some_and(|at| now.saturating_duration_since(at) < RAISE_EVERY) {
            return current;
        }
        self.raise(now, bytes_per_second, used, tiles, &ideal).unwrap_or_else(|| {
            let waits =
                self.history.iter().any(|history| history.barred.is_some_and(|barred| barred.until > now));
            self.settled = (!waits).then(|| (bytes_per_second, tiles.to_vec()));
            current
        })
    }

    /// Lowers every tile that is above its share. `used`: what all need at their present steps.
    fn lower(&mut self, now: Instant, used: f64, tiles: &[Tile], ideal: &[usize]) -> Vec<usize> {
        self.settled = None;
        let lowered = tiles.iter().zip(ideal).zip(&mut self.history).map(|((tile, &ideal), history)| {
            if ideal <= tile.current {
                return tile.current;
            }
            if let Some((step, at)) = history.raised.take()
                && step <= tile.current
                && now.saturating_duration_since(at) < TOO_SHORT
            {
                let lasted = history.barred.map_or(BARRED, |barred| (barred.lasted * 2).min(LONGEST_BARRED));
                let unless_above = used * MUCH_FASTER;
                history.barred = Some(Barred { step, until: now + lasted, unless_above, lasted });
            }
            ideal
        });
        lowered.collect()
    }

    /// Lowers the tiles that are above their share while a more important one is below its own, as after a change of the
    /// priorities; `None` if there are none.
    fn make_room(
        &mut self,
        now: Instant,
        bytes_per_second: f64,
        tiles: &[Tile],
        ideal: &[usize],
    ) -> Option<Vec<usize>> {
        let is_below = |index: &usize| {
            let (step, current) = (ideal[*index], tiles[*index].current);
            step < current && !self.is_barred(*index, step, now, bytes_per_second)
        };
        let starved = (0..tiles.len()).filter(is_below).map(|index| tiles[index].importance).max()?;
        let lowered: Vec<usize> = tiles
            .iter()
            .zip(ideal)
            .map(
                |(tile, ideal)| {
                    if tile.importance < starved { tile.current.max(*ideal) } else { tile.current }
                },
            )
            .collect();
        (!tiles.iter().map(|tile| tile.current).eq(lowered.iter().copied())).then_some(lowered)
    }

    fn is_barred(&self, tile: usize, step: usize, now: Instant, bytes_per_second: f64) -> bool {
        self.history[tile].barred.is_some_and(|barred| {
            step <= barred.step && now < barred.until && bytes_per_second < barred.unless_above
        })
    }

    /// Raises the most important tile that is below its share by one step; `None` if there is none.
    fn raise(
        &mut self,
        now: Instant,
        bytes_per_second: f64,
        used: f64,
        tiles: &[Tile],
        ideal: &[usize],
    ) -> Option<Vec<usize>> {
        let left = bytes_per_second * USABLE - used;
        let raised = by_importance(tiles).into_iter().find_map(|index| {
            let tile = &tiles[index];
            if ideal[index] >= tile.current {
                return None;
            }
            let better = (ideal[index]..tile.current).rev();
            // A step that needs no more than the present one, such as a variant that is larger only in name, is passed over.
            let mut allowed = better.filter(|step| tile.needs(*step) - tile.used() <= left);
            let step = allowed.next().filter(|step| !self.is_barred(index, *step, now, bytes_per_second))?;
            Some((index, step))
        });
        let (index, step) = raised?;
        self.history[index].raised = Some((step, now));
        self.raised_at = Some(now);
        let mut steps: Vec<usize> = tiles.iter().map(|tile| tile.current).collect();
        steps[index] = step;
        Some(steps)
    }
}

/// The indices of the tiles, the most important one first; of equals the earlier one.
fn by_importance(tiles: &[Tile]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..tiles.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(tiles[*index].importance));
    order
}

/// The steps of all tiles within `budget`, without regard to the present ones.
fn fill(budget: f64, tiles: &[Tile]) -> Vec<usize> {
    let mut left = budget;
    let mut steps: Vec<usize> = tiles.iter().map(Tile::nothing).collect();
    let order = by_importance(tiles);
    let mut go_to = |steps: &mut Vec<usize>, index: usize, step: usize| {
        let tile: &Tile = &tiles[index];
        let more = tile.needs(step) - tile.needs(steps[index]);
        let fits = step < steps[index] && more <= left;
        if fits {
            left -= more;
            steps[index] = step;
        }
        fits
    };
    for &index in &order {
        go_to(&mut steps, index, tiles[index].steps.len().saturating_sub(1));
    }
    for &index in &order {
        go_to(&mut steps, index, tiles[index].moving);
    }
    // Tiles of equal importance go up together, step by step.
    for equals in order.chunk_by(|a, b| tiles[*a].importance == tiles[*b].importance) {
        let highest = equals.iter().map(|index| steps[*index]).max().unwrap_or(0);
        for _ in 0..highest {
            for &index in equals {
                if steps[index] > 0 && steps[index] <= tiles[index].moving {
                    let step = steps[index] - 1;
                    go_to(&mut steps, index, step);
                }
            }
        }
    }
    steps
}
