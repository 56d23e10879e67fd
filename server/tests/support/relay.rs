//! A TCP path that can fall silent: bytes vanish while both ends believe that their connection is open, as when a cable is pulled.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Dropping it ends it.
pub(crate) struct Relay {
    address: SocketAddr,
    /// Even while it forwards. A connection of an earlier number stays silent for good, since bytes of it are lost.
    state: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Relay {
    pub(crate) async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port 0 is free");
        let address = listener.local_addr().expect("it is bound");
        let state = Arc::<AtomicU64>::default();
        let current = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(to).await else { continue };
                let (near, far) = (near.into_split(), far.into_split());
                tokio::spawn(forward(near.0, far.1, current.clone()));
                tokio::spawn(forward(far.0, near.1, current.clone()));
            }
        });
        Self { address, state, task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on nothing arrives.
    pub(crate) fn fall_silent(&self) {
        self.state.fetch_or(1, Ordering::Relaxed);
    }

    /// New connections work again.
    pub(crate) fn mend(&self) {
        self.state.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    state: Arc<AtomicU64>,
) {
    let opened = state.load(Ordering::Relaxed);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else {
            if opened.is_multiple_of(2) && state.load(Ordering::Relaxed) == opened {
                return;
            }
            // A goodbye is lost like everything else.
            std::future::pending::<()>().await;
            return;
        };
        let is_whole = opened.is_multiple_of(2) && state.load(Ordering::Relaxed) == opened;
        if is_whole && to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
