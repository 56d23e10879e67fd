//! Accepts connections, and lets go of those on which no request comes.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tracing::{debug, warn};

use super::ends::Ends;

/// How long a client may take to send the head of a request, also of the next one on the same connection.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long to wait when the system has no more sockets: some are closed meanwhile.
const NO_SOCKETS: Duration = Duration::from_millis(500);

/// Serves connections, without an end of its own.
pub(super) async fn serve(listener: TcpListener, app: Router) -> Infallible {
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
        let ends = ConnectInfo(Ends::of(&stream));
        let service = TowerToHyperService::new(app.clone().layer(Extension(ends)));
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%from, %error, "connection ended");
            }
        });
    }
}

/// A client that has gone again before it was accepted is no trouble of the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
