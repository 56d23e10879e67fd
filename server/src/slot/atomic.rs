//! Atomic layouts: the slots of a layout change together once each of them has its key frame, or none does.
//!
//! Only the slots themselves record which layout they are part of ([`Slot::hold`]), so a later request for one of them removes
//! that slot from the layout, and the others proceed.

use std::collections::BTreeMap;
use std::time::Instant;

use super::{Readiness, Reason, Slot};

/// Makes the slots of each complete layout change now, and refuses each layout in which a stream has failed.
pub fn settle_layouts(now: Instant, slots: &mut [Slot]) {
    let mut layouts: BTreeMap<u64, Result<bool, Reason>> = BTreeMap::new();
    for slot in slots.iter() {
        let Some((layout, readiness)) = slot.readiness() else { continue };
        let so_far = layouts.entry(layout).or_insert(Ok(true));
        match (readiness, &so_far) {
            (Readiness::Failed(reason), Ok(_)) => *so_far = Err(reason),
            (Readiness::Waiting, Ok(_)) => *so_far = Ok(false),
            _ => {}
        }
    }
    for (layout, outcome) in layouts {
        let members = slots.iter_mut().filter(|slot| slot.readiness().is_some_and(|(of, _)| of == layout));
        match outcome {
            Ok(true) => members.for_each(|slot| slot.commit(now)),
            Ok(false) => {}
            Err(reason) => members.for_each(|slot| slot.drop_held(&reason)),
        }
    }
}
