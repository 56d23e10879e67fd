//! One connection: a task that reads requests, and sends answers and packets. It waits for everything at once, so that a client that
//! does not read is answered nothing and noticed by nobody, and takes what its queue and its buffer hold.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{BufMut as _, BytesMut};
use rtsp_types::{Method, headers};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

use super::RtspOut;
use super::auth::{self, Verdict};
use super::carrier::Carrier;
use super::describe::Description;
use super::dialogue::{Answer, Dialogue, Opened, SESSION_SECONDS, Session, cseq, method};
use super::request::{self, Incoming, LONGEST, Request, header};
use super::response::{Response, Status};
use crate::media::{Frame, StreamEvent};

/// A client that takes nothing of what waits for it for this long is gone.
pub(super) const STALLED_FOR: Duration = Duration::from_secs(20);
/// How long a client that does not play may do nothing.
const IDLE_FOR: Duration = Duration::from_secs(30);
/// How long a client over UDP may give no sign of life; a little longer than it is told.
const SILENT_FOR: Duration = Duration::from_secs(SESSION_SECONDS + 15);
/// How long a DESCRIBE waits for a camera that has yet to start, and for one that is offline and tried again.
const DESCRIBE_WITHIN: Duration = Duration::from_secs(10);
const RETRY_WITHIN: Duration = Duration::from_secs(2);
/// How long the last answer may take.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);
/// How often a reader is told the time.
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// So much waits in the buffer of a connection; what comes after it waits as frames, which all viewers share.
const OUT_ROOM: usize = 64 << 10;
/// Over UDP so many packets leave at a time, and the next ones after a pause: a GOP at once would overflow the reader's buffer.
const BURST: usize = 6;
const BURST_EVERY: Duration = Duration::from_millis(1);
/// Between the eras of NTP and of Unix (RFC 5905 §6).
const NTP_OF_UNIX: u64 = 2_208_988_800;

/// Serves a client until it is gone.
pub(super) async fn serve(stream: TcpStream, peer: SocketAddr, shared: Arc<RtspOut>) -> io::Result<()> {
    let local = stream.local_addr()?;
    let (reader, writer) = stream.into_split();
    let now = Instant::now();
    let connection = Connection {
        dialogue: Dialogue::new(Arc::clone(&shared), local, peer),
        shared,
        peer,
        nonce: auth::nonce(),
        let_in: false,
        input: BytesMut::new(),
        out: BytesMut::new(),
        packet: BytesMut::new(),
        described: None,
        leaves_at: None,
        heard_at: now,
        written_at: now,
        burst_at: now,
        report_at: now,
        clock: (now, SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
    };
    connection.run(reader, writer).await
}

struct Connection {
    shared: Arc<RtspOut>,
    peer: SocketAddr,
    nonce: String,
    /// Whether the client has given the password, or needs none.
    let_in: bool,
    dialogue: Dialogue,
    input: BytesMut,
    out: BytesMut,
    /// The packet that is made.
    packet: BytesMut,
    /// A DESCRIBE that waits for a key frame.
    described: Option<Described>,
    /// When the connection ends at the latest; `None` while it goes on.
    leaves_at: Option<Instant>,
    /// When the last request came that did something, or the last sign of life.
    heard_at: Instant,
    /// When the client last took something, or had nothing to take.
    written_at: Instant,
    /// When packets may leave over UDP again.
    burst_at: Instant,
    report_at: Instant,
    /// The time of day at an instant. Readers need steady time, so a change of the system's clock has no effect.
    clock: (Instant, Duration),
}

struct Described {
    request: Request,
    until: Instant,
    /// Why the camera is offline, as far as is known.
    reason: Option<String>,
}

enum Happened {
    Read(usize),
    Written(usize),
    Event(Option<StreamEvent>),
    SignOfLife,
    Timeout,
}

impl Connection {
    async fn run(mut self, mut reader: OwnedReadHalf, mut writer: OwnedWriteHalf) -> io::Result<()> {
        loop {
            self.answer_requests().await;
            self.send_packets();
            if self.leaves_at.is_some() && self.out.is_empty() {
                return Ok(());
            }
            let wake = self.wake();
            let reads = self.leaves_at.is_none() && self.input.len() < LONGEST;
            let wants = self.wants_events();
            let Self { input, out, dialogue: Dialogue { opened, session, .. }, .. } = &mut self;
            let happened = tokio::select! {
                read = reader.read_buf(input), if reads => Happened::Read(read?),
                written = writer.write_buf(out), if !out.is_empty() => Happened::Written(written?),
                event = next_event(opened.as_mut()), if wants => Happened::Event(event),
                () = report_of(session.as_ref()) => Happened::SignOfLife,
                () = sleep_until(wake) => Happened::Timeout,
            };
            let now = Instant::now();
            match happened {
                Happened::Read(0) => return Ok(()),
                Happened::Read(_) => {}
                Happened::Written(0) => return Err(io::ErrorKind::WriteZero.into()),
                Happened::Written(_) => self.written_at = now,
                Happened::Event(event) => self.event(event.as_ref()),
                Happened::SignOfLife => self.heard_at = now,
                Happened::Timeout => self.timeout(now)?,
            }
        }
    }

    /// Answers what has come, up to a request that has to wait.
    async fn answer_requests(&mut self) {
        while self.described.is_none() && self.leaves_at.is_none() {
            match request::take(&mut self.input) {
                Ok(None) => return,
                Ok(Some(Incoming::SignOfLife)) => self.heard_at = Instant::now(),
                Ok(Some(Incoming::Request(request))) => self.request(request).await,
                Err(request::Unreadable) => {
                    self.answer(&Response::refusal(Status::BAD_REQUEST, "this is no RTSP"), None);
                    self.leave();
                }
            }
        }
    }

    async fn request(&mut self, request: Request) {
        // Clients ask what there is before they are asked who they are.
        if !self.let_in && *request.method() != Method::Options && !self.lets_in(&request).await {
            let [digest, basic] = auth::challenges(&self.nonce);
            let refusal = Response::refusal(
                Status::UNAUTHORIZED,
                "this server wants `rtsp.username` and `rtsp.password` of its config",
            );
            let refusal = refusal.with("WWW-Authenticate", digest).with("WWW-Authenticate", basic);
            return self.answer(&refusal, cseq(&request));
        }
        match self.dialogue.handle(&request) {
            Answer::Now(response) => {
                // Some clients over UDP ask for options just to say that they are there.
                let means_something = *request.method() != Method::Options || self.dialogue.session.is_some();
                if response.is_ok() && means_something {
                    self.heard_at = Instant::now();
                }
                if response.is_ok() && *request.method() == Method::Play {
                    self.report_at = Instant::now();
                }
                self.answer(&response, cseq(&request));
            }
            Answer::Last(response) => {
                self.answer(&response, cseq(&request));
                self.leave();
            }
            Answer::WhenDescribed => {
                let until = Instant::now() + DESCRIBE_WITHIN;
                self.described = Some(Described { request, until, reason: None });
            }
        }
    }

    /// Whether the client may ask. A wrong guess is answered later than the one before.
    async fn lets_in(&mut self, request: &Request) -> bool {
        let authorization = header(request, &headers::AUTHORIZATION);
        let verdict = auth::weigh(&self.shared.config, &self.nonce, method(request), authorization);
        self.let_in = verdict == Verdict::LetIn;
        if verdict == Verdict::Wrong {
            let (from, path) =
                (self.peer.ip().to_canonical(), request.request_uri().map_or("", |url| url.path()));
            // In the form that `docs/deploy/fail2ban` reads.
            warn!(%from, path, "authentication failed");
            tokio::time::sleep(self.shared.failures.count(from, Instant::now().into_std())).await;
        }
        self.let_in
    }

    fn answer(&mut self, response: &Response, cseq: Option<&str>) {
        if self.out.is_empty() {
            self.written_at = Instant::now();
        }
        response.write(cseq, &mut self.out);
    }

    /// Ends the connection when everything is written.
    fn leave(&mut self) {
        self.leaves_at = Some(Instant::now() + LEAVE_WITHIN);
        (self.dialogue.session, self.dialogue.opened) = (None, None);
    }

    /// Frames are taken one by one: those that wait are in the stream's queue, and what does not fit there is left out.
    fn wants_events(&self) -> bool {
        self.described.is_some()
            || self
                .dialogue
                .session
                .as_ref()
                .is_some_and(|session| session.playing && session.sender.is_idle())
    }

    fn event(&mut self, event: Option<&StreamEvent>) {
        if self.described.is_some() {
            return self.event_for_description(event);
        }
        let Some(event) = event else {
            if !self.dialogue.join_again() {
                self.leave();
            }
            return;
        };
        let Some(session) = &mut self.dialogue.session else { return };
        if let Err(other) = session.sender.take(event) {
            // The reader has to ask again.
            debug!(codec = %other.0, peer = %self.peer, "the stream has another codec now: its reader is let go");
            self.leave();
        }
    }

    /// Answers the DESCRIBE that waits, if this event allows it.
    fn event_for_description(&mut self, event: Option<&StreamEvent>) {
        let key_frame: Option<&Frame> = match event {
            Some(StreamEvent::Gop(gop)) => gop.first().map(AsRef::as_ref),
            Some(StreamEvent::Frame(frame)) => Some(frame.as_ref()).filter(|frame| frame.keyframe),
            Some(StreamEvent::Offline(error)) => {
                let Some(described) = &mut self.described else { return };
                described.reason = Some(error.message.clone());
                let patience = if error.permanent { Duration::ZERO } else { RETRY_WITHIN };
                described.until = described.until.min(Instant::now() + patience);
                return;
            }
            None if self.dialogue.join_again() => return,
            None => return self.refuse_description(),
        };
        let (Some(key_frame), Some(opened)) = (key_frame, &mut self.dialogue.opened) else { return };
        opened.description = Some(Description::of(key_frame));
        if let Some(Described { request, .. }) = self.described.take()
            && let Some(response) = self.dialogue.describe(&request)
        {
            self.heard_at = Instant::now();
            self.answer(&response, cseq(&request));
        }
    }

    fn refuse_description(&mut self) {
        let Some(Described { request, reason, .. }) = self.described.take() else { return };
        // The camera is let go, unless somebody else watches it.
        self.dialogue.opened = None;
        self.heard_at = Instant::now();
        let reason = reason.unwrap_or_else(|| "the stream has no picture yet".to_owned());
        self.answer(&Response::refusal(Status::UNAVAILABLE, reason), cseq(&request));
    }

    fn send_packets(&mut self) {
        let Some(session) = self.dialogue.session.as_mut().filter(|session| session.playing) else { return };
        let now = Instant::now();
        let Session { carrier, sender, .. } = session;
        match carrier {
            Carrier::Interleaved { media, .. } => {
                if self.out.is_empty() {
                    self.written_at = now;
                }
                while self.out.len() < OUT_ROOM && sender.put(&mut self.packet) {
                    interleave(*media, &self.packet.split(), &mut self.out);
                    sender.sent();
                }
            }
            Carrier::Udp(ports) if now >= self.burst_at => {
                for _ in 0..BURST {
                    if !sender.put(&mut self.packet) {
                        break;
                    }
                    let sent = ports.media.try_send(&self.packet.split());
                    if sent.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
                        break;
                    }
                    // Another error is that of a client which does not listen yet, or any more.
                    sender.sent();
                }
                self.burst_at = now + BURST_EVERY;
            }
            Carrier::Udp(_) => {}
        }
        if now >= self.report_at && sender.has_begun() {
            self.report_at = now + REPORT_EVERY;
            let (at, unix) = self.clock;
            let unix = unix + now.saturating_duration_since(at);
            let fraction = (u64::from(unix.subsec_nanos()) << 32) / 1_000_000_000;
            let ntp = (unix.as_secs() + NTP_OF_UNIX) << 32 | fraction;
            let Some(report) = sender.report(self.shared.registry.clock().at(now), ntp) else { return };
            match carrier {
                Carrier::Interleaved { reports, .. } if self.out.len() < 2 * OUT_ROOM => {
                    interleave(*reports, &report, &mut self.out);
                }
                // A client that is behind hears the time later.
                Carrier::Interleaved { .. } => {}
                Carrier::Udp(ports) => {
                    let _ = ports.reports.try_send(&report);
                }
            }
        }
    }

    /// When something is to be done without anything happening.
    fn wake(&self) -> Instant {
        let stalled = (!self.out.is_empty()).then(|| self.written_at + STALLED_FOR);
        let playing = self.dialogue.session.as_ref().filter(|session| session.playing);
        let gone = match playing {
            // A client that takes packets within the connection is there.
            Some(session) if !session.carrier.is_udp() => None,
            Some(_) => Some(self.heard_at + SILENT_FOR),
            None => Some(self.heard_at + IDLE_FOR),
        };
        let waits = self.described.as_ref().map(|described| described.until);
        let burst = playing.filter(|session| session.carrier.is_udp() && !session.sender.is_idle());
        let burst = burst.map(|_| self.burst_at);
        let report = playing.filter(|session| session.sender.has_begun()).map(|_| self.report_at);
        let times = [stalled, gone, waits, burst, report, self.leaves_at];
        times.into_iter().flatten().min().unwrap_or_else(|| Instant::now() + IDLE_FOR)
    }

    fn timeout(&mut self, now: Instant) -> io::Result<()> {
        let playing = self.dialogue.session.as_ref().filter(|session| session.playing);
        let patience = match playing {
            Some(session) => session.carrier.is_udp().then_some(SILENT_FOR),
            None => Some(IDLE_FOR),
        };
        let is_silent = patience.is_some_and(|patience| now >= self.heard_at + patience);
        let is_stalled = !self.out.is_empty() && now >= self.written_at + STALLED_FOR;
        if self.described.as_ref().is_some_and(|described| now >= described.until) {
            self.refuse_description();
        } else if is_silent || is_stalled || self.leaves_at.is_some_and(|at| now >= at) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

/// Puts a packet into the connection (RFC 2326 §10.12).
fn interleave(channel: u8, packet: &[u8], out: &mut BytesMut) {
    out.put_u8(b'$');
    out.put_u8(channel);
    out.put_u16(packet.len() as u16);
    out.put_slice(packet);
}

async fn next_event(opened: Option<&mut Opened>) -> Option<StreamEvent> {
    match opened {
        Some(opened) => opened.subscription.recv().await,
        None => pending().await,
    }
}

/// Ready when a client over UDP has sent something to the port of the reports.
async fn report_of(session: Option<&Session>) {
    let mut report = [0; 64];
    match session.map(|session| &session.carrier) {
        // What it reports has no effect. An error is that of a packet which has found no listener.
        Some(Carrier::Udp(ports)) => while ports.reports.recv(&mut report).await.is_err() {},
        _ => pending().await,
    }
}
