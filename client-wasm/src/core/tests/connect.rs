//! The handshake of the first connection, and every way in which it can fail.

use multistream_protocol::client::Ice;
use serde_json::json;

use super::{Rig, answer, ms, show};
use crate::core::{ClientError, Command, Event, Options, Outcome, PeerState, State};

fn candidate(text: &str) -> Ice {
    Ice { candidate: text.to_owned(), sdp_mid: Some("0".to_owned()), sdp_m_line_index: None }
}

#[test]
fn a_connection_goes_through_its_steps_in_order() {
    let mut rig = Rig::new();
    let promise = rig.connect();
    assert_eq!(rig.take()[1..], [Command::OpenSocket(1)]);

    rig.client.handle_socket_open(1);
    rig.drain();
    let slots = json!([{ "slot": 0, "stream": "camera1" }, { "slot": 1, "stream": "camera2" }]);
    assert_eq!(rig.sent("multistream/init")[0]["slots"], slots);

    rig.server(&json!({ "type": "multistream/ready", "slots": 2, "ice_servers": [{ "urls": ["stun:s"] }] }));
    let Some(Command::CreatePeer { attempt: 1, slots: 2, ice_servers }) = rig.take().pop() else {
        panic!("no peer was made")
    };
    assert_eq!(ice_servers[0].urls, ["stun:s"]);

    rig.client.handle_offer(1, "my offer".to_owned());
    rig.drain();
    assert_eq!(rig.sent("multistream/offer")[0]["sdp"], "my offer");

    rig.server(&answer(&[(0, "camera1".to_owned()), (1, "camera2".to_owned())]));
    assert!(
        rig.said
            .iter()
            .any(|command| matches!(command, Command::ApplyAnswer { mids, .. } if mids.get(1) == Some("1")))
    );
    rig.apply_answer();
    assert_eq!(rig.outcome(promise), None, "media cannot flow yet");
    rig.peer(PeerState::Connected);
    assert_eq!(rig.outcome(promise), Some(Ok(Outcome::Tracks(1))));
    assert_eq!(rig.client.state(), State::Connected);
}

#[test]
fn a_peer_that_connects_before_the_browser_reports_the_answer_counts() {
    let mut rig = Rig::new();
    let promise = rig.connect();
    rig.until_answer();
    rig.peer(PeerState::Connected);
    assert_eq!(rig.outcome(promise), None);
    rig.apply_answer();
    assert_eq!(rig.outcome(promise), Some(Ok(Outcome::Tracks(1))));
}

#[test]
fn empty_negative_nameless_and_repeated_slots_are_refused_before_a_socket_is_opened() {
    for slots in [
        vec![],
        vec![show(-1, "camera1")],
        vec![show(0, "")],
        vec![show(2, "camera1"), show(0, "camera2"), show(2, "camera3")],
    ] {
        let mut rig = Rig::new();
        let promise = rig.client.connect(rig.now, slots);
        rig.drain();
        assert_eq!(rig.code(promise), "invalid-slots");
        assert_eq!(rig.said.len(), 1);
    }
}

#[test]
fn the_second_connect_is_refused_and_the_first_goes_on() {
    let mut rig = Rig::new();
    let first = rig.connect();
    let second = rig.connect();
    assert_eq!(rig.code(second), "already-connected");
    rig.handshake();
    assert_eq!(rig.outcome(first), Some(Ok(Outcome::Tracks(1))));
    let third = rig.connect();
    assert_eq!(rig.code(third), "already-connected");
}

#[test]
fn disconnect_during_connect_rejects_it_and_closes_everything() {
    let mut rig = Rig::new();
    let promise = rig.connect();
    rig.until_answer();
    rig.client.disconnect();
    rig.drain();
    assert_eq!(rig.code(promise), "aborted");
    assert_eq!(rig.sent("multistream/close").len(), 1);
    assert!(rig.said.contains(&Command::CloseSocket(1)) && rig.said.contains(&Command::ClosePeer(1)));
    assert_eq!((rig.client.state(), rig.client.poll_timeout()), (State::Disconnected, None));

    // Events that the browser had queued before change nothing.
    rig.take();
    rig.apply_answer();
    rig.peer(PeerState::Connected);
    rig.client.handle_socket_closed(1, "closed".to_owned());
    rig.server(&json!({ "type": "multistream/disconnected", "reason": "closed" }));
    assert_eq!(rig.said, []);
}

#[test]
fn connect_works_again_after_disconnect() {
    let mut rig = Rig::connected();
    rig.client.disconnect();
    rig.drain();
    let again = rig.connect();
    rig.handshake();
    assert_eq!(rig.outcome(again), Some(Ok(Outcome::Tracks(2))));
}

#[test]
fn a_handshake_step_that_never_comes_is_a_timeout_that_names_it() {
    type Reach = fn(&mut Rig);
    let steps: [(Reach, &str); 4] = [
        (|_| {}, "the WebSocket to open"),
        (|rig| rig.client.handle_socket_open(1), "the server to accept the slots"),
        (Rig::until_offer, "the browser's offer"),
        (
            |rig| {
                rig.until_answer();
                rig.apply_answer();
            },
            "a media path to the server",
        ),
    ];
    for (reach, awaited) in steps {
        let mut rig = Rig::with(Options { connection_timeout: ms(4000), ..Options::default() });
        let promise = rig.connect();
        reach(&mut rig);
        rig.pass(ms(3999));
        assert_eq!(rig.outcome(promise), None, "{awaited}");
        rig.pass(ms(1));
        let Some(Err(error)) = rig.outcome(promise) else { panic!("connect() hangs waiting for {awaited}") };
        let is_media = awaited.starts_with("a media path");
        assert_eq!(error.code, if is_media { "media-unreachable" } else { "connection-timeout" });
        assert!(error.message.contains(awaited), "{}", error.message);
    }
}

#[test]
fn where_no_media_path_is_found_the_error_says_which_turn_server_refused_to_help() {
    let mut rig = Rig::with(Options { retry_connect: true, ..Options::default() });
    rig.connect();
    rig.until_answer();
    rig.apply_answer();
    for (code, text) in
        [(701, "`turn:t`: timed out"), (401, "`turn:t`: Unauthorized"), (701, "`turn:t`: timed out")]
    {
        rig.client.handle_ice_trouble(1, code, text.to_owned());
    }
    rig.pass(ms(10_000));
    let reason = |rig: &Rig| match rig.said.last() {
        Some(Command::PlanReconnect { reason, .. }) => reason.clone(),
        other => panic!("{other:?}"),
    };
    let said = reason(&rig);
    assert!(said.contains("media path") && said.contains("`turn:t`: Unauthorized"), "{said}");
    // The next attempt may have other servers.
    rig.plan(Some(ms(0)));
    rig.pass(ms(10_000));
    let said = reason(&rig);
    assert!(!said.contains("turn:t"), "{said}");
}

#[test]
fn where_no_media_path_is_found_the_error_names_the_addresses_that_were_tried() {
    let sdp = "v=0\r\n\
        a=candidate:1 1 udp 2130706431 192.0.2.7 8555 typ host\r\n\
        a=candidate:2 1 udp 2130706175 2001:db8::7 8555 typ host\r\n\
        a=candidate:3 1 tcp 1526726655 192.0.2.7 8555 typ host tcptype passive\r\n";
    let mut rig = Rig::new();
    let promise = rig.connect();
    rig.until_offer();
    rig.client.handle_offer(1, "offer".to_owned());
    rig.drain();
    let mut answer = answer(&[(0, "camera1".to_owned()), (1, "camera2".to_owned())]);
    answer["sdp"] = sdp.into();
    rig.server(&answer);
    rig.apply_answer();
    rig.peer(PeerState::Failed);
    let Some(Err(error)) = rig.outcome(promise) else { panic!("connect() does not end") };
    let expected = "No media path to the server: is its WebRTC port reachable, by UDP or TCP? \
        Tried 192.0.2.7 port 8555. Tried 2001:db8::7 port 8555.";
    assert_eq!(error.message, expected);
}

#[test]
fn a_malformed_ready_rejects_connect() {
    let garbage = [
        json!({ "type": "multistream/ready" }),
        json!({ "type": "multistream/ready", "slots": "two" }),
        json!({ "type": "multistream/ready", "slots": 7 }),
    ];
    for frame in garbage {
        let mut rig = Rig::new();
        let promise = rig.connect();
        rig.client.handle_socket_open(1);
        rig.server(&frame);
        assert_eq!(rig.code(promise), "bad-message", "{frame}");
    }
}

#[test]
fn an_answer_that_leaves_a_slot_out_rejects_connect() {
    let mut rig = Rig::new();
    let promise = rig.connect();
    rig.until_offer();
    rig.client.handle_offer(1, "offer".to_owned());
    rig.server(&answer(&[(0, "camera1".to_owned())]));
    assert_eq!(rig.code(promise), "bad-message");
}

#[test]
fn a_malformed_message_after_the_handshake_is_reported_and_changes_nothing() {
    let mut rig = Rig::connected();
    rig.server(&json!({ "type": "multistream/status", "slot": "left" }));
    rig.client.handle_bad_message(1, "it is not JSON");
    rig.drain();
    assert!(matches!(rig.events()[..], [Event::Error(_), Event::Error(_)]));
    assert_eq!(rig.client.state(), State::Connected);
}

#[test]
fn the_servers_refusal_rejects_connect_with_its_code() {
    for request_id in [Some("2"), None] {
        let mut rig = Rig::new();
        let promise = rig.connect();
        rig.client.handle_socket_open(1);
        let mut frame = json!({ "type": "multistream/error", "code": "limit-reached", "error": "Too many." });
        if let Some(id) = request_id {
            frame["request_id"] = id.into();
        }
        rig.server(&frame);
        assert_eq!(rig.code(promise), "limit-reached");
    }
}

#[test]
fn messages_out_of_order_are_ignored() {
    let mut rig = Rig::new();
    let promise = rig.connect();
    rig.client.handle_socket_open(1);
    rig.drain();
    rig.take();
    rig.server(&answer(&[(0, "camera1".to_owned()), (1, "camera2".to_owned())]));
    rig.client.handle_answer_applied(1);
    rig.client.handle_offer(1, "an offer nobody asked for".to_owned());
    rig.drain();
    assert_eq!(rig.said, []);
    rig.handshake_from_ready();
    assert_eq!(rig.outcome(promise), Some(Ok(Outcome::Tracks(1))));
    rig.take();
    rig.server(&json!({ "type": "multistream/ready", "slots": 2 }));
    rig.server(&answer(&[(0, "camera1".to_owned()), (1, "camera2".to_owned())]));
    assert_eq!(rig.said, []);
}

impl Rig {
    fn handshake_from_ready(&mut self) {
        self.server(&json!({ "type": "multistream/ready", "slots": 2 }));
        self.client.handle_offer(self.attempt(), "offer".to_owned());
        self.server(&answer(&[(0, "camera1".to_owned()), (1, "camera2".to_owned())]));
        self.apply_answer();
        self.peer(PeerState::Connected);
    }
}

#[test]
fn candidates_wait_until_the_other_side_can_take_them() {
    let mut rig = Rig::new();
    rig.connect();
    rig.until_offer();
    rig.client.handle_local_candidate(1, candidate("mine"));
    rig.drain();
    assert!(rig.sent("multistream/ice").is_empty(), "the offer comes first");
    rig.take();
    rig.client.handle_offer(1, "offer".to_owned());
    rig.drain();
    assert_eq!(rig.sent("multistream/ice")[0]["candidate"], "mine");

    rig.server(
        &json!({ "type": "multistream/ice", "candidate": "theirs", "value": "theirs", "sdpMid": "0" }),
    );
    rig.server(&answer(&[(0, "camera1".to_owned()), (1, "camera2".to_owned())]));
    let added = Command::AddCandidate(1, candidate("theirs"));
    assert!(!rig.said.contains(&added), "the answer comes first");
    rig.apply_answer();
    assert!(rig.said.contains(&added));
    rig.server(&json!({ "type": "multistream/ice", "candidate": "", "value": "", "sdpMid": "0" }));
    assert!(
        rig.said.contains(&Command::AddCandidate(1, candidate(""))),
        "the end of candidates is passed on"
    );
}

#[test]
fn a_socket_or_a_peer_that_fails_rejects_connect() {
    type Fail = fn(&mut Rig);
    let mut rig = Rig::new();
    let promise = rig.connect();
    rig.client.handle_socket_closed(1, "The WebSocket could not be opened.".to_owned());
    rig.drain();
    assert_eq!(rig.code(promise), "websocket-failed");

    let fails: [(&str, Fail); 2] = [
        ("media-unreachable", |rig| rig.peer(PeerState::Failed)),
        ("peer-failed", |rig| {
            rig.client.handle_peer_error(1, "no H.264".to_owned());
            rig.drain();
        }),
    ];
    for (code, fail) in fails {
        let mut rig = Rig::new();
        let promise = rig.connect();
        rig.until_answer();
        fail(&mut rig);
        assert_eq!(rig.code(promise), code);
        assert!(rig.said.contains(&Command::ClosePeer(1)));
    }
}

#[test]
fn a_first_attempt_that_was_refused_for_good_is_not_made_again_and_any_other_is_told_with_its_error() {
    let refused = |code: &str| {
        let mut rig = Rig::with(Options { retry_connect: true, ..Options::default() });
        let promise = rig.connect();
        let error = ClientError::from_server(code.to_owned(), "No.".to_owned());
        rig.client.handle_socket_refused(1, error.clone());
        rig.drain();
        (rig, promise, error)
    };
    for code in ["unauthorized", "origin-refused", "mixed-content", "csp-blocked"] {
        let (rig, promise, _) = refused(code);
        assert_eq!((rig.code(promise), rig.client.state()), (code.into(), State::Disconnected));
    }
    for code in ["unreachable", "websocket-failed"] {
        let (mut rig, promise, error) = refused(code);
        rig.plan(Some(ms(500)));
        let told = Event::Reconnecting { retry: 0, delay: ms(500), error: error.clone() };
        assert!(rig.said.contains(&Command::Emit(told)), "{:?}", rig.said);
        assert_eq!(rig.outcome(promise), None);
        // Giving up tells the cause, and not that a connection was lost which there never was.
        rig.pass(ms(500));
        rig.client.handle_socket_refused(2, error);
        rig.drain();
        rig.plan(None);
        assert_eq!(rig.code(promise), code);
    }
}
