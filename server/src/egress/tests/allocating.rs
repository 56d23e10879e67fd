//! Tests of how the path's rate is divided among the tiles.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::egress::{Allocator, Importance, Tile};

/// Megabits per second, in bytes.
const M: f64 = 125_000.0;

/// A 720p camera of 2 Mbit/s with a 360p variant of 0.6, whose key frames alone need 0.08.
fn tile(priority: i32, current: usize) -> Tile {
    let importance = Importance { is_chosen: false, priority };
    Tile { importance, steps: vec![2.0 * M, 0.6 * M, 0.08 * M], moving: 1, current }
}

/// The steps after the path carried `megabits` for some seconds.
fn settled(allocator: &mut Allocator, now: &mut Instant, megabits: f64, tiles: &mut [Tile]) -> Vec<usize> {
    for _ in 0..50 {
        *now += Duration::from_millis(100);
        let steps = allocator.allocate(*now, megabits * M, tiles);
        for (tile, step) in tiles.iter_mut().zip(steps) {
            tile.current = step;
        }
    }
    tiles.iter().map(|tile| tile.current).collect()
}

fn focused_wall(current: usize) -> Vec<Tile> {
    (0..6).map(|index| tile(i32::from(index == 2), current)).collect()
}

#[test]
fn a_slower_path_lowers_the_least_important_tiles_first_and_a_faster_one_raises_the_most_important_first() {
    let (mut allocator, mut now) = (Allocator::default(), Instant::now());
    let mut tiles = focused_wall(0);
    let mut at = |megabits| settled(&mut allocator, &mut now, megabits, &mut tiles);
    assert_eq!(at(20.0), [0; 6]);
    assert_eq!(at(6.0), [1, 1, 0, 1, 1, 1], "motion for all, the best for the focused one");
    assert_eq!(at(1.2), [2, 2, 1, 2, 2, 2], "key frames for the others");
    assert_eq!(at(0.4), [2, 2, 2, 2, 3, 3], "not even key frames for the last ones");
    assert_eq!(at(0.05), [3; 6]);
    assert_eq!(at(20.0), [0; 6]);
}

#[test]
fn a_lowered_tile_changes_at_once_and_raised_ones_one_step_at_a_time() {
    let (mut allocator, now) = (Allocator::default(), Instant::now());
    let tiles = focused_wall(0);
    assert_eq!(allocator.allocate(now, 4.2 * M, &tiles), [1, 1, 1, 1, 1, 1]);
    let tiles = focused_wall(2);
    assert_eq!(allocator.allocate(now, 20.0 * M, &tiles), [2, 2, 1, 2, 2, 2]);
    assert_eq!(allocator.allocate(now, 20.0 * M, &tiles), [2; 6], "not in the same moment");
}

#[test]
fn on_a_slow_path_that_is_settled_another_tile_becomes_the_focused_one() {
    let (mut allocator, mut now) = (Allocator::default(), Instant::now());
    let mut tiles = focused_wall(0);
    assert_eq!(settled(&mut allocator, &mut now, 6.0, &mut tiles), [1, 1, 0, 1, 1, 1]);
    tiles[2].importance.priority = 0;
    tiles[5].importance.priority = 1;
    assert_eq!(settled(&mut allocator, &mut now, 6.0, &mut tiles), [1, 1, 1, 1, 1, 0]);
}

#[test]
fn a_tile_that_shows_nothing_takes_nothing_and_what_happened_to_the_others_stays_theirs() {
    let (mut allocator, mut now) = (Allocator::default(), Instant::now());
    let mut tiles = vec![Tile::default(), tile(0, 1)];
    // The step of the second tile fails, and is barred.
    assert_eq!(allocator.allocate(now, 2.3 * M, &tiles), [0, 0]);
    tiles[1].current = 0;
    now += Duration::from_secs(1);
    assert_eq!(allocator.allocate(now, 1.2 * M, &tiles), [0, 1]);
    tiles[1].current = 1;
    // The first one shows something now: the second one is still barred, and the first one is not.
    tiles[0] = tile(0, 1);
    now += Duration::from_secs(1);
    assert_eq!(allocator.allocate(now, 3.0 * M, &tiles), [0, 1]);
}

#[test]
fn a_quality_that_was_chosen_by_name_is_lowered_last() {
    let (mut allocator, mut now) = (Allocator::default(), Instant::now());
    let mut tiles = focused_wall(0);
    tiles[4].importance.is_chosen = true;
    assert_eq!(settled(&mut allocator, &mut now, 6.0, &mut tiles), [1, 1, 1, 1, 0, 1]);
}

#[test]
fn a_step_that_did_not_last_is_tried_again_only_after_a_while() {
    let (mut allocator, mut now) = (Allocator::default(), Instant::now());
    let mut tiles = vec![tile(0, 1)];
    let mut raised = Vec::new();
    let start = now;
    // The path carries 2.3 Mbit/s until the tile is raised, and then shows that it does not.
    while now < start + Duration::from_mins(1) {
        now += Duration::from_millis(100);
        let megabits = if tiles[0].current == 0 { 1.5 } else { 2.3 };
        let step = allocator.allocate(now, megabits * M, &tiles)[0];
        if step < tiles[0].current {
            raised.push((now - start).as_secs());
        }
        tiles[0].current = step;
    }
    assert!(raised.len() <= 4, "{raised:?}");
    assert_eq!(settled(&mut allocator, &mut now, 20.0, &mut tiles), [0], "a much faster path ends the wait");
}

#[test]
fn a_small_change_of_the_estimate_changes_nothing() {
    let (mut allocator, mut now) = (Allocator::default(), Instant::now());
    let mut tiles = focused_wall(0);
    let before = settled(&mut allocator, &mut now, 7.0, &mut tiles);
    assert_eq!(settled(&mut allocator, &mut now, 7.9, &mut tiles), before);
    assert_ne!(settled(&mut allocator, &mut now, 8.5, &mut tiles), before);
}

prop_compose! {
    fn any_tile()(
        rates in proptest::collection::vec(0.01..8.0_f64, 1..4),
        key_frames in 0.0..0.1_f64,
        priority in 0..3,
        is_chosen in any::<bool>(),
        current in 0..5_usize,
    ) -> Tile {
        let mut steps: Vec<f64> = rates.iter().map(|rate| rate * M).collect();
        steps.sort_by(|a, b| b.total_cmp(a));
        let moving = steps.len() - 1;
        steps.push(steps[moving] * key_frames);
        let current = current.min(steps.len());
        Tile { importance: Importance { is_chosen, priority }, steps, moving, current }
    }
}

proptest! {
    #[test]
    fn whatever_the_tiles_they_fit_into_the_estimate_and_come_to_rest(
        mut tiles in proptest::collection::vec(any_tile(), 1..25),
        megabits in proptest::collection::vec(0.01..50.0_f64, 1..4),
    ) {
        let (mut allocator, mut now) = (Allocator::default(), Instant::now());
        for megabits in megabits {
            let steps = allocator.allocate(now, megabits * M, &tiles);
            let used: f64 = tiles.iter().zip(&steps).map(|(tile, step)| tile.steps.get(*step).unwrap_or(&0.0)).sum();
            prop_assert!(used <= megabits * M, "{used} of {}", megabits * M);
            let at_rest = settled(&mut allocator, &mut now, megabits, &mut tiles);
            settled(&mut allocator, &mut now, megabits, &mut tiles);
            let again = settled(&mut allocator, &mut now, megabits, &mut tiles);
            prop_assert!(again == at_rest || tiles.len() > 10, "{at_rest:?} {again:?}");
        }
    }
}

#[test]
fn a_tile_goes_up_when_its_stream_needs_less_than_before() {
    let (mut allocator, mut now) = (Allocator::default(), Instant::now());
    let mut tiles = vec![tile(0, 0)];
    tiles[0].steps = vec![40.0 * M, 0.08 * M];
    tiles[0].moving = 0;
    assert_eq!(settled(&mut allocator, &mut now, 33.0, &mut tiles), [1], "it was measured in a burst");
    tiles[0].steps[0] = 0.2 * M;
    assert_eq!(settled(&mut allocator, &mut now, 33.0, &mut tiles), [0]);
}

#[test]
fn a_step_that_failed_in_a_slow_moment_is_tried_again_on_a_path_that_carries_much_more_than_it_needs() {
    let (mut allocator, mut now) = (Allocator::default(), Instant::now());
    let mut tiles = vec![tile(0, 2)];
    for (megabits, step) in [(20.0, 1), (20.0, 0), (0.2, 2)] {
        now += Duration::from_millis(100);
        tiles[0].current = allocator.allocate(now, megabits * M, &tiles)[0];
        assert_eq!(tiles[0].current, step, "the path is slow a moment after the tile was raised");
    }
    assert_eq!(settled(&mut allocator, &mut now, 2.5, &mut tiles), [1], "barred where it is tight");
    assert_eq!(settled(&mut allocator, &mut now, 10.0, &mut tiles), [0]);
}
