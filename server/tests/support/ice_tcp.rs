//! Carries the packets of viewers, which have UDP only, to the server over ICE-TCP (RFC 6544), each with its length in front of it
//! (RFC 4571). It can stop reading, as a browser does that hangs.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, UdpSocket};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

/// Dropping it ends it.
pub(crate) struct IceTcp {
    address: SocketAddr,
    /// The number of the viewer for whom nothing is read, from 1 in the order in which they came.
    stuck: watch::Sender<usize>,
    task: JoinHandle<()>,
}

impl IceTcp {
    /// The server has to announce [`Self::address`] as its own, and to listen at `server`.
    pub(crate) async fn start(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has free ports");
        let address = socket.local_addr().expect("it is bound");
        let (stuck, is_stuck) = watch::channel(0);
        let task = tokio::spawn(carry(Arc::new(socket), server, is_stuck));
        Self { address, stuck, task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on nothing is read from the server for this viewer, so that packets fill the server's send buffer. What the viewer
    /// sends still arrives.
    pub(crate) fn stop_reading(&self, viewer: usize) {
        self.stuck.send_replace(viewer);
    }

    pub(crate) fn read_again(&self) {
        self.stuck.send_replace(0);
    }
}

impl Drop for IceTcp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(socket: Arc<UdpSocket>, server: SocketAddr, stuck: watch::Receiver<usize>) {
    let mut viewers: HashMap<SocketAddr, mpsc::UnboundedSender<Vec<u8>>> = HashMap::new();
    let mut tasks = JoinSet::new();
    let mut buffer = [0; 2048];
    while let Ok((len, viewer)) = socket.recv_from(&mut buffer).await {
        let number = viewers.len() + 1;
        let queue = viewers.entry(viewer).or_insert_with(|| {
            let (queue, packets) = mpsc::unbounded_channel();
            let connection = connection(packets, socket.clone(), viewer, server, stuck.clone(), number);
            tasks.spawn(async move {
                // It ends with an error when the server closes the connection.
                let _ = connection.await;
            });
            queue
        });
        let _ = queue.send(buffer[..len].to_vec());
    }
}

async fn connection(
    mut packets: mpsc::UnboundedReceiver<Vec<u8>>,
    socket: Arc<UdpSocket>,
    viewer: SocketAddr,
    server: SocketAddr,
    stuck: watch::Receiver<usize>,
    number: usize,
) -> std::io::Result<()> {
    let tcp = TcpSocket::new_v4()?;
    // Small, so that the server soon notices that nothing is read.
    tcp.set_recv_buffer_size(16 * 1024)?;
    let (from_server, mut to_server) = tcp.connect(server).await?.into_split();
    let up = async {
        while let Some(packet) = packets.recv().await {
            send(&mut to_server, &packet).await?;
        }
        Ok(())
    };
    tokio::select! {
        ended = up => ended,
        ended = deliver(from_server, &socket, viewer, stuck, number) => ended,
    }
}

async fn send(to: &mut OwnedWriteHalf, packet: &[u8]) -> std::io::Result<()> {
    to.write_u16(packet.len() as u16).await?;
    to.write_all(packet).await
}

async fn deliver(
    mut from: OwnedReadHalf,
    socket: &UdpSocket,
    to: SocketAddr,
    mut stuck: watch::Receiver<usize>,
    number: usize,
) -> std::io::Result<()> {
    while stuck.wait_for(|stuck| *stuck != number).await.is_ok() {
        let len = from.read_u16().await?;
        let mut packet = vec![0; usize::from(len)];
        from.read_exact(&mut packet).await?;
        socket.send_to(&packet, to).await?;
    }
    Ok(())
}
