//! Places for clients, so many in all and so many for each address: one address cannot take those of all others.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The places of one kind. A clone shares them.
#[derive(Debug, Clone)]
pub struct Places {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    total: usize,
    per_address: usize,
    /// The addresses of proxies, behind which are many clients.
    exempt: Vec<IpAddr>,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPlace {
    /// All are taken; how many there are.
    InAll(usize),
    /// This address has taken as many as it may have.
    ForAddress(usize),
}

/// A place, until this is dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Inner>,
    /// `None` for an address that may have any number.
    address: Option<IpAddr>,
}

impl Places {
    pub fn new(total: usize, per_address: usize, exempt: &[IpAddr]) -> Self {
        let exempt = exempt.iter().map(IpAddr::to_canonical).collect();
        Self { inner: Arc::new(Inner { total, per_address, exempt, taken: Mutex::default() }) }
    }

    /// Takes a place for a client at this address. This machine's own clients are a proxy's, as far as is known, and have no limit
    /// of their own.
    pub fn take(&self, address: IpAddr) -> Result<Place, NoPlace> {
        let address = address.to_canonical();
        let limited = !address.is_loopback() && !self.inner.exempt.contains(&address);
        let address = limited.then(|| network(address));
        let mut taken = self.inner.taken();
        if taken.all >= self.inner.total {
            return Err(NoPlace::InAll(self.inner.total));
        }
        if let Some(address) = address {
            let of_address = taken.by_address.entry(address).or_default();
            if *of_address >= self.inner.per_address {
                return Err(NoPlace::ForAddress(self.inner.per_address));
            }
            *of_address += 1;
        }
        taken.all += 1;
        Ok(Place { places: self.inner.clone(), address })
    }
}

impl Inner {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all -= 1;
        let Some(address) = self.address else { return };
        if let Some(of_address) = taken.by_address.get_mut(&address) {
            *of_address -= 1;
            if *of_address == 0 {
                taken.by_address.remove(&address);
            }
        }
    }
}

/// What counts as one address: with IPv6, the /64 of which a host may use any address (RFC 4291 §2.5.1).
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn one_address_cannot_take_all_places() {
        let places = Places::new(3, 2, &[]);
        let greedy = ip("192.0.2.1");
        let held = [places.take(greedy).expect("free"), places.take(greedy).expect("free")];
        assert_eq!(places.take(greedy).expect_err("it has two"), NoPlace::ForAddress(2));
        let other = places.take(ip("192.0.2.2")).expect("there is one left");
        assert_eq!(places.take(ip("192.0.2.3")).expect_err("all are taken"), NoPlace::InAll(3));
        drop(held);
        let _again = [places.take(greedy).expect("free"), places.take(greedy).expect("free")];
        drop(other);
    }

    #[test]
    fn a_proxy_has_places_for_all_of_its_clients() {
        let proxy = ip("192.0.2.1");
        let places = Places::new(100, 2, &[proxy]);
        for address in [proxy, ip("::ffff:192.0.2.1"), ip("127.0.0.1"), ip("::1")] {
            let held: Vec<Place> = (0..10).map(|_| places.take(address).expect("free")).collect();
            drop(held);
        }
        assert_eq!(places.inner.taken().all, 0);
    }

    #[test]
    fn the_addresses_of_one_ipv6_host_count_as_one() {
        let places = Places::new(100, 2, &[]);
        let _held = [places.take(ip("2001:db8::1")), places.take(ip("2001:db8::2"))];
        assert_eq!(places.take(ip("2001:db8::3")).expect_err("the same host"), NoPlace::ForAddress(2));
        assert!(places.take(ip("2001:db8:0:1::1")).is_ok());
        assert!(places.inner.taken().by_address.len() <= 2, "forgotten when free");
    }
}
