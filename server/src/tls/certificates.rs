//! The certificate that new connections get. Its files are looked at when a connection comes, so nothing wakes up for them, and read
//! again when they have changed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use super::pair::{PairError, load};
use crate::config::{Pem, PemSource, TlsConfig};

/// The files are looked at no more often than this.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A certificate and its key. Those that were read last and fit together are in use.
#[derive(Debug)]
pub struct Certificates {
    config: TlsConfig,
    current: Mutex<Current>,
}

struct Current {
    acceptor: TlsAcceptor,
    looked: Instant,
    /// The files when they were read last, whether they could be used or not, so that a pair that is wrong is reported once.
    seen: [Option<Stamp>; 2],
}

/// What changes when a file is written, or another takes its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    bytes: u64,
    inode: u64,
}

impl Certificates {
    pub fn load(config: TlsConfig) -> Result<Self, PairError> {
        // Before the files are read: a change while they are read is seen later.
        let seen = stamps(&config);
        let acceptor = TlsAcceptor::from(Arc::new(load(&config)?));
        Ok(Self { config, current: Mutex::new(Current { acceptor, looked: Instant::now(), seen }) })
    }

    /// What a connection that comes now is accepted with.
    pub(crate) async fn acceptor(self: &Arc<Self>) -> TlsAcceptor {
        if self.is_time_to_look() {
            let this = Arc::clone(self);
            // Files may be slow, and those who come meanwhile do not wait for them. A panic would leave the pair as it is.
            let _ = tokio::task::spawn_blocking(move || this.look()).await;
        }
        self.lock().acceptor.clone()
    }

    /// True for one caller each time.
    fn is_time_to_look(&self) -> bool {
        let mut current = self.lock();
        let is_time = current.looked.elapsed() >= LOOK_EVERY;
        if is_time {
            current.looked = Instant::now();
        }
        is_time
    }

    fn look(&self) {
        let seen = stamps(&self.config);
        if std::mem::replace(&mut self.lock().seen, seen) == seen {
            return;
        }
        match load(&self.config) {
            Ok(usable) => {
                self.lock().acceptor = TlsAcceptor::from(Arc::new(usable));
                info!("the certificate of api.tls_listen has changed and is in use");
            }
            Err(error) => warn!("{error}. The certificate that was read before stays in use"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stamps(config: &TlsConfig) -> [Option<Stamp>; 2] {
    [&config.cert, &config.key].map(|pem: &Pem| match &pem.source {
        PemSource::Text(_) => None,
        PemSource::File(path) => stamp(path),
    })
}

/// `None` for a file that is not there.
fn stamp(path: &Path) -> Option<Stamp> {
    let file = fs::metadata(path).ok()?;
    Some(Stamp { modified: file.modified().ok()?, bytes: file.len(), inode: file.ino() })
}

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Current")
            .field("looked", &self.looked)
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}
