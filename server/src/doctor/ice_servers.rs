//! Whether the servers of `webrtc.ice_servers` answer. A TURN server answers a STUN request without a login (RFC 8656 §3).

use std::io;
use std::time::Duration;

use futures_util::future::join_all;
use multistream_protocol::server::IceServer;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::config::HostPort;
use crate::rtc::{AskError, Port, stun_over};

const PATIENCE: Duration = Duration::from_secs(2);

/// A line for each URL; all are asked at the same time.
pub(super) async fn ask(servers: &[IceServer], port: &Port) -> Vec<Result<String, String>> {
    join_all(servers.iter().flat_map(|server| &server.urls).map(|url| one(url, port))).await
}

async fn one(url: &str, port: &Port) -> Result<String, String> {
    let scheme = url.split(':').next().unwrap_or_default();
    // The rest of what is no URL may be a secret.
    let Some(server) = HostPort::of_url(url) else {
        return Err(format!(
            "webrtc.ice_servers: a {scheme}: URL without a host, or with more than host and port"
        ));
    };
    let start = Instant::now();
    let over_tcp = url.ends_with("?transport=tcp");
    let (named, asked) = match scheme {
        "stuns" | "turns" => (format!("{scheme}:{server}"), connect(&server).await),
        _ if over_tcp => (format!("{scheme}:{server} over TCP"), over_a_connection(&server).await),
        _ => {
            let asked = timeout(PATIENCE, port.ask(&server)).await;
            let asked = match asked {
                // One that answers a request without a login by an error answers.
                Ok(Ok(_) | Err(AskError::Refused { .. })) => Ok("answers"),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(silent(&server)),
            };
            (format!("{scheme}:{server}"), asked)
        }
    };
    let line = |what: &str| format!("webrtc.ice_servers: {named}: {what}");
    let ms = start.elapsed().as_millis();
    asked.map(|what| line(&format!("{what} after {ms} ms"))).map_err(|why| line(&why))
}

fn silent(server: &HostPort) -> String {
    format!("{server} does not answer within 2 s")
}

/// For a server behind TLS: no handshake is made.
async fn connect(server: &HostPort) -> Result<&'static str, String> {
    let connected = timeout(PATIENCE, TcpStream::connect((server.host.as_str(), server.port))).await;
    let connected = connected.map_err(|_| silent(server))?;
    connected.map(|_| "takes a connection (TLS was not tried)").map_err(|error| error.to_string())
}

async fn over_a_connection(server: &HostPort) -> Result<&'static str, String> {
    let asked = async {
        let mut stream = TcpStream::connect((server.host.as_str(), server.port)).await?;
        stream.set_nodelay(true)?;
        let answered = stun_over(&mut stream).await?;
        stream.shutdown().await.ok();
        if answered { Ok(()) } else { Err(io::Error::other("what answers is no STUN server")) }
    };
    let asked = timeout(PATIENCE, asked).await.map_err(|_| silent(server))?;
    asked.map(|()| "answers").map_err(|error| error.to_string())
}
