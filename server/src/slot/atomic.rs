//! Atomic layouts: the slots of a layout change together once each has a key frame of its new stream, or none changes.
//!
//! There is no list of layouts: each slot records the number of the layout that it takes part in ([`Slot::hold`]). A later
//! request for one slot removes that slot from the layout, and the others proceed without it.

use std::collections::BTreeMap;
use std::time::Instant;

use super::{Readiness, Reason, Slot};

/// Changes all slots of each layout whose streams all have a key frame, and refuses each layout in which a stream has failed.
/// `slots` are all slots of the session; call it after every event that may have changed one of them.
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
