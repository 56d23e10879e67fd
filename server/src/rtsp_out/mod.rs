//! RTSP (RFC 2326) for programs that read streams: recorders, players, other servers. Any stream is `rtsp://host:8554/NAME`.
//!
//! A reader is a viewer of the stream like any other: it joins the hub, which starts the camera for the first one and stops it after
//! the last, and gives each viewer the cached GOP. It gets the payloads that all viewers share, with RTP headers of its own. Each
//! connection is one task with bounded memory, and none waits for another.
//!
//! The only track is the picture (`trackID=0`). A second one would be a second `sender::Sender` with a carrier of its own, and a second
//! `m=` line of the `describe::Description`.

mod address;
mod auth;
mod carrier;
mod connection;
mod describe;
mod dialogue;
#[doc(hidden)]
pub mod fuzzing;
mod request;
mod response;
mod sender;
mod transport;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpListener;
use tracing::{debug, warn};

use crate::config::{Config, RtspConfig};
use crate::failures::Failures;
use crate::limits::{self, Limit};
use crate::net;
use crate::places::{NoPlace, Places};
use crate::stream::Registry;

/// How long to wait when the system has no more sockets: some are closed meanwhile.
const NO_SOCKETS: Duration = Duration::from_millis(500);
/// What the system keeps of packets that a reader has not taken yet. A reader that is slow loses pictures instead of being late by
/// megabytes.
const SEND_BUFFER: usize = 256 << 10;
/// The answer to a client for whom there is no place.
const NO_PLACE: &[u8] = b"RTSP/1.0 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\n\r\n";

/// What all connections share.
#[derive(Debug)]
pub struct RtspOut {
    registry: Arc<Registry>,
    config: RtspConfig,
    places: Places,
    failures: Failures,
}

impl RtspOut {
    pub fn new(config: &Config, registry: Arc<Registry>) -> Self {
        let limits = &config.limits;
        // Each reader may take two more sockets, for UDP.
        let total = limits.connections.min(net::open_files() / 8);
        let places = Places::new(total, limits.connections_per_address, &limits.exempt);
        Self { registry, config: config.rtsp.clone(), places, failures: Failures::default() }
    }
}

/// Serves connections of the listener, without an end of its own.
pub async fn serve(listener: TcpListener, state: RtspOut) -> Infallible {
    let state = Arc::new(state);
    let mut had_sockets = true;
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                if std::mem::take(&mut had_sockets) {
                    warn!(%error, "no more RTSP connections are accepted for now; those that there are stay");
                }
                tokio::time::sleep(NO_SOCKETS).await;
                continue;
            }
        };
        had_sockets = true;
        let place = match state.places.take(from.ip()) {
            Ok(place) => place,
            Err(full) => {
                limits::hit(match full {
                    NoPlace::InAll(_) => Limit::Connections,
                    NoPlace::ForAddress(_) => Limit::ConnectionsPerAddress,
                });
                let _ = stream.try_write(NO_PLACE);
                continue;
            }
        };
        // Without these a connection works, too.
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
        let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(connection::STALLED_FOR));
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            if let Err(error) = connection::serve(stream, from, state).await {
                debug!(%from, %error, "RTSP connection ended");
            }
            drop(place);
        });
    }
}
