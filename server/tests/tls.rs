//! TLS of the web server, with the real server and real clients of rustls, which trust the test's own certificate alone.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use multistream::config::Config;
use multistream::serve::Server;
use multistream_testkit::free_port;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

const PROGRAM: &str = env!("CARGO_BIN_EXE_multistream");
const PATIENCE: Duration = Duration::from_secs(20);

/// A certificate for `localhost` and its key.
struct Pair {
    certificate: CertificateDer<'static>,
    cert: String,
    key: String,
}

impl Pair {
    fn new() -> Self {
        let made = generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let CertifiedKey { cert, signing_key } = made;
        Self { certificate: cert.der().clone(), cert: cert.pem(), key: signing_key.serialize_pem() }
    }

    /// Connects as a client that trusts this certificate alone.
    async fn connect(&self, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).expect("a certificate");
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the versions of the provider")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").expect("a name");
        let socket = TcpStream::connect(address).await?;
        timeout(PATIENCE, TlsConnector::from(Arc::new(config)).connect(name, socket)).await?
    }

    /// The whole answer to a request, of which `head` is what follows the path.
    async fn ask(&self, address: SocketAddr, request: &str) -> std::io::Result<String> {
        let mut stream = self.connect(address).await?;
        let (first, more) = request.split_once('\n').unwrap_or((request, ""));
        let more: String = more.lines().flat_map(|line| [line, "\r\n"]).collect();
        let head = format!(
            "{first} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n{more}\r\n",
            address.port()
        );
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await??;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

/// A folder with a config whose `cert.pem` and `key.pem` are this pair's.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(pair: &Pair) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder for the test"));
        folder.write("cert.pem", &pair.cert);
        folder.write("key.pem", &pair.key);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("it is written");
    }

    /// Writes the config: the lines of its section `api:`.
    fn config(&self, api: &str) {
        self.write("multistream.yaml", &format!("api:\n{api}webrtc: {{listen: \"127.0.0.1:0\"}}\n"));
    }

    fn command(&self, command: &str) -> Command {
        let mut program = Command::new(PROGRAM);
        program.arg(command).current_dir(self.0.path());
        program
    }

    /// Starts the program; its log is `log`.
    fn serve(&self) -> Serving {
        let log = fs::File::create(self.path("log")).expect("a log");
        let child = self.command("serve").stdout(Stdio::null()).stderr(log).spawn().expect("it starts");
        Serving(child)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).expect("the log is there")
    }
}

struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Repeats until `done` is true.
async fn until<F: Future<Output = bool>>(what: &str, mut done: impl FnMut() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !done().await {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// A server with `listen` for plain requests and this pair, as PEM text, for TLS. Returns both addresses.
async fn serve(pair: &Pair, listen: &str) -> (Option<SocketAddr>, SocketAddr) {
    let block = |pem: &str| pem.lines().flat_map(|line| ["    ", line, "\n"]).collect::<String>();
    let text = format!(
        "api:\n  listen: \"{listen}\"\n  tls_listen: \"127.0.0.1:0\"\n  tls_cert: |\n{}  tls_key: |\n{}\
         webrtc: {{listen: \"127.0.0.1:0\"}}\nstreams: {{camera1: \"rtsp://127.0.0.1:1/1\"}}\n",
        block(&pair.cert),
        block(&pair.key)
    );
    let (config, warnings) = Config::parse("test.yaml", &text, &|_| None).expect("the config is fine");
    assert!(warnings.is_empty(), "{warnings:?}");
    assert!(!format!("{config:?}").contains("BEGIN"), "Debug output shows the key");
    let server = Server::bind(config).await.expect("its ports are free");
    let addresses = (server.http_addr(), server.https_addr().expect("it has TLS"));
    tokio::spawn(server.run(std::future::pending()));
    addresses
}

#[tokio::test]
async fn both_listeners_serve_the_same_and_the_websocket_works_by_tls() {
    let pair = Pair::new();
    let (plain, tls) = serve(&pair, "127.0.0.1:0").await;
    let answer = pair.ask(tls, "GET /api").await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"name\":\"multistream\""), "{answer}");
    assert!(!answer.to_lowercase().contains("strict-transport-security"), "{answer}");
    let page = pair.ask(tls, "GET /").await.expect("an answer");
    assert!(page.contains("<div id=\"root\">") || page.contains("The pages are not part"), "{page}");

    let request = format!("wss://localhost:{}/api/ws", tls.port());
    let stream = pair.connect(tls).await.expect("a handshake");
    let (mut socket, _) = client_async(request, stream).await.expect("a WebSocket");
    let init = r#"{"type":"multistream/init","request_id":"i","slots":[{"slot":0,"stream":"camera1"}]}"#;
    socket.send(Message::text(init)).await.expect("sent");
    let message = timeout(PATIENCE, socket.next()).await.expect("a message").expect("one").expect("text");
    assert!(message.to_text().expect("text").contains("multistream/ready"), "{message}");

    let mut stream = TcpStream::connect(plain.expect("a plain listener")).await.expect("it listens");
    stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
}

#[tokio::test]
async fn an_empty_listen_address_leaves_tls_alone() {
    let pair = Pair::new();
    let (plain, tls) = serve(&pair, "").await;
    assert_eq!(plain, None);
    assert!(pair.ask(tls, "GET /healthz").await.expect("an answer").ends_with("ok\n"));
}

#[tokio::test]
async fn only_pages_by_https_are_of_the_own_origin_of_tls() {
    let pair = Pair::new();
    let (_, tls) = serve(&pair, "").await;
    for (scheme, status) in [("https", "426"), ("http", "403")] {
        let request = format!("POST /api/ws\nOrigin: {scheme}://localhost:{}\nContent-Length: 0", tls.port());
        let answer = pair.ask(tls, &request).await.expect("an answer");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{scheme}: {answer}");
    }
}

#[tokio::test]
async fn a_plain_request_and_garbage_on_the_tls_port_get_no_answer_and_do_no_harm() {
    let pair = Pair::new();
    let (_, tls) = serve(&pair, "").await;
    for sent in [&b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], &[0xff; 4096], &[]] {
        let mut stream = TcpStream::connect(tls).await.expect("it listens");
        stream.write_all(sent).await.expect("sent");
        stream.shutdown().await.expect("closed");
        let mut answer = Vec::new();
        // A reset is as good as an end.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it is closed");
        assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "{answer:?}");
    }
    assert!(pair.ask(tls, "GET /healthz").await.expect("an answer").ends_with("ok\n"));
}

#[tokio::test]
async fn clients_that_never_finish_their_handshake_hold_up_nobody_and_are_let_go() {
    let pair = Pair::new();
    let (_, tls) = serve(&pair, "").await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(tls).await.expect("it listens");
        // The beginning of a ClientHello.
        stream.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00]).await.expect("sent");
        silent.push(stream);
    }
    let answer = timeout(Duration::from_secs(5), pair.ask(tls, "GET /healthz")).await;
    assert!(answer.expect("nobody is in the way").expect("an answer").ends_with("ok\n"));
    for mut stream in silent {
        let _ = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await.expect("it is let go");
    }
}

#[tokio::test]
async fn a_changed_pair_is_served_without_a_restart_and_a_broken_one_is_not() {
    let [first, second, third] = [Pair::new(), Pair::new(), Pair::new()];
    let folder = Folder::with(&first);
    let port = free_port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    folder.config(&format!(
        "  listen: \"\"\n  tls_listen: \"{address}\"\n  tls_cert: cert.pem\n  tls_key: {}\n",
        folder.path("key.pem").display()
    ));
    let _serving = folder.serve();
    until("it serves", async || first.ask(address, "GET /healthz").await.is_ok()).await;
    assert!(folder.log().contains(&format!("serving https://{address}/, WebRTC on")), "{}", folder.log());

    folder.write("key.pem", &second.key);
    folder.write("cert.pem", &second.cert);
    until("the new certificate", async || second.ask(address, "GET /healthz").await.is_ok()).await;
    assert!(first.connect(address).await.is_err(), "the old certificate is still served");

    // A key of another certificate; then none at all.
    folder.write("key.pem", &third.key);
    let kept = "The certificate that was read before stays in use";
    until("the first warning", async || {
        assert!(second.ask(address, "GET /healthz").await.is_ok(), "the old pair is no longer served");
        folder.log().contains(kept)
    })
    .await;
    fs::remove_file(folder.path("key.pem")).expect("it was there");
    until("the second warning", async || {
        assert!(second.ask(address, "GET /healthz").await.is_ok(), "the old pair is no longer served");
        folder.log().contains("No such file")
    })
    .await;
    // Longer than the pause between two looks.
    for _ in 0..5 {
        sleep(Duration::from_secs(1)).await;
        assert!(second.ask(address, "GET /healthz").await.is_ok(), "the old pair is no longer served");
    }
    let log = folder.log();
    assert_eq!(log.matches("No such file").count(), 1, "{log}");
    assert_eq!(log.matches("api.tls_key: expected the key of the certificate").count(), 1, "{log}");

    folder.write("cert.pem", &third.cert);
    folder.write("key.pem", &third.key);
    until("the third certificate", async || third.ask(address, "GET /healthz").await.is_ok()).await;
}

#[test]
fn check_names_the_https_address_and_what_is_wrong_with_the_pair() {
    let [pair, other] = [Pair::new(), Pair::new()];
    let folder = Folder::with(&pair);
    let config = |cert: &str, key: &str| {
        folder.config(&format!(
            "  base_path: /cams\n  tls_listen: \"127.0.0.1:8443\"\n  tls_cert: {cert}\n  tls_key: {key}\n"
        ));
        let output = folder.command("check").output().expect("it starts");
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.success(), said.concat())
    };
    let (fine, said) = config("cert.pem", "key.pem");
    let expected = "pages: http://127.0.0.1:1984/cams/ and https://127.0.0.1:8443/cams/";
    assert!(fine && said.contains(expected), "{said}");

    let secret = pair.key.lines().nth(1).expect("its first line").to_owned();
    folder.write("other.pem", &other.key);
    folder
        .write("garbage.pem", &format!("-----BEGIN CERTIFICATE-----\n{secret}\n-----END CERTIFICATE-----\n"));
    folder.write("encrypted.pem", &pair.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"));
    for (cert, key, problem) in [
        (
            "nowhere.pem",
            "key.pem",
            "4: api.tls_cert: expected PEM text or the path of a PEM file that can be read",
        ),
        (
            "key.pem",
            "key.pem",
            "4: api.tls_cert: expected a certificate in PEM (-----BEGIN CERTIFICATE-----), found none",
        ),
        ("garbage.pem", "key.pem", "4: api.tls_cert: expected an X.509 certificate, found a damaged one"),
        (
            "cert.pem",
            "cert.pem",
            "5: api.tls_key: expected a private key in PEM (-----BEGIN PRIVATE KEY-----) without a password, found none",
        ),
        (
            "cert.pem",
            "encrypted.pem",
            "5: api.tls_key: expected a private key in PEM (-----BEGIN PRIVATE KEY-----) without a password, found one that is encrypted",
        ),
        (
            "cert.pem",
            "other.pem",
            "5: api.tls_key: expected the key of the certificate in api.tls_cert, found another one's",
        ),
        ("cert.pem", &secret, "5: api.tls_key: expected PEM text or the path of a PEM file that can be read"),
    ] {
        let (fine, said) = config(cert, key);
        assert!(!fine && said.contains(&format!("multistream.yaml:{problem}")), "{cert} {key}: {said}");
        assert!(!said.contains(&secret[..16]), "{said}");
    }
}
