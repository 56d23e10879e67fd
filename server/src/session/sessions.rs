//! All sessions: opens them within the limits, finds the one that a client resumes, and ends them all.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use multistream_protocol::server::{self, Error};
use multistream_protocol::{ErrorCode, client};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::Histogram;
use super::attachment::{Command, Outbox, SessionHandle};
use super::session::{Session, Shared};
use super::state::{SessionState, SharedState};
use super::task::SessionTask;
use super::traffic::{Counts, Traffic};
use crate::config::Config;
use crate::limits::{self, Limit};
use crate::places::{NoPlace, Places};
use crate::rtc::{IceServers, Port, PortError, places_for};
use crate::stream::Registry;

/// What stands for a client whose address is not known: an address that has no limit of its own.
const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// How many commands may wait for one session. A socket that has more waits.
const COMMAND_QUEUE: usize = 64;

/// The numbers of sessions and peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionSummary {
    pub sessions: usize,
    pub peers: usize,
    /// How many of the sessions are in each state, in the order of [`SessionState::ALL`].
    pub states: [usize; SessionState::ALL.len()],
}

#[derive(Debug)]
pub struct Sessions {
    shared: Arc<Shared>,
    open: Mutex<Open>,
    places: Places,
    resume_timeout: Duration,
}

#[derive(Debug, Default)]
struct Open {
    /// By resume token.
    sessions: HashMap<String, OpenSession>,
    tasks: JoinSet<()>,
    next_id: u64,
}

#[derive(Debug)]
struct OpenSession {
    commands: mpsc::Sender<Command>,
    state: Arc<SharedState>,
}

impl Sessions {
    /// Opens the WebRTC port.
    pub async fn new(config: &Config, registry: Arc<Registry>) -> Result<Self, PortError> {
        let shared = Shared {
            registry,
            port: Port::open_within(&config.webrtc, places_for(&config.limits)).await?,
            bytes_per_second: config.limits.mbps_per_session as f64 * 1e6 / 8.0,
            config: config.multistream.clone(),
            transcoders_per_session: config.limits.transcoders_per_session,
            ice_servers: IceServers::new(&config.webrtc),
            shown_after: Histogram::default(),
            traffic: Traffic::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            open: Mutex::default(),
            places: Places::new(
                config.multistream.max_sessions,
                config.limits.sessions_per_address,
                &config.limits.exempt,
            ),
            resume_timeout: config.multistream.resume_timeout,
        })
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    /// The address of the WebRTC port.
    pub fn local_addr(&self) -> std::net::SocketAddr {
        self.shared.port.local_addr()
    }

    /// Handles `multistream/init`: resumes the session that it names, or opens a new one. The answer is sent to `outbox`.
    pub async fn init(&self, init: client::Init, outbox: Outbox) -> Result<SessionHandle, Error> {
        if let Some(token) = &init.resume {
            let commands = self.lock().sessions.get(token).map(|session| session.commands.clone());
            let attach = Command::Attach(outbox.clone(), init.request_id.clone());
            return match commands {
                Some(commands) if commands.send(attach).await.is_ok() => {
                    Ok(SessionHandle::new(commands, outbox))
                }
                _ => Err(Error::new(
                    ErrorCode::NoSession,
                    "the session to resume is over; send multistream/init without `resume`",
                )
                .answering(&init.request_id)),
            };
        }
        self.open(init, outbox)
    }

    fn open(&self, init: client::Init, outbox: Outbox) -> Result<SessionHandle, Error> {
        let mut open = self.lock();
        open.sessions.retain(|_, session| !session.commands.is_closed());
        while open.tasks.try_join_next().is_some() {}
        let place = self.places.take(outbox.client().unwrap_or(UNKNOWN)).map_err(|full| {
            let (limit, message) = match full {
                NoPlace::InAll(all) => (
                    Limit::Sessions,
                    format!("this server allows {all} sessions at once (`multistream.max_sessions`); close a page that is not needed"),
                ),
                NoPlace::ForAddress(most) => (
                    Limit::SessionsPerAddress,
                    format!(
                        "this server allows {most} sessions at once for one address (`limits.sessions_per_address`; \
                         `limits.exempt` for a proxy); close a page that is not needed"
                    ),
                ),
            };
            limits::hit(limit);
            Error::new(ErrorCode::LimitReached, message).answering(&init.request_id)
        })?;
        let (commands, inbox) = mpsc::channel(COMMAND_QUEUE);
        let opened_at = Instant::now();
        let mut session = Session::open(opened_at, self.shared.clone(), outbox.grant().clone(), &init)?;
        session.reached = outbox.reached();
        let resume_token = token();
        let ready = server::Ready {
            request_id: init.request_id,
            slots: session.slots() as u32,
            ice_servers: self.shared.ice_servers.at(SystemTime::now()),
            resume: Some(resume_token.clone()),
            resumed: false,
        };
        outbox.send(ready);
        let state = Arc::new(SharedState::new());
        let task = SessionTask {
            session,
            state: state.clone(),
            commands: inbox,
            outbox: Some(outbox.clone()),
            client: outbox.client(),
            ever_connected: false,
            resume_token: resume_token.clone(),
            resume_timeout: self.resume_timeout,
            opened_at,
            _place: place,
        };
        open.next_id += 1;
        let span = tracing::info_span!("session", id = open.next_id);
        open.tasks.spawn(task.run().instrument(span));
        open.sessions.insert(resume_token, OpenSession { commands: commands.clone(), state });
        Ok(SessionHandle::new(commands, outbox))
    }

    /// How long switches took: from the request until the last packet of the stream's first key frame has left.
    pub fn shown_after(&self) -> &Histogram {
        &self.shared.shown_after
    }

    /// What all sessions so far have sent and been asked for.
    pub fn traffic(&self) -> Counts {
        self.shared.traffic.get()
    }

    pub fn summary(&self) -> SessionSummary {
        let mut states = [0; SessionState::ALL.len()];
        for session in self.lock().sessions.values().filter(|session| !session.commands.is_closed()) {
            states[session.state.get() as usize] += 1;
        }
        SessionSummary { sessions: states.iter().sum(), peers: self.shared.port.peers(), states }
    }

    /// Ends all sessions with the reason `server_shutdown`, and waits until their connections are closed.
    pub async fn shutdown(&self) {
        let (sessions, mut tasks) = {
            let mut open = self.lock();
            (std::mem::take(&mut open.sessions), std::mem::take(&mut open.tasks))
        };
        for session in sessions.into_values() {
            let _ = session.commands.try_send(Command::Shutdown);
        }
        while tasks.join_next().await.is_some() {}
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // No change can panic half-way, so poisoned data is still consistent.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A token of 128 random bits, which cannot be guessed.
fn token() -> String {
    format!("{:032x}", rand::random::<u128>())
}
