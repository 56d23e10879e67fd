//! Tests that every message is read as it was written, in both framings, and that an error says what is wrong with a frame.

use multistream_protocol::client::{self, SlotRequest};
use multistream_protocol::server::{self, IceServer, KeyframeStatus, Mids};
use multistream_protocol::{ClientMessage, ErrorCode, Framing, ServerMessage, SlotState, SlotStatus};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

/// Any text, also with quotes, backslashes, line ends and characters beyond the basic plane.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z0-9-]{1,12}", any::<String>()]
}

fn slot_request() -> impl Strategy<Value = SlotRequest> {
    (any::<i32>(), text(), option::of(text())).prop_map(|(slot, stream, quality)| SlotRequest {
        slot,
        stream,
        quality,
    })
}

fn client_message() -> impl Strategy<Value = ClientMessage> {
    prop_oneof![
        (text(), vec(slot_request(), 0..4), option::of(text()))
            .prop_map(|(request_id, slots, resume)| client::Init { request_id, slots, resume }.into()),
        (text(), text()).prop_map(|(request_id, sdp)| client::Offer { request_id, sdp }.into()),
        (text(), slot_request()).prop_map(|(request_id, slot)| client::Switch::new(request_id, slot).into()),
        (text(), vec(slot_request(), 0..4), any::<bool>())
            .prop_map(|(request_id, slots, atomic)| client::Layout { request_id, slots, atomic }.into()),
        (text(), any::<i32>()).prop_map(|(request_id, slot)| client::Pause { request_id, slot }.into()),
        (text(), any::<i32>(), option::of(text()), option::of(text())).prop_map(
            |(request_id, slot, stream, quality)| client::Resume { request_id, slot, stream, quality }.into()
        ),
        (text(), any::<i32>()).prop_map(|(request_id, slot)| client::Keyframe { request_id, slot }.into()),
        (text(), text(), option::of(text()), option::of(any::<u32>())).prop_map(
            |(request_id, stream, quality, ttl_s)| client::Warm { request_id, stream, quality, ttl_s }.into()
        ),
        (text(), any::<i32>(), any::<i32>()).prop_map(|(request_id, slot, priority)| client::Priority {
            request_id,
            slot,
            priority
        }
        .into()),
        (text(), option::of(text()), option::of(any::<u16>())).prop_map(
            |(candidate, sdp_mid, sdp_m_line_index)| client::Ice { candidate, sdp_mid, sdp_m_line_index }
                .into()
        ),
        (text(), text()).prop_map(|(request_id, token)| client::Token { request_id, token }.into()),
        (text(), any::<i32>()).prop_map(|(request_id, slot)| client::Undecodable { request_id, slot }.into()),
        Just(client::Close {}.into()),
    ]
}

fn slot_status() -> impl Strategy<Value = SlotStatus> {
    let state = prop_oneof![
        Just(SlotState::Active),
        Just(SlotState::Buffering),
        Just(SlotState::Offline),
        Just(SlotState::Error),
        Just(SlotState::Paused),
    ];
    let texts =
        (option::of(text()), option::of(text()), option::of(text()), option::of(text()), option::of(text()));
    let number = || option::of(any::<u32>());
    let numbers = (number(), number(), number(), number(), number(), any::<bool>());
    (any::<u32>(), text(), state, texts, numbers).prop_map(|(slot, stream, state, texts, numbers)| {
        let mut status = SlotStatus::new(slot, stream, state);
        (status.quality, status.actual_quality, status.error, status.reason, status.codec) = texts;
        (
            status.width,
            status.height,
            status.display_width,
            status.display_height,
            status.rtp_timestamp,
            status.kept,
        ) = numbers;
        status
    })
}

fn server_message() -> impl Strategy<Value = ServerMessage> {
    let keyframe = prop_oneof![Just(KeyframeStatus::Sent), Just(KeyframeStatus::Unsupported)];
    let ice_server = (vec(text(), 0..3), option::of(text()), option::of(text()))
        .prop_map(|(urls, username, credential)| IceServer { urls, username, credential });
    prop_oneof![
        (text(), any::<u32>(), vec(ice_server, 0..3), option::of(text()), any::<bool>()).prop_map(
            |(request_id, slots, ice_servers, resume, resumed)| {
                server::Ready { request_id, slots, ice_servers, resume, resumed }.into()
            }
        ),
        (text(), text(), vec(slot_status(), 0..3), btree_map(any::<u32>(), text(), 0..3)).prop_map(
            |(request_id, sdp, slots, mids)| {
                let mids = Mids::from_iter(mids);
                server::Answer { request_id, sdp, slots, mids }.into()
            }
        ),
        (any::<u32>(), slot_status(), option::of(text()))
            .prop_map(|(slot, status, request_id)| server::Status { slot, status, request_id }.into()),
        (text(), any::<u32>(), keyframe).prop_map(|(request_id, slot, status)| server::Keyframe {
            request_id,
            slot,
            status
        }
        .into()),
        (text(), text(), any::<u32>()).prop_map(|(request_id, stream, ttl_s)| server::Warm {
            request_id,
            stream,
            ttl_s
        }
        .into()),
        (text(), option::of(text()), option::of(any::<u16>())).prop_map(
            |(candidate, sdp_mid, sdp_m_line_index)| server::Ice { candidate, sdp_mid, sdp_m_line_index }
                .into()
        ),
        (text(), option::of(any::<u32>())).prop_map(|(request_id, valid_s)| server::Token {
            request_id,
            valid_s
        }
        .into()),
        text().prop_map(|reason| server::Disconnected { reason }.into()),
        (option::of(text()), text(), text()).prop_map(|(request_id, code, error)| server::Error {
            request_id,
            code,
            error
        }
        .into()),
    ]
}

proptest! {
    #[test]
    fn a_message_of_the_client_is_read_as_it_was_written(message in client_message()) {
        for framing in [Framing::Flat, Framing::Enveloped] {
            let text = message.to_text(framing);
            prop_assert_eq!(ClientMessage::from_text(&text), Ok(Some((message.clone(), framing))), "{}", text);
        }
    }

    #[test]
    fn a_message_of_the_server_is_read_as_it_was_written(message in server_message()) {
        for framing in [Framing::Flat, Framing::Enveloped] {
            let text = message.to_text(framing);
            prop_assert_eq!(ServerMessage::from_text(&text), Ok(Some((message.clone(), framing))), "{}", text);
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in any::<String>(), json in "[\\[\\]{}\":,a-z0-9/ ]{0,60}") {
        for text in [text, json] {
            let _ = (ClientMessage::from_text(&text), ServerMessage::from_text(&text));
        }
    }
}

#[test]
fn the_strategies_make_every_message() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use std::collections::BTreeSet;

    let mut runner = TestRunner::deterministic();
    let mut kinds = BTreeSet::new();
    for _ in 0..500 {
        kinds.insert(client_message().new_tree(&mut runner).expect("a strategy").current().kind());
        kinds.insert(server_message().new_tree(&mut runner).expect("a strategy").current().kind());
    }
    let all: BTreeSet<_> = ClientMessage::TYPES.iter().chain(ServerMessage::TYPES).copied().collect();
    assert_eq!(kinds, all);
}

fn refusal(text: &str) -> server::Error {
    ClientMessage::from_text(text).expect_err(text)
}

#[test]
fn an_error_names_the_field_and_answers_its_request() {
    for (text, field, id) in [
        (r#"{"type":"multistream/switch","request_id":"7","slot":1}"#, "`stream`", Some("7")),
        (r#"{"type":"multistream/switch","request_id":"7","slot":"one","stream":"a"}"#, "`slot`", Some("7")),
        (
            r#"{"type":"multistream/init","value":{"request_id":"9","slots":[{"slot":0,"stream":"a"},{"slot":1,"stream":5}]}}"#,
            "`slots[1].stream`",
            Some("9"),
        ),
        (r#"{"type":"multistream/offer","request_id":5,"sdp":""}"#, "`request_id`", None),
        (r#"{"type":"multistream/pause","slot":4294967296}"#, "`slot`: expected an integer", None),
        (r#"{"type":"multistream/pause","slot":0.5}"#, "`slot`: expected an integer", None),
        (r#"{"type":"multistream/layout","slots":{}}"#, "`slots`: expected a list, found an object", None),
    ] {
        let error = refusal(text);
        assert_eq!(error.code, ErrorCode::BadMessage.as_str());
        assert!(error.error.contains(field), "{}", error.error);
        assert_eq!(error.request_id.as_deref(), id, "{text}");
    }
}

#[test]
fn a_frame_that_is_not_a_message_is_refused_with_what_it_lacks() {
    for (text, complaint) in [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        (r#"["multistream/close"]"#, "not a JSON object"),
        ("5", "not a JSON object"),
        ("{}", "no `type`"),
        (r#"{"type":5}"#, "`type` must be a string"),
    ] {
        let error = refusal(text);
        assert!(error.error.contains(complaint), "{text}: {}", error.error);
    }
}

#[test]
fn another_namespace_is_ignored_and_an_unknown_type_of_this_one_is_refused() {
    assert_eq!(ClientMessage::from_text(r#"{"type":"webrtc/offer","value":"v=0"}"#), Ok(None));
    let error = refusal(r#"{"type":"multistream/dance","request_id":"d"}"#);
    assert_eq!((error.code.as_str(), error.request_id.as_deref()), ("unknown-type", Some("d")));
}

#[test]
fn a_client_ignores_message_types_it_does_not_know() {
    assert_eq!(ServerMessage::from_text(r#"{"type":"multistream/dance"}"#), Ok(None));
}

#[test]
fn a_candidate_may_be_the_bare_value() {
    let ice =
        client::Ice { candidate: "candidate:1 \"q\"".to_owned(), sdp_mid: None, sdp_m_line_index: None };
    for text in [
        r#"{"type":"multistream/ice","value":"candidate:1 \"q\""}"#,
        r#"{"type":"multistream/ice","candidate":"candidate:1 \"q\""}"#,
        r#"{"type":"multistream/ice","value":{"candidate":"candidate:1 \"q\""}}"#,
    ] {
        let read = ClientMessage::from_text(text).expect(text).expect(text);
        assert_eq!(read.0, ClientMessage::Ice(ice.clone()), "{text}");
    }
    let beside = r#"{"type":"multistream/ice","value":"c","sdpMid":"1","sdpMLineIndex":1}"#;
    let ice =
        server::Ice { candidate: "c".to_owned(), sdp_mid: Some("1".to_owned()), sdp_m_line_index: Some(1) };
    assert_eq!(ServerMessage::from_text(beside), Ok(Some((ice.into(), Framing::Flat))));
}

#[test]
fn an_unknown_word_is_refused_with_the_known_ones() {
    let text =
        r#"{"type":"multistream/status","slot":1,"status":{"slot":1,"stream":"a","status":"dancing"}}"#;
    let error = ServerMessage::from_text(text).expect_err(text).error;
    assert!(error.contains("field `status.status`: expected one of `active` `buffering`"), "{error}");
}

#[test]
fn deep_nesting_is_refused() {
    let text = format!(r#"{{"type":"multistream/close","value":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    assert!(refusal(&text).error.contains("not JSON"));
}

#[test]
fn unknown_fields_are_ignored() {
    let text = r#"{"colour":"red","type":"multistream/pause","slot":0,"request_id":"1","value":null}"#;
    let pause = client::Pause { request_id: "1".to_owned(), slot: 0 };
    assert_eq!(ClientMessage::from_text(text), Ok(Some((pause.into(), Framing::Flat))));
}

#[test]
fn the_keys_of_mids_are_slot_indices() {
    let text = r#"{"type":"multistream/answer","sdp":"v=0","slots":[],"mids":{"0":"a","12":"b"}}"#;
    let Ok(Some((ServerMessage::Answer(answer), _))) = ServerMessage::from_text(text) else {
        panic!("{text}")
    };
    assert_eq!(answer.mids, Mids::from_iter([(0, "a".to_owned()), (12, "b".to_owned())]));
    let error = ServerMessage::from_text(&text.replace("12", "x")).expect_err("not an index");
    assert!(error.error.contains("mids"), "{}", error.error);
}
