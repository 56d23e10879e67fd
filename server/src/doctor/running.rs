//! Whether the server of a config runs now.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(2);
/// More than the answer to `/healthz` has.
const LONGEST: u64 = 4096;

/// Whether `/healthz` of this server answers as a multistream server does.
pub(super) async fn answers(listen: SocketAddr, base_path: &str) -> bool {
    matches!(timeout(PATIENCE, healthz(listen, base_path)).await, Ok(Ok(true)))
}

async fn healthz(listen: SocketAddr, base_path: &str) -> io::Result<bool> {
    let mut stream = TcpStream::connect(reachable(listen)).await?;
    let request = format!("GET {base_path}/healthz HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.split(' ').nth(1) == Some("200") && answer.ends_with("\r\n\r\nok\n"))
}

/// An address at which a server that listens there is reached from its machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    match listen {
        SocketAddr::V4(address) if address.ip().is_unspecified() => {
            (Ipv4Addr::LOCALHOST, address.port()).into()
        }
        // An every-interface socket takes IPv4, and where there is no IPv6 it takes nothing else.
        SocketAddr::V6(address) if *address.ip() == Ipv6Addr::UNSPECIFIED => {
            (Ipv4Addr::LOCALHOST, address.port()).into()
        }
        address => address,
    }
}
