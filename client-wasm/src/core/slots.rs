//! What the app wants each slot to show: sent with `init`, kept up to date by switches, sent again after a reconnect.

use multistream_protocol::client::SlotRequest;

use super::{ClientError, Code};

/// One slot's wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) shows: SlotRequest,
    pub(super) paused: bool,
    /// The server does not know of `shows` yet: it was wished for while there was no connection.
    pub(super) untold: bool,
}

/// All slots of a connection; their indices never change while it lives.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots(Vec<Slot>);

impl Slots {
    /// Refuses what the server would refuse, before anything is sent.
    pub(super) fn new(slots: Vec<SlotRequest>) -> Result<Self, ClientError> {
        if slots.is_empty() {
            return Err(invalid(
                "There are no slots: name at least one, like { slot: 0, stream: 'camera1' }.",
            ));
        }
        // Kept in order by insertion: a sort would cost two kilobytes of the download.
        let mut ordered: Vec<Slot> = Vec::with_capacity(slots.len());
        for shows in slots {
            check(&shows)?;
            let at = ordered.partition_point(|earlier| earlier.shows.slot < shows.slot);
            if ordered.get(at).is_some_and(|earlier| earlier.shows.slot == shows.slot) {
                return Err(invalid(format!("Slot {} is named twice.", shows.slot)));
            }
            ordered.insert(at, Slot { shows, paused: false, untold: false });
        }
        Ok(Self(ordered))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter()
    }

    pub(super) fn indices(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(|slot| slot.shows.slot as u32)
    }

    pub(super) fn requests(&self) -> Vec<SlotRequest> {
        self.0.iter().map(|slot| slot.shows.clone()).collect()
    }

    /// The wishes the server does not know of. From now on it does.
    pub(super) fn take_untold(&mut self) -> Vec<SlotRequest> {
        let untold =
            self.0.iter_mut().filter_map(|slot| std::mem::take(&mut slot.untold).then(|| slot.shows.clone()));
        untold.collect()
    }

    pub(super) fn get_mut(&mut self, index: i32) -> Result<&mut Slot, ClientError> {
        self.0.iter_mut().find(|slot| slot.shows.slot == index).ok_or_else(|| {
            ClientError::new(
                Code::UnknownSlot,
                format!("There is no slot {index}: connect() did not name it."),
            )
        })
    }

    pub(super) fn contains(&self, index: u32) -> bool {
        self.indices().any(|known| known == index)
    }
}

/// A wish that can be sent.
pub(super) fn check(wish: &SlotRequest) -> Result<(), ClientError> {
    if wish.slot < 0 {
        return Err(invalid(format!("Slot {} is negative: slots count from 0.", wish.slot)));
    }
    if wish.stream.is_empty() {
        return Err(invalid(format!("Slot {} names no stream.", wish.slot)));
    }
    Ok(())
}

pub(super) fn invalid(message: impl Into<String>) -> ClientError {
    ClientError::new(Code::InvalidSlots, message)
}
