//! The server as a whole: opens its ports, runs until it is stopped, and ends everything it has started.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::access::{AccessError, Tokens};
use crate::config::Config;
use crate::http::{self, AppState};
use crate::net;
use crate::rtc::PortError;
use crate::rtsp_out::{self, RtspOut};
use crate::session::Sessions;
use crate::stream::{Changes, Registry, Subscription};
use crate::tls::{Certificates, PairError};

/// The limit for informing clients, and then for sources to close cameras and end child processes.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(
        "cannot listen on {address}: {source}. Is another server running there? Stop it, or set `{key}` to a free \
         port"
    )]
    Listen { key: &'static str, address: SocketAddr, source: io::Error },
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    Certificate(#[from] PairError),
    #[error(transparent)]
    Webrtc(#[from] PortError),
}

/// A server whose ports are open.
#[derive(Debug)]
pub struct Server {
    plain: Option<TcpListener>,
    tls: Option<(TcpListener, Arc<Certificates>)>,
    rtsp: Option<(TcpListener, RtspOut)>,
    state: AppState,
}

impl Server {
    pub async fn bind(config: Config) -> Result<Self, ServeError> {
        let plain = config.api.listen.map(|address| listen("api.listen", address)).transpose()?;
        let tls = match &config.api.tls {
            Some(tls) => {
                let certificates = Arc::new(Certificates::load(tls.clone())?);
                Some((listen("api.tls_listen", tls.listen)?, certificates))
            }
            None => None,
        };
        let rtsp = config.rtsp.listen.map(|address| listen("rtsp.listen", address)).transpose()?;
        let tokens = Tokens::load(&config.api)?;
        let registry = Registry::new(&config);
        let sessions = match Sessions::new(&config, registry.clone()).await {
            Ok(sessions) => Arc::new(sessions),
            Err(error) => {
                registry.shutdown().await;
                return Err(error.into());
            }
        };
        let rtsp = rtsp.map(|listener| (listener, RtspOut::new(&config, registry.clone())));
        Ok(Self { plain, tls, rtsp, state: AppState::new(config, tokens, registry, sessions) })
    }

    /// The address of the plain web server, if there is one, with the port that the system chose if the config says `:0`.
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.plain.as_ref()?.local_addr().ok()
    }

    /// The same of the one with TLS.
    pub fn https_addr(&self) -> Option<SocketAddr> {
        self.tls.as_ref()?.0.local_addr().ok()
    }

    /// The address of the RTSP port, if there is one.
    pub fn rtsp_addr(&self) -> Option<SocketAddr> {
        self.rtsp.as_ref()?.0.local_addr().ok()
    }

    /// The address of the WebRTC port.
    pub fn webrtc_addr(&self) -> SocketAddr {
        self.state.sessions.local_addr()
    }

    /// Serves until `stop` is ready, then informs every client and stops every source.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let (_none, configs) = mpsc::channel(1);
        self.run_with(configs, stop).await;
    }

    /// Like [`Self::run`]. The streams become those of each config that comes.
    pub async fn run_with(self, mut configs: mpsc::Receiver<Config>, stop: impl Future<Output = ()>) {
        let Self { plain, tls, rtsp, state } = self;
        let mut preloaded = preload(&state.registry);
        let serving = async {
            tokio::select! {
                never = serve_plain(plain, state.clone()) => never,
                never = serve_tls(tls, state.clone()) => never,
                never = serve_rtsp(rtsp) => never,
            }
        };
        tokio::pin!(serving, stop);
        loop {
            tokio::select! {
                never = &mut serving => match never {},
                () = &mut stop => break,
                Some(config) = configs.recv() => {
                    change(&state, &config);
                    // Those that are kept have a subscription all the while.
                    preloaded = preload(&state.registry);
                }
            }
        }
        info!("stopping");
        if timeout(STOP_TIMEOUT, state.sessions.shutdown()).await.is_err() {
            warn!("some clients did not take leave in time");
        }
        drop(preloaded);
        if timeout(STOP_TIMEOUT, state.registry.shutdown()).await.is_err() {
            warn!("some sources did not stop in time");
        }
    }
}

fn listen(key: &'static str, address: SocketAddr) -> Result<TcpListener, ServeError> {
    let listener = net::tcp(address).and_then(TcpListener::from_std);
    listener.map_err(|source| ServeError::Listen { key, address, source })
}

async fn serve_plain(listener: Option<TcpListener>, state: AppState) -> Infallible {
    match listener {
        Some(listener) => http::serve(listener, state).await,
        None => pending().await,
    }
}

async fn serve_tls(listener: Option<(TcpListener, Arc<Certificates>)>, state: AppState) -> Infallible {
    match listener {
        Some((listener, certificates)) => http::serve_tls(listener, certificates, state).await,
        None => pending().await,
    }
}

async fn serve_rtsp(listener: Option<(TcpListener, RtspOut)>) -> Infallible {
    match listener {
        Some((listener, state)) => rtsp_out::serve(listener, state).await,
        None => pending().await,
    }
}

/// Makes the streams those of another config, and says what has changed.
fn change(state: &AppState, config: &Config) {
    let Changes { added, changed, removed } = state.registry.change(config);
    info!(?added, ?changed, ?removed, "the config was read again");
    let fixed = state.config.fixed_sections_unlike(config);
    if !fixed.is_empty() {
        warn!(sections = ?fixed, "these have changed too, which takes effect at the next start of the server");
    }
}

/// Keeps every stream of `preload:` running as long as these subscriptions exist.
fn preload(registry: &Registry) -> Vec<Subscription> {
    let config = registry.config();
    let names = config.preload.iter().filter_map(|name| registry.resolve(name, None).ok());
    names.filter_map(|name| registry.keep_running(&name)).collect()
}
