//! Network namespaces: machines of a test's own, with addresses and links that the test makes. They need Linux and root.

use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A network namespace with loopback; dropping it removes it.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Creates namespaces, or says on stderr that the test is skipped, and why.
    pub fn create<const N: usize>() -> Option<[Self; N]> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mut created = Vec::new();
        for _ in 0..N {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("multistream-{}-{number}", std::process::id());
            if let Err(why) = ip(&format!("netns add {name}")) {
                eprintln!("skipped: network namespaces need Linux and root, and there are none: {why}");
                return None;
            }
            let namespace = Self { name };
            namespace.ip("link set lo up");
            created.push(namespace);
        }
        created.try_into().ok()
    }

    /// Connects two namespaces with a cable: each gets an interface of this name with this address (`10.0.0.1/24`).
    ///
    /// # Panics
    /// If the interfaces cannot be made.
    pub fn connect(&self, interface: &str, address: &str, other: &Self, others_address: &str) {
        let peer = &other.name;
        self.ip(&format!("link add {interface} type veth peer name {interface} netns {peer}"));
        for (namespace, address) in [(self, address), (other, others_address)] {
            namespace.ip(&format!("link set {interface} up"));
            namespace.ip(&format!("address add {address} dev {interface}"));
        }
    }

    /// Runs `ip` in the namespace.
    ///
    /// # Panics
    /// If it fails.
    pub fn ip(&self, arguments: &str) {
        ip(&format!("-n {} {arguments}", self.name)).unwrap_or_else(|why| panic!("ip {arguments}: {why}"));
    }

    /// Makes it a NAT between its `outer` interface and the others: packets leave `outer` from its own address, from the port
    /// that they have or from one of `ports` (`40000-40100`). What arrives at `forwarded` ports of `outer` goes to `inside`.
    ///
    /// # Panics
    /// If nft fails, or is not installed.
    pub fn hide_behind(&self, outer: &str, ports: Option<&str>, forwarded: &[u16], inside: Ipv4Addr) {
        let to = ports.map_or_else(String::new, |ports| format!("to :{ports}"));
        let forwarded = forwarded.iter().map(|port| {
            format!("iifname {outer} meta l4proto {{ tcp, udp }} th dport {port} dnat to {inside}\n")
        });
        let rules = format!(
            "table ip nat {{\nchain out {{\ntype nat hook postrouting priority srcnat\n\
             oifname {outer} meta l4proto {{ tcp, udp }} masquerade {to}\n}}\n\
             chain in {{\ntype nat hook prerouting priority dstnat\n{}}}\n}}\n",
            forwarded.collect::<String>()
        );
        self.run(|| std::fs::write("/proc/sys/net/ipv4/ip_forward", "1")).expect("root may forward packets");
        let output = self.command("nft").arg(rules).output().expect("ip starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "nft (package nftables): {said}");
    }

    /// Runs a program in the namespace.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Runs `work` on a thread in the namespace. Threads and sockets that it opens are there too.
    ///
    /// # Panics
    /// If `work` does, or if the namespace cannot be entered.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let enter = || {
            let file =
                std::fs::File::open(format!("/run/netns/{}", self.name)).expect("the namespace exists");
            move_into_link_name_space(std::os::fd::AsFd::as_fd(&file), Some(LinkNameSpaceType::Network))
                .expect("root may enter it");
        };
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                enter();
                work()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Runs a future on a thread in the namespace.
    ///
    /// # Panics
    /// Like [`Self::run`].
    pub fn block_on<T: Send>(&self, work: impl Future<Output = T> + Send) -> T {
        self.run(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(work)
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        ip(&format!("netns delete {}", self.name)).ok();
    }
}

fn ip(arguments: &str) -> Result<(), String> {
    let output =
        Command::new("ip").args(arguments.split(' ')).output().map_err(|error| format!("ip: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
