//! The loss of the connection, reconnection, and resumption.

use std::time::Duration;

use serde_json::json;

use super::{Rig, ms, show};
use crate::core::{Command, Event, Options, Outcome, PeerState, State, default_delay};

impl Rig {
    pub(super) fn lose_socket(&mut self) {
        self.client.handle_socket_closed(self.attempt(), "The WebSocket was closed (code 1006).".to_owned());
        self.drain();
    }

    /// Answers `PlanReconnect` as the app's policy would.
    pub(super) fn plan(&mut self, delay: Option<Duration>) {
        assert!(matches!(self.said.last(), Some(Command::PlanReconnect { .. })), "{:?}", self.said.last());
        self.client.handle_reconnect_delay(self.now, delay);
        self.drain();
    }

    pub(super) fn lose_and_reopen_socket(&mut self) {
        self.lose_socket();
        self.plan(Some(Duration::ZERO));
        self.take();
        self.client.handle_socket_open(self.attempt());
        self.drain();
    }
}

#[test]
fn a_lost_socket_is_opened_again_with_the_same_slots() {
    let mut rig = Rig::connected();
    let switch = rig.client.switch(rig.now, show(1, "camera7"));
    rig.status(1, "camera7", "active", Some(switch));
    rig.lose_socket();
    assert_eq!(rig.client.state(), State::Reconnecting);
    assert!(!rig.said.contains(&Command::ClosePeer(1)), "the pictures still move");
    rig.plan(Some(Duration::ZERO));
    rig.handshake();
    let slots = json!([{ "slot": 0, "stream": "camera1" }, { "slot": 1, "stream": "camera7" }]);
    assert_eq!(rig.sent("multistream/init")[0]["slots"], slots);
    assert!(rig.said.contains(&Command::ClosePeer(1)), "the old pictures go when the new ones are there");
    assert!(rig.events().contains(&&Event::Reconnected(2)));
    assert!(rig.events().contains(&&Event::Track { attempt: 2, slot: 1 }));
    assert_eq!(rig.client.state(), State::Connected);
}

#[test]
fn an_unreachable_server_is_tried_with_growing_delays() {
    let mut rig = Rig::connected();
    rig.lose_socket();
    let mut tries = Vec::new();
    for retry in 0..17 {
        let Some(Command::PlanReconnect { retry: asked, .. }) = rig.said.last() else { panic!("no plan") };
        assert_eq!(*asked, retry);
        rig.plan(Some(default_delay(retry, 0.0)));
        rig.pass(default_delay(retry, 0.0));
        assert_eq!(rig.said.last(), Some(&Command::OpenSocket(retry + 2)));
        tries.push(rig.now.as_millis());
        rig.lose_socket();
    }
    assert_eq!(tries[..4], [0, 300, 600, 900]);
    assert_eq!(tries[12..], [3_600, 4_800, 7_500, 12_300, 19_300]);
}

#[test]
fn the_delays_begin_anew_after_a_connection() {
    let mut rig = Rig::connected();
    rig.lose_socket();
    rig.plan(Some(Duration::ZERO));
    rig.lose_socket();
    rig.plan(Some(Duration::ZERO));
    rig.handshake();
    rig.lose_socket();
    assert!(matches!(rig.said.last(), Some(Command::PlanReconnect { retry: 0, .. })));
}

#[test]
fn a_policy_that_gives_up_ends_the_connection_and_rejects_the_waiting_calls() {
    let mut rig = Rig::connected();
    let switch = rig.client.switch(rig.now, show(0, "camera7"));
    rig.lose_socket();
    rig.plan(None);
    assert_eq!(rig.code(switch), "connection-lost");
    assert!(matches!(rig.events().last(), Some(Event::Disconnected { .. })));
    assert_eq!((rig.client.state(), rig.client.poll_timeout()), (State::Disconnected, None));
    assert!(rig.said.contains(&Command::ClosePeer(1)));
}

#[test]
fn an_attempt_that_hangs_is_followed_by_the_next() {
    let mut rig = Rig::connected();
    rig.lose_socket();
    rig.plan(Some(Duration::ZERO));
    rig.pass(ms(700));
    assert!(matches!(rig.said.last(), Some(Command::PlanReconnect { retry: 1, .. })), "a SYN may be lost");
    assert!(rig.said.contains(&Command::CloseSocket(2)));
    rig.plan(Some(Duration::ZERO));
    rig.until_offer();
    rig.pass(ms(9_000));
    assert_eq!(rig.said.last(), Some(&Command::CreatePeer { attempt: 3, slots: 2, ice_servers: vec![] }));
    rig.pass(ms(1_000));
    assert!(matches!(rig.said.last(), Some(Command::PlanReconnect { retry: 2, .. })));
}

#[test]
fn late_events_of_an_earlier_attempt_are_dropped() {
    let mut rig = Rig::connected();
    rig.lose_socket();
    rig.plan(Some(Duration::ZERO));
    rig.take();
    rig.server_of(1, &json!({ "type": "multistream/disconnected", "reason": "late" }));
    rig.client.handle_socket_closed(1, "late".to_owned());
    rig.client.handle_answer_applied(1);
    rig.client.handle_bad_message(1, "late");
    rig.drain();
    assert_eq!(rig.said, []);
}

#[test]
fn a_peer_that_recovers_within_its_grace_is_kept() {
    let mut rig = Rig::connected();
    rig.peer(PeerState::Disconnected);
    rig.pass(ms(2_900));
    rig.peer(PeerState::Connected);
    rig.pass(ms(60_000));
    assert_eq!(rig.said, []);
}

#[test]
fn a_peer_that_stays_disconnected_or_fails_is_replaced() {
    let mut rig = Rig::connected();
    rig.peer(PeerState::Disconnected);
    rig.pass(ms(3_000));
    assert!(!rig.said.contains(&Command::ClosePeer(1)), "it shows its last pictures, and may recover");
    rig.plan(Some(Duration::ZERO));
    rig.handshake();
    assert!(rig.said.contains(&Command::ClosePeer(1)));

    let mut rig = Rig::connected();
    rig.peer(PeerState::Failed);
    assert!(matches!(rig.said.last(), Some(Command::PlanReconnect { .. })));
}

#[test]
fn the_old_peer_is_closed_when_it_fails_while_a_new_one_is_made() {
    let mut rig = Rig::connected();
    rig.lose_socket();
    rig.plan(Some(Duration::ZERO));
    rig.client.handle_peer_state(rig.now, 1, PeerState::Failed);
    rig.drain();
    assert_eq!(rig.said.iter().filter(|command| **command == Command::ClosePeer(1)).count(), 1);
    rig.handshake();
    assert_eq!(rig.said.iter().filter(|command| **command == Command::ClosePeer(1)).count(), 1);
}

#[test]
fn a_server_that_ends_the_session_is_asked_for_a_new_one() {
    let mut rig = Rig::connected();
    rig.server(&json!({ "type": "multistream/disconnected", "reason": "server_shutdown" }));
    let Some(Command::PlanReconnect { reason, .. }) = rig.said.last() else { panic!("no plan") };
    assert!(reason.contains("server_shutdown"));
}

#[test]
fn a_switch_made_without_a_connection_is_part_of_the_next_init() {
    let mut rig = Rig::connected();
    rig.lose_socket();
    let switch = rig.client.switch(rig.now, show(0, "camera7"));
    rig.plan(Some(Duration::ZERO));
    rig.handshake();
    assert!(rig.sent("multistream/switch").is_empty(), "init says it already");
    assert_eq!(rig.outcome(switch), None);
    rig.status(0, "camera7", "active", None);
    assert!(rig.is_sent(switch, "camera7"));
}

#[test]
fn a_paused_slot_is_paused_again_after_a_reconnect() {
    let mut rig = Rig::connected();
    let pause = rig.client.pause(rig.now, 1, None);
    rig.status(1, "camera2", "paused", Some(pause));
    let keyframe = rig.client.request_keyframe(rig.now, 0);
    rig.lose_socket();
    assert_eq!(rig.code(keyframe), "connection-lost");
    rig.take();
    rig.client.handle_reconnect_delay(rig.now, Some(Duration::ZERO));
    rig.drain();
    rig.handshake();
    let sent = rig.sent("multistream/pause");
    assert_eq!((sent.len(), &sent[0]["slot"]), (1, &json!(1)));
}

#[test]
fn a_network_that_comes_back_starts_the_next_attempt_at_once() {
    let mut rig = Rig::connected();
    rig.lose_socket();
    rig.plan(Some(ms(7_000)));
    rig.client.handle_wake(rig.now);
    rig.drain();
    assert_eq!(rig.said.last(), Some(&Command::OpenSocket(2)));
    rig.take();
    rig.client.handle_wake(rig.now);
    rig.drain();
    assert_eq!(rig.said, [], "one try at a time");
    rig.pass(ms(300));
    rig.client.handle_wake(rig.now);
    rig.drain();
    assert_eq!(rig.said.last(), Some(&Command::OpenSocket(3)), "one that hangs is from the network before");
}

#[test]
fn a_network_that_comes_back_replaces_a_disconnected_peer_at_once() {
    let mut rig = Rig::connected();
    rig.client.handle_wake(rig.now);
    rig.drain();
    assert_eq!(rig.said, [], "pictures that move are left alone");
    rig.peer(PeerState::Disconnected);
    rig.take();
    rig.client.handle_wake(rig.now);
    rig.drain();
    assert!(matches!(rig.said.last(), Some(Command::PlanReconnect { .. })));
}

#[test]
fn the_first_connection_is_retried_only_with_retry_connect_and_only_after_an_error_that_may_pass() {
    let options = Options { retry_connect: true, ..Options::default() };
    let mut rig = Rig::with(options);
    let promise = rig.connect();
    rig.lose_socket();
    assert_eq!(rig.outcome(promise), None);
    rig.plan(Some(ms(0)));
    rig.handshake();
    assert_eq!(rig.outcome(promise), Some(Ok(Outcome::Tracks(2))));

    let mut rig = Rig::with(options);
    let promise = rig.connect();
    rig.client.handle_socket_open(1);
    rig.server(&json!({ "type": "multistream/error", "code": "invalid-slots", "error": "Too many slots." }));
    assert_eq!(rig.code(promise), "invalid-slots");
}

/// Connected, with a token; then the socket is lost and opened again.
fn resuming() -> Rig {
    let mut rig = Rig::new();
    rig.connect();
    rig.client.handle_socket_open(1);
    rig.server(&json!({ "type": "multistream/ready", "slots": 2, "resume": "secret" }));
    rig.client.handle_offer(1, "offer".to_owned());
    rig.server(&super::answer(&[(0, "camera1".to_owned()), (1, "camera2".to_owned())]));
    rig.apply_answer();
    rig.peer(PeerState::Connected);
    rig.lose_and_reopen_socket();
    rig
}

#[test]
fn a_session_is_resumed_by_its_token_and_keeps_its_peer() {
    let mut rig = resuming();
    assert_eq!(rig.sent("multistream/init")[0]["resume"], "secret");
    rig.server(&json!({ "type": "multistream/ready", "slots": 2, "resume": "secret", "resumed": true }));
    assert_eq!(rig.client.state(), State::Connected);
    assert!(rig.said.contains(&Command::AdoptPeer { from: 1, to: 2 }));
    assert!(rig.events().contains(&&Event::Reconnected(2)));
    let touched = |command: &Command| matches!(command, Command::CreatePeer { .. } | Command::ClosePeer(_));
    assert!(!rig.said.iter().any(touched));
    // The peer's events now carry the new attempt, and the session is resumed the same way when the socket is lost again.
    rig.lose_and_reopen_socket();
    assert_eq!(rig.sent("multistream/init")[0]["resume"], "secret");
    rig.server(&json!({ "type": "multistream/ready", "slots": 2, "resumed": true }));
    rig.client.handle_peer_state(rig.now, 3, PeerState::Failed);
    rig.drain();
    assert!(matches!(rig.said.last(), Some(Command::PlanReconnect { .. })));
}

#[test]
fn a_session_that_cannot_be_resumed_is_opened_anew_on_the_same_socket() {
    let mut rig = resuming();
    let request_id = rig.sent("multistream/init")[0]["request_id"].clone();
    rig.take();
    let over = json!({ "type": "multistream/error", "request_id": request_id, "code": "no-session", "error": "It is over." });
    rig.server(&over);
    assert_eq!(rig.sent("multistream/init")[0].get("resume"), None);
    rig.server(&json!({ "type": "multistream/ready", "slots": 2 }));
    assert!(matches!(rig.said.last(), Some(Command::CreatePeer { attempt: 2, .. })));
}

#[test]
fn a_session_whose_peer_failed_is_not_resumed() {
    let mut rig = resuming();
    rig.server(&json!({ "type": "multistream/ready", "slots": 2, "resume": "secret", "resumed": true }));
    rig.peer(PeerState::Failed);
    rig.plan(Some(Duration::ZERO));
    rig.take();
    rig.client.handle_socket_open(3);
    rig.drain();
    assert_eq!(rig.sent("multistream/init")[0].get("resume"), None);
}

#[test]
fn a_switch_made_without_a_socket_is_sent_after_a_resume() {
    let mut rig = resuming();
    let switch = rig.client.switch(rig.now, show(0, "camera7"));
    rig.server(&json!({ "type": "multistream/ready", "slots": 2, "resume": "secret", "resumed": true }));
    let layouts = rig.sent("multistream/layout");
    assert_eq!(layouts.len(), 1);
    assert_eq!(layouts[0]["slots"], json!([{ "slot": 0, "stream": "camera7" }]));
    rig.status(0, "camera7", "active", Some(switch));
    assert!(rig.is_sent(switch, "camera7"));
}

#[test]
fn a_switch_that_timed_out_without_a_socket_is_sent_after_a_resume_too() {
    let mut rig = resuming();
    let switch = rig.client.switch(rig.now, show(1, "camera7"));
    rig.lose_socket();
    rig.plan(Some(ms(11_000)));
    rig.pass(ms(11_000));
    assert_eq!(rig.code(switch), "timeout");
    rig.take();
    rig.client.handle_socket_open(rig.attempt());
    rig.drain();
    rig.server(&json!({ "type": "multistream/ready", "slots": 2, "resumed": true }));
    assert_eq!(rig.sent("multistream/layout")[0]["slots"], json!([{ "slot": 1, "stream": "camera7" }]));
}

#[test]
fn a_peer_that_fails_during_a_resume_leads_to_a_new_session() {
    let mut rig = resuming();
    rig.client.handle_peer_state(rig.now, 1, PeerState::Failed);
    rig.server(&json!({ "type": "multistream/ready", "slots": 2, "resumed": true }));
    rig.plan(Some(Duration::ZERO));
    rig.take();
    rig.client.handle_socket_open(3);
    rig.drain();
    assert_eq!(rig.sent("multistream/init")[0].get("resume"), None);
}
