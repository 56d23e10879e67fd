//! Sockets that listen on every interface, the addresses that this machine has now, and those of names.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;
/// How long a name may take to resolve. The system's resolver would wait half a minute for a server that does not answer.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens a UDP socket for use with tokio. An address `[::]` is every interface: one socket for IPv6 and IPv4, or for IPv4 alone
/// where the system has no IPv6.
pub fn udp(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    every_interface(address, |address| Ok(open(address, Type::DGRAM, Protocol::UDP)?.into()))
}

/// Opens a TCP listener for use with tokio; `[::]` is as for [`udp`].
pub fn tcp(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    every_interface(address, |address| {
        let socket = open(address, Type::STREAM, Protocol::TCP)?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    })
}

fn every_interface<T>(address: SocketAddr, open: impl Fn(SocketAddr) -> io::Result<T>) -> io::Result<T> {
    match open(address) {
        Err(error) if address.is_ipv6() && address.ip().is_unspecified() && has_no_ipv6(&error) => {
            open(SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())))
        }
        opened => opened,
    }
}

/// Whether the error means that the kernel was built or started without IPv6, or that it is switched off.
fn has_no_ipv6(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
    code == Some(rustix::io::Errno::AFNOSUPPORT) || error.kind() == io::ErrorKind::AddrNotAvailable
}

fn open(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        // Some systems have this on by default (`net.ipv6.bindv6only`).
        socket.set_only_v6(false)?;
    }
    if kind == Type::STREAM {
        // A server that restarts can listen again while connections of its predecessor still close.
        socket.set_reuse_address(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// How many files and sockets this process may have open.
pub fn open_files() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

/// The addresses of all interfaces as they are now, loopback included.
pub fn addresses() -> Vec<IpAddr> {
    let interfaces = rtc::shared::ifaces::ifaces().unwrap_or_default();
    interfaces.into_iter().filter_map(|interface| Some(interface.addr?.ip())).collect()
}

/// The addresses of a host, at least one.
pub async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let found = tokio::time::timeout(RESOLVE_TIMEOUT, tokio::net::lookup_host((host, port))).await;
    let mut addresses = Vec::new();
    for address in found.map_err(|_| io::Error::other("the resolver does not answer"))?? {
        let address = canonical(address);
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(io::Error::other("it has no address")) } else { Ok(addresses) }
}

/// Whether a packet or a connection from this address comes from this machine. The kernel takes none from the network that
/// claims a loopback address or one of the machine's own IPv4 addresses.
pub fn is_this_machine(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    ip.is_loopback() || addresses().contains(&ip)
}

/// An IPv4 address that a dual-stack socket shows as an IPv6 address (`::ffff:192.0.2.7`), as the IPv4 address that it is.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv6Addr, TcpStream, UdpSocket};

    use super::*;

    const EVERY: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0);

    #[test]
    fn every_interface_takes_ipv4_and_ipv6() {
        let udp = udp(EVERY).expect("a UDP port");
        let tcp = tcp(EVERY).expect("a TCP port");
        for loopback in ["127.0.0.1", "::1"] {
            let ip: IpAddr = loopback.parse().expect("an address");
            let Ok(sender) = UdpSocket::bind((ip, 0)) else {
                eprintln!("skipped for {loopback}, which this machine does not have");
                continue;
            };
            let port = udp.local_addr().expect("bound").port();
            sender.send_to(b"x", (ip, port)).expect("sent");
            udp.set_nonblocking(false).expect("a socket");
            udp.set_read_timeout(Some(std::time::Duration::from_secs(5))).expect("a socket");
            let (_, from) = udp.recv_from(&mut [0; 8]).expect("received");
            assert_eq!(canonical(from), sender.local_addr().expect("bound"));
            TcpStream::connect((ip, tcp.local_addr().expect("bound").port())).expect("accepted");
        }
    }

    #[test]
    fn loopback_and_the_interfaces_are_this_machine_and_others_are_not() {
        assert!(is_this_machine([127, 0, 0, 9].into()));
        assert!(is_this_machine("::ffff:127.0.0.1".parse().expect("an address")));
        assert!(addresses().into_iter().all(is_this_machine));
        assert!(!is_this_machine([203, 0, 113, 9].into()));
    }

    #[test]
    fn a_system_without_ipv6_listens_on_ipv4() {
        let without_ipv6 = |address: SocketAddr| match address {
            SocketAddr::V6(_) => Err(io::Error::from(rustix::io::Errno::AFNOSUPPORT)),
            SocketAddr::V4(_) => Ok(address),
        };
        assert_eq!(every_interface(EVERY, without_ipv6).ok(), Some(SocketAddr::from(([0, 0, 0, 0], 0))));
        let one = SocketAddr::from((Ipv6Addr::LOCALHOST, 80));
        assert!(every_interface(one, without_ipv6).is_err());
    }
}
