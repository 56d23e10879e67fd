//! What the app wants each slot to show. `init` sends these wishes, switches change them, and a reconnect sends them again.
//! No other part of the client keeps them: the façade reads them here.

use multistream_protocol::client::SlotRequest;
use multistream_protocol::{SlotState, SlotStatus, stream_name};

use super::command::PromiseId;
use super::{ClientError, Code};

/// What one slot shall show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Show {
    /// What the server is told.
    pub told: SlotRequest,
    /// The quality that the app asked for, where the server is told another: the façade turned `auto` into a real one. Only
    /// the slot's statuses contain it.
    pub asked: Option<String>,
}

/// What one call asked of one slot. A refusal of the call takes all of it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    request: PromiseId,
    pub show: Show,
    pub paused: bool,
    /// Why the façade paused the slot; `None` where the app did. Only the slot's statuses contain it.
    pub reason: Option<String>,
    /// The call was an atomic layout: the server changes all of its slots or none.
    atomic: bool,
}

/// One slot and its wishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    /// What the app wants now.
    now: Wish,
    /// Earlier wishes, oldest first: the slot goes back to the last of them when the server refuses `now`.
    before: Vec<Wish>,
    /// Whether `now` was not sent to the server yet, because it was made while there was no connection.
    pub(super) unsent: bool,
    /// How important the slot is to the viewer; see [`Client::set_priority`](super::Client::set_priority).
    pub(super) priority: i32,
}

impl Slot {
    pub(super) fn wish(&self) -> &Wish {
        &self.now
    }

    pub(super) fn index(&self) -> u32 {
        self.now.show.told.slot as u32
    }

    /// The app wants another stream. If the server refuses that, the slot goes back to the wish before.
    pub(super) fn show(&mut self, request: PromiseId, show: Show, atomic: bool) {
        self.replace(Wish { request, show, paused: false, reason: None, atomic });
    }

    pub(super) fn pause(&mut self, request: PromiseId, reason: Option<String>) {
        self.replace(Wish { request, show: self.now.show.clone(), paused: true, reason, atomic: false });
    }

    /// Adds to a status what the server does not know: the quality that the app asked for, and the reason of a pause.
    pub(super) fn complete(&self, status: &mut SlotStatus) {
        let Wish { show: Show { told, asked }, reason, .. } = &self.now;
        if asked.is_some() && status.stream == stream_name(&told.stream, status.quality.as_deref()) {
            status.quality.clone_from(asked);
        }
        if reason.is_some() && status.status == SlotState::Paused {
            status.reason.clone_from(reason);
        }
    }

    /// The camera that a status is about, as the app named it. A status of an earlier wish, or of one that was refused, says it
    /// by its stream and quality.
    pub(super) fn camera<'a>(&'a self, status: &'a SlotStatus) -> &'a str {
        let told = &self.now.show.told;
        if status.stream == stream_name(&told.stream, told.quality.as_deref()) {
            return &told.stream;
        }
        let camera = status.quality.as_deref().and_then(|quality| status.stream.strip_suffix(quality));
        camera.and_then(|camera| camera.strip_suffix('-')).unwrap_or(&status.stream)
    }

    fn replace(&mut self, wish: Wish) {
        self.before.push(std::mem::replace(&mut self.now, wish));
    }

    /// The server accepted this request: the slot can no longer go back to a wish from before it.
    fn take(&mut self, request: PromiseId) {
        if self.now.request == request {
            self.before.clear();
        } else if let Some(at) = self.before.iter().position(|wish| wish.request == request) {
            self.before.drain(..at);
        }
    }

    /// The server refused this request: its wish is removed as if it had not been made.
    fn refuse(&mut self, request: PromiseId) {
        if self.now.request != request {
            self.before.retain(|wish| wish.request != request);
        } else if let Some(before) = self.before.pop() {
            self.now = before;
        }
    }

    fn is_part_of_atomic(&self, request: PromiseId) -> bool {
        let mut wishes = self.before.iter().chain([&self.now]);
        wishes.any(|wish| wish.request == request && wish.atomic)
    }
}

/// All slots of a connection; their indices never change while it lives.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots(Vec<Slot>);

impl Slots {
    /// Fails for slots that the server would refuse, so that nothing is sent.
    pub(super) fn new(request: PromiseId, slots: Vec<Show>) -> Result<Self, ClientError> {
        check_all(&slots)?;
        // Kept in order by insertion: a sort would cost two kilobytes of the download.
        let mut ordered: Vec<Slot> = Vec::with_capacity(slots.len());
        for show in slots {
            let at = ordered.partition_point(|earlier| earlier.now.show.told.slot < show.told.slot);
            let now = Wish { request, show, paused: false, reason: None, atomic: false };
            ordered.insert(at, Slot { now, before: Vec::new(), unsent: false, priority: 0 });
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
        self.0.iter().map(Slot::index)
    }

    pub(super) fn requests(&self) -> Vec<SlotRequest> {
        self.0.iter().map(|slot| slot.now.show.told.clone()).collect()
    }

    /// Returns the wishes that were not sent yet, and marks them as sent.
    pub(super) fn take_unsent(&mut self) -> Vec<SlotRequest> {
        let unsent = self
            .0
            .iter_mut()
            .filter_map(|slot| std::mem::take(&mut slot.unsent).then(|| slot.now.show.told.clone()));
        unsent.collect()
    }

    pub(super) fn get_mut(&mut self, index: i32) -> Result<&mut Slot, ClientError> {
        self.0.iter_mut().find(|slot| slot.now.show.told.slot == index).ok_or_else(|| {
            ClientError::new(
                Code::UnknownSlot,
                format!("There is no slot {index}: connect() did not name it."),
            )
        })
    }

    /// The `init` of a new session contained the current wishes: they count as sent, and the slots cannot go back to earlier
    /// ones.
    pub(super) fn handle_new_session(&mut self) {
        for slot in &mut self.0 {
            slot.before.clear();
            slot.unsent = false;
        }
    }

    /// The call has ended without a refusal by the server.
    pub(super) fn take(&mut self, request: PromiseId) {
        for slot in &mut self.0 {
            slot.take(request);
        }
    }

    /// The server refused a request for all of its slots.
    pub(super) fn refuse(&mut self, request: PromiseId) {
        for slot in &mut self.0 {
            slot.refuse(request);
        }
    }

    /// The server refused a request for this slot. If it is an atomic layout, that refuses it for every slot.
    pub(super) fn refuse_slot(&mut self, index: u32, request: PromiseId) {
        let Some(slot) = self.0.iter_mut().find(|slot| slot.index() == index) else { return };
        if slot.is_part_of_atomic(request) {
            self.refuse(request);
        } else {
            slot.refuse(request);
        }
    }

    pub(super) fn get(&self, index: u32) -> Option<&Slot> {
        self.0.iter().find(|slot| slot.index() == index)
    }
}

/// Fails for a call without slots, for one that names a slot twice, and for a wish that [`check`] fails for.
pub(super) fn check_all(shows: &[Show]) -> Result<(), ClientError> {
    if shows.is_empty() {
        return Err(invalid("There are no slots: name at least one, like { slot: 0, stream: 'camera1' }."));
    }
    for (at, Show { told, .. }) in shows.iter().enumerate() {
        check(told)?;
        if shows[..at].iter().any(|earlier| earlier.told.slot == told.slot) {
            return Err(invalid(format!("Slot {} is named twice.", told.slot)));
        }
    }
    Ok(())
}

/// Fails for a wish that the server would refuse whatever its configuration: a negative slot, or no stream.
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
