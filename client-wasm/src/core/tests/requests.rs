//! Switches, pauses and key frames: which status ends which call.

use multistream_protocol::server::KeyframeStatus;
use serde_json::json;

use super::{Rig, ms, show};
use crate::core::{Event, Outcome};

#[test]
fn a_switch_resolves_when_the_answer_says_active() {
    let mut rig = Rig::connected();
    let switch = rig.client.switch(rig.now, show(0, "camera7"));
    rig.drain();
    assert_eq!(rig.sent("multistream/switch")[0]["stream"], "camera7");
    rig.status(0, "camera7", "active", Some(switch));
    assert!(rig.is_sent(switch, "camera7"));
}

#[test]
fn a_switch_that_is_answered_buffering_resolves_at_the_later_active() {
    let mut rig = Rig::connected();
    let switch = rig.client.switch(rig.now, show(0, "camera7"));
    rig.status(0, "camera7", "buffering", Some(switch));
    rig.status(1, "camera7", "active", None);
    assert_eq!(rig.outcome(switch), None, "another slot's status is not this one's");
    rig.status(0, "camera7", "active", None);
    assert!(rig.is_sent(switch, "camera7"));
}

#[test]
fn a_status_from_before_the_answer_does_not_end_a_switch() {
    let mut rig = Rig::connected();
    let switch = rig.client.switch(rig.now, show(0, "camera1"));
    // The slot was showing camera1 already; this was under way when the switch was sent.
    rig.status(0, "camera1", "active", None);
    assert_eq!(rig.outcome(switch), None);
    rig.status(0, "camera1", "active", Some(switch));
    assert!(rig.is_sent(switch, "camera1"));
}

#[test]
fn a_switch_waits_for_the_name_that_the_server_resolved() {
    let mut rig = Rig::connected();
    let mut wish = show(0, "camera7");
    wish.told.quality = Some("720p".to_owned());
    let switch = rig.client.switch(rig.now, wish);
    rig.status(0, "Camera7-720p", "buffering", Some(switch));
    rig.status(0, "Camera7-720p", "active", None);
    assert!(rig.is_sent(switch, "Camera7-720p"));
}

#[test]
fn of_two_switches_the_later_wins() {
    let mut rig = Rig::connected();
    let first = rig.client.switch(rig.now, show(0, "camera7"));
    let second = rig.client.switch(rig.now, show(0, "camera8"));
    rig.drain();
    assert_eq!(rig.code(first), "superseded");
    // The server's own `superseded` neither settles the call again nor is reported as an error.
    let error = json!({ "type": "multistream/error", "request_id": first.to_string(), "code": "superseded", "error": "" });
    rig.server(&error);
    assert!(!rig.events().iter().any(|event| matches!(event, Event::Error(_))));
    rig.status(0, "camera8", "active", Some(second));
    assert!(rig.is_sent(second, "camera8"));
}

#[test]
fn switches_of_different_slots_do_not_touch_each_other() {
    let mut rig = Rig::connected();
    let left = rig.client.switch(rig.now, show(0, "camera7"));
    let right = rig.client.switch(rig.now, show(1, "camera8"));
    rig.status(1, "camera8", "active", Some(right));
    assert!(rig.is_sent(right, "camera8"));
    assert_eq!(rig.outcome(left), None);
}

#[test]
fn a_refused_switch_rejects_with_the_servers_code_and_the_slot_keeps_its_stream() {
    let mut rig = Rig::connected();
    let switch = rig.client.switch(rig.now, show(0, "nothing"));
    let refusal = json!({
        "type": "multistream/error", "request_id": switch.to_string(),
        "code": "unknown-stream", "error": "There is no stream `nothing`."
    });
    rig.server(&refusal);
    assert_eq!(rig.code(switch), "unknown-stream");

    let switch = rig.client.switch(rig.now, show(1, "camera9"));
    let status = json!({ "slot": 1, "stream": "camera9", "status": "error", "reason": "unknown-quality", "error": "No.", "kept": true });
    let refusal = json!({ "type": "multistream/status", "slot": 1, "request_id": switch.to_string(), "status": status });
    rig.server(&refusal);
    assert_eq!(rig.code(switch), "unknown-quality");

    rig.lose_and_reopen_socket();
    let slots = json!([{ "slot": 0, "stream": "camera1" }, { "slot": 1, "stream": "camera2" }]);
    assert_eq!(rig.sent("multistream/init")[0]["slots"], slots);
}

#[test]
fn an_offline_source_rejects_the_switch_and_the_next_connection_asks_for_it_again() {
    let mut rig = Rig::connected();
    let switch = rig.client.switch(rig.now, show(0, "camera7"));
    rig.status(0, "camera7", "buffering", Some(switch));
    rig.status(0, "camera7", "offline", None);
    assert_eq!(rig.code(switch), "source-offline");
    rig.lose_and_reopen_socket();
    assert_eq!(rig.sent("multistream/init")[0]["slots"][0]["stream"], "camera7");
}

#[test]
fn a_switch_that_is_never_answered_times_out() {
    let mut rig = Rig::connected();
    let switch = rig.client.switch(rig.now, show(0, "camera7"));
    rig.status(0, "camera7", "buffering", Some(switch));
    rig.pass(ms(9_999));
    assert_eq!(rig.outcome(switch), None);
    rig.pass(ms(1));
    assert_eq!(rig.code(switch), "timeout");
}

#[test]
fn calls_without_a_connection_or_for_an_unknown_slot_are_refused() {
    let mut rig = Rig::new();
    let switch = rig.client.switch(rig.now, show(0, "camera7"));
    let pause = rig.client.pause(rig.now, 0, None);
    rig.drain();
    assert_eq!((rig.code(switch), rig.code(pause)), ("not-connected".to_owned(), "not-connected".to_owned()));

    let mut rig = Rig::connected();
    let calls = [
        rig.client.switch(rig.now, show(7, "camera7")),
        rig.client.pause(rig.now, 7, None),
        rig.client.resume(rig.now, 7),
        rig.client.request_keyframe(rig.now, 7),
        rig.client.switch_many(rig.now, vec![show(0, "camera7"), show(7, "camera8")], false),
    ];
    rig.drain();
    for call in calls {
        assert_eq!(rig.code(call), "unknown-slot");
    }
    let nameless = rig.client.switch(rig.now, show(0, ""));
    rig.drain();
    assert_eq!(rig.code(nameless), "invalid-slots");
    assert!(rig.sent("multistream/switch").is_empty() && rig.sent("multistream/layout").is_empty());
}

#[test]
fn a_layout_is_one_message_and_resolves_when_every_picture_is_sent() {
    let mut rig = Rig::connected();
    let layout = rig.client.switch_many(rig.now, vec![show(0, "camera7"), show(1, "camera8")], false);
    rig.drain();
    assert_eq!(rig.sent("multistream/layout").len(), 1);
    rig.status(1, "camera8", "active", Some(layout));
    rig.status(0, "camera7", "buffering", Some(layout));
    assert_eq!(rig.outcome(layout), None);
    rig.status(0, "camera7", "active", None);
    let Some(Ok(Outcome::Statuses(statuses))) = rig.outcome(layout) else { panic!("the layout is not done") };
    let streams: Vec<&str> = statuses.iter().map(|status| status.stream.as_str()).collect();
    assert_eq!(streams, ["camera7", "camera8"]);
}

#[test]
fn a_switch_overrides_its_slot_of_a_layout() {
    let mut rig = Rig::connected();
    let layout = rig.client.switch_many(rig.now, vec![show(0, "camera7"), show(1, "camera8")], false);
    let switch = rig.client.switch(rig.now, show(0, "camera9"));
    rig.drain();
    assert_eq!(rig.code(layout), "superseded");
    rig.status(0, "camera9", "active", Some(switch));
    assert!(rig.is_sent(switch, "camera9"));
}

#[test]
fn pause_ends_a_switch_and_resume_waits_for_the_picture() {
    let mut rig = Rig::connected();
    let switch = rig.client.switch(rig.now, show(0, "camera7"));
    let pause = rig.client.pause(rig.now, 0, None);
    rig.drain();
    assert_eq!(rig.code(switch), "superseded");
    rig.status(0, "camera7", "paused", Some(pause));
    assert!(rig.is_sent(pause, "camera7"));

    let resume = rig.client.resume(rig.now, 0);
    rig.drain();
    assert_eq!(rig.sent("multistream/resume")[0]["stream"], "camera7");
    rig.status(0, "camera7", "buffering", Some(resume));
    assert_eq!(rig.outcome(resume), None);
    rig.status(0, "camera7", "active", None);
    assert!(rig.is_sent(resume, "camera7"));
}

#[test]
fn a_key_frame_request_resolves_to_the_status_of_its_own_slot() {
    let mut rig = Rig::connected();
    let keyframe = rig.client.request_keyframe(rig.now, 1);
    let frame = |slot: u32| json!({ "type": "multistream/keyframe", "request_id": keyframe.to_string(), "slot": slot, "status": "unsupported" });
    rig.server(&frame(0));
    assert_eq!(rig.outcome(keyframe), None);
    rig.server(&frame(1));
    assert_eq!(rig.outcome(keyframe), Some(Ok(Outcome::Keyframe(KeyframeStatus::Unsupported))));
}

#[test]
fn statuses_are_passed_on_and_those_of_unknown_slots_are_not() {
    let mut rig = Rig::connected();
    rig.status(1, "camera2", "buffering", None);
    rig.status(9, "camera2", "active", None);
    assert!(matches!(rig.events()[..], [Event::Status(status)] if status.slot == 1));
}

#[test]
fn disconnect_rejects_every_call_that_waits() {
    let mut rig = Rig::connected();
    let calls = [
        rig.client.switch(rig.now, show(0, "camera7")),
        rig.client.pause(rig.now, 1, None),
        rig.client.request_keyframe(rig.now, 0),
    ];
    rig.client.disconnect();
    rig.drain();
    for call in calls {
        assert_eq!(rig.code(call), "aborted");
    }
}

#[test]
fn warm_is_answered_with_the_resolved_name() {
    let mut rig = Rig::connected();
    let warm = rig.client.warm(rig.now, "camera7".to_owned(), Some("720p".to_owned()));
    rig.drain();
    assert_eq!(rig.sent("multistream/warm")[0]["quality"], "720p");
    rig.server(&json!({ "type": "multistream/warm", "request_id": "0", "stream": "other", "ttl_s": 15 }));
    assert_eq!(rig.outcome(warm), None);
    rig.server(&json!({ "type": "multistream/warm", "request_id": warm.to_string(), "stream": "camera7-720p", "ttl_s": 15 }));
    assert_eq!(rig.outcome(warm), Some(Ok(Outcome::Warm("camera7-720p".to_owned()))));
}

/// The server's refusal of a request for one slot, which goes on as it was.
pub(super) fn refuse(rig: &mut Rig, slot: u32, request: u32, reason: &str) {
    let status = json!({ "slot": slot, "stream": "refused", "status": "error", "reason": reason, "error": "No.", "kept": true });
    rig.server(&json!({
        "type": "multistream/status", "slot": slot, "request_id": request.to_string(), "status": status
    }));
}

#[track_caller]
fn assert_wishes(rig: &mut Rig, wishes: [&str; 2]) {
    rig.lose_and_reopen_socket();
    let init = rig.sent("multistream/init").remove(0);
    assert_eq!([&init["slots"][0]["stream"], &init["slots"][1]["stream"]], wishes);
}

#[test]
fn after_a_refused_codec_the_next_connection_asks_for_the_stream_that_still_plays() {
    let mut rig = Rig::connected();
    let switch = rig.client.switch(rig.now, show(0, "camera7"));
    rig.status(0, "camera7", "buffering", Some(switch));
    refuse(&mut rig, 0, switch, "unsupported-codec");
    assert_eq!(rig.code(switch), "unsupported-codec");
    assert_wishes(&mut rig, ["camera1", "camera2"]);
}

#[test]
fn after_an_error_that_changed_the_slot_the_next_connection_asks_for_the_new_stream() {
    let mut rig = Rig::connected();
    let switch = rig.client.switch(rig.now, show(0, "camera7"));
    let status = json!({ "slot": 0, "stream": "camera7", "status": "error", "reason": "source-invalid", "error": "No." });
    rig.server(&json!({
        "type": "multistream/status", "slot": 0, "request_id": switch.to_string(), "status": status
    }));
    assert_eq!(rig.code(switch), "source-invalid");
    assert_wishes(&mut rig, ["camera7", "camera2"]);
}

#[test]
fn refusals_in_any_order_leave_the_last_wish_that_was_not_refused() {
    let mut rig = Rig::connected();
    let first = rig.client.switch(rig.now, show(0, "camera7"));
    rig.client.switch(rig.now, show(0, "camera8"));
    let third = rig.client.switch(rig.now, show(0, "camera9"));
    refuse(&mut rig, 0, first, "unknown-stream");
    refuse(&mut rig, 0, third, "unknown-stream");
    assert_eq!(rig.code(third), "unknown-stream");
    assert_wishes(&mut rig, ["camera8", "camera2"]);

    let mut rig = Rig::connected();
    rig.client.switch(rig.now, show(0, "camera7"));
    let second = rig.client.switch(rig.now, show(0, "camera8"));
    rig.status(0, "camera8", "active", Some(second));
    let third = rig.client.switch(rig.now, show(0, "camera9"));
    refuse(&mut rig, 0, third, "unknown-quality");
    assert_wishes(&mut rig, ["camera8", "camera2"]);
}

#[test]
fn a_refused_switch_of_a_paused_slot_leaves_it_paused() {
    let mut rig = Rig::connected();
    let pause = rig.client.pause(rig.now, 1, None);
    rig.status(1, "camera2", "paused", Some(pause));
    let switch = rig.client.switch(rig.now, show(1, "camera7"));
    refuse(&mut rig, 1, switch, "unknown-stream");
    rig.lose_socket();
    rig.plan(Some(ms(0)));
    rig.take();
    rig.handshake();
    assert_eq!(rig.sent("multistream/pause").len(), 1);
}

#[test]
fn an_error_says_whether_the_call_changed_anything() {
    let mut rig = Rig::connected();
    let kept = |rig: &Rig, promise| match rig.outcome(promise) {
        Some(Err(error)) => error.kept,
        other => panic!("expected a rejection, got {other:?}"),
    };
    let unknown = rig.client.switch(rig.now, show(7, "camera7"));
    let refused = rig.client.switch(rig.now, show(0, "camera7"));
    refuse(&mut rig, 0, refused, "unsupported-codec");
    let offline = rig.client.switch(rig.now, show(0, "camera8"));
    rig.status(0, "camera8", "offline", Some(offline));
    assert_eq!([kept(&rig, unknown), kept(&rig, refused), kept(&rig, offline)], [true, true, false]);
}

#[test]
fn an_atomic_layout_that_is_refused_leaves_every_slot_as_it_was() {
    for by_status in [true, false] {
        let mut rig = Rig::connected();
        let layout = rig.client.switch_many(rig.now, vec![show(0, "camera7"), show(1, "camera8")], true);
        rig.drain();
        assert_eq!(rig.sent("multistream/layout")[0]["atomic"], true);
        if by_status {
            refuse(&mut rig, 1, layout, "unsupported-codec");
        } else {
            rig.server(&json!({
                "type": "multistream/error", "request_id": layout.to_string(),
                "code": "unsupported-codec", "error": "No."
            }));
        }
        assert_eq!(rig.code(layout), "unsupported-codec");
        assert_wishes(&mut rig, ["camera1", "camera2"]);
    }
}

#[test]
fn a_layout_that_is_not_atomic_is_refused_slot_by_slot() {
    let mut rig = Rig::connected();
    let layout = rig.client.switch_many(rig.now, vec![show(0, "camera7"), show(1, "camera8")], false);
    rig.drain();
    assert_eq!(rig.sent("multistream/layout")[0].get("atomic"), None);
    refuse(&mut rig, 1, layout, "unsupported-codec");
    assert_wishes(&mut rig, ["camera7", "camera2"]);
}

#[test]
fn an_rtp_timestamp_above_two_to_the_31_is_passed_on_unchanged() {
    let mut rig = Rig::connected();
    let switch = rig.client.switch(rig.now, show(0, "camera7"));
    let status =
        json!({ "slot": 0, "stream": "camera7", "status": "active", "rtp_timestamp": 4_000_000_000_u32 });
    rig.server(&json!({
        "type": "multistream/status", "slot": 0, "request_id": switch.to_string(), "status": status
    }));
    let Some(Ok(Outcome::Status(status))) = rig.outcome(switch) else { panic!("the switch is not done") };
    assert_eq!(status.rtp_timestamp, Some(4_000_000_000));
}
