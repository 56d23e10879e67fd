//! The pictures that are kept: those that were asked for last, in bounded number.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;

use crate::media::{Dimensions, StreamName, Timestamp90k};

/// How many pictures are kept. A large one has about 1 MB.
const MOST: usize = 32;

/// Which picture is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wanted {
    pub stream: StreamName,
    /// The size to scale it to; where a side is zero, it follows the other.
    pub size: Option<Dimensions>,
}

#[derive(Debug)]
pub(super) struct Picture {
    /// The time of its key frame.
    pub(super) of: Timestamp90k,
    pub(super) jpeg: Bytes,
    pub(super) made_at: Instant,
}

/// The place of one picture. Whoever makes the picture holds it, so that others wait for that and do not make it again.
type Place = Arc<tokio::sync::Mutex<Option<Picture>>>;

#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<HashMap<Wanted, (Place, Instant)>>);

impl Kept {
    /// The place of a picture. The one that was asked for longest ago makes room for a new one.
    pub(super) fn place(&self, wanted: &Wanted, now: Instant) -> Place {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= MOST && !places.contains_key(wanted) {
            let oldest = places.iter().min_by_key(|(_, (_, asked_at))| *asked_at);
            if let Some(oldest) = oldest.map(|(wanted, _)| wanted.clone()) {
                places.remove(&oldest);
            }
        }
        let (place, asked_at) = places.entry(wanted.clone()).or_insert_with(|| (Place::default(), now));
        *asked_at = now;
        place.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::media::StreamNames;

    #[test]
    fn many_sizes_take_bounded_memory_and_the_one_that_is_asked_for_stays() {
        let names = StreamNames::new([("yard", None)]);
        let stream = names.resolve("yard", None).expect("it is there");
        let wanted = |width| Wanted { stream: stream.clone(), size: Some(Dimensions { width, height: 0 }) };
        let (kept, start) = (Kept::default(), Instant::now());
        let first = kept.place(&wanted(0), start);
        for width in 1..=4 * MOST as u32 {
            kept.place(&wanted(width), start + Duration::from_millis(width.into()));
            kept.place(&wanted(0), start + Duration::from_millis(width.into()));
        }
        assert_eq!(kept.0.lock().expect("not poisoned").len(), MOST);
        assert!(Arc::ptr_eq(&first, &kept.place(&wanted(0), start)));
    }
}
