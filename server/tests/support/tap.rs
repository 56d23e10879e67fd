//! A UDP path between a server and its viewers that the test can take over: what a viewer sends is then replaced by the test's own
//! packets from the same address, and what the server sends to it is counted. It can also be made as slow, lossy and long as a bad link.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

/// What a bad link carries to the viewer.
const BITS_PER_SECOND: f64 = 200_000.0;
/// One packet of so many is lost on it, besides those that would have to wait longer than `QUEUE`.
const LOSES_ONE_OF: u64 = 10;
const QUEUE: Duration = Duration::from_millis(500);
/// Its delay in each direction.
const DELAY: Duration = Duration::from_millis(150);

/// Dropping it ends it.
pub(crate) struct Tap {
    address: SocketAddr,
    lines: Arc<Mutex<Vec<Arc<Line>>>>,
    task: JoinHandle<()>,
}

/// The path of one viewer.
pub(crate) struct Line {
    viewer: SocketAddr,
    server: SocketAddr,
    outer: UdpSocket,
    muted: AtomicBool,
    bad: AtomicBool,
    /// What the viewer has sent.
    recorded: Mutex<Vec<Vec<u8>>>,
    /// The packets of media that the server has sent.
    media: AtomicU64,
}

impl Tap {
    /// The server has to announce [`Self::address`] as its own, and to listen at `server`.
    pub(crate) async fn start(server: SocketAddr) -> Self {
        let inner = Arc::new(socket().await);
        let address = inner.local_addr().expect("it is bound");
        let lines = Arc::<Mutex<Vec<Arc<Line>>>>::default();
        let task = tokio::spawn(pass(inner, server, lines.clone()));
        Self { address, lines, task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The path of the viewer that came last.
    pub(crate) fn newest(&self) -> Arc<Line> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.last().expect("a viewer has come").clone()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Line {
    /// From now on nothing of the viewer reaches the server.
    pub(crate) fn mute(&self) {
        self.muted.store(true, Ordering::Relaxed);
    }

    /// Whether the link is a bad one from now on.
    pub(crate) fn set_bad(&self, bad: bool) {
        self.bad.store(bad, Ordering::Relaxed);
    }

    /// What the viewer has sent so far.
    pub(crate) fn recorded(&self) -> Vec<Vec<u8>> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends this to the server from the viewer's address.
    pub(crate) async fn send(&self, packet: &[u8]) {
        let _ = self.outer.send_to(packet, self.server).await;
    }

    /// How many packets of media the server has sent so far.
    pub(crate) fn media(&self) -> u64 {
        self.media.load(Ordering::Relaxed)
    }

    async fn deliver(self: Arc<Self>, inner: Arc<UdpSocket>) {
        let mut buffer = [0; 2048];
        let (mut number, mut free_at) = (0_u64, Instant::now());
        while let Ok((len, _)) = self.outer.recv_from(&mut buffer).await {
            // RTP (RFC 7983 §7), but not RTCP on the same port (RFC 5761 §4).
            let is_media = (128..192).contains(&buffer[0]) && !(64..96).contains(&(buffer[1] & 0x7f));
            self.media.fetch_add(u64::from(is_media), Ordering::Relaxed);
            let packet = buffer[..len].to_vec();
            if !self.bad.load(Ordering::Relaxed) {
                let _ = inner.send_to(&packet, self.viewer).await;
                continue;
            }
            number += 1;
            let starts = free_at.max(Instant::now());
            if number.is_multiple_of(LOSES_ONE_OF) || starts > Instant::now() + QUEUE {
                continue;
            }
            free_at = starts + Duration::from_secs_f64(len as f64 * 8.0 / BITS_PER_SECOND);
            let (line, inner) = (self.clone(), inner.clone());
            tokio::spawn(async move {
                sleep_until(free_at + DELAY).await;
                let _ = inner.send_to(&packet, line.viewer).await;
            });
        }
    }

    async fn pass_on(self: Arc<Self>, packet: Vec<u8>) {
        if self.bad.load(Ordering::Relaxed) {
            sleep_until(Instant::now() + DELAY).await;
        }
        self.send(&packet).await;
    }
}

async fn socket() -> UdpSocket {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has free ports")
}

async fn pass(inner: Arc<UdpSocket>, server: SocketAddr, lines: Arc<Mutex<Vec<Arc<Line>>>>) {
    let mut tasks = JoinSet::new();
    let mut buffer = [0; 2048];
    while let Ok((len, viewer)) = inner.recv_from(&mut buffer).await {
        let known = {
            let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.iter().find(|line| line.viewer == viewer).cloned()
        };
        let line = if let Some(line) = known {
            line
        } else {
            let (muted, recorded, media) = (AtomicBool::default(), Mutex::default(), AtomicU64::default());
            let (outer, bad) = (socket().await, AtomicBool::default());
            let line = Arc::new(Line { viewer, server, outer, muted, bad, recorded, media });
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line.clone());
            tasks.spawn(line.clone().deliver(inner.clone()));
            line
        };
        if !line.muted.load(Ordering::Relaxed) {
            line.recorded.lock().unwrap_or_else(PoisonError::into_inner).push(buffer[..len].to_vec());
            tokio::spawn(line.pass_on(buffer[..len].to_vec()));
        }
    }
}
