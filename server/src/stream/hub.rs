//! The task of one stream: it owns the stream's state, runs its source and distributes its frames. [`Life`] decides when the
//! source runs, [`Framer`] makes the frames, and [`Viewers`] decides who gets them.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::{Instrument, debug, info, info_span, warn};

use crate::config::{Config, FfmpegConfig, Known, Source, StreamConfig};
use crate::faults;
use crate::media::{AccessUnit, Doubts, FrameError, Framer, GopLimits, Unplayable};
use crate::source::{self, SourceError, Way};

use super::command::{Command, Purpose};
use super::detour::Detours;
use super::ending::{Ended, error_of};
use super::fresh_gop::FreshGop;
use super::health::Health;
use super::life::{Action, Life, LifeSettings};
use super::meter::Meter;
use super::relay;
use super::remake::{Policy, Remake};
use super::run::{Event, Run, next_event, sleep_until};
use super::viewers::Viewers;
use super::{MediaClock, ProducerSnapshot, Registry, StreamError, StreamName, StreamSnapshot, StreamState};

/// How many access units may wait between a source and its hub. When the queue is full, the source waits.
const UNITS: usize = 16;
/// After how many frames what the stream needs is measured again.
const MEASURE_EVERY: u64 = 15;
/// How long a source may take to end once it was told to stop. After that its task is aborted.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// How long after `switch_timeout` the source is started anew for a key frame: the viewer's slot has said by then that it waits.
const ASKS_AFTER: Duration = Duration::from_millis(250);
/// How often the hub retries to inform a viewer with a full queue that the stream is offline.
const OWED_EVERY: Duration = Duration::from_millis(200);

pub(super) fn spawn(
    name: StreamName,
    mut inbox: mpsc::Receiver<Command>,
    meter: Arc<Meter>,
    stream: &StreamConfig,
    config: &Config,
    registry: &Arc<Registry>,
) {
    let life = LifeSettings {
        linger: config.multistream.linger,
        preload: config.preload.contains(&stream.name),
        patience: stream.sources.iter().map(|source| source.patience(&config.ffmpeg)).collect(),
        key_frame_within: config.multistream.switch_timeout + ASKS_AFTER,
    };
    let limits = GopLimits {
        max_bytes: config.multistream.gop_max_bytes,
        max_duration: config.multistream.gop_max_duration,
    };
    let span = info_span!("stream", %name);
    let template = Template {
        name,
        sources: stream.sources.clone(),
        ffmpeg: Arc::new(config.ffmpeg.clone()),
        registry: Arc::downgrade(registry),
        clock: registry.clock(),
        life,
        limits,
        policy: Policy::of(&config.multistream),
        meter,
    };
    let hub = async move { while faults::caught(template.hub().run(&mut inbox)).await.is_none() {} };
    tokio::spawn(hub.instrument(span));
}

/// What a hub is made with, and made anew with after a panic. Its viewers then join again.
struct Template {
    name: StreamName,
    sources: Vec<Source>,
    ffmpeg: Arc<FfmpegConfig>,
    registry: Weak<Registry>,
    clock: MediaClock,
    life: LifeSettings,
    limits: GopLimits,
    policy: Policy,
    meter: Arc<Meter>,
}

impl Template {
    fn hub(&self) -> Hub {
        self.meter.stopped();
        Hub {
            name: self.name.clone(),
            sources: self.sources.clone(),
            ffmpeg: self.ffmpeg.clone(),
            registry: self.registry.clone(),
            clock: self.clock,
            life: Life::new(self.life.clone(), Instant::now().into_std()),
            run: None,
            remake: Remake::new(self.policy, self.sources.len()),
            detours: Detours::new(self.sources.len()),
            doubts: Doubts::default(),
            framer: Framer::new(),
            gop: FreshGop::new(self.limits),
            viewers: Viewers::default(),
            leaving: FuturesUnordered::new(),
            health: Health::default(),
            meter: self.meter.clone(),
        }
    }
}

struct Hub {
    // What the hub is made with.
    name: StreamName,
    sources: Vec<Source>,
    ffmpeg: Arc<FfmpegConfig>,
    registry: Weak<Registry>,
    clock: MediaClock,
    // The source that runs, and what is made of its access units.
    life: Life,
    run: Option<Run>,
    /// Which sources ffmpeg makes playable, and whether the pictures of the one that runs are.
    remake: Remake,
    /// Which cameras are had in another way than the configured one.
    detours: Detours,
    doubts: Doubts,
    framer: Framer,
    gop: FreshGop,
    // The viewers, who get the frames, and the measurements.
    viewers: Viewers,
    /// One future per viewer. It completes with the viewer's number when the viewer drops its queue, which is how it leaves.
    leaving: FuturesUnordered<BoxFuture<'static, u64>>,
    health: Health,
    /// What the sessions see of `health`.
    meter: Arc<Meter>,
}

impl Hub {
    async fn run(mut self, inbox: &mut mpsc::Receiver<Command>) {
        self.act();
        let done = loop {
            let timeout = self.next_timeout();
            let event = tokio::select! {
                biased;
                command = inbox.recv() => Event::Command(command),
                Some(viewer) = self.leaving.next() => Event::Left(viewer),
                event = next_event(&mut self.run) => event,
                () = sleep_until(timeout) => Event::Timeout,
            };
            match event {
                Event::Command(Some(Command::Shutdown { done })) => break Some(done),
                Event::Command(None) => break None,
                Event::Command(Some(command)) => self.command(command),
                Event::Left(viewer) => self.left(viewer),
                Event::Unit(unit) => self.unit(unit),
                Event::Ended(result) => self.ended(&result),
                Event::Timeout => self.timeout(),
            }
            self.act();
        };
        self.finish().await;
        if let Some(done) = done {
            let _ = done.send(());
        }
    }

    fn command(&mut self, command: Command) {
        let now = Instant::now().into_std();
        match command {
            Command::Join { viewer, queue, purpose } => {
                let gop = self.gop.gop(now);
                let closed = queue.clone();
                self.leaving.push(Box::pin(async move {
                    closed.closed().await;
                    viewer
                }));
                if purpose == Purpose::Keep {
                    self.viewers.keep(viewer, queue);
                } else {
                    self.viewers.join(viewer, queue, gop, self.down(now));
                }
                self.life.handle_joined(purpose != Purpose::Feed, now);
            }
            Command::Refresh { viewer } => {
                if self.gop.is_held_back(now) {
                    self.viewers.hold_back(viewer);
                }
                self.viewers.refresh(viewer, self.gop.gop(now), self.down(now));
            }
            Command::LetGo => {
                // Those who have just left are seen first.
                while let Some(Some(viewer)) = self.leaving.next().now_or_never() {
                    self.left(viewer);
                }
                self.life.handle_let_go(now);
            }
            Command::Snapshot { reply } => {
                let _ = reply.send(self.snapshot());
            }
            Command::Shutdown { .. } => {}
        }
        self.life.handle_awaited(self.viewers.await_key_frame(), now);
    }

    fn left(&mut self, viewer: u64) {
        if self.viewers.leave(viewer) {
            let now = Instant::now().into_std();
            self.life.handle_left(now);
            self.life.handle_awaited(self.viewers.await_key_frame(), now);
        }
    }

    /// Why the stream is offline or silent; `None` if it is neither.
    fn down(&self, now: std::time::Instant) -> Option<StreamError> {
        let offline = self.life.error().filter(|_| self.life.state() == StreamState::Offline);
        offline.cloned().or_else(|| self.gop.silence(now))
    }

    fn unit(&mut self, unit: AccessUnit) {
        let now = Instant::now();
        if let Some(what) = self.doubts.see(&unit) {
            self.cannot_play(what);
            return;
        }
        match self.framer.frame(unit, self.clock.at(now)) {
            Ok(frame) => {
                if self.life.state() != StreamState::Live {
                    let size = frame.dimensions.map(|size| format!("{}x{}", size.width, size.height));
                    info!(codec = %frame.codec, size = size.as_deref().unwrap_or("unknown"), "live");
                }
                self.life.handle_frame(frame.keyframe, now.into_std());
                self.health.count(&frame, now.into_std());
                let frame = Arc::new(frame);
                if self.gop.push(Arc::clone(&frame), now.into_std()) {
                    warn!("the key frames are far apart: set a shorter key frame interval in the camera");
                }
                if frame.keyframe || self.health.frames.is_multiple_of(MEASURE_EVERY) {
                    self.meter.measure(&self.health, now.into_std());
                }
                let gop = &mut self.gop;
                self.viewers.send(&frame, || gop.gop(now.into_std()));
                self.life.handle_awaited(self.viewers.await_key_frame(), now.into_std());
            }
            Err(FrameError::NoPicture) => {}
            Err(FrameError::AwaitsKeyFrame) => self.life.handle_waiting_frame(now.into_std()),
            Err(error) => debug!(%error, "access unit dropped"),
        }
    }

    /// Has ffmpeg make the pictures of the running source, or gives it up.
    fn cannot_play(&mut self, what: Unplayable) {
        let now = Instant::now().into_std();
        if self.begin_remake(&what) {
            self.life.handle_remade(false, now);
            return;
        }
        let Some(source) = self.life.source().and_then(|index| self.sources.get(index)) else { return };
        let (from, advice) = (source::describe(source), what.advice().to_owned());
        let error = error_of(&Ok(Err(SourceError::Unplayable { from, what, advice })));
        self.life.handle_unplayable(error, rand::random(), now);
    }

    /// Whether ffmpeg makes the pictures of the running source from now on.
    fn begin_remake(&mut self, what: &Unplayable) -> bool {
        let Some(index) = self.life.source() else { return false };
        let Some(source) = self.sources.get(index) else { return false };
        let begins = self.remake.begin(index, source, what, Instant::now().into_std());
        if begins {
            warn!(%source, "it sends {what}, which browsers cannot show: ffmpeg makes H.264 of it from now on, which takes CPU time");
        }
        begins
    }

    /// Whether the running source, which has failed, is tried in another way at once.
    fn begin_detour(&mut self, error: &SourceError) -> bool {
        let Some(index) = self.life.source() else { return false };
        let Some(source) = self.sources.get(index) else { return false };
        let (was_live, now) = (self.life.state() == StreamState::Live, Instant::now().into_std());
        let begins = self.detours.begin(index, source, error, was_live, now);
        if begins {
            let via = self.detours.via(index, source);
            warn!(reason = %Known(&error.to_string()), via, "tried in another way");
        }
        begins
    }

    fn ended(&mut self, result: &Ended) {
        self.run = None;
        let failure = result.as_ref().ok().and_then(|result| result.as_ref().err());
        let input_down = matches!(failure, Some(SourceError::InputDown { .. }));
        let refused =
            matches!(failure, Some(SourceError::LadderFull { .. } | SourceError::TranscodersFull { .. }));
        let remade = match failure {
            Some(SourceError::Unplayable { what, .. }) => self.begin_remake(what),
            Some(error) if self.begin_detour(error) => true,
            Some(error) => {
                if let Some(source) = self.life.source() {
                    self.remake.failed(source, error);
                }
                false
            }
            None => false,
        };
        let mut error = error_of(result);
        if !remade && !refused {
            error = self.detours.failed(self.life.source(), error);
        }
        self.reset_pictures();
        let now = Instant::now().into_std();
        if remade {
            self.life.handle_remade(true, now);
        } else if refused {
            self.life.handle_refused(error, rand::random(), now);
        } else if input_down {
            self.life.handle_input_down(error, rand::random(), now);
        } else {
            self.life.handle_ended(error, rand::random(), now);
        }
        if self.life.state() == StreamState::Idle {
            info!("stopped: nobody watches");
        }
    }

    fn timeout(&mut self) {
        let now = Instant::now();
        if let Some(run) = &mut self.run
            && run.drop_at.is_some_and(|at| at <= now)
        {
            run.drop_at = None;
            run.task.abort();
        }
        self.viewers.send_owed();
        self.life.handle_timeout(rand::random(), now.into_std());
    }

    fn next_timeout(&self) -> Option<Instant> {
        let life = self.life.poll_timeout().map(Instant::from_std);
        let drop = self.run.as_ref().and_then(|run| run.drop_at);
        let owed = self.viewers.owes().then(|| Instant::now() + OWED_EVERY);
        [life, drop, owed].into_iter().flatten().min()
    }

    fn act(&mut self) {
        while let Some(action) = self.life.poll_action() {
            match action {
                Action::Start(source) => self.start(source),
                Action::Stop => self.stop(),
                Action::TellOffline(error) => {
                    warn!(reason = %error.message, permanent = error.permanent, "offline");
                    self.viewers.tell_offline(&error);
                }
                Action::TellWaiting(error) => {
                    warn!(reason = %error.message, "starting anew for a key frame");
                    self.viewers.tell_waiting(&error);
                }
            }
        }
    }

    fn start(&mut self, index: usize) {
        let (output, units) = mpsc::channel(UNITS);
        let task = match self.sources.get(index).cloned() {
            Some(source) => {
                info!(%source, "starting");
                let now = Instant::now().into_std();
                let way = self.remake.way(index, now);
                // A camera that ffmpeg only passes on costs next to nothing.
                let counts = way == Way::AsH264 || matches!(source, Source::Ffmpeg(_));
                let source = self.detours.source(index, source, now);
                let (ffmpeg, registry) = (Arc::clone(&self.ffmpeg), self.registry.clone());
                let name = self.name.clone();
                source::spawn(
                    relay::run(name, source, way, counts, ffmpeg, registry, output).in_current_span(),
                )
            }
            None => tokio::spawn(std::future::ready(Err(SourceError::Unusable {
                reason: "the stream has no source: give it one in the config".to_owned(),
            }))),
        };
        self.reset_pictures();
        self.health.restart();
        self.run = Some(Run { units: Some(units), task, drop_at: None });
    }

    /// Tells the source to stop by closing the queue of its access units. The source then releases its connection or child
    /// process, and ends.
    fn stop(&mut self) {
        self.reset_pictures();
        if let Some(run) = &mut self.run {
            run.units = None;
            run.drop_at = Some(Instant::now() + STOP_PATIENCE);
        }
    }

    /// Forgets the timeline, the codec and the GOP of the last run of the source, which do not apply to the next one.
    fn reset_pictures(&mut self) {
        self.doubts = Doubts::default();
        self.viewers.begin_anew();
        self.framer.restart();
        self.gop.clear();
        self.meter.stopped();
    }

    async fn finish(mut self) {
        self.stop();
        if let Some(mut run) = self.run
            && tokio::time::timeout(STOP_PATIENCE, &mut run.task).await.is_err()
        {
            warn!("the source did not stop in time and was dropped");
            run.task.abort();
        }
    }

    fn snapshot(&self) -> StreamSnapshot {
        let now = Instant::now().into_std();
        let active = self.life.source();
        let (fps, bitrate_bps) = self.health.rates(now);
        let producer = |(index, source)| ProducerSnapshot {
            source: source::describe(source),
            active: active == Some(index),
            via: self.detours.via(index, source),
        };
        StreamSnapshot {
            name: self.name.clone(),
            state: self.life.state(),
            producers: self.sources.iter().enumerate().map(producer).collect(),
            viewers: self.viewers.len(),
            codec: self.health.codec,
            dimensions: self.health.dimensions,
            display: self.health.display,
            fps,
            bitrate_bps,
            gop_frames: self.health.gop.map(|(frames, _)| frames),
            gop_duration: self.health.gop.map(|(_, duration)| duration),
            last_frame_age: self.health.last_frame.map(|at| now.saturating_duration_since(at)),
            error: self.life.error().cloned(),
            transcoded: active.and_then(|source| self.remake.reason(source)).map(ToString::to_string),
            frames: self.health.frames,
            key_frames: self.health.key_frames,
            bytes: self.health.bytes,
            restarts: self.life.restarts(),
            frames_skipped: self.viewers.frames_skipped(),
        }
    }
}
