//! What a client asks for, and what it is answered: the methods of RTSP 1.0, and the session that they make.

use std::net::SocketAddr;
use std::sync::Arc;

use rtsp_types::{Method, Version, headers};
use tracing::debug;

use super::RtspOut;
use super::address::{self, Address, VIDEO};
use super::carrier::Carrier;
use super::describe::Description;
use super::request::{Request, header};
use super::response::{Response, Status};
use super::sender::Sender;
use super::transport;
use crate::stream::{StreamName, Subscription};

/// How many events of the stream may wait for the reader: frames of two seconds at 30 fps.
const ROOM: usize = 64;
/// What a client over UDP is told: it is gone when it gives no sign of life for so many seconds.
pub(super) const SESSION_SECONDS: u64 = 60;
const METHODS: &str = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER";

/// A client, as far as it has come.
#[derive(Debug)]
pub(super) struct Dialogue {
    shared: Arc<RtspOut>,
    local: SocketAddr,
    peer: SocketAddr,
    pub(super) opened: Option<Opened>,
    pub(super) session: Option<Session>,
}

/// The stream that the client has asked for. It runs from then on.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) name: StreamName,
    pub(super) subscription: Subscription,
    /// `None` until a key frame has come.
    pub(super) description: Option<Description>,
}

#[derive(Debug)]
pub(super) struct Session {
    id: String,
    pub(super) carrier: Carrier,
    pub(super) sender: Sender,
    pub(super) playing: bool,
}

#[derive(Debug)]
pub(super) enum Answer {
    Now(Response),
    /// After which the connection ends.
    Last(Response),
    /// [`Dialogue::describe`] has it as soon as the stream has a key frame.
    WhenDescribed,
}

impl Dialogue {
    pub(super) fn new(shared: Arc<RtspOut>, local: SocketAddr, peer: SocketAddr) -> Self {
        Self { shared, local, peer, opened: None, session: None }
    }

    /// Answers a request of a client that may ask.
    pub(super) fn handle(&mut self, request: &Request) -> Answer {
        if request.version() != Version::V1_0 {
            return Answer::Now(Response::new(Status::VERSION));
        }
        if let Some(option) = header(request, &headers::REQUIRE).or(header(request, &headers::PROXY_REQUIRE))
        {
            return Answer::Now(Response::new(Status::OPTION_NOT_SUPPORTED).with("Unsupported", option));
        }
        let is_foreign = |session: Option<&str>| {
            session.is_some_and(|given| self.session.as_ref().is_none_or(|session| !session.is(given)))
        };
        if is_foreign(header(request, &headers::SESSION)) {
            return no_session();
        }
        match request.method() {
            Method::Options => Answer::Now(Response::new(Status::OK).with("Public", METHODS)),
            Method::Describe => self.open_described(request),
            Method::Setup => Answer::Now(self.set_up(request)),
            Method::Play => self.play(request),
            Method::Pause => self.pause(),
            Method::Teardown => match self.session.take() {
                Some(_) => Answer::Last(Response::new(Status::OK)),
                None => no_session(),
            },
            Method::GetParameter | Method::SetParameter => {
                Answer::Now(self.in_session(Response::new(Status::OK)))
            }
            Method::Announce | Method::Record => Answer::Now(
                Response::refusal(
                    Status::METHOD_NOT_ALLOWED,
                    "streams can be read here, not published: sources come from the config of this server",
                )
                .with("Allow", METHODS),
            ),
            Method::PlayNotify | Method::Redirect | Method::Extension(_) => {
                Answer::Now(Response::new(Status::NOT_IMPLEMENTED).with("Public", METHODS))
            }
        }
    }

    fn open_described(&mut self, request: &Request) -> Answer {
        let Some(address) = request.request_uri().and_then(address::read) else {
            return Answer::Now(no_stream(""));
        };
        if self.session.as_ref().is_some_and(|session| session.playing) {
            let sentence = "it plays: describe another stream on another connection";
            return Answer::Now(Response::refusal(Status::NOT_IN_THIS_STATE, sentence));
        }
        if let Err(refusal) = self.open(&address) {
            return Answer::Now(refusal);
        }
        match self.describe(request) {
            Some(response) => Answer::Now(response),
            None => Answer::WhenDescribed,
        }
    }

    /// The answer to a DESCRIBE; `None` while no key frame has come.
    pub(super) fn describe(&self, request: &Request) -> Option<Response> {
        let description = self.opened.as_ref()?.description.as_ref()?;
        let base = request.request_uri().and_then(address::read)?.base;
        let response = Response::new(Status::OK).with("Content-Base", base);
        Some(response.body("application/sdp", description.sdp(self.local.ip())))
    }

    /// Joins the stream, unless the client has already.
    fn open(&mut self, address: &Address) -> Result<(), Response> {
        let registry = &self.shared.registry;
        let name = registry.resolve(&address.stream, None).map_err(|_| no_stream(&address.stream))?;
        if self.opened.as_ref().is_some_and(|opened| opened.name == name) {
            return Ok(());
        }
        (self.opened, self.session) = (None, None);
        let busy = || Response::refusal(Status::UNAVAILABLE, "the stream takes no more readers now");
        let subscription = registry.subscribe(&name, ROOM).ok_or_else(busy)?;
        self.opened = Some(Opened { name, subscription, description: None });
        Ok(())
    }

    /// Joins the stream again after a change of the config. Returns whether it is there still.
    pub(super) fn join_again(&mut self) -> bool {
        let Some(opened) = &mut self.opened else { return false };
        let Some(subscription) = self.shared.registry.subscribe(&opened.name, ROOM) else { return false };
        opened.subscription = subscription;
        true
    }

    fn set_up(&mut self, request: &Request) -> Response {
        let Some(address) = request.request_uri().and_then(address::read) else {
            return Response::new(Status::NOT_FOUND);
        };
        if address.track.as_deref().is_some_and(|track| track != VIDEO) {
            return Response::refusal(
                Status::NOT_FOUND,
                format!("the only track is {VIDEO}: sound is not sent yet"),
            );
        }
        if self.session.as_ref().is_some_and(|session| session.playing) {
            return Response::refusal(Status::NOT_IN_THIS_STATE, "it plays: send TEARDOWN first");
        }
        if let Err(refusal) = self.open(&address) {
            return refusal;
        }
        let Some(choice) = transport::choose(request) else {
            let sentence =
                "what there is: RTP/AVP/TCP;unicast;interleaved=0-1, or RTP/AVP;unicast with client_port";
            return Response::refusal(Status::UNSUPPORTED_TRANSPORT, sentence);
        };
        let carrier = match Carrier::open(choice, self.local, self.peer) {
            Ok(carrier) => carrier,
            Err(error) => {
                debug!(%error, "no ports for a reader");
                return Response::refusal(Status::UNAVAILABLE, "no ports are free: use TCP");
            }
        };
        let codec = self.opened.as_ref().and_then(|opened| opened.description.as_ref()).map(|d| d.codec);
        let sender = Sender::new(codec);
        let id = format!("{:016x}", rand::random::<u64>());
        let transport = carrier.describe(choice, sender.ssrc);
        self.session = Some(Session { id, carrier, sender, playing: false });
        self.in_session(Response::new(Status::OK).with("Transport", transport))
    }

    fn play(&mut self, request: &Request) -> Answer {
        let (Some(session), Some(opened)) = (&mut self.session, &mut self.opened) else {
            return no_session();
        };
        let mut response = Response::new(Status::OK).with("Range", "npt=now-");
        // Another PLAY of a live stream changes nothing.
        if !session.playing {
            while opened.subscription.try_recv().is_some() {}
            opened.subscription.refresh();
            let (sequence, timestamp) = session.sender.begin(self.shared.registry.clock().now());
            session.playing = true;
            if let Some(Address { base, .. }) = request.request_uri().and_then(address::read) {
                let info = format!("url={base}{VIDEO};seq={sequence};rtptime={timestamp}");
                response = response.with("RTP-Info", info);
            }
            debug!(stream = %opened.name, peer = %self.peer, udp = session.carrier.is_udp(), "an RTSP reader plays");
        }
        Answer::Now(self.in_session(response))
    }

    fn pause(&mut self) -> Answer {
        let Some(session) = &mut self.session else { return no_session() };
        session.playing = false;
        Answer::Now(self.in_session(Response::new(Status::OK)))
    }

    fn in_session(&self, response: Response) -> Response {
        match &self.session {
            Some(Session { id, .. }) => response.with("Session", format!("{id};timeout={SESSION_SECONDS}")),
            None => response,
        }
    }
}

impl Session {
    /// Whether a header `Session` names this one.
    fn is(&self, given: &str) -> bool {
        given.split(';').next().is_some_and(|id| id.trim() == self.id)
    }
}

/// What answers are about, for the log.
pub(super) fn method(request: &Request) -> &str {
    request.method().into()
}

pub(super) fn cseq(request: &Request) -> Option<&str> {
    header(request, &headers::CSEQ)
}

fn no_session() -> Answer {
    Answer::Now(Response::refusal(
        Status::SESSION_NOT_FOUND,
        "there is no such session on this connection: send SETUP",
    ))
}

fn no_stream(name: &str) -> Response {
    Response::refusal(Status::NOT_FOUND, format!("there is no stream named \"{name}\""))
}
