//! Tests of the server on machines with addresses and links of the tests' own: network namespaces.

#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use multistream::config::{Candidate, Config, ExecSource, HostPort, Source, StreamConfig, WebrtcConfig};
use multistream::doctor;
use multistream::rtc::Port;
use multistream_testkit::{Namespace, StunServer, Viewer};
use serde_json::json;

use support::Server;

const SERVER: &str = "10.77.0.1";

/// A camera without a network.
fn config() -> Config {
    let command = "ffmpeg -v error -re -f lavfi -i testsrc2=size=320x180:rate=25 -pix_fmt yuv420p -c:v libx264 \
        -preset ultrafast -tune zerolatency -g 25 -f h264 -";
    let argv = command.split_whitespace().map(str::to_owned).collect();
    let sources = vec![Source::Exec(ExecSource::new(argv))];
    Config { streams: vec![StreamConfig { name: "camera1".to_owned(), sources }], ..Config::default() }
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("a test's address")
}

/// A server as `multistream serve` starts it, with `:0` as both of its addresses. Returns the port of its pages.
async fn serve_everywhere() -> u16 {
    let mut config = config();
    config.webrtc.listen = "[::]:0".parse().expect("an address");
    config.api.listen = Some(config.webrtc.listen);
    let server = multistream::serve::Server::bind(config).await.expect("port 0 is free");
    let port = server.http_addr().expect("bound").port();
    tokio::spawn(server.run(std::future::pending()));
    port
}

/// Watches from another machine; returns the addresses of the answer, in its order.
async fn watch_from_elsewhere(
    machine: Namespace,
    url: String,
    from: &'static str,
) -> (Namespace, Vec<String>) {
    let watch = async move {
        let slots = json!([{ "slot": 0, "stream": "camera1" }]);
        let viewer = Viewer::connect_from(&url, &slots, ip(from)).await.expect("it connects");
        viewer.until_frames(5).await.expect("pictures come");
        let sdp = viewer.answer["sdp"].as_str().unwrap_or_default().to_owned();
        let udp = sdp.lines().filter(|line| line.starts_with("a=candidate:udp"));
        udp.filter_map(|line| Some(line.split(' ').nth(4)?.to_owned())).collect()
    };
    let watched = tokio::task::spawn_blocking(move || {
        let addresses = machine.block_on(watch);
        (machine, addresses)
    });
    watched.await.expect("it is watched")
}

#[test]
fn addresses_that_the_machine_gets_after_the_start_are_announced_the_one_that_was_reached_first() {
    let Some([machine, other]) = Namespace::create() else { return };
    machine.block_on(async {
        let port = serve_everywhere().await;
        machine.connect("eth0", "10.77.0.1/24", &other, "10.77.0.2/24");
        let url = format!("http://{SERVER}:{port}");
        let (other, addresses) = watch_from_elsewhere(other, url.clone(), "10.77.0.2").await;
        assert_eq!(addresses, [SERVER, "127.0.0.1", "::1"]);

        // A second network, and IPv6 on the first one.
        machine.connect("eth1", "10.78.0.1/24", &other, "10.78.0.2/24");
        machine.ip("address add fd77::1/64 dev eth0 nodad");
        other.ip("address add fd77::2/64 dev eth0 nodad");
        let (other, addresses) =
            watch_from_elsewhere(other, format!("http://10.78.0.1:{port}"), "10.78.0.2").await;
        assert_eq!(addresses, ["10.78.0.1", SERVER, "fd77::1", "127.0.0.1", "::1"]);
        let (other, addresses) =
            watch_from_elsewhere(other, format!("http://[fd77::1]:{port}"), "fd77::2").await;
        assert_eq!(addresses, ["fd77::1", SERVER, "10.78.0.1", "127.0.0.1", "::1"]);

        machine.ip("address delete 10.78.0.1/24 dev eth1");
        let (_other, addresses) = watch_from_elsewhere(other, url, "10.77.0.2").await;
        assert_eq!(addresses, [SERVER, "fd77::1", "127.0.0.1", "::1"]);
    });
}

/// A machine behind a NAT, the NAT, and a machine outside of it. The server's ports 1984 and 8555 are forwarded.
fn behind_a_nat(ports: Option<&str>) -> Option<[Namespace; 3]> {
    let [machine, router, outside] = Namespace::create()?;
    router.connect("inner", "10.77.0.254/24", &machine, "10.77.0.1/24");
    router.connect("outer", "203.0.113.1/24", &outside, "203.0.113.2/24");
    machine.ip("route add default via 10.77.0.254");
    router.hide_behind("outer", ports, &[1984, 8555], [10, 77, 0, 1].into());
    Some([machine, router, outside])
}

const STUN_SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 2)), 3478);

/// `webrtc.candidates: [stun:8555]` with the server outside.
fn asks_outside() -> WebrtcConfig {
    WebrtcConfig {
        candidates: vec![Candidate::Stun { port: 8555 }],
        stun_server: HostPort { host: STUN_SERVER.ip().to_string(), port: STUN_SERVER.port() },
        ..WebrtcConfig::default()
    }
}

#[test]
fn behind_a_nat_the_outer_address_is_announced_and_carries_the_picture() {
    let Some([machine, _router, outside]) = behind_a_nat(None) else { return };
    let _stun = outside.run(|| StunServer::start(STUN_SERVER)).expect("a STUN server");
    machine.block_on(async {
        let mut config = config();
        config.api.listen = "[::]:1984".parse().ok();
        config.webrtc = asks_outside();
        let server = multistream::serve::Server::bind(config).await.expect("the ports are free");
        tokio::spawn(server.run(std::future::pending()));
        let watch = async {
            let slots = json!([{ "slot": 0, "stream": "camera1" }]);
            // The start does not wait for the STUN server, so the first answers may lack its address.
            for _ in 0..20 {
                let viewer = Viewer::connect_from("http://203.0.113.1:1984", &slots, STUN_SERVER.ip()).await;
                let viewer = viewer.expect("it connects");
                let announced = announced(&viewer);
                if announced == ["10.77.0.1 8555", "203.0.113.1 8555", "127.0.0.1 8555", "::1 8555"] {
                    viewer.until_frames(5).await.expect("pictures come by the only address that is reached");
                    return Ok(());
                }
                assert_eq!(announced, ["10.77.0.1 8555", "127.0.0.1 8555", "::1 8555"]);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err("the address outside is not announced")
        };
        let watched = tokio::task::spawn_blocking(move || outside.block_on(watch)).await.expect("it ends");
        watched.expect("announced");
    });
}

/// The addresses and ports of the answer, in its order.
fn announced(viewer: &Viewer) -> Vec<String> {
    let sdp = viewer.answer["sdp"].as_str().unwrap_or_default();
    let udp = sdp.lines().filter(|line| line.starts_with("a=candidate:udp"));
    udp.map(|line| line.split(' ').skip(4).take(2).collect::<Vec<_>>().join(" ")).collect()
}

/// How long the tasks of a port may take to end, and to close its sockets.
const CLOSES: Duration = Duration::from_millis(100);

async fn close(port: Port) {
    drop(port);
    tokio::time::sleep(CLOSES).await;
}

#[test]
fn the_address_outside_is_asked_for_from_the_port_of_the_media() {
    let Some([machine, router, outside]) = behind_a_nat(Some("40000-40100")) else { return };
    let stun = outside.run(|| StunServer::start(STUN_SERVER)).expect("a STUN server");
    machine.block_on(async {
        let port = Port::open(&asks_outside()).await.expect("the port is free");
        let candidate = Candidate::Stun { port: 8555 };
        let found = port.find(&candidate).await.expect("the server answers");
        let mapped = found.get(1).expect("the NAT has chosen another port");
        assert_eq!(found[0].to_string(), "203.0.113.1:8555");
        assert!(mapped.ip() == found[0].ip() && (40000..=40100).contains(&mapped.port()), "{found:?}");
        // The same socket has the same mapping.
        assert_eq!(port.find(&candidate).await.expect("the server answers"), found);

        close(port).await;
        let config = Config { webrtc: asks_outside(), ..Config::default() };
        let findings = doctor::examine(&config).await;
        tokio::time::sleep(CLOSES).await;
        let expected = "ok: webrtc.candidates: stun:8555: 203.0.113.2:3478 sees 203.0.113.1; \
            the NAT does not keep the port: it maps 8555 to 40";
        assert!(
            !findings.ill && findings.lines.iter().any(|line| line.starts_with(expected)),
            "{findings:?}"
        );
        let port = Port::open(&config.webrtc).await.expect("the port is free again");

        drop(stun);
        let silent = port.find(&candidate).await.expect_err("nobody answers").to_string();
        assert_eq!(silent, "203.0.113.2:3478 does not answer within 2 s");
        router.ip("link set inner down");
        let _stun = outside.run(|| StunServer::start(STUN_SERVER)).expect("a STUN server");
        machine.ip("route flush table main");
        let unreachable = port.find(&candidate).await.expect_err("there is no route").to_string();
        assert!(unreachable.starts_with("nothing can be sent to 203.0.113.2:3478: "), "{unreachable}");
    });
}

/// Watches from an address of the server's machine, as Firefox does, which has no loopback candidate.
async fn watch(server: &Server, from: &str) {
    let slots = json!([{ "slot": 0, "stream": "camera1" }]);
    let viewer = Viewer::connect_from(&server.url, &slots, ip(from)).await.expect("it connects");
    viewer.until_frames(5).await.expect("pictures come");
}

#[test]
fn a_server_on_loopback_serves_every_browser_of_its_machine_and_no_other_machine() {
    let Some([machine, other]) = Namespace::create() else { return };
    machine.connect("eth0", "10.77.0.1/24", &other, "10.77.0.2/24");
    machine.block_on(async {
        let server = Server::start(config()).await;
        watch(&server, SERVER).await;
        watch(&server, "127.0.0.1").await;
        let media = (ip(SERVER), server.sessions.local_addr().port());
        let own = TcpStream::connect(media).expect("the port is open on every interface");
        assert!(own.set_read_timeout(Some(Duration::from_millis(300))).is_ok());
        let stays = tokio::task::spawn_blocking(move || {
            let mut own = own;
            own.read(&mut [0])
        })
        .await
        .expect("read");
        assert!(stays.is_err(), "a connection of this machine waits for its first packet");
        let read = tokio::task::spawn_blocking(move || {
            other.run(|| {
                let mut stranger = TcpStream::connect(media).expect("the port is open on every interface");
                stranger.set_read_timeout(Some(Duration::from_secs(2))).expect("a socket");
                stranger.read(&mut [0])
            })
        });
        let read = read.await.expect("read");
        let closed = match &read {
            Ok(read) => *read == 0,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        };
        assert!(closed, "another machine's connection is closed at once: {read:?}");
    });
}
