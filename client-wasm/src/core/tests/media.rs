//! Pictures that stand still although the connection seems to be there.

use std::time::Duration;

use multistream_protocol::client::Ice;
use serde_json::json;

use super::{Rig, ms};
use crate::core::{Attempt, Command, Event, Options, PeerState, Received, Stall, State};

pub(super) const TOKEN: &str = "secret";

/// Plays the browser's statistics.
pub(super) struct Flow {
    pub(super) rig: Rig,
    pub(super) received: Received,
    /// How far the packets and pictures of each slot rise within each look.
    pub(super) rises: [(f64, f64); 2],
    pub(super) others: f64,
}

impl Flow {
    /// Two slots that play, with a token.
    pub(super) fn playing() -> Self {
        Self::with(Options::default())
    }

    pub(super) fn with(options: Options) -> Self {
        let mut rig = Rig::with(options);
        rig.connect();
        rig.client.handle_socket_open(1);
        rig.server(&json!({ "type": "multistream/ready", "slots": 2, "resume": TOKEN }));
        rig.client.handle_offer(1, "offer".to_owned());
        rig.server(&super::answer(&[(0, "camera1".to_owned()), (1, "camera2".to_owned())]));
        rig.apply_answer();
        rig.peer(PeerState::Connected);
        for (slot, stream) in [(0, "camera1"), (1, "camera2")] {
            rig.status(slot, stream, "active", None);
        }
        let slots = vec![(0, 0.0, 0.0), (1, 0.0, 0.0)];
        let received = Received { packets: 0.0, age: Duration::ZERO, slots };
        let mut flow = Self { rig, received, rises: [(50.0, 20.0); 2], others: 2.0 };
        flow.pass(ms(5_000));
        flow.rig.take();
        flow
    }

    pub(super) fn stop(&mut self) {
        (self.rises, self.others) = ([(0.0, 0.0); 2], 0.0);
        self.received.age = Duration::ZERO;
    }

    pub(super) fn start(&mut self) {
        (self.rises, self.others) = ([(50.0, 20.0); 2], 2.0);
    }

    /// Lets time pass, and answers each look.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.rig.now + time;
        while let Some(deadline) = self.rig.client.poll_timeout().filter(|deadline| *deadline <= end) {
            let before = self.rig.now;
            self.rig.now = before.max(deadline);
            self.received.age += self.rig.now.saturating_sub(before);
            self.rig.client.handle_timeout(self.rig.now);
            self.rig.drain();
            self.answer();
        }
        self.received.age += end.saturating_sub(self.rig.now);
        self.rig.now = end;
    }

    fn answer(&mut self) {
        for attempt in std::mem::take(&mut self.rig.looks) {
            self.received.packets += self.others;
            for (slot, (packets, pictures)) in self.received.slots.iter_mut().zip(self.rises) {
                slot.1 += packets;
                slot.2 += pictures;
                self.received.packets += packets;
                if packets > 0.0 {
                    self.received.age = Duration::ZERO;
                }
            }
            self.rig.client.handle_received(self.rig.now, attempt, &self.received);
            self.rig.drain();
        }
    }

    fn is_lost(&self) -> bool {
        self.rig.client.state() == State::Reconnecting
    }

    fn stalls(&self) -> Vec<(u32, Option<Stall>)> {
        let stall = |event: &&Event| match event {
            Event::Stalled { slot, stalled } => Some((*slot, *stalled)),
            _ => None,
        };
        self.rig.events().iter().filter_map(stall).collect()
    }

    pub(super) fn candidate(&mut self, attempt: Attempt) {
        let candidate = Ice { candidate: "candidate:1".to_owned(), sdp_mid: None, sdp_m_line_index: None };
        self.rig.client.handle_local_candidate(attempt, candidate);
        self.rig.drain();
    }

    /// How long it takes until the connection is made again.
    fn notices_after(&mut self) -> Duration {
        let start = self.rig.now;
        while !self.is_lost() {
            self.pass(ms(10));
            assert!(self.rig.now < start + ms(30_000), "never");
        }
        self.rig.now.saturating_sub(start)
    }
}

#[test]
fn the_counts_are_read_about_once_a_second() {
    let mut flow = Flow::playing();
    let start = flow.rig.now;
    let mut looks = 0;
    while flow.rig.now < start + ms(10_000) {
        flow.rig.pass(ms(100));
        looks += flow.rig.looks.len();
        flow.answer();
    }
    assert!((9..=15).contains(&looks), "{looks}");
    assert_eq!(flow.rig.said, []);
}

#[test]
fn a_connection_on_which_nothing_arrives_is_made_again_while_the_old_one_stays() {
    let mut flow = Flow::playing();
    flow.stop();
    let noticed = flow.notices_after();
    assert!(noticed <= ms(1_300), "{noticed:?}");
    assert_eq!(flow.stalls(), [(0, Some(Stall::Network)), (1, Some(Stall::Network))]);
    flow.rig.plan(Some(Duration::ZERO));
    flow.rig.client.handle_socket_open(2);
    flow.rig.drain();
    assert_eq!(flow.rig.sent("multistream/init")[0]["resume"], TOKEN, "the session is kept");
    flow.rig.server(&json!({ "type": "multistream/ready", "slots": 2, "resume": TOKEN, "resumed": true }));
    assert!(flow.rig.said.iter().any(|command| matches!(command, Command::CreatePeer { attempt: 2, .. })));
    flow.rig.client.handle_offer(2, "offer".to_owned());
    flow.rig.drain();
    assert!(
        flow.rig.sent("multistream/offer").is_empty(),
        "a browser without a candidate cannot connect yet"
    );
    flow.candidate(2);
    assert_eq!(flow.rig.sent("multistream/offer").len(), 1);
    flow.rig.server(&super::answer(&[(0, "camera1".to_owned()), (1, "camera2".to_owned())]));
    flow.rig.apply_answer();
    assert!(!flow.rig.said.contains(&Command::ClosePeer(1)), "nothing turns black");
    flow.rig.peer(PeerState::Connected);
    assert!(flow.rig.said.contains(&Command::ClosePeer(1)));
    assert_eq!(flow.rig.client.state(), State::Connected);

    flow.rig.take();
    flow.received = Received { slots: vec![(0, 0.0, 0.0), (1, 0.0, 0.0)], ..Received::default() };
    for (slot, stream) in [(0, "camera1"), (1, "camera2")] {
        flow.rig.status(slot, stream, "active", None);
    }
    flow.start();
    flow.pass(ms(2_000));
    assert_eq!(flow.stalls(), [(0, None), (1, None)]);
    assert!(!flow.is_lost());
}

#[test]
fn a_path_that_works_again_before_the_new_connection_is_there_is_kept() {
    let mut flow = Flow::playing();
    flow.stop();
    flow.notices_after();
    flow.rig.plan(Some(ms(5_000)));
    flow.pass(ms(1_000));
    flow.start();
    while flow.rig.attempt() == 1 {
        flow.pass(ms(10));
    }
    assert_eq!(flow.rig.said.iter().filter(|command| **command == Command::OpenSocket(2)).count(), 1);
    flow.rig.client.handle_socket_open(2);
    flow.rig.drain();
    flow.rig.server(&json!({ "type": "multistream/ready", "slots": 2, "resume": TOKEN, "resumed": true }));
    assert!(flow.rig.said.contains(&Command::AdoptPeer { from: 1, to: 2 }));
}

#[test]
fn a_path_that_works_again_while_the_browser_gathers_candidates_is_kept() {
    let mut flow = Flow::playing();
    flow.stop();
    flow.notices_after();
    flow.rig.plan(Some(Duration::ZERO));
    flow.rig.client.handle_socket_open(2);
    flow.rig.server(&json!({ "type": "multistream/ready", "slots": 2, "resume": TOKEN, "resumed": true }));
    flow.rig.client.handle_offer(2, "offer".to_owned());
    flow.start();
    flow.pass(ms(300));
    assert!(flow.rig.said.contains(&Command::ClosePeer(2)), "the one that is not needed");
    assert!(flow.rig.said.contains(&Command::AdoptPeer { from: 1, to: 2 }));
    assert_eq!(flow.rig.client.state(), State::Connected);
    flow.pass(ms(5_000));
    assert!(!flow.is_lost());
}

#[test]
fn a_peer_that_was_made_while_the_network_was_away_is_used_by_the_attempt_that_gets_through() {
    let mut flow = Flow::playing();
    flow.stop();
    flow.notices_after();
    let made = |rig: &Rig| rig.said.iter().filter(|said| matches!(said, Command::CreatePeer { .. })).count();
    assert_eq!(made(&flow.rig), 1, "before the browser forgets its interfaces");
    flow.rig.client.handle_offer(2, "early offer".to_owned());
    flow.candidate(2);
    flow.rig.plan(Some(Duration::ZERO));
    flow.rig.lose_socket();
    flow.rig.plan(Some(Duration::ZERO));
    assert!(!flow.rig.said.iter().any(|said| matches!(said, Command::ClosePeer(_))));
    flow.rig.client.handle_socket_open(3);
    flow.rig.drain();
    flow.rig.server(&json!({ "type": "multistream/ready", "slots": 2, "resume": TOKEN, "resumed": true }));
    assert_eq!(flow.rig.sent("multistream/offer")[0]["sdp"], "early offer");
    assert!(flow.rig.said.contains(&Command::AdoptPeer { from: 2, to: 3 }));
    assert_eq!(made(&flow.rig), 1);
}

#[test]
fn no_peer_is_made_in_advance_with_the_credential_of_a_turn_server_that_may_have_expired() {
    let mut flow = Flow::playing();
    let turn = |credential| json!([{ "urls": ["turn:t"], "username": "u", "credential": credential }]);
    let ready = |credential| json!({ "type": "multistream/ready", "slots": 2, "resume": TOKEN, "resumed": true, "ice_servers": turn(credential) });
    flow.rig.lose_and_reopen_socket();
    flow.rig.server(&ready("old"));
    flow.stop();
    flow.notices_after();
    flow.rig.plan(Some(Duration::ZERO));
    let made = |rig: &Rig| {
        let mut made = rig.said.iter().filter_map(|said| match said {
            Command::CreatePeer { ice_servers, .. } => ice_servers[0].credential.clone(),
            _ => None,
        });
        made.next()
    };
    assert_eq!(made(&flow.rig), None);
    flow.rig.client.handle_socket_open(3);
    flow.rig.server(&ready("new"));
    assert_eq!(made(&flow.rig).as_deref(), Some("new"));
}

#[test]
fn a_wall_whose_slots_are_paused_or_offline_may_be_silent() {
    let mut flow = Flow::playing();
    flow.rig.status(0, "camera1", "paused", None);
    flow.rig.status(1, "camera2", "offline", None);
    flow.stop();
    flow.pass(ms(20_000));
    assert!(!flow.is_lost());
    assert_eq!(flow.stalls(), [(1, Some(Stall::Source))]);
}

#[test]
fn slow_cameras_whose_sender_reports_arrive_are_no_broken_path() {
    let mut flow = Flow::playing();
    flow.rises = [(0.0, 0.0); 2];
    flow.pass(ms(20_000));
    assert!(!flow.is_lost());
    assert_eq!(flow.stalls(), [(0, Some(Stall::Source)), (1, Some(Stall::Source))]);
}

#[test]
fn a_slot_that_is_sent_key_frames_only_is_not_stalled_between_them() {
    let mut flow = Flow::playing();
    let status = json!({ "slot": 1, "stream": "camera2", "status": "active", "picture_every_ms": 5000 });
    flow.rig.server(&json!({ "type": "multistream/status", "slot": 1, "status": status }));
    flow.rises[1] = (0.0, 0.0);
    flow.pass(ms(6_000));
    assert_eq!(flow.stalls(), []);
    flow.pass(ms(3_000));
    assert_eq!(flow.stalls(), [(1, Some(Stall::Source))]);
}

#[test]
fn a_reason_to_doubt_makes_the_client_notice_sooner() {
    let mut flow = Flow::playing();
    flow.stop();
    flow.rig.client.handle_wake(flow.rig.now);
    let noticed = flow.notices_after();
    assert!(noticed <= ms(900), "{noticed:?}");

    let mut flow = Flow::playing();
    flow.rig.client.handle_wake(flow.rig.now);
    flow.pass(ms(10_000));
    assert!(!flow.is_lost(), "what arrives is not doubted");
}

#[test]
fn a_page_that_was_frozen_is_not_judged_by_what_it_missed() {
    let mut flow = Flow::playing();
    flow.stop();
    flow.rig.now += ms(6_000);
    flow.pass(ms(100));
    flow.start();
    flow.pass(ms(5_000));
    assert!(!flow.is_lost());

    flow.stop();
    flow.rig.now += ms(6_000);
    flow.rig.client.handle_wake(flow.rig.now);
    let noticed = flow.notices_after();
    assert!(noticed <= ms(1_000), "and a path that is gone is noticed after it wakes: {noticed:?}");
}

#[test]
fn packets_without_pictures_are_answered_by_one_key_frame_request_then_by_a_new_connection() {
    let mut flow = Flow::playing();
    flow.rises[1] = (50.0, 0.0);
    flow.pass(ms(3_000));
    assert_eq!(flow.stalls(), [(1, Some(Stall::Decoder))]);
    let requests = flow.rig.sent("multistream/keyframe");
    assert_eq!((requests.len(), &requests[0]["slot"]), (1, &json!(1)));
    flow.rises[1] = (50.0, 20.0);
    flow.pass(ms(5_000));
    assert_eq!(flow.stalls().last(), Some(&(1, None)));
    assert!(!flow.is_lost());

    flow.rises[1] = (50.0, 0.0);
    let noticed = flow.notices_after();
    assert!(noticed <= ms(5_500), "{noticed:?}");
}

#[test]
fn a_path_that_is_silent_again_and_again_is_given_more_time() {
    let mut flow = Flow::playing();
    flow.stop();
    let first = flow.notices_after();
    flow.rig.plan(Some(Duration::ZERO));
    flow.rig.client.handle_socket_open(2);
    flow.rig.server(&json!({ "type": "multistream/ready", "slots": 2, "resume": TOKEN, "resumed": true }));
    flow.rig.client.handle_offer(2, "offer".to_owned());
    flow.candidate(2);
    flow.rig.server(&super::answer(&[(0, "camera1".to_owned()), (1, "camera2".to_owned())]));
    flow.rig.apply_answer();
    flow.rig.peer(PeerState::Connected);
    for (slot, stream) in [(0, "camera1"), (1, "camera2")] {
        flow.rig.status(slot, stream, "active", None);
    }
    flow.start();
    flow.pass(ms(2_000));
    flow.stop();
    let second = flow.notices_after();
    assert!(second > first + ms(600), "{first:?}, then {second:?}");
}

#[test]
fn an_app_that_wants_no_reconnects_is_only_told() {
    let mut flow = Flow::with(Options { keeps_watch: false, ..Options::default() });
    flow.stop();
    flow.pass(ms(10_000));
    assert_eq!(flow.rig.client.state(), State::Connected);
    assert_eq!(flow.stalls(), [(0, Some(Stall::Network)), (1, Some(Stall::Network))]);
}

#[test]
fn a_browser_that_makes_no_picture_of_h265_says_so_once_and_one_that_made_some_asks_for_a_key_frame() {
    let mut flow = Flow::playing();
    let h265 = |flow: &mut Flow| {
        let status = json!({ "slot": 1, "stream": "camera2", "status": "active", "codec": "h265" });
        flow.rig.server(&json!({ "type": "multistream/status", "slot": 1, "status": status }));
    };
    h265(&mut flow);
    flow.rises[1] = (50.0, 0.0);
    flow.pass(ms(3_500));
    let said = flow.rig.sent("multistream/undecodable");
    assert_eq!((said.len(), &said[0]["slot"]), (1, &json!(1)));
    assert_eq!(flow.rig.sent("multistream/keyframe").len(), 0);

    let mut flow = Flow::playing();
    h265(&mut flow);
    flow.pass(ms(2_000));
    flow.rises[1] = (50.0, 0.0);
    flow.pass(ms(3_500));
    assert_eq!(flow.rig.sent("multistream/undecodable").len(), 0);
    assert_eq!(flow.rig.sent("multistream/keyframe").len(), 1);
}
