//! What a slot is said to show: what was received and shown, and nothing that was only asked for or is only remembered.

use std::time::Duration;

use multistream_protocol::SlotState;
use serde_json::json;

use super::media::{Flow, TOKEN};
use super::ms;
use crate::core::{Event, Options, PeerState, Received};

/// How long a tile may say what has ceased to be so.
const WITHIN: Duration = Duration::from_millis(1_500);

impl Flow {
    /// The statuses since the last call: slot, state, reason.
    fn told(&mut self) -> Vec<(u32, SlotState, String)> {
        let told = self.rig.events().into_iter().filter_map(|event| match event {
            Event::Status(status) => {
                Some((status.slot, status.status, status.reason.clone().unwrap_or_default()))
            }
            _ => None,
        });
        let told = told.collect();
        self.rig.take();
        told
    }

    fn expect_lost(&mut self, what: &str, reason: &str, slots: &[u32]) {
        let expected: Vec<_> =
            slots.iter().map(|slot| (*slot, SlotState::Buffering, reason.to_owned())).collect();
        let mut told = self.told();
        told.sort_by_key(|(slot, ..)| *slot);
        assert_eq!(told, expected, "{what}");
    }

    /// The server takes the session back over another WebSocket.
    fn resume(&mut self) {
        self.rig.client.handle_reconnect_delay(self.rig.now, Some(Duration::ZERO));
        self.rig.client.handle_socket_open(self.rig.attempt());
        let ready = json!({ "type": "multistream/ready", "slots": 2, "resume": TOKEN, "resumed": true });
        self.rig.server(&ready);
    }
}

/// What happens, why the pictures are then said to be lost, and of which slots.
type Row = (&'static str, fn(&mut Flow), &'static str, &'static [u32]);

const ROWS: &[Row] = &[
    (
        "the server is killed",
        |flow| {
            flow.rig.lose_socket();
            flow.stop();
        },
        "connection-lost",
        &[0, 1],
    ),
    ("the server hangs, or the path of the media is cut", Flow::stop, "media-lost", &[0, 1]),
    ("the browser gives the media path up", |flow| flow.rig.peer(PeerState::Failed), "media-lost", &[0, 1]),
    (
        "the server ends the session",
        |flow| flow.rig.server(&json!({ "type": "multistream/disconnected", "reason": "server_shutdown" })),
        "connection-lost",
        &[0, 1],
    ),
    (
        "the pictures outlive the server until the browser gives their path up",
        |flow| {
            flow.rig.lose_socket();
            flow.pass(ms(5_000));
            flow.rig.client.handle_peer_state(flow.rig.now, 1, PeerState::Failed);
            flow.rig.drain();
        },
        "connection-lost",
        &[0, 1],
    ),
    ("only the WebSocket is lost, and the pictures go on", |flow| flow.rig.lose_socket(), "", &[]),
    (
        "the server is killed while it sends little",
        |flow| {
            (flow.rises, flow.others) = ([(1.0, 1.0); 2], 1.0);
            flow.pass(ms(5_000));
            flow.rig.lose_socket();
            flow.stop();
        },
        "connection-lost",
        &[0, 1],
    ),
    (
        "the app's policy gives up",
        |flow| {
            flow.rig.lose_socket();
            flow.rig.plan(None);
        },
        "connection-lost",
        &[0, 1],
    ),
    (
        "the server is killed while one slot is paused",
        |flow| {
            flow.rig.status(1, "camera2", "paused", None);
            flow.told();
            flow.rig.lose_socket();
            flow.stop();
        },
        "connection-lost",
        &[0],
    ),
    (
        "the server is killed while one camera is offline",
        |flow| {
            flow.rig.status(1, "camera2", "offline", None);
            flow.told();
            flow.rig.lose_socket();
            flow.stop();
        },
        "connection-lost",
        &[0, 1],
    ),
    (
        "the server is killed while all cameras are offline",
        |flow| {
            flow.rig.status(0, "camera1", "offline", None);
            flow.rig.status(1, "camera2", "offline", None);
            flow.stop();
            flow.pass(ms(20_000));
            flow.told();
            flow.rig.lose_socket();
        },
        "connection-lost",
        &[0, 1],
    ),
];

#[test]
fn a_picture_that_was_lost_is_said_to_be_lost_within_a_second_and_a_half() {
    for (what, happens, reason, slots) in ROWS {
        let mut flow = Flow::playing();
        happens(&mut flow);
        flow.pass(WITHIN);
        flow.expect_lost(what, reason, slots);
    }
}

#[test]
fn a_path_that_is_given_more_time_since_it_was_silent_before_is_said_to_be_lost_as_soon() {
    let mut flow = Flow::playing();
    for _ in 0..3 {
        flow.stop();
        flow.pass(WITHIN);
        assert!(flow.told().contains(&(0, SlotState::Buffering, "media-lost".to_owned())));
        flow.rig.client.handle_reconnect_delay(flow.rig.now, Some(ms(100_000)));
        flow.start();
        flow.pass(ms(200));
        flow.rig.client.handle_socket_open(flow.rig.attempt());
        let ready = json!({ "type": "multistream/ready", "slots": 2, "resume": TOKEN, "resumed": true });
        flow.rig.server(&ready);
        flow.pass(ms(2_000));
        flow.told();
    }
}

#[test]
fn what_the_server_said_last_is_told_again_when_the_picture_moves_again() {
    let mut flow = Flow::with(Options { keeps_watch: false, ..Options::default() });
    let status =
        json!({ "slot": 1, "stream": "camera2", "status": "active", "reason": "bandwidth", "width": 640 });
    flow.rig.server(&json!({ "type": "multistream/status", "slot": 1, "status": status }));
    flow.told();
    flow.stop();
    flow.pass(ms(5_000));
    flow.expect_lost("the media stop", "media-lost", &[0, 1]);
    flow.start();
    flow.pass(ms(300));
    let bandwidth = "bandwidth".to_owned();
    assert_eq!(flow.told(), [(0, SlotState::Active, String::new()), (1, SlotState::Active, bandwidth)]);
    flow.pass(ms(5_000));
    assert_eq!(flow.told(), []);
}

#[test]
fn a_server_that_believes_it_sends_is_not_believed_before_a_picture_comes() {
    let mut flow = Flow::playing();
    flow.stop();
    flow.pass(WITHIN);
    flow.told();
    flow.resume();
    flow.rig.status(0, "camera1", "active", None);
    flow.rig.status(1, "camera2", "offline", None);
    flow.pass(ms(200));
    assert_eq!(flow.told(), [(1, SlotState::Offline, String::new())], "it knows its cameras");
    flow.rig.client.handle_offer(2, "offer".to_owned());
    flow.candidate(2);
    let slots = json!([
        { "slot": 0, "stream": "camera1", "status": "active" },
        { "slot": 1, "stream": "camera2", "status": "offline" },
    ]);
    let mids = json!({ "0": "0", "1": "1" });
    flow.rig.server(&json!({ "type": "multistream/answer", "sdp": "answer", "slots": slots, "mids": mids }));
    flow.rig.apply_answer();
    flow.rig.peer(PeerState::Connected);
    flow.received = Received { slots: vec![(0, 0.0, 0.0), (1, 0.0, 0.0)], ..Received::default() };
    flow.pass(ms(300));
    assert_eq!(flow.told(), [(1, SlotState::Offline, String::new())]);
    flow.rises[0] = (50.0, 1.0);
    flow.pass(ms(300));
    assert_eq!(flow.told(), [(0, SlotState::Active, String::new())]);
}

#[test]
fn a_camera_that_sends_nothing_on_a_connection_that_is_back_is_no_loss_of_the_connection() {
    let mut flow = Flow::with(Options { keeps_watch: false, ..Options::default() });
    flow.stop();
    flow.pass(WITHIN);
    flow.expect_lost("the media stop", "media-lost", &[0, 1]);
    flow.start();
    flow.rises[1] = (0.0, 0.0);
    flow.pass(ms(4_000));
    assert_eq!(flow.told(), [(0, SlotState::Active, String::new()), (1, SlotState::Active, String::new())]);
    assert!(flow.rig.client.stalled(1).is_some(), "the stall says that it stands still");
}
