//! One `RTCPeerConnection`, with a receiving transceiver per slot.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Reflect;
use multistream_protocol::client::Ice;
use multistream_protocol::server::Mids;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    MediaStreamTrack, RtcConfiguration, RtcIceCandidateInit, RtcPeerConnection, RtcPeerConnectionIceEvent,
    RtcPeerConnectionState, RtcRtpReceiver, RtcRtpTransceiver, RtcRtpTransceiverDirection,
    RtcRtpTransceiverInit, RtcSdpType, RtcSessionDescriptionInit,
};

use super::convert::describe;
use crate::core::{Attempt, PeerState};

/// What a peer reports, each with the attempt that the peer belongs to at that time.
#[derive(Debug)]
pub(super) enum PeerEvent {
    /// The offer; the candidates follow.
    Offer(String),
    Candidate(Ice),
    /// A STUN or TURN server is of no use.
    IceTrouble {
        code: u16,
        text: String,
    },
    State(PeerState),
    AnswerApplied,
    /// The browser refused to make an offer or to take the answer.
    Failed(String),
    CandidateRefused(String),
}

const ON_TROUBLE: &str = "onicecandidateerror";

type Report = Rc<dyn Fn(Attempt, PeerEvent)>;

/// Dropping it closes the connection.
pub(super) struct Peer {
    /// The attempt that the peer belongs to. The callbacks share it, since a resumed session moves the peer to a later attempt.
    attempt: Rc<Cell<Attempt>>,
    pc: RtcPeerConnection,
    report: Report,
    /// Each slot's receiver; empty until the answer is applied.
    receivers: RefCell<Vec<(u32, RtcRtpReceiver)>>,
    _on_candidate: Closure<dyn FnMut(RtcPeerConnectionIceEvent)>,
    _on_trouble: Closure<dyn FnMut(RtcPeerConnectionIceEvent)>,
    _on_state: Closure<dyn FnMut()>,
}

impl Peer {
    /// Creates the connection and starts to create its offer, which is reported as [`PeerEvent::Offer`].
    pub(super) fn open(
        attempt: Attempt,
        config: &RtcConfiguration,
        slots: usize,
        report: impl Fn(Attempt, PeerEvent) + 'static,
    ) -> Result<Rc<Self>, JsValue> {
        let report: Report = Rc::new(report);
        let attempt = Rc::new(Cell::new(attempt));
        let pc = RtcPeerConnection::new_with_configuration(config)?;
        let init = RtcRtpTransceiverInit::new();
        init.set_direction(RtcRtpTransceiverDirection::Recvonly);
        for _ in 0..slots {
            let transceiver = pc.add_transceiver_with_str_and_init("video", &init);
            play_at_once(&transceiver.receiver());
        }

        let on_candidate = {
            let (report, attempt) = (Rc::clone(&report), Rc::clone(&attempt));
            Closure::new(move |event: RtcPeerConnectionIceEvent| {
                let candidate = event.candidate().map_or(
                    Ice { candidate: String::new(), sdp_mid: None, sdp_m_line_index: None },
                    |candidate| Ice {
                        candidate: candidate.candidate(),
                        sdp_mid: candidate.sdp_mid(),
                        sdp_m_line_index: candidate.sdp_m_line_index(),
                    },
                );
                report(attempt.get(), PeerEvent::Candidate(candidate));
            })
        };
        pc.set_onicecandidate(Some(on_candidate.as_ref().unchecked_ref()));

        let on_trouble = {
            let (report, attempt) = (Rc::clone(&report), Rc::clone(&attempt));
            // It is another type of event, which `web-sys` does not have; the same type of closure makes the module smaller.
            Closure::new(move |event: RtcPeerConnectionIceEvent| {
                report(attempt.get(), trouble(&event));
            })
        };
        let _ = Reflect::set(&pc, &ON_TROUBLE.into(), on_trouble.as_ref());

        let on_state = {
            let (report, pc, attempt) = (Rc::clone(&report), pc.clone(), Rc::clone(&attempt));
            Closure::new(move || {
                let state = match pc.connection_state() {
                    RtcPeerConnectionState::New | RtcPeerConnectionState::Connecting => PeerState::Connecting,
                    RtcPeerConnectionState::Connected => PeerState::Connected,
                    RtcPeerConnectionState::Disconnected => PeerState::Disconnected,
                    // `failed`; `closed` is never seen, for `Drop` removes this handler before it closes the connection.
                    _ => PeerState::Failed,
                };
                report(attempt.get(), PeerEvent::State(state));
            })
        };
        pc.set_onconnectionstatechange(Some(on_state.as_ref().unchecked_ref()));

        spawn_local({
            let (report, pc, attempt) = (Rc::clone(&report), pc.clone(), Rc::clone(&attempt));
            async move {
                let offer = make_offer(&pc).await;
                // Of the attempt that has the peer by now.
                report(
                    attempt.get(),
                    offer.map_or_else(|error| PeerEvent::Failed(describe(&error)), PeerEvent::Offer),
                );
            }
        });
        let receivers = RefCell::default();
        Ok(Rc::new(Self {
            attempt,
            pc,
            report,
            receivers,
            _on_candidate: on_candidate,
            _on_trouble: on_trouble,
            _on_state: on_state,
        }))
    }

    pub(super) fn attempt(&self) -> Attempt {
        self.attempt.get()
    }

    /// Moves the peer to `attempt`, whose socket carries its candidates from now on.
    pub(super) fn adopt(&self, attempt: Attempt) {
        self.attempt.set(attempt);
    }

    pub(super) fn connection(&self) -> &RtcPeerConnection {
        &self.pc
    }

    pub(super) fn state(&self) -> String {
        JsValue::from(self.pc.connection_state()).as_string().unwrap_or_default()
    }

    pub(super) fn apply_answer(self: &Rc<Self>, sdp: String, mids: Mids) {
        let peer = Rc::clone(self);
        spawn_local(async move {
            let answer = RtcSessionDescriptionInit::new(RtcSdpType::Answer);
            answer.set_sdp(&sdp);
            let applied = JsFuture::from(peer.pc.set_remote_description(&answer)).await;
            let bound = applied.map_err(|error| describe(&error)).and_then(|_| peer.bind(&mids));
            let event = bound.map_or_else(PeerEvent::Failed, |()| PeerEvent::AnswerApplied);
            (peer.report)(peer.attempt(), event);
        });
    }

    pub(super) fn add_candidate(&self, candidate: &Ice) {
        let init = RtcIceCandidateInit::new(&candidate.candidate);
        init.set_sdp_mid(candidate.sdp_mid.as_deref());
        init.set_sdp_m_line_index(candidate.sdp_m_line_index);
        if candidate.sdp_mid.is_none()
            && candidate.sdp_m_line_index.is_none()
            && !candidate.candidate.is_empty()
        {
            // All m-lines are bundled, so the candidate may name any of them.
            init.set_sdp_m_line_index(Some(0));
        }
        let added = self.pc.add_ice_candidate_with_opt_rtc_ice_candidate_init(Some(&init));
        let (report, attempt) = (Rc::clone(&self.report), self.attempt());
        spawn_local(async move {
            // One bad candidate is no reason to give up: ICE needs only one that works.
            if let Err(error) = JsFuture::from(added).await {
                report(attempt, PeerEvent::CandidateRefused(describe(&error)));
            }
        });
    }

    pub(super) fn receiver(&self, slot: u32) -> Option<RtcRtpReceiver> {
        self.receivers.borrow().iter().find(|(of, _)| *of == slot).map(|(_, receiver)| receiver.clone())
    }

    pub(super) fn track(&self, slot: u32) -> Option<MediaStreamTrack> {
        self.receiver(slot).map(|receiver| receiver.track())
    }

    pub(super) fn for_each_track(&self, mut each: impl FnMut(u32, &MediaStreamTrack)) {
        for (slot, receiver) in &*self.receivers.borrow() {
            each(*slot, &receiver.track());
        }
    }

    /// Finds the receiver of each slot by the mid of its m-line, not by the m-line's position (RFC 8843 §15).
    fn bind(&self, mids: &Mids) -> Result<(), String> {
        let transceivers = self.pc.get_transceivers();
        let mut receivers = Vec::new();
        for (slot, mid) in mids.iter() {
            let receiver = transceivers
                .iter()
                .map(JsCast::unchecked_into::<RtcRtpTransceiver>)
                .find(|transceiver| transceiver.mid().as_deref() == Some(mid))
                .map(|transceiver| transceiver.receiver())
                .ok_or_else(|| {
                    format!("The server's answer puts slot {slot} on an unknown media line `{mid}`.")
                })?;
            receivers.push((slot, receiver));
        }
        self.receivers.replace(receivers);
        Ok(())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.pc.set_onicecandidate(None);
        let _ = Reflect::set(&self.pc, &ON_TROUBLE.into(), &JsValue::NULL);
        self.pc.set_onconnectionstatechange(None);
        self.pc.close();
    }
}

/// What an `icecandidateerror` says. Not every browser fills in all of it.
fn trouble(event: &JsValue) -> PeerEvent {
    let value = |key: &str| Reflect::get(event, &key.into()).unwrap_or_default();
    let text = |key| value(key).as_string().unwrap_or_default();
    let code = value("errorCode").as_f64().unwrap_or_default() as u16;
    PeerEvent::IceTrouble { code, text: [&text("url"), ": ", &text("errorText")].concat() }
}

async fn make_offer(pc: &RtcPeerConnection) -> Result<String, JsValue> {
    let offer: RtcSessionDescriptionInit = JsFuture::from(pc.create_offer()).await?.unchecked_into();
    JsFuture::from(pc.set_local_description(&offer)).await?;
    let description =
        pc.local_description().ok_or_else(|| JsValue::from_str("The browser made no offer."))?;
    Ok(description.sdp())
}

/// Asks for the smallest jitter buffer that the browser allows: for a camera wall, low latency matters more than even playout.
fn play_at_once(receiver: &RtcRtpReceiver) {
    for property in ["jitterBufferTarget", "playoutDelayHint"] {
        let property = JsValue::from_str(property);
        if Reflect::has(receiver, &property).unwrap_or(false) {
            let _ = Reflect::set(receiver, &property, &JsValue::from(0));
            return;
        }
    }
}
