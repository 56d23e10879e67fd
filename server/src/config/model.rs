//! The typed configuration, with every default.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Duration;

use multistream_protocol::server::IceServer;

use super::qualities::WORDS;
use super::{AccessToken, Candidate, HostPort, Secrets, Source, TlsConfig, ViewKey};

#[derive(Debug, Clone, Default)]
pub struct Config {
    pub api: ApiConfig,
    pub webrtc: WebrtcConfig,
    pub rtsp: RtspConfig,
    pub multistream: MultistreamConfig,
    pub limits: LimitsConfig,
    pub ffmpeg: FfmpegConfig,
    pub log: LogConfig,
    /// In the order of the file, which is the order in which pages list the cameras.
    pub streams: Vec<StreamConfig>,
    /// Streams that run without a viewer.
    pub preload: Vec<String>,
    /// Every secret that the file holds.
    pub secrets: Secrets,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamConfig {
    pub name: String,
    /// Tried in order.
    pub sources: Vec<Source>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct ApiConfig {
    /// Plain HTTP; `None` where the file switches it off.
    pub listen: Option<SocketAddr>,
    /// HTTP over TLS.
    pub tls: Option<TlsConfig>,
    pub username: Option<String>,
    pub password: Option<String>,
    /// May do everything.
    pub token: Option<String>,
    pub tokens: Vec<AccessToken>,
    /// The keys of tokens that are valid for a short time.
    pub view_keys: Vec<ViewKey>,
    /// Whether the file says `auth: none`: the operator wants an open server on a public address.
    pub auth_none: bool,
    /// Origins besides the server's own that may use the WebSocket and mutating routes; `*` for all.
    pub origins: Vec<String>,
    /// `""` or `/prefix`, without a slash at its end.
    pub base_path: String,
}

#[derive(Clone, PartialEq, Eq)]
pub struct WebrtcConfig {
    /// One port, UDP and TCP, for all peers.
    pub listen: SocketAddr,
    /// Addresses to announce in addition to those of the interfaces.
    pub candidates: Vec<Candidate>,
    /// Tells the address of `stun:` candidates.
    pub stun_server: HostPort,
    /// Sent to clients in `multistream/ready`.
    pub ice_servers: Vec<IceServer>,
    /// The secret that is shared with the TURN servers, from which short-lived credentials are made.
    pub turn_secret: Option<String>,
    /// Only interfaces with these addresses are announced; empty means all.
    pub ips: Vec<IpAddr>,
}

/// Where other programs read the streams.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RtspConfig {
    /// `None`: streams are not given away by RTSP.
    pub listen: Option<SocketAddr>,
    /// Asked of every reader, if there are some.
    pub username: Option<String>,
    pub password: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultistreamConfig {
    pub max_slots: usize,
    pub max_sessions: usize,
    /// How long the old picture stays while a switch waits for a key frame.
    pub switch_timeout: Duration,
    /// How long a session waits for its client after the WebSocket was lost.
    pub resume_timeout: Duration,
    /// How long a stream runs on after its last viewer left.
    pub linger: Duration,
    /// Bounds of one stream's GOP cache.
    pub gop_max_bytes: usize,
    pub gop_max_duration: Duration,
    /// What is done with pictures that refer to later ones.
    pub b_frames: Unshowable,
    /// What is done with other pictures that browsers cannot show.
    pub unplayable: Unshowable,
    /// The heights of the variants that every camera has without being configured.
    pub ladder: Vec<u32>,
    /// The words behind a dash by which a stream's name says that it is a quality of a camera, besides sizes.
    pub qualities: Vec<String>,
    /// How many variants of the ladder may run at the same time; `None` for the number of CPU cores.
    pub max_ladder: Option<usize>,
}

/// What is done with a stream that browsers cannot show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unshowable {
    /// ffmpeg makes H.264 of it.
    Transcode,
    /// It is an error that says what to change.
    Refuse,
}

/// What one client may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Connections to the web server, those of `WebSocket`s among them: in all, and of one address.
    pub connections: usize,
    pub connections_per_address: usize,
    /// TCP connections to the media port. One address may have a quarter of them.
    pub media_connections: usize,
    pub sessions_per_address: usize,
    /// How many ffmpeg may encode at the same time, and how many of them for the slots of one session.
    pub transcoders: usize,
    pub transcoders_per_session: usize,
    /// The most that is sent to one session, in megabits per second.
    pub mbps_per_session: usize,
    /// Addresses without limits of their own, such as that of a proxy.
    pub exempt: Vec<IpAddr>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FfmpegConfig {
    pub bin: String,
    /// The user's templates, such as `global` or `h264`: name → arguments.
    pub templates: BTreeMap<String, String>,
    /// How long a source may take for its first picture, and how long it may give none later; `None` for what suits its kind.
    pub start_timeout: Option<Duration>,
    pub timeout: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// A `tracing` filter: `info`, `multistream=debug`, …
    pub level: String,
    pub format: LogFormat,
}

impl Config {
    /// The sections that differ from those of `other` and are read at the start only.
    pub fn fixed_sections_unlike(&self, other: &Self) -> Vec<&'static str> {
        let differ = [
            ("api", self.api != other.api),
            ("webrtc", self.webrtc != other.webrtc),
            ("rtsp", self.rtsp != other.rtsp),
            ("multistream", self.multistream != other.multistream),
            ("limits", self.limits != other.limits),
            ("log", self.log != other.log),
        ];
        differ.into_iter().filter_map(|(section, differs)| differs.then_some(section)).collect()
    }
}

impl StreamConfig {
    /// The camera that it is a variant of, and its height, if `multistream.ladder` has made it.
    pub fn ladder_rung(&self) -> Option<(&str, u32)> {
        match &self.sources[..] {
            [Source::Ffmpeg(source)] if source.from_ladder => {
                source.upstream().zip(source.height.and_then(|height| u32::try_from(height).ok()))
            }
            _ => None,
        }
    }
}

impl ApiConfig {
    /// Whether anything is asked of those who come.
    pub fn is_locked(&self) -> bool {
        self.password.is_some() || self.takes_tokens()
    }

    /// Whether a token lets one in.
    pub fn takes_tokens(&self) -> bool {
        self.token.is_some() || !self.tokens.is_empty() || !self.view_keys.is_empty()
    }

    /// Whether other machines cannot reach any of its addresses.
    pub fn is_for_this_machine(&self) -> bool {
        let tls = self.tls.as_ref().map(|tls| tls.listen);
        self.listen.into_iter().chain(tls).all(|address| address.ip().is_loopback())
    }
}

impl RtspConfig {
    /// The port where the file gives none; that of go2rtc.
    pub const PORT: u16 = 8554;
}

impl MultistreamConfig {
    /// How many variants of the ladder may run at the same time.
    pub fn ladder_limit(&self) -> usize {
        self.max_ladder.unwrap_or_else(|| available_parallelism().map_or(1, NonZero::get))
    }
}

/// Debug output ends in logs, so secrets are masked.
impl fmt::Debug for ApiConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiConfig")
            .field("listen", &self.listen)
            .field("tls", &self.tls)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .field("token", &self.token.as_ref().map(|_| "***"))
            .field("tokens", &self.tokens)
            .field("view_keys", &self.view_keys)
            .field("auth_none", &self.auth_none)
            .field("origins", &self.origins)
            .field("base_path", &self.base_path)
            .finish()
    }
}

impl fmt::Debug for RtspConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtspConfig")
            .field("listen", &self.listen)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .finish()
    }
}

impl fmt::Debug for WebrtcConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebrtcConfig")
            .field("listen", &self.listen)
            .field("candidates", &self.candidates)
            .field("stun_server", &self.stun_server)
            .field("ice_servers", &self.ice_servers.iter().map(|server| &server.urls).collect::<Vec<_>>())
            .field("turn_secret", &self.turn_secret.as_ref().map(|_| "***"))
            .field("ips", &self.ips)
            .finish()
    }
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 1984))),
            tls: None,
            username: None,
            password: None,
            token: None,
            tokens: Vec::new(),
            view_keys: Vec::new(),
            auth_none: false,
            origins: Vec::new(),
            base_path: String::new(),
        }
    }
}

impl Default for WebrtcConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv6Addr::UNSPECIFIED, 8555)),
            candidates: Vec::new(),
            stun_server: HostPort { host: "stun.l.google.com".to_owned(), port: 19302 },
            ice_servers: Vec::new(),
            turn_secret: None,
            ips: Vec::new(),
        }
    }
}

impl Default for MultistreamConfig {
    fn default() -> Self {
        Self {
            max_slots: 9,
            max_sessions: 64,
            switch_timeout: Duration::from_secs(5),
            resume_timeout: Duration::from_secs(30),
            linger: Duration::from_secs(10),
            gop_max_bytes: 16 << 20,
            gop_max_duration: Duration::from_secs(12),
            b_frames: Unshowable::Transcode,
            unplayable: Unshowable::Transcode,
            ladder: Vec::new(),
            qualities: WORDS.iter().map(|&word| word.to_owned()).collect(),
            max_ladder: None,
        }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            connections: 1024,
            connections_per_address: 256,
            media_connections: 1024,
            sessions_per_address: 40,
            transcoders: 64,
            transcoders_per_session: 18,
            mbps_per_session: 200,
            exempt: Vec::new(),
        }
    }
}

impl Default for FfmpegConfig {
    fn default() -> Self {
        Self { bin: "ffmpeg".to_owned(), templates: BTreeMap::new(), start_timeout: None, timeout: None }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}
