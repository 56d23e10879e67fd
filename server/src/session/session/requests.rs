//! The requests of the client that change what the slots show.

use std::collections::BTreeMap;
use std::time::Instant;

use multistream_protocol::server::Error;
use multistream_protocol::{ErrorCode, client, server};

use super::{Session, id};
use crate::rtp::SlotPosition;
use crate::session::resolve::{Refusal, code_of, find, not_granted, resolve, wanted};
use crate::slot::{Reason, Target, Wanted};

impl Session {
    pub(super) fn switch(
        &mut self,
        now: Instant,
        request: &client::SlotRequest,
        request_id: &str,
    ) -> Result<(), Error> {
        let resolved = resolve(&self.shared.registry, &self.grant, request);
        let slot = self.position(request.slot, request_id)?;
        match resolved {
            Ok(target) => self.show(now, slot, target, id(request_id)),
            Err(Refusal { wanted, reason }) => self.slots[slot.0].refuse(&wanted, id(request_id), &reason),
        }
        Ok(())
    }

    pub(super) fn layout(&mut self, now: Instant, layout: &client::Layout) -> Result<(), Error> {
        // The last request for a slot wins, and an unknown slot refuses the layout before any slot changes.
        let mut latest = BTreeMap::new();
        for request in &layout.slots {
            self.slot(request.slot, &layout.request_id)?;
            latest.insert(request.slot, request);
        }
        if layout.atomic {
            self.hold_layout(now, &latest, &layout.request_id);
            return Ok(());
        }
        for request in latest.into_values() {
            self.switch(now, request, &layout.request_id)?;
        }
        Ok(())
    }

    /// Makes the slots of an atomic layout prepare their streams; [`Session::drive`] changes them together. If one of the
    /// streams does not exist, all slots are refused at once.
    pub(super) fn hold_layout(
        &mut self,
        now: Instant,
        latest: &BTreeMap<i32, &client::SlotRequest>,
        request_id: &str,
    ) {
        let registry = &self.shared.registry;
        let resolved: BTreeMap<_, _> = latest
            .iter()
            .map(|(index, request)| (i64::from(*index), resolve(registry, &self.grant, request)))
            .collect();
        let refusal = resolved.iter().find_map(|(index, resolved)| {
            let Reason { code, message } = &resolved.as_ref().err()?.reason;
            let message = format!("the layout was refused as a whole: slot {index}: {message}");
            Some(Reason { code: *code, message })
        });
        self.layouts += 1;
        let estimate = self.estimate(now);
        for position in (0..self.slots.len()).map(SlotPosition) {
            let Some(resolved) = resolved.get(&i64::from(self.slots[position.0].index())) else { continue };
            match (&refusal, resolved) {
                (Some(reason), _) => {
                    self.slots[position.0].refuse(&wanted(resolved), id(request_id), reason);
                }
                (None, Ok(target)) => {
                    let registry = &self.shared.registry;
                    let order = self.bandwidth.order_at_once(
                        registry,
                        &self.slots,
                        position,
                        target.clone(),
                        estimate,
                    );
                    self.slots[position.0].hold(now, self.layouts, order, id(request_id));
                }
                // Unreachable: an unresolved name would have set `refusal`.
                (None, Err(_)) => {}
            }
        }
    }

    pub(super) fn resume(&mut self, now: Instant, resume: client::Resume) -> Result<(), Error> {
        let wanted = self.slot(resume.slot, &resume.request_id)?.wanted();
        let is_for_another = resume.stream.is_some() || resume.quality.is_some();
        let request = client::SlotRequest {
            slot: resume.slot,
            // The slot's own name is a resolved one, which already contains the quality (`door-360p`).
            stream: resume.stream.unwrap_or_else(|| wanted.name().to_owned()),
            quality: resume.quality,
        };
        if is_for_another {
            return self.switch(now, &request, &resume.request_id);
        }
        let resolved = match (&wanted, not_granted(&self.shared.registry, &self.grant, &wanted)) {
            (Wanted::Known(target), None) => Ok(target.clone()),
            // A slot whose stream `init` could not find still exists: look the name up again.
            _ => resolve(&self.shared.registry, &self.grant, &request),
        };
        let slot = self.position(resume.slot, &resume.request_id)?;
        match resolved {
            Ok(target) => self.show(now, slot, target, id(&resume.request_id)),
            Err(Refusal { reason, .. }) => {
                self.slots[slot.0].refuse(&wanted, id(&resume.request_id), &reason);
            }
        }
        Ok(())
    }

    pub(super) fn keyframe(&mut self, now: Instant, keyframe: &client::Keyframe) -> Result<(), Error> {
        if keyframe.slot == -1 {
            for slot in &mut self.slots {
                slot.request_keyframe(now, keyframe.request_id.clone());
            }
            return Ok(());
        }
        self.slot(keyframe.slot, &keyframe.request_id)?.request_keyframe(now, keyframe.request_id.clone());
        Ok(())
    }

    pub(super) fn warm(&mut self, now: Instant, warm: client::Warm) -> Result<(), Error> {
        let registry = &self.shared.registry;
        let refused = |code, message: String| Error::new(code, message).answering(&warm.request_id);
        let name = find(registry, &self.grant, &warm.stream, warm.quality.as_deref())
            .map_err(|error| refused(code_of(&error), error.to_string()))?;
        let stream = name.to_string();
        let kept = self.warm.keep(now, registry, name, warm.ttl_s);
        let ttl_s = kept.map_err(|message| refused(ErrorCode::LimitReached, message))?;
        self.replies.push(server::Warm { request_id: warm.request_id, stream, ttl_s }.into());
        Ok(())
    }

    /// Makes a slot show a stream, or as much of it as the path carries beside the other slots.
    pub(super) fn show(
        &mut self,
        now: Instant,
        slot: SlotPosition,
        target: Target,
        request_id: Option<String>,
    ) {
        let estimate = self.estimate(now);
        let order = self.bandwidth.order(&self.shared.registry, &self.slots, slot, target, estimate);
        self.slots[slot.0].show(now, order, request_id);
    }
}
