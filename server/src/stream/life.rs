//! Decides when a stream's source runs. Pure: events and times go in, actions come out.
//!
//! The first viewer takes an idle stream to `Starting`, and a key frame takes it to `Live`. When all sources have failed, or
//! one that was live fails, the stream is `Offline`, and after a pause it is `Starting` again. Some time after the last viewer
//! has left (`linger`), it is `Idle` again, from whatever state.
//!
//! Call a `handle_*` method for each event, then [`Life::poll_action`] until it returns `None`, and call
//! [`Life::handle_timeout`] at the time of [`Life::poll_timeout`].

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::config::Patience;

use super::backoff::Backoff;
use super::{StreamError, StreamState};

/// How much longer than its own timeout a source may be silent before it counts as failed. A source reports its own timeout
/// with a better message; this is the safety net for one that misses it.
const MARGIN: Duration = Duration::from_secs(5);
/// How long a source may send frames without a key frame before it is restarted.
const KEY_FRAME_PATIENCE: Duration = Duration::from_secs(30);
/// A new viewer moves the next attempt forward to this long after the last failure. That shortens a long back-off, but the
/// camera is still not tried more often than this.
const HURRY: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
pub(super) struct LifeSettings {
    pub(super) linger: Duration,
    pub(super) preload: bool,
    /// For each source, in the order of the config: how long it may send no frame before it counts as failed.
    pub(super) patience: Vec<Patience>,
    /// How long a viewer without a picture waits for a key frame before a new connection asks for one.
    pub(super) key_frame_within: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Start the source at this index. No source is running.
    Start(usize),
    /// Stop the running source, and report its end with [`Life::handle_ended`].
    Stop,
    /// Inform the viewers that the stream is offline.
    TellOffline(StreamError),
    /// Inform the viewers that wait for a key frame why the source is started anew.
    TellWaiting(StreamError),
}

#[derive(Debug)]
pub(super) struct Life {
    settings: LifeSettings,
    phase: Phase,
    viewers: usize,
    /// When the stream becomes idle because it has no viewers; `None` while it has some, and for preloaded streams.
    idle_at: Option<Instant>,
    backoff: Backoff,
    error: Option<StreamError>,
    restarts: u64,
    /// Whether the last attempt was not made because too many variants run already.
    refused: bool,
    /// The pauses between two new connections that were made for a key frame, and the end of the present one.
    asking: Backoff,
    asks_from: Option<Instant>,
    actions: VecDeque<Action>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Running {
        source: usize,
        /// When the last frame came, decodable or not; at first, when the source was started.
        last_frame: Instant,
        /// How long it may send no frame now.
        patience: Duration,
        /// Since when no key frame has come, while frames are dropped for lack of one.
        waiting: Option<Instant>,
        /// Whether a key frame has come.
        live: bool,
        /// Since when a viewer waits for a key frame, although the stream is live.
        awaited: Option<Instant>,
    },
    Stopping {
        then: Then,
    },
    Waiting {
        since: Instant,
        retry_at: Instant,
    },
}

/// What follows once the source has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Idle,
    Start(usize),
    Wait,
}

impl Life {
    pub(super) fn new(settings: LifeSettings, now: Instant) -> Self {
        let preload = settings.preload;
        let mut life = Self {
            settings,
            phase: Phase::Idle,
            viewers: 0,
            idle_at: None,
            backoff: Backoff::default(),
            error: None,
            restarts: 0,
            refused: false,
            asking: Backoff::default(),
            asks_from: None,
            actions: VecDeque::new(),
        };
        if preload {
            life.start(0, now);
        }
        life
    }

    pub(super) fn state(&self) -> StreamState {
        match self.phase {
            Phase::Idle | Phase::Stopping { then: Then::Idle } => StreamState::Idle,
            Phase::Running { live: true, .. } => StreamState::Live,
            Phase::Running { .. } | Phase::Stopping { then: Then::Start(_) } => StreamState::Starting,
            Phase::Waiting { .. } | Phase::Stopping { then: Then::Wait } => StreamState::Offline,
        }
    }

    /// Why the last attempt failed; `None` again once a key frame has come.
    pub(super) fn error(&self) -> Option<&StreamError> {
        self.error.as_ref()
    }

    /// The index of the running source.
    pub(super) fn source(&self) -> Option<usize> {
        match self.phase {
            Phase::Running { source, .. } => Some(source),
            _ => None,
        }
    }

    pub(super) fn restarts(&self) -> u64 {
        self.restarts
    }

    /// Handles a new viewer. `hurry` says whether it shortens the back-off of an offline stream. It is false for a variant that
    /// subscribes to its camera again every second.
    pub(super) fn handle_joined(&mut self, hurry: bool, now: Instant) {
        self.viewers += 1;
        self.idle_at = None;
        match &mut self.phase {
            Phase::Idle => self.start(0, now),
            Phase::Stopping { then } if *then == Then::Idle => *then = Then::Start(0),
            Phase::Waiting { since, retry_at }
                if hurry && !self.error.as_ref().is_some_and(|error| error.permanent) =>
            {
                *retry_at = (*retry_at).min(*since + HURRY).max(now);
            }
            _ => {}
        }
    }

    pub(super) fn handle_left(&mut self, now: Instant) {
        self.viewers = self.viewers.saturating_sub(1);
        if self.viewers == 0 && !self.settings.preload {
            // If an offline stream became idle at once, a viewer could leave and come back to start the source anew, past the
            // back-off.
            let down = matches!(self.phase, Phase::Waiting { .. });
            self.idle_at =
                Some(now + if down { self.settings.linger.max(HURRY) } else { self.settings.linger });
        }
    }

    /// Without viewers it becomes idle now.
    pub(super) fn handle_let_go(&mut self, now: Instant) {
        if let Some(at) = &mut self.idle_at {
            *at = now;
        }
    }

    /// The pictures of the running source are had in another way from now on: it is started anew at once. `has_ended` says whether
    /// it has stopped by itself already.
    pub(super) fn handle_remade(&mut self, has_ended: bool, now: Instant) {
        let Phase::Running { source, .. } = self.phase else { return };
        if has_ended {
            self.start(source, now);
        } else {
            self.actions.push_back(Action::Stop);
            self.phase = Phase::Stopping { then: Then::Start(source) };
        }
    }

    /// The pictures of the running source cannot be shown.
    pub(super) fn handle_unplayable(&mut self, error: StreamError, jitter: f64, now: Instant) {
        if let Phase::Running { source, live, .. } = self.phase {
            self.give_up(source, live, error, jitter, now);
        }
    }

    /// Handles a frame that is sent to the viewers.
    pub(super) fn handle_frame(&mut self, key_frame: bool, now: Instant) {
        self.came(now);
        let Phase::Running { waiting, live, awaited, .. } = &mut self.phase else { return };
        *waiting = None;
        if key_frame {
            if std::mem::replace(live, true) {
                // It sends key frames by itself.
                self.asking.reset();
                self.asks_from = None;
            }
            *awaited = None;
            self.error = None;
            self.backoff.reset();
        }
    }

    /// Notes whether a viewer waits for a key frame, since there is no GOP that it could have been given.
    ///
    /// Some cameras send a key frame at the beginning of a session only, or every few minutes, and RTSP has no request for one. So
    /// the source is started anew for it when none comes in time. That interrupts the other viewers for the time of a connection, so
    /// the pauses between two such starts grow.
    pub(super) fn handle_awaited(&mut self, waits: bool, now: Instant) {
        if let Phase::Running { live: true, awaited, .. } = &mut self.phase {
            *awaited = waits.then(|| awaited.unwrap_or(now));
        }
    }

    /// Handles a picture that is dropped because no key frame has come yet. It still shows that the source sends.
    pub(super) fn handle_waiting_frame(&mut self, now: Instant) {
        self.came(now);
        let Phase::Running { waiting, .. } = &mut self.phase else { return };
        waiting.get_or_insert(now);
    }

    /// A picture has come, decodable or not.
    fn came(&mut self, now: Instant) {
        let Phase::Running { source, last_frame, patience, .. } = &mut self.phase else { return };
        *last_frame = now;
        *patience = self.settings.patience.get(*source).map_or(*patience, |known| known.silence + MARGIN);
    }

    /// Handles the end of a variant's source because the camera that it is made from is offline. The variant subscribes to the
    /// camera's stream again about every second, without a growing back-off: that costs the camera nothing, and the variant is
    /// back within a second of the camera.
    pub(super) fn handle_input_down(&mut self, error: StreamError, jitter: f64, now: Instant) {
        let backoff = std::mem::take(&mut self.backoff);
        self.handle_ended(error, jitter, now);
        self.backoff = backoff;
        if let Phase::Waiting { retry_at, .. } = &mut self.phase {
            // The delay is short also after a permanent failure of the camera, so that its variants recover soon after it does.
            *retry_at = now + Backoff::default().after_failure(false, jitter);
        }
    }

    /// Handles the end of a variant that was not started because too many run already. It tries again about every second, which
    /// costs nothing, but only while it has a viewer: without one it would take the place of a variant that has.
    pub(super) fn handle_refused(&mut self, error: StreamError, jitter: f64, now: Instant) {
        self.handle_input_down(error, jitter, now);
        self.refused = matches!(self.phase, Phase::Waiting { .. });
    }

    /// Handles the end of the source, by itself or after `Stop`. `jitter` is a random number between 0 and 1.
    pub(super) fn handle_ended(&mut self, error: StreamError, jitter: f64, now: Instant) {
        match self.phase {
            Phase::Running { source, live, .. } => self.failed(source, live, error, jitter, now),
            Phase::Stopping { then: Then::Idle } => self.phase = Phase::Idle,
            Phase::Stopping { then: Then::Start(source) } => self.start(source, now),
            Phase::Stopping { then: Then::Wait } => self.wait(jitter, now),
            Phase::Idle | Phase::Waiting { .. } => {}
        }
    }

    pub(super) fn handle_timeout(&mut self, jitter: f64, now: Instant) {
        if self.idle_at.is_some_and(|at| at <= now) {
            self.idle_at = None;
            self.become_idle();
        }
        match self.phase {
            Phase::Waiting { retry_at, .. } if retry_at <= now && self.refused && self.idle_at.is_some() => {
                self.phase = Phase::Idle;
            }
            Phase::Waiting { retry_at, .. } if retry_at <= now => {
                self.restarts += 1;
                self.start(0, now);
            }
            Phase::Running { source, live, .. } => {
                if let Some(error) = self.stalled(now) {
                    self.give_up(source, live, error, jitter, now);
                } else if self.asks_at().is_some_and(|at| at <= now) {
                    self.ask_for_key_frame(source, jitter, now);
                }
            }
            _ => {}
        }
    }

    pub(super) fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let next = match self.phase {
            Phase::Waiting { retry_at, .. } => Some(retry_at),
            Phase::Running { last_frame, patience, waiting, .. } => {
                let silent = last_frame + patience;
                let keyless = waiting.map(|since| since + KEY_FRAME_PATIENCE);
                [Some(silent), keyless, self.asks_at()].into_iter().flatten().min()
            }
            Phase::Idle | Phase::Stopping { .. } => None,
        };
        [next, self.idle_at].into_iter().flatten().min()
    }

    fn start(&mut self, source: usize, now: Instant) {
        self.refused = false;
        let patience =
            self.settings.patience.get(source).map_or(KEY_FRAME_PATIENCE, |known| known.start + MARGIN);
        self.phase =
            Phase::Running { source, last_frame: now, patience, waiting: None, live: false, awaited: None };
        self.actions.push_back(Action::Start(source));
    }

    /// When a new connection asks for a key frame; `None` if nobody waits for one.
    fn asks_at(&self) -> Option<Instant> {
        let Phase::Running { awaited: Some(since), .. } = self.phase else { return None };
        let at = since + self.settings.key_frame_within;
        Some(self.asks_from.map_or(at, |from| at.max(from)))
    }

    fn ask_for_key_frame(&mut self, source: usize, jitter: f64, now: Instant) {
        let message = match self.phase {
            Phase::Running { last_frame, awaited: Some(since), .. } if last_frame <= since => format!(
                "the source has sent no picture for {} s while a viewer waits, so it is started anew",
                now.saturating_duration_since(last_frame).as_secs()
            ),
            _ => format!(
                "no key frame came for a viewer within {:.1} s, so the source is started anew for one: set a shorter key frame \
                 interval in the camera",
                self.settings.key_frame_within.as_secs_f64()
            ),
        };
        let error = StreamError { permanent: false, message };
        // As after a permanent failure: not more often than every 10 s.
        self.asks_from = Some(now + self.asking.after_failure(true, jitter));
        self.error = Some(error.clone());
        self.restarts += 1;
        self.actions.extend([Action::TellWaiting(error), Action::Stop]);
        self.phase = Phase::Stopping { then: Then::Start(source) };
    }

    fn become_idle(&mut self) {
        match self.phase {
            Phase::Running { .. } => {
                self.phase = Phase::Stopping { then: Then::Idle };
                self.actions.push_back(Action::Stop);
            }
            Phase::Stopping { .. } => self.phase = Phase::Stopping { then: Then::Idle },
            Phase::Waiting { .. } => self.phase = Phase::Idle,
            Phase::Idle => {}
        }
    }

    /// Stops a source that runs and is of no use.
    fn give_up(&mut self, source: usize, live: bool, error: StreamError, jitter: f64, now: Instant) {
        self.actions.push_back(Action::Stop);
        self.failed(source, live, error, jitter, now);
        self.phase = match self.phase {
            Phase::Running { source, .. } => {
                // The next source starts only when this one has stopped.
                self.actions.retain(|action| !matches!(action, Action::Start(_)));
                Phase::Stopping { then: Then::Start(source) }
            }
            _ => Phase::Stopping { then: Then::Wait },
        };
    }

    fn failed(&mut self, source: usize, live: bool, error: StreamError, jitter: f64, now: Instant) {
        let next = source + 1;
        // The first error is kept, since it is that of the preferred source.
        let first = if source == 0 || live { error } else { self.error.take().unwrap_or(error) };
        self.error = Some(first.clone());
        if !live && next < self.settings.patience.len() {
            self.start(next, now);
        } else {
            self.actions.push_back(Action::TellOffline(first));
            self.wait(jitter, now);
        }
    }

    fn wait(&mut self, jitter: f64, now: Instant) {
        let permanent = self.error.as_ref().is_some_and(|error| error.permanent);
        let retry_at = now + self.backoff.after_failure(permanent, jitter);
        self.phase = Phase::Waiting { since: now, retry_at };
    }

    fn stalled(&self, now: Instant) -> Option<StreamError> {
        let Phase::Running { last_frame, patience, waiting, .. } = self.phase else { return None };
        let message = if now >= last_frame + patience {
            format!("the source gave no picture for {} s", patience.as_secs())
        } else if waiting.is_some_and(|since| now >= since + KEY_FRAME_PATIENCE) {
            format!(
                "the source sent no key frame for {} s: set a shorter key frame interval in the camera",
                KEY_FRAME_PATIENCE.as_secs()
            )
        } else {
            return None;
        };
        Some(StreamError { permanent: false, message })
    }
}

#[cfg(test)]
mod tests;
