//! The app's calls that wait for an answer of the server, and which message resolves or rejects which of them.
//!
//! A switch resolves when its picture is being sent. The server may say so at once, or answer `buffering` first and report
//! `active` later without the request's id. A status that was sent before that answer is about what the slot showed before.

use std::time::Duration;

use multistream_protocol::client::SlotRequest;
use multistream_protocol::server::KeyframeStatus;
use multistream_protocol::{SlotState, SlotStatus, stream_name};

use super::command::{Outcome, PromiseId};
use super::{ClientError, Code};

/// A call that waits.
#[derive(Debug)]
struct Waiting {
    promise: PromiseId,
    request_id: String,
    deadline: Duration,
    wait: Wait,
}

#[derive(Debug)]
enum Wait {
    /// One picture for a switch or resume, several for a layout.
    Pictures {
        pictures: Vec<Picture>,
        many: bool,
    },
    Paused {
        slot: u32,
    },
    Keyframe {
        slot: u32,
    },
    Warm,
}

#[derive(Debug)]
struct Picture {
    slot: u32,
    /// The stream's name as the client derives it, until the server's answer gives the resolved one.
    stream: String,
    /// Whether the server has answered the request. The statuses of the slot that come later are about this picture.
    answered: bool,
    /// The status that reported that the picture is being sent.
    sent: Option<SlotStatus>,
}

/// How a call ended.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) promise: PromiseId,
    pub(super) result: Result<Outcome, ClientError>,
}

/// All calls that wait.
#[derive(Debug, Default)]
pub(super) struct Requests(Vec<Waiting>);

impl Requests {
    /// Adds a call that resolves when the pictures of all `wishes` are being sent: to a list of statuses if `many`, otherwise
    /// to one.
    pub(super) fn await_pictures(
        &mut self,
        promise: PromiseId,
        request_id: String,
        deadline: Duration,
        wishes: &[SlotRequest],
        many: bool,
    ) {
        let pictures = wishes
            .iter()
            .map(|wish| Picture {
                slot: wish.slot as u32,
                stream: stream_name(&wish.stream, wish.quality.as_deref()),
                answered: false,
                sent: None,
            })
            .collect();
        self.0.push(Waiting { promise, request_id, deadline, wait: Wait::Pictures { pictures, many } });
    }

    pub(super) fn await_pause(
        &mut self,
        promise: PromiseId,
        request_id: String,
        deadline: Duration,
        slot: u32,
    ) {
        self.0.push(Waiting { promise, request_id, deadline, wait: Wait::Paused { slot } });
    }

    pub(super) fn await_keyframe(
        &mut self,
        promise: PromiseId,
        request_id: String,
        deadline: Duration,
        slot: u32,
    ) {
        self.0.push(Waiting { promise, request_id, deadline, wait: Wait::Keyframe { slot } });
    }

    pub(super) fn await_warm(&mut self, promise: PromiseId, request_id: String, deadline: Duration) {
        self.0.push(Waiting { promise, request_id, deadline, wait: Wait::Warm });
    }

    /// Rejects the calls that a new wish for `slot` overrides.
    pub(super) fn supersede(&mut self, slot: u32) -> Vec<Settled> {
        self.reject_where(
            |waiting| match &waiting.wait {
                Wait::Pictures { pictures, .. } => {
                    pictures.iter().any(|picture| picture.slot == slot && picture.sent.is_none())
                }
                Wait::Paused { slot: paused } => *paused == slot,
                Wait::Keyframe { .. } | Wait::Warm => false,
            },
            |_| {
                ClientError::new(Code::Superseded, format!("A later call for slot {slot} overrode this one."))
                    .for_slot(slot)
            },
        )
    }

    pub(super) fn handle_status(&mut self, request_id: Option<&str>, status: &SlotStatus) -> Vec<Settled> {
        let mut settled = Vec::new();
        self.0.retain_mut(|waiting| match waiting.handle_status(request_id, status) {
            None => true,
            Some(result) => {
                settled.push(Settled { promise: waiting.promise, result });
                false
            }
        });
        settled
    }

    pub(super) fn handle_keyframe(
        &mut self,
        slot: u32,
        request_id: &str,
        status: KeyframeStatus,
    ) -> Vec<Settled> {
        let is_it = |wait: &Wait| matches!(wait, Wait::Keyframe { slot: asked } if *asked == slot);
        self.answer(request_id, is_it, &Outcome::Keyframe(status))
    }

    pub(super) fn handle_warm(&mut self, request_id: &str, stream: String) -> Vec<Settled> {
        self.answer(request_id, |wait| matches!(wait, Wait::Warm), &Outcome::Warm(stream))
    }

    /// Resolves the call with this id that waits for this kind of answer.
    fn answer(&mut self, request_id: &str, is_it: impl Fn(&Wait) -> bool, outcome: &Outcome) -> Vec<Settled> {
        let mut settled = Vec::new();
        self.0.retain(|waiting| {
            let over = waiting.request_id == request_id && is_it(&waiting.wait);
            if over {
                let result = Ok(outcome.clone());
                settled.push(Settled { promise: waiting.promise, result });
            }
            !over
        });
        settled
    }

    /// Rejects the call that a `multistream/error` names: the server did nothing for it.
    pub(super) fn handle_error(&mut self, request_id: &str, error: &ClientError) -> Vec<Settled> {
        let mut settled = Vec::new();
        self.0.retain(|waiting| {
            if waiting.request_id != request_id {
                return true;
            }
            let slot = match &waiting.wait {
                Wait::Pictures { pictures, .. } => pictures.first().map(|picture| picture.slot),
                Wait::Paused { slot } | Wait::Keyframe { slot } => Some(*slot),
                Wait::Warm => None,
            };
            let error = ClientError { slot, ..error.clone() };
            settled.push(Settled { promise: waiting.promise, result: Err(error) });
            false
        });
        settled
    }

    /// A new session was opened by an `init` that contained what the app wants in each slot. So every status of that session is
    /// about the pictures that are waited for, without an answer to their requests.
    pub(super) fn handle_new_session(&mut self) {
        for waiting in &mut self.0 {
            if let Wait::Pictures { pictures, .. } = &mut waiting.wait {
                for picture in pictures {
                    picture.answered = true;
                }
            }
        }
    }

    /// The calls that wait for pictures: the id of the request, and the slots whose pictures are not being sent yet.
    pub(super) fn awaited_pictures(&self) -> Vec<(String, Vec<u32>)> {
        let awaited = self.0.iter().filter_map(|waiting| match &waiting.wait {
            Wait::Pictures { pictures, .. } => {
                let slots =
                    pictures.iter().filter(|picture| picture.sent.is_none()).map(|picture| picture.slot);
                Some((waiting.request_id.clone(), slots.collect()))
            }
            Wait::Paused { .. } | Wait::Keyframe { .. } | Wait::Warm => None,
        });
        awaited.collect()
    }

    /// The request id of the call that waits for `slot` to be paused, to send the pause again in a new session.
    pub(super) fn pause_id(&self, slot: u32) -> Option<&str> {
        self.0.iter().find_map(|waiting| match waiting.wait {
            Wait::Paused { slot: paused } if paused == slot => Some(waiting.request_id.as_str()),
            _ => None,
        })
    }

    /// The connection broke. Key-frame and warm requests are rejected; switches and pauses are repeated on the next connection.
    pub(super) fn handle_lost(&mut self) -> Vec<Settled> {
        self.reject_where(
            |waiting| matches!(waiting.wait, Wait::Keyframe { .. } | Wait::Warm),
            |_| ClientError::new(Code::ConnectionLost, "The connection was lost before the server answered."),
        )
    }

    pub(super) fn handle_timeout(&mut self, now: Duration) -> Vec<Settled> {
        self.reject_where(
            |waiting| waiting.deadline <= now,
            |_| {
                ClientError::new(
                    Code::Timeout,
                    "The server did not answer in time. The slot may still change later.",
                )
            },
        )
    }

    pub(super) fn reject_all(&mut self, error: &ClientError) -> Vec<Settled> {
        self.reject_where(|_| true, |_| error.clone())
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.0.iter().map(|waiting| waiting.deadline).min()
    }

    fn reject_where(
        &mut self,
        over: impl Fn(&Waiting) -> bool,
        error: impl Fn(&Waiting) -> ClientError,
    ) -> Vec<Settled> {
        let mut settled = Vec::new();
        self.0.retain(|waiting| {
            let over = over(waiting);
            if over {
                let result = Err(error(waiting));
                settled.push(Settled { promise: waiting.promise, result });
            }
            !over
        });
        settled
    }
}

type End = Result<Outcome, ClientError>;

impl Waiting {
    fn handle_status(&mut self, request_id: Option<&str>, status: &SlotStatus) -> Option<End> {
        let answers = request_id == Some(self.request_id.as_str());
        match &mut self.wait {
            Wait::Keyframe { .. } | Wait::Warm => None,
            Wait::Paused { slot } => {
                if *slot != status.slot {
                    return None;
                }
                match status.status {
                    SlotState::Paused => Some(Ok(Outcome::Status(status.clone()))),
                    SlotState::Error if answers => Some(Err(failure(status))),
                    _ => None,
                }
            }
            Wait::Pictures { pictures, many } => {
                let picture = pictures.iter_mut().find(|picture| picture.slot == status.slot)?;
                if let Some(end) = picture.handle_status(answers, status) {
                    return Some(end);
                }
                if pictures.iter().any(|picture| picture.sent.is_none()) {
                    return None;
                }
                let mut sent: Vec<SlotStatus> =
                    pictures.iter_mut().filter_map(|picture| picture.sent.take()).collect();
                let outcome = if *many { Outcome::Statuses(sent) } else { Outcome::Status(sent.pop()?) };
                Some(Ok(outcome))
            }
        }
    }
}

impl Picture {
    /// Records in `sent` that the picture is being sent, or returns why it will not be.
    fn handle_status(&mut self, answers: bool, status: &SlotStatus) -> Option<End> {
        if answers {
            self.answered = true;
            if status.status != SlotState::Error {
                self.stream.clone_from(&status.stream);
            }
        }
        if !self.answered || !(answers || status.stream == self.stream) {
            return None;
        }
        match status.status {
            SlotState::Active => self.sent = Some(status.clone()),
            // The server accepted the request for a slot that is paused: no picture will follow.
            // With a key frame it is one whose link is too slow for more than this picture.
            SlotState::Paused if answers || status.rtp_timestamp.is_some() => {
                self.sent = Some(status.clone());
            }
            SlotState::Error | SlotState::Offline => return Some(Err(failure(status))),
            SlotState::Buffering | SlotState::Paused => {}
        }
        None
    }
}

fn failure(status: &SlotStatus) -> ClientError {
    let offline = status.status == SlotState::Offline;
    let code = match &status.reason {
        Some(reason) => reason.clone(),
        None if offline => Code::SourceOffline.as_str().to_owned(),
        None => Code::BadMessage.as_str().to_owned(),
    };
    let message = status.error.clone().unwrap_or_else(|| {
        if offline {
            format!("`{}` is offline; the slot turns active by itself when it is back.", status.stream)
        } else {
            format!("The server cannot show `{}`.", status.stream)
        }
    });
    ClientError { kept: status.kept, ..ClientError::from_server(code, message).for_slot(status.slot) }
}
