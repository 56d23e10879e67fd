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
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tracing::{debug, warn};

use super::ends::Ends;
use crate::tls::Certificates;

/// How long a client may take to send the head of a request, also of the next one on the same connection.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long a client may take for its TLS handshake.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// How long to wait when the system has no more sockets: some are closed meanwhile.
const NO_SOCKETS: Duration = Duration::from_millis(500);

/// Serves connections, by TLS if there are certificates, without an end of its own.
pub(super) async fn serve(listener: TcpListener, tls: Option<Arc<Certificates>>, app: Router) -> Infallible {
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
        // Without it a connection works, too.
        let _ = stream.set_nodelay(true);
        let ends = Ends::of(&stream, on_loopback, tls.is_some());
        let app = app.clone().layer(Extension(ConnectInfo(ends)));
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
