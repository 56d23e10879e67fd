//! An emulated network between a server and its viewers, with limited rate, delay and loss: a UDP relay whose address the
//! server announces as its own. All viewers share its rate and its queue.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// The conditions for packets to the viewer. Packets from the viewer are only delayed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathConditions {
    pub bits_per_second: f64,
    /// How long a packet may wait for those before it; one that would wait longer is dropped.
    pub queue: Duration,
    /// The one-way delay.
    pub delay: Duration,
    /// The share of packets that are lost, from 0 to 1, at regular intervals.
    pub loss: f64,
}

/// A running relay; dropping it stops it.
#[derive(Debug)]
pub struct EmulatedPath {
    address: SocketAddr,
    end: watch::Sender<Option<SocketAddr>>,
    /// How often the viewers have got new addresses.
    rebinds: watch::Sender<u32>,
    bottleneck: Arc<Bottleneck>,
    _relay: JoinSet<()>,
}

/// What the packets to all viewers pass.
#[derive(Debug)]
struct Bottleneck {
    state: Mutex<State>,
    /// The bytes that passed.
    passed: AtomicU64,
}

#[derive(Debug)]
struct State {
    conditions: PathConditions,
    /// When everything in the queue will have been sent.
    free_at: Instant,
    /// The next packet is lost when this reaches 1.
    unlucky: f64,
}

impl Bottleneck {
    fn new(conditions: PathConditions) -> Self {
        let state = State { conditions, free_at: Instant::now(), unlucky: 0.0 };
        Self { state: Mutex::new(state), passed: AtomicU64::new(0) }
    }

    fn conditions(&self) -> PathConditions {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).conditions
    }

    /// When a packet that comes now arrives; `None` if it is dropped.
    fn pass(&self, bytes: usize) -> Option<Instant> {
        let State { conditions, free_at, unlucky } =
            &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        *unlucky += conditions.loss;
        if *unlucky >= 1.0 {
            *unlucky -= 1.0;
            return None;
        }
        if free_at.saturating_duration_since(now) > conditions.queue {
            return None;
        }
        let takes = Duration::from_secs_f64(bytes as f64 * 8.0 / conditions.bits_per_second);
        *free_at = (*free_at).max(now) + takes;
        self.passed.fetch_add(bytes as u64, Ordering::Relaxed);
        Some(*free_at + conditions.delay)
    }
}

impl EmulatedPath {
    /// Starts to receive packets at [`Self::address`]. They are relayed once [`Self::lead_to`] has given the server's address.
    pub async fn start(conditions: PathConditions) -> std::io::Result<Self> {
        let outside = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        let address = outside.local_addr()?;
        let (end, known_end) = watch::channel(None);
        let (rebinds, known_rebinds) = watch::channel(0);
        let mut relay = JoinSet::new();
        let bottleneck = Arc::new(Bottleneck::new(conditions));
        relay.spawn(relay_all(outside, known_end, known_rebinds, bottleneck.clone()));
        Ok(Self { address, end, rebinds, bottleneck, _relay: relay })
    }

    /// The address for the server to announce (`webrtc.candidates`).
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the conditions. Packets under way keep their time of arrival.
    pub fn set(&self, conditions: PathConditions) {
        self.bottleneck.state.lock().unwrap_or_else(PoisonError::into_inner).conditions = conditions;
    }

    /// How many bytes have passed towards the viewers so far.
    pub fn passed(&self) -> u64 {
        self.bottleneck.passed.load(Ordering::Relaxed)
    }

    /// Sets the address on which the server listens.
    pub fn lead_to(&self, server: SocketAddr) {
        self.end.send_replace(Some(server));
    }

    /// Gives every viewer another address towards the server, as a NAT does that was restarted. Packets to the old addresses are
    /// lost.
    pub fn rebind(&self) {
        self.rebinds.send_modify(|count| *count += 1);
    }
}

/// Gives each viewer a socket of its own towards the server, as a NAT does.
async fn relay_all(
    outside: Arc<UdpSocket>,
    mut end: watch::Receiver<Option<SocketAddr>>,
    mut rebinds: watch::Receiver<u32>,
    bottleneck: Arc<Bottleneck>,
) {
    let Ok(server) = end.wait_for(Option::is_some).await.map(|end| *end) else { return };
    let Some(server) = server else { return };
    let mut viewers: HashMap<SocketAddr, mpsc::UnboundedSender<Delayed>> = HashMap::new();
    let mut tasks = JoinSet::new();
    let mut buffer = [0; 2048];
    while let Ok((len, viewer)) = outside.recv_from(&mut buffer).await {
        if rebinds.has_changed().unwrap_or_default() {
            rebinds.mark_unchanged();
            viewers.clear();
            tasks = JoinSet::new();
        }
        if let Entry::Vacant(newcomer) = viewers.entry(viewer) {
            let Ok(inside) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.map(Arc::new) else { return };
            if inside.connect(server).await.is_err() {
                return;
            }
            let (to_server, waiting) = mpsc::unbounded_channel();
            newcomer.insert(to_server);
            let towards_server = inside.clone();
            tasks.spawn(deliver(waiting, async move |packet| {
                let _ = towards_server.send(&packet).await;
            }));
            tasks.spawn(towards_viewer(inside, outside.clone(), viewer, bottleneck.clone()));
        }
        if let Some(to_server) = viewers.get(&viewer) {
            let _ = to_server.send((Instant::now() + bottleneck.conditions().delay, buffer[..len].to_vec()));
        }
    }
}

/// A packet, and when it arrives.
type Delayed = (Instant, Vec<u8>);

async fn towards_viewer(
    inside: Arc<UdpSocket>,
    outside: Arc<UdpSocket>,
    viewer: SocketAddr,
    bottleneck: Arc<Bottleneck>,
) {
    let (arriving, waiting) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    tasks.spawn(deliver(waiting, async move |packet| {
        let _ = outside.send_to(&packet, viewer).await;
    }));
    let mut buffer = [0; 2048];
    while let Ok(len) = inside.recv(&mut buffer).await {
        if let Some(at) = bottleneck.pass(len)
            && arriving.send((at, buffer[..len].to_vec())).is_err()
        {
            return;
        }
    }
}

/// Passes packets on at their time of arrival. They are queued in that order.
async fn deliver(mut waiting: mpsc::UnboundedReceiver<Delayed>, mut send: impl AsyncFnMut(Vec<u8>)) {
    while let Some((at, packet)) = waiting.recv().await {
        tokio::time::sleep_until(at).await;
        send(packet).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn through(conditions: PathConditions, packets: u8) -> (Vec<u8>, Duration) {
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a socket");
        let path = EmulatedPath::start(conditions).await.expect("a path");
        path.lead_to(server.local_addr().expect("an address"));
        let viewer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a socket");
        viewer.send_to(b"hello", path.address()).await.expect("sent");
        let mut buffer = [0; 2048];
        let (_, from) = server.recv_from(&mut buffer).await.expect("the greeting");
        let start = Instant::now();
        for number in 0..packets {
            server.send_to(&[number; 1000], from).await.expect("sent");
        }
        let mut arrived = Vec::new();
        let patience = Duration::from_millis(500);
        let mut last = Duration::ZERO;
        while let Ok(Ok(_)) = tokio::time::timeout(patience, viewer.recv_from(&mut buffer)).await {
            arrived.push(buffer[0]);
            last = start.elapsed();
        }
        (arrived, last)
    }

    const FAST: PathConditions = PathConditions {
        bits_per_second: 1e9,
        queue: Duration::from_secs(1),
        delay: Duration::ZERO,
        loss: 0.0,
    };

    #[tokio::test]
    async fn packets_arrive_at_the_rate_of_the_path_and_in_order() {
        let conditions =
            PathConditions { bits_per_second: 400_000.0, delay: Duration::from_millis(50), ..FAST };
        let (arrived, last) = through(conditions, 10).await;
        assert_eq!(arrived, (0..10).collect::<Vec<_>>());
        assert!(last >= Duration::from_millis(249), "10 × 20 ms and 50 ms on the way: {last:?}");
    }

    #[tokio::test]
    async fn packets_that_the_queue_cannot_hold_are_dropped() {
        let conditions =
            PathConditions { bits_per_second: 80_000.0, queue: Duration::from_millis(250), ..FAST };
        let (arrived, _) = through(conditions, 20).await;
        assert_eq!(arrived, [0, 1, 2], "100 ms each");
    }

    #[tokio::test]
    async fn one_packet_in_four_is_lost() {
        let (arrived, _) = through(PathConditions { loss: 0.25, ..FAST }, 12).await;
        assert_eq!(arrived, [0, 1, 2, 4, 5, 6, 8, 9, 10]);
    }
}
