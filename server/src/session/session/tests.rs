//! Tests of a session without its task, with the time, streams and messages given by the test.

use std::net::{Ipv4Addr, SocketAddr};

use multistream_protocol::client::SlotRequest;

use super::*;
use crate::config::{Config, WebrtcConfig};

async fn shared() -> Arc<Shared> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (mut config, _) = Config::parse(
        "test.yaml",
        "streams: {camera1: rtsp://127.0.0.1:9/none, camera2: rtsp://127.0.0.1:9/other}",
        &|_| None,
    )
    .expect("the config is fine");
    config.webrtc = WebrtcConfig { listen, ..config.webrtc };
    Arc::new(Shared {
        registry: Registry::new(&config),
        port: Port::open(&config.webrtc).await.expect("port 0 is free"),
        transcoders_per_session: config.limits.transcoders_per_session,
        bytes_per_second: f64::INFINITY,
        config: config.multistream.clone(),
        ice_servers: IceServers::default(),
        shown_after: Histogram::default(),
        traffic: Traffic::default(),
    })
}

fn init() -> client::Init {
    let slot = SlotRequest { slot: 0, stream: "camera1".to_owned(), quality: None };
    client::Init { slots: vec![slot], ..client::Init::default() }
}

#[tokio::test]
async fn a_client_that_never_makes_an_offer_loses_its_session_after_15_s() {
    let now = Instant::now();
    let mut session =
        Session::open(now, shared().await, crate::access::Grant::ALL, &init()).expect("the slots are fine");
    assert_eq!(session.drive(now + Duration::from_millis(14_900)), None);
    assert!(session.poll_timeout().is_some_and(|at| at <= now + OFFER_TIMEOUT));
    assert_eq!(session.drive(now + OFFER_TIMEOUT), Some(Over::NoOffer));
}

/// The statuses among the session's next messages, each with the request that it answers.
fn statuses(session: &mut Session) -> Vec<(SlotStatus, Option<String>)> {
    let said = session.take_replies().into_iter();
    said.filter_map(|reply| match reply {
        ServerMessage::Status(status) => Some((status.status, status.request_id)),
        _ => None,
    })
    .collect()
}

#[tokio::test]
async fn resuming_a_slot_whose_stream_does_not_exist_is_refused() {
    let now = Instant::now();
    let quality = Some("999p".to_owned());
    let slot = SlotRequest { slot: 0, stream: "camera1".to_owned(), quality };
    let init = client::Init { slots: vec![slot], ..client::Init::default() };
    let mut session =
        Session::open(now, shared().await, crate::access::Grant::ALL, &init).expect("the slots are fine");
    let resume = client::Resume { request_id: "r".to_owned(), slot: 0, stream: None, quality: None };
    session.handle_request(now, ClientMessage::Resume(resume));
    let said = statuses(&mut session);
    let (answer, _) = said
        .iter()
        .find(|(_, request_id)| request_id.as_deref() == Some("r"))
        .unwrap_or_else(|| panic!("resume was not answered: {said:?}"));
    assert_eq!((answer.reason.as_deref(), answer.kept), (Some("unknown-stream"), true));
}

fn wish(slot: i32, stream: &str, quality: Option<&str>) -> SlotRequest {
    SlotRequest { slot, stream: stream.to_owned(), quality: quality.map(str::to_owned) }
}

/// The answers to `request_id` as `slot: state (reason)`, with `kept` where it is set.
fn answers(session: &mut Session, request_id: &str) -> Vec<String> {
    let answers =
        statuses(session).into_iter().filter(|(_, answered)| answered.as_deref() == Some(request_id));
    let brief = |status: SlotStatus| {
        let reason = status.reason.unwrap_or_default();
        let kept = if status.kept { " kept" } else { "" };
        format!("{}: {:?} ({reason}){kept}", status.slot, status.status)
    };
    answers.map(|(status, _)| brief(status)).collect()
}

#[tokio::test]
async fn a_refused_request_says_that_the_slot_was_kept_and_an_overridden_one_does_not() {
    let now = Instant::now();
    let mut session =
        Session::open(now, shared().await, crate::access::Grant::ALL, &init()).expect("the slots are fine");
    for (stream, quality, code) in
        [("nowhere", None, "unknown-stream"), ("camera1", Some("999p"), "unknown-quality")]
    {
        session.handle_request(now, client::Switch::new("s", wish(0, stream, quality)).into());
        assert_eq!(answers(&mut session, "s"), [format!("0: Error ({code}) kept")]);
    }
    session.handle_request(now, client::Switch::new("a", wish(0, "camera2", None)).into());
    session.handle_request(now, client::Switch::new("b", wish(0, "camera1", None)).into());
    assert_eq!(answers(&mut session, "a"), ["0: Error (superseded)"]);
}

#[tokio::test]
async fn one_unknown_stream_refuses_an_atomic_layout_whole_and_only_its_slot_of_another() {
    let now = Instant::now();
    let slots = vec![wish(0, "camera1", None), wish(1, "camera1", None)];
    let init = client::Init { slots, ..client::Init::default() };
    let mut session =
        Session::open(now, shared().await, crate::access::Grant::ALL, &init).expect("the slots are fine");
    let before = session.statuses();
    let layout = |atomic| {
        let slots = vec![wish(0, "camera2", None), wish(1, "nowhere", None)];
        ClientMessage::from(client::Layout { request_id: "l".to_owned(), slots, atomic })
    };
    session.handle_request(now, layout(true));
    let refused = ["0: Error (unknown-stream) kept", "1: Error (unknown-stream) kept"];
    assert_eq!(answers(&mut session, "l"), refused);
    assert_eq!(session.statuses(), before);
    session.handle_request(now, layout(false));
    assert_eq!(answers(&mut session, "l"), refused[1..]);
    assert_eq!(session.statuses()[0].stream, "camera2");
}

#[tokio::test]
async fn the_streams_of_a_session_whose_network_went_away_go_on_for_a_while() {
    let (now, shared) = (Instant::now(), shared().await);
    let session =
        Session::open(now, shared.clone(), crate::access::Grant::ALL, &init()).expect("the slots are fine");
    let viewers = async |expected: usize| {
        while shared.registry.snapshot().await[0].viewers != expected {
            assert!(now.elapsed() < Duration::from_secs(10), "never {expected} viewers");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    viewers(1).await;
    session.keep_streams_for(Duration::from_millis(300));
    viewers(2).await;
    session.close();
    viewers(1).await;
    viewers(0).await;
    assert!(now.elapsed() >= Duration::from_millis(300));
}
