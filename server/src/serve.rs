//! The server as a whole: opens its ports, runs until it is stopped, and ends everything it has started.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::config::Config;
use crate::http::{self, AppState};
use crate::net;
use crate::rtc::PortError;
use crate::session::Sessions;
use crate::stream::{Registry, Subscription};

/// The limit for informing clients, and then for sources to close cameras and end child processes.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(
        "cannot listen on {address}: {source}. Is another server running there? Stop it, or set `api.listen` to a free \
         port"
    )]
    Listen { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    Webrtc(#[from] PortError),
}

/// A server whose ports are open.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    state: AppState,
}

impl Server {
    pub async fn bind(config: Config) -> Result<Self, ServeError> {
        let address = config.api.listen;
        let listener = net::tcp(address)
            .and_then(TcpListener::from_std)
            .map_err(|source| ServeError::Listen { address, source })?;
        let registry = Registry::new(&config);
        let sessions = match Sessions::new(&config, registry.clone()).await {
            Ok(sessions) => Arc::new(sessions),
            Err(error) => {
                registry.shutdown().await;
                return Err(error.into());
            }
        };
        Ok(Self { listener, state: AppState { config: Arc::new(config), registry, sessions } })
    }

    /// The address of the web server, with the port that the system chose if the config says `:0`.
    pub fn http_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The address of the WebRTC port.
    pub fn webrtc_addr(&self) -> SocketAddr {
        self.state.sessions.local_addr()
    }

    /// Serves until `stop` is ready, then informs every client and stops every source.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { listener, state } = self;
        let preloaded = preload(&state);
        tokio::select! {
            never = http::serve(listener, state.clone()) => match never {},
            () = stop => {}
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

/// Keeps every stream of `preload:` running as long as these subscriptions exist.
fn preload(state: &AppState) -> Vec<Subscription> {
    let names = state.config.preload.iter().filter_map(|name| state.registry.resolve(name, None).ok());
    names.filter_map(|name| state.registry.keep_running(&name)).collect()
}
