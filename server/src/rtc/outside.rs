//! The addresses of `webrtc.candidates` as they are now: names are resolved, and a STUN server is asked, again and again beside
//! the answers, which never wait for that.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{info, warn};

use super::binding::{self, AskError};
use super::udp::Udp;
use crate::config::{Candidate, HostPort, WebrtcConfig};
use crate::net;

/// How long an address is taken for granted. NATs keep a mapping for two minutes (RFC 4787 REQ-5), so this keeps it too.
const REFRESH: Duration = Duration::from_mins(1);
/// The pause after the first failure; it doubles with each further one, up to [`REFRESH`].
const RETRY: Duration = Duration::from_secs(1);

/// Finds the addresses of a candidate.
#[derive(Debug, Clone)]
pub(super) struct Finder {
    pub(super) udp: Arc<Udp>,
    pub(super) stun_server: HostPort,
    pub(super) media_port: u16,
}

impl Finder {
    pub(super) async fn find(&self, candidate: &Candidate) -> Result<Vec<SocketAddr>, AskError> {
        match candidate {
            Candidate::Address(address) => Ok(vec![self.with_port(*address)]),
            Candidate::Host(host) => {
                Ok(resolve(host).await?.into_iter().map(|address| self.with_port(address)).collect())
            }
            Candidate::Stun { port } => {
                let seen = self.ask(&self.stun_server).await?;
                let mut addresses = vec![SocketAddr::new(seen.ip(), *port)];
                // Without a forwarded port, the one of the mapping is what a NAT with endpoint-independent filtering lets in.
                if seen.port() != *port {
                    addresses.push(seen);
                }
                Ok(addresses)
            }
        }
    }

    /// The address that a STUN server sees. IPv4 first: that is where the NATs are, and an interface's IPv6 address is
    /// announced as it is.
    pub(super) async fn ask(&self, server: &HostPort) -> Result<SocketAddr, AskError> {
        let mut servers = resolve(server).await?;
        servers.sort_by_key(SocketAddr::is_ipv6);
        let mut first_error = None;
        for server in servers {
            match binding::ask(&self.udp, server).await {
                Ok(seen) => return Ok(seen),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(first_error.expect("a name that resolves has an address"))
    }

    /// A config with port 0 for the media has candidates with port 0: they mean the port that the system chose.
    fn with_port(&self, address: SocketAddr) -> SocketAddr {
        let port = if address.port() == 0 { self.media_port } else { address.port() };
        SocketAddr::new(address.ip(), port)
    }
}

async fn resolve(host: &HostPort) -> Result<Vec<SocketAddr>, AskError> {
    net::resolve(&host.host, host.port)
        .await
        .map_err(|source| AskError::Unresolved { host: host.host.clone(), source })
}

/// The configured candidates with their addresses. Dropping it ends the search for them.
#[derive(Debug)]
pub(super) struct Outside {
    /// One for each candidate, in the order of the config.
    found: Vec<Arc<Found>>,
    _searches: JoinSet<()>,
}

/// The latest addresses of one candidate. They stay when they cannot be found any more: a resolver that fails is no sign that
/// the address has changed.
#[derive(Debug, Default)]
struct Found(Mutex<Vec<SocketAddr>>);

impl Outside {
    pub(super) fn new(config: &WebrtcConfig, finder: &Finder) -> Self {
        let mut searches = JoinSet::new();
        let found = config.candidates.iter().map(|candidate| {
            let found = Arc::<Found>::default();
            if let Candidate::Address(address) = candidate {
                found.replace(vec![finder.with_port(*address)]);
            } else {
                searches.spawn(search(finder.clone(), candidate.clone(), found.clone()));
            }
            found
        });
        Self { found: found.collect(), _searches: searches }
    }

    /// The addresses of all candidates, in the order of the config.
    pub(super) fn now(&self) -> Vec<SocketAddr> {
        self.found.iter().flat_map(|found| found.get()).collect()
    }
}

impl Found {
    fn get(&self) -> Vec<SocketAddr> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns whether the addresses are others than before.
    fn replace(&self, addresses: Vec<SocketAddr>) -> bool {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = *found != addresses;
        *found = addresses;
        changed
    }
}

async fn search(finder: Finder, candidate: Candidate, found: Arc<Found>) {
    let mut retry = None;
    loop {
        match finder.find(&candidate).await {
            Ok(mut addresses) => {
                // Resolvers give the addresses of a name in a new order each time.
                if matches!(candidate, Candidate::Host(_)) {
                    addresses.sort_unstable();
                }
                let shown = Listed(&addresses).to_string();
                if found.replace(addresses) || retry.is_some() {
                    info!("webrtc.candidates: {candidate} is {shown}");
                }
                retry = None;
            }
            Err(error) => {
                if retry.is_none() {
                    let instead = found.get();
                    let until =
                        if instead.is_empty() { "left out".to_owned() } else { Listed(&instead).to_string() };
                    warn!("webrtc.candidates: {candidate} is {until} until another try succeeds: {error}");
                }
                retry = Some(retry.map_or(RETRY, |pause: Duration| (pause * 2).min(REFRESH)));
            }
        }
        sleep(retry.unwrap_or(REFRESH)).await;
    }
}

struct Listed<'a>(&'a [SocketAddr]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&addresses.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use crate::rtc::{Port, address};

    use super::*;

    /// What a port with these candidates announces as soon as one of them has this address.
    async fn announced_with(config: WebrtcConfig, address: &str) -> Vec<String> {
        let port = Port::open(&config).await.expect("a free port");
        for _ in 0..500 {
            let announced = address::candidates(&port.announced(None));
            if announced.iter().any(|line| line.contains(address)) {
                return announced;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("{address} is not in {:?}", port.announced(None));
    }

    fn config(candidates: Vec<Candidate>) -> WebrtcConfig {
        WebrtcConfig { listen: SocketAddr::from(([127, 0, 0, 1], 0)), candidates, ..WebrtcConfig::default() }
    }

    fn host(host: &str, port: u16) -> HostPort {
        HostPort { host: host.to_owned(), port }
    }

    #[tokio::test]
    async fn a_name_is_announced_with_its_port_and_one_that_does_not_resolve_delays_nothing() {
        let nowhere = Candidate::Host(host("nowhere.invalid", 9000));
        let config = config(vec![nowhere, Candidate::Host(host("localhost", 9000))]);
        let start = Instant::now();
        let port = Port::open(&config).await.expect("a free port");
        assert!(!port.announced(None).is_empty());
        assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
        let announced = announced_with(config, " 9000 ").await;
        assert!(
            announced
                .iter()
                .all(|line| !line.contains(" 9000 ") || line.contains("127.0.0.1") || line.contains("::1"))
        );
    }

    #[tokio::test]
    async fn a_candidate_with_port_0_has_the_port_of_the_media() {
        let candidate = Candidate::Address(SocketAddr::from(([203, 0, 113, 7], 0)));
        let announced = announced_with(config(vec![candidate]), " 203.0.113.7 ").await;
        assert!(announced.iter().all(|line| !line.contains(" 0 typ")), "{announced:?}");
    }

    #[tokio::test]
    async fn a_stun_server_that_does_not_answer_is_named() {
        let server = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let at = server.local_addr().expect("bound");
        let config = WebrtcConfig { stun_server: host("127.0.0.1", at.port()), ..config(Vec::new()) };
        let port = Port::open(&config).await.expect("a free port");
        let refused = port.find(&Candidate::Stun { port: 8555 }).await;
        assert!(matches!(refused, Err(AskError::Silent { server }) if server == at), "{refused:?}");
    }
}
