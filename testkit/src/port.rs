//! Ports for servers that a test starts.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Range;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Below the ports from which Linux takes those of outgoing connections (`net.ipv4.ip_local_port_range`, from 32768 on): nothing else
/// takes one of these between this moment and the server's start.
const PORTS: Range<u32> = 12_000..32_000;

/// How many were tried by this process so far.
static TRIED: AtomicU32 = AtomicU32::new(0);

/// A port that is free on the loopback interface, for TCP and UDP. No other test is given it while this process lives.
///
/// # Panics
/// If the machine has no free port.
pub fn free_port() -> u16 {
    // Processes begin at places of their own, so that they seldom meet.
    let begin = std::process::id().wrapping_mul(97);
    let count = PORTS.end - PORTS.start;
    (0..count)
        .map(|_| PORTS.start + begin.wrapping_add(TRIED.fetch_add(1, Relaxed)) % count)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|&port| is_free(port) && reserve(port))
        .expect("a machine with a loopback interface has a free port")
}

fn is_free(port: u16) -> bool {
    let address = (Ipv4Addr::LOCALHOST, port);
    TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
}

/// Takes the name of `port` until this process ends, which other processes then cannot take.
fn reserve(port: u16) -> bool {
    let name = format!("multistream-testkit-port-{port}");
    let taken = SocketAddr::from_abstract_name(name).and_then(|name| UnixListener::bind_addr(&name));
    // Leaked, so that it is closed by the end of the process and by nothing else.
    taken.map(std::mem::forget).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_port_is_given_twice_and_none_that_somebody_listens_on() {
        let first = free_port();
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first + 1)).ok();
        let ports: HashSet<u16> = (0..50).map(|_| free_port()).collect();
        assert_eq!(ports.len(), 50);
        assert!(!ports.contains(&first) && !ports.contains(&(first + 1)), "{first}: {ports:?}");
        assert!(!reserve(first), "another process could take it");
    }
}
