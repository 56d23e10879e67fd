//! Runs a whole server in the test's process, on free ports.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use multistream::access::Tokens;
use multistream::config::{Config, RtspSource, Source, StreamConfig, WebrtcConfig};
use multistream::http::{self, AppState};
use multistream::session::Sessions;
use multistream::stream::Registry;
use multistream_testkit::Control;

pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) sessions: Arc<Sessions>,
}

impl Server {
    /// Serves `config` with its addresses replaced by free ports on loopback.
    pub(crate) async fn start(config: Config) -> Self {
        Self::start_media_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), config).await
    }

    /// Like [`Self::start`], with media at this address.
    pub(crate) async fn start_media_at(listen: SocketAddr, mut config: Config) -> Self {
        config.webrtc = WebrtcConfig { listen, ..config.webrtc };
        let tokens = Tokens::load(&config.api).expect("its files can be read");
        let registry = Registry::new(&config);
        let sessions = Arc::new(Sessions::new(&config, registry.clone()).await.expect("port 0 is free"));
        let state = AppState::new(config, tokens, registry, sessions.clone());
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("port 0 is free");
        let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        tokio::spawn(http::serve(listener, state));
        Self { url, sessions }
    }

    pub(crate) async fn control(&self) -> Control {
        Control::connect(&self.url).await.expect("the server accepts WebSockets")
    }
}

/// A stream of this name from an RTSP camera.
pub(crate) fn rtsp(name: &str, url: &str) -> StreamConfig {
    let source = RtspSource::new(url.parse().expect("a camera's URL"));
    StreamConfig { name: name.to_owned(), sources: vec![Source::Rtsp(source)] }
}
