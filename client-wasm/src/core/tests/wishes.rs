//! What the core keeps of a slot's wish beside what the server is told, and that a refusal takes both back together.

use std::time::Duration;

use multistream_protocol::{SlotState, SlotStatus};
use serde_json::json;

use super::requests::refuse;
use super::{Rig, ms, show};
use crate::core::{Event, Outcome, PeerState, Show};

/// A stream in a quality that was chosen for the app, which asked for `auto`.
fn auto(slot: i32, stream: &str, quality: &str) -> Show {
    let mut show = show(slot, stream);
    show.told.quality = Some(quality.to_owned());
    show.asked = Some("auto".to_owned());
    show
}

/// The wish of a slot as text: the stream and the quality that the server is told, then `asked`, then the pause.
fn wish(rig: &Rig, slot: u32) -> String {
    let wish = rig.client.wish(slot).expect("the slot exists");
    let mut text = wish.show.told.stream.clone();
    for word in [&wish.show.told.quality, &wish.show.asked].into_iter().flatten() {
        text = format!("{text} {word}");
    }
    let pause = if wish.paused { " paused " } else { "" };
    format!("{text}{pause}{}", wish.reason.as_deref().unwrap_or_default()).trim().to_owned()
}

/// Slot 0 shows camera1 in a quality that was chosen, and slot 1 is paused because it is hidden.
fn saving() -> Rig {
    let mut rig = Rig::connected();
    let switch = rig.client.switch(rig.now, auto(0, "camera1", "360p"));
    rig.status(0, "camera1-360p", "active", Some(switch));
    let pause = rig.client.pause(rig.now, 1, Some("hidden".to_owned()));
    rig.status(1, "camera2", "paused", Some(pause));
    rig.take();
    assert_eq!([wish(&rig, 0), wish(&rig, 1)], ["camera1 360p auto", "camera2 paused hidden"]);
    rig
}

#[test]
fn there_is_no_wish_of_a_slot_that_connect_did_not_name() {
    assert_eq!(Rig::connected().client.wish(7), None);
}

#[test]
fn a_refused_switch_takes_back_stream_quality_and_what_was_asked() {
    let mut rig = saving();
    let switch = rig.client.switch(rig.now, show(0, "camera7"));
    assert_eq!(wish(&rig, 0), "camera7");
    refuse(&mut rig, 0, switch, "unknown-stream");
    assert_eq!(wish(&rig, 0), "camera1 360p auto");
}

#[test]
fn a_pause_and_a_resume_leave_what_was_asked_and_a_refused_one_leaves_the_pause_as_it_was() {
    let mut rig = saving();
    let pause = rig.client.pause(rig.now, 0, None);
    assert_eq!(wish(&rig, 0), "camera1 360p auto paused");
    rig.status(0, "camera1-360p", "paused", Some(pause));
    let resume = rig.client.resume(rig.now, 0);
    assert_eq!(wish(&rig, 0), "camera1 360p auto");
    refuse(&mut rig, 0, resume, "limit-reached");
    assert_eq!(wish(&rig, 0), "camera1 360p auto paused");

    // The app pauses what is paused because it is hidden.
    let pause = rig.client.pause(rig.now, 1, None);
    assert_eq!(wish(&rig, 1), "camera2 paused");
    refuse(&mut rig, 1, pause, "limit-reached");
    assert_eq!(wish(&rig, 1), "camera2 paused hidden");
}

#[test]
fn a_refused_atomic_layout_takes_back_every_slot_and_its_pause() {
    let mut rig = saving();
    let layout = rig.client.switch_many(rig.now, vec![auto(0, "camera7", "720p"), show(1, "camera8")], true);
    assert_eq!([wish(&rig, 0), wish(&rig, 1)], ["camera7 720p auto", "camera8"]);
    refuse(&mut rig, 0, layout, "unknown-quality");
    assert_eq!([wish(&rig, 0), wish(&rig, 1)], ["camera1 360p auto", "camera2 paused hidden"]);
}

#[test]
fn a_layout_that_is_not_atomic_is_taken_back_only_where_it_was_refused() {
    let mut rig = saving();
    let layout = rig.client.switch_many(rig.now, vec![auto(0, "camera7", "720p"), show(1, "camera8")], false);
    refuse(&mut rig, 1, layout, "unknown-stream");
    assert_eq!([wish(&rig, 0), wish(&rig, 1)], ["camera7 720p auto", "camera2 paused hidden"]);
}

#[test]
fn refusals_of_a_superseded_switch_and_of_the_later_one_leave_the_first_wish() {
    let mut rig = saving();
    let superseded = rig.client.switch(rig.now, auto(0, "camera7", "720p"));
    let later = rig.client.switch(rig.now, show(0, "camera8"));
    refuse(&mut rig, 0, superseded, "unknown-quality");
    assert_eq!(wish(&rig, 0), "camera8");
    refuse(&mut rig, 0, later, "unknown-stream");
    assert_eq!(wish(&rig, 0), "camera1 360p auto");
}

#[test]
fn a_reconnect_after_a_refusal_asks_for_what_the_wish_says() {
    let mut rig = saving();
    let layout = rig.client.switch_many(rig.now, vec![show(0, "camera7"), show(1, "camera8")], true);
    refuse(&mut rig, 1, layout, "unknown-stream");
    rig.lose_socket();
    rig.plan(Some(ms(0)));
    rig.take();
    rig.handshake();
    let slots = json!([
        { "slot": 0, "stream": "camera1", "quality": "360p" },
        { "slot": 1, "stream": "camera2" }
    ]);
    assert_eq!(rig.sent("multistream/init")[0]["slots"], slots);
    assert_eq!(rig.sent("multistream/pause")[0]["slot"], 1);
    assert_eq!([wish(&rig, 0), wish(&rig, 1)], ["camera1 360p auto", "camera2 paused hidden"]);
}

#[test]
fn statuses_contain_the_quality_that_was_asked_for_and_the_reason_of_a_pause() {
    let mut rig = saving();
    let mut said = |slot: u32, stream: &str, quality: Option<&str>, status: &str| {
        let status = json!({ "slot": slot, "stream": stream, "quality": quality, "status": status });
        rig.server(&json!({ "type": "multistream/status", "slot": slot, "status": status }));
        match rig.take().first() {
            Some(crate::core::Command::Emit(Event::Status(status))) => {
                (status.quality.clone().unwrap_or_default(), status.reason.clone().unwrap_or_default())
            }
            other => panic!("expected a status, got {other:?}"),
        }
    };
    let words = |quality: &str, reason: &str| (quality.to_owned(), reason.to_owned());
    assert_eq!(said(0, "camera1-360p", Some("360p"), "active"), words("auto", ""));
    assert_eq!(said(0, "camera1", Some("native"), "active"), words("auto", ""), "of the quality before");
    assert_eq!(said(0, "camera9-360p", Some("360p"), "active"), words("360p", ""), "of another stream");
    assert_eq!(said(0, "camera1-360p", Some("360p"), "paused"), words("auto", ""));
    assert_eq!(said(1, "camera2", None, "paused"), words("", "hidden"));
    assert_eq!(said(1, "camera2", None, "active"), words("", ""));
}

#[test]
fn the_status_of_a_refused_switch_contains_what_that_switch_asked_for() {
    let mut rig = Rig::connected();
    let switch = rig.client.switch(rig.now, auto(0, "camera7", "720p"));
    let status = json!({
        "slot": 0, "stream": "camera7-720p", "quality": "720p", "status": "error", "reason": "unknown-quality",
        "error": "No.", "kept": true
    });
    rig.server(&json!({
        "type": "multistream/status", "slot": 0, "request_id": switch.to_string(), "status": status
    }));
    let [Event::Status(status)] = rig.events()[..] else { panic!("one status") };
    assert_eq!(status.quality.as_deref(), Some("auto"));
    assert_eq!((wish(&rig, 0), rig.code(switch)), ("camera1".to_owned(), "unknown-quality".to_owned()));
}

#[test]
fn a_switch_resolves_to_a_status_with_the_quality_that_was_asked_for() {
    let mut rig = Rig::connected();
    let switch = rig.client.switch(rig.now, auto(0, "camera7", "native"));
    let status = json!({ "slot": 0, "stream": "camera7", "quality": "native", "status": "active" });
    rig.server(&json!({
        "type": "multistream/status", "slot": 0, "request_id": switch.to_string(), "status": status
    }));
    let Some(Ok(Outcome::Status(status))) = rig.outcome(switch) else { panic!("the switch is not done") };
    assert_eq!(status.quality.as_deref(), Some("auto"));
}

#[test]
fn a_priority_is_sent_once_and_again_in_a_new_session() {
    let mut rig = Rig::connected();
    rig.client.set_priority(1, 3);
    rig.client.set_priority(1, 3);
    // There is no such slot.
    rig.client.set_priority(7, 3);
    rig.drain();
    let expected = json!({ "type": "multistream/priority", "request_id": "", "slot": 1, "priority": 3 });
    assert_eq!(rig.sent("multistream/priority"), std::slice::from_ref(&expected));
    rig.take();
    rig.peer(PeerState::Failed);
    rig.client.handle_reconnect_delay(rig.now, Some(Duration::ZERO));
    rig.drain();
    rig.handshake();
    assert_eq!(rig.sent("multistream/priority"), [expected]);
}

#[test]
fn a_status_names_the_camera_that_it_is_about_whatever_is_asked_for_meanwhile() {
    let mut rig = saving();
    // The server has not answered this one.
    rig.client.switch(rig.now, auto(0, "nosuch", "720p"));
    for (stream, quality, camera) in [
        ("camera1-360p", Some("360p"), "camera1"),
        ("camera1", None, "camera1"),
        ("camera1-back", None, "camera1-back"),
        ("camera1-back", Some("native"), "camera1-back"),
        ("nosuch-720p", Some("720p"), "nosuch"),
        ("nosuch-720p", Some("auto"), "nosuch"),
        ("nosuch-720p", None, "nosuch"),
        ("refused-720p", Some("720p"), "refused"),
    ] {
        let mut status = SlotStatus::new(0, stream, SlotState::Active);
        status.quality = quality.map(str::to_owned);
        assert_eq!(rig.client.camera(&status), camera, "{stream} {quality:?}");
    }
}
