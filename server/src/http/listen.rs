//! Accepts connections, plain and TLS, and lets go of those on which no handshake or no request comes.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tracing::{debug, warn};

use super::ends::Ends;
use crate::limits::{self, Limit};
use crate::places::{NoPlace, Places};
use crate::tls::Certificates;

/// How long a client may take to send the head of a request, also of the next one on the same connection.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long a client may take for its TLS handshake.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// How long to wait when the system has no more sockets: some are closed meanwhile.
const NO_SOCKETS: Duration = Duration::from_millis(500);

/// How long a client may leave unread what was sent to it, or unanswered, as one that is gone does.
const UNREAD_FOR: Duration = Duration::from_secs(20);
/// The answer to a client for whom there is no place.
const NO_PLACE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// Serves connections, by TLS if there are certificates, without an end of its own.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<Certificates>>,
    places: Places,
    app: Router,
) -> Infallible {
    let on_loopback = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    let mut had_sockets = true;
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                if std::mem::take(&mut had_sockets) {
                    warn!(%error, "no more connections are accepted for now; those that there are stay");
                }
                tokio::time::sleep(NO_SOCKETS).await;
                continue;
            }
        };
        had_sockets = true;
        let place = match places.take(from.ip()) {
            Ok(place) => Arc::new(place),
            Err(full) => {
                limits::hit(match full {
                    NoPlace::InAll(_) => Limit::Connections,
                    NoPlace::ForAddress(_) => Limit::ConnectionsPerAddress,
                });
                // It says nothing to a client that expects TLS, which sees the connection closed.
                let _ = stream.try_write(NO_PLACE);
                continue;
            }
        };
        // Without these a connection works, too.
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(UNREAD_FOR));
        let ends = Ends::of(&stream, from, on_loopback, tls.is_some());
        // A WebSocket outlives the connection's task, and keeps the place.
        let app = app.clone().layer(Extension(ConnectInfo(ends))).layer(Extension(place.clone()));
        let (http, tls) = (http.clone(), tls.clone());
        tokio::spawn(async move {
            let ended = match tls {
                None => answer(&http, stream, app).await.map_err(io::Error::other),
                Some(certificates) => match handshake(stream, &certificates).await {
                    Ok(stream) => answer(&http, stream, app).await.map_err(io::Error::other),
                    Err(error) => Err(error),
                },
            };
            if let Err(error) = ended {
                debug!(%from, %error, "connection ended");
            }
            drop(place);
        });
    }
}

async fn answer(
    http: &http1::Builder,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    app: Router,
) -> hyper::Result<()> {
    http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)).with_upgrades().await
}

/// It waits for the client, and for a certificate that has changed.
async fn handshake(stream: TcpStream, certificates: &Arc<Certificates>) -> io::Result<TlsStream<TcpStream>> {
    let done = timeout(HANDSHAKE_WITHIN, async { certificates.acceptor().await.accept(stream).await }).await;
    done.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// A client that has gone again before it was accepted is no trouble of the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
