//! Atomic layouts: the slots of one layout change at the same moment, once every one of them has its key frame, or not at all.
//!
//! Which slots a layout consists of is written in the slots alone ([`Slot::hold`]), so a later request for one of them takes
//! that slot out, and the others go on.

use std::collections::BTreeMap;
use std::time::Instant;

use super::{Readiness, Reason, Slot};

/// Has the slots of each layout whose streams are all ready change now, and refuses each layout of which one stream failed.
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
