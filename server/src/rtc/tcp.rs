//! ICE over TCP (RFC 6544): connections that the browser opens to the port, packets framed as in RFC 4571.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::debug;

use super::routes::{Inbound, Table, Transport};
use crate::limits::{self, Limit};
use crate::net;
use crate::places::Places;

/// How long a connection may take to send its first packet, which identifies its peer.
const FIRST_PACKET_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection is closed when the browser has read nothing from it for this long, while packets wait.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// How many packets may wait for one connection: half a second of nine busy cameras. When the queue is full, further packets
/// are dropped, as a full socket buffer would drop datagrams.
const WRITE_QUEUE: usize = 2048;

/// Accepts connections until it is dropped.
pub(super) async fn accept(listener: TcpListener, table: Arc<Table>, places: Places) {
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Probably there are no free file descriptors, so try again later.
                debug!(%error, "ICE-TCP accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let from = net::canonical(from);
        if !table.admits(from) {
            debug!(%from, "ICE-TCP connection of another machine refused");
            continue;
        }
        let Ok(place) = places.take(from.ip()) else {
            limits::hit(Limit::MediaConnections);
            continue;
        };
        let table = table.clone();
        tokio::spawn(async move {
            if let Err(error) = serve(stream, from, &table).await {
                debug!(%from, %error, "ICE-TCP connection ended");
            }
            drop(place);
        });
    }
}

/// Passes the packets of one connection to their peer, and the peer's packets to the connection, until either side closes it.
async fn serve(stream: TcpStream, from: SocketAddr, table: &Table) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut reader, writer) = stream.into_split();
    let first = timeout(FIRST_PACKET_TIMEOUT, read_packet(&mut reader)).await??;
    let Some(inbox) = table.by_ufrag(&first) else { return Ok(()) };
    let (packets, queue) = mpsc::channel(WRITE_QUEUE);
    let mut write = tokio::spawn(write_packets(writer, queue));
    let gone = || io::Error::other("the peer is gone");
    inbox.send(Inbound::TcpOpened { from, packets }).await.map_err(|_| gone())?;
    let mut packet = first;
    loop {
        let inbound = Inbound::Packet { from, transport: Transport::Tcp, packet };
        inbox.send(inbound).await.map_err(|_| gone())?;
        packet = tokio::select! {
            read = read_packet(&mut reader) => read?,
            // The peer has dropped its sender, or the browser accepts no more packets.
            _ = &mut write => return Ok(()),
        };
    }
}

pub(super) async fn read_packet(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<BytesMut> {
    let len = reader.read_u16().await?;
    let mut packet = BytesMut::zeroed(usize::from(len));
    reader.read_exact(&mut packet).await?;
    Ok(packet)
}

async fn write_packets(mut writer: OwnedWriteHalf, mut queue: mpsc::Receiver<Bytes>) {
    let mut batch = Vec::with_capacity(64);
    let mut framed = Vec::with_capacity(64 * 1500);
    while queue.recv_many(&mut batch, 64).await > 0 {
        framed.clear();
        for packet in batch.drain(..) {
            framed.extend_from_slice(&(packet.len() as u16).to_be_bytes());
            framed.extend_from_slice(&packet);
        }
        match timeout(WRITE_TIMEOUT, writer.write_all(&framed)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}
