//! Checks that a release binary contains its pages: it runs in an empty folder and is asked for every file of `www/dist`.
//!
//! The tests in the browser cannot check that: they run the debug binary, which reads the pages from the disk.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::totals::Totals;
use crate::{Failure, process, workspace};

/// A cargo profile whose binary is checked.
pub(super) struct Profile {
    name: &'static str,
}

/// Equal to a release in what decides about the pages (no debug assertions), but not optimised, so that it builds in a part of
/// the time.
pub(super) const UNOPTIMISED: Profile = Profile { name: "unoptimised" };
/// The profile of the binary that users run.
pub(super) const RELEASE: Profile = Profile { name: "release" };

const START: Duration = Duration::from_secs(20);
const ANSWER: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);

pub(super) fn check(profile: &Profile) -> Result<Totals, Failure> {
    let words = ["build", "--package", "multistream-server", "--profile", profile.name];
    process::run(&mut process::command("cargo", &words))?;
    let binary = workspace::target().join(profile.name).join("multistream");

    let folder = workspace::target().join("xtask/empty");
    fs::remove_dir_all(&folder).or_else(|error| if folder.exists() { Err(error) } else { Ok(()) })?;
    fs::create_dir_all(&folder)?;
    let address = free_address()?;
    let config = workspace::target().join("xtask/served.yaml");
    fs::write(
        &config,
        format!("api:\n  listen: \"{address}\"\nwebrtc:\n  listen: \"127.0.0.1:0\"\nstreams: {{}}\n"),
    )?;

    let mut server = process::command(&binary.to_string_lossy(), &["serve", "--config"]);
    server.arg(&config).current_dir(&folder).stdout(Stdio::null());
    let expected = files(&workspace::root().join("www/dist"))?;
    process::run_beside(&mut server, |child| {
        wait_until_listening(child, address)?;
        ask_for_all(address, &expected)
    })
}

/// Checks that every page, every file that a page names, and every other file is answered with its bytes and its type.
fn ask_for_all(address: SocketAddr, expected: &BTreeSet<PathBuf>) -> Result<Totals, Failure> {
    let dist = workspace::root().join("www/dist");
    let mut paths: BTreeSet<String> =
        expected.iter().map(|path| format!("/{}", path.to_string_lossy())).collect();
    for page in ["/", "/stream.html"] {
        let answer = get(address, page)?;
        answer.expect(page, "text/html")?;
        let named = named_in(&String::from_utf8_lossy(&answer.body));
        if named.is_empty() {
            return Err(format!("{page} names no script and no style: it cannot be the page").into());
        }
        paths.extend(named);
    }
    for name in &paths {
        let answer = get(address, name)?;
        answer.expect(name, content_type(name)?)?;
        let on_disk = fs::read(dist.join(name.trim_start_matches('/')))?;
        if answer.body != on_disk {
            return Err(format!("{name} is not what is in www/dist: the binary carries older pages").into());
        }
    }
    println!("{} files of the pages are in the binary", paths.len());
    Ok(Totals::one_passed())
}

#[derive(Debug)]
struct Answer {
    status: u16,
    content_type: String,
    body: Vec<u8>,
}

impl Answer {
    fn expect(&self, name: &str, content_type: &str) -> Result<(), Failure> {
        if self.status != 200 {
            let text = String::from_utf8_lossy(&self.body);
            return Err(format!("GET {name} answered {}: {}", self.status, text.trim()).into());
        }
        let essence = self.content_type.split(';').next().unwrap_or_default().trim();
        if essence == content_type {
            return Ok(());
        }
        Err(format!("GET {name} answered as '{essence}', not as {content_type}").into())
    }
}

/// Sends one request on a connection of its own (RFC 9112), which the server closes after its answer.
fn get(address: SocketAddr, path: &str) -> Result<Answer, Failure> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER)?;
    stream.set_read_timeout(Some(ANSWER))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    answer(&bytes).ok_or_else(|| format!("GET {path}: not an answer of HTTP").into())
}

fn answer(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |name: &str| {
        lines.clone().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let content_type = header("content-type").unwrap_or_default();
    Some(Answer { status, content_type, body: bytes[end + 4..].to_vec() })
}

/// The addresses of scripts, styles and pictures in a page, as paths of this server.
fn named_in(html: &str) -> BTreeSet<String> {
    let values = ["src=\"", "href=\""].into_iter().flat_map(|attribute| html.split(attribute).skip(1));
    values
        .filter_map(|rest| rest.split('"').next())
        .filter_map(|value| value.strip_prefix("./"))
        .filter(|value| value.contains('.'))
        .map(|value| format!("/{value}"))
        .collect()
}

/// The content type that a browser needs (WHATWG MIME Sniffing; RFC 9239 for scripts).
fn content_type(name: &str) -> Result<&'static str, Failure> {
    let types = [
        ("html", "text/html"),
        ("js", "text/javascript"),
        ("css", "text/css"),
        ("wasm", "application/wasm"),
        ("svg", "image/svg+xml"),
        ("png", "image/png"),
        ("ico", "image/x-icon"),
        ("webmanifest", "application/manifest+json"),
        ("woff2", "font/woff2"),
        ("json", "application/json"),
        ("txt", "text/plain"),
    ];
    let extension = name.rsplit('.').next().unwrap_or_default();
    let known = types.into_iter().find(|(known, _)| *known == extension);
    known
        .map(|(_, kind)| kind)
        .ok_or_else(|| format!("{name}: add its type to xtask/src/test/served.rs").into())
}

/// Paths below `root`.
fn files(root: &Path) -> Result<BTreeSet<PathBuf>, Failure> {
    let (mut found, mut folders) = (BTreeSet::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder)
            .map_err(|error| format!("{}: {error}; the pages must be built first", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(root)?.to_owned());
            }
        }
    }
    Ok(found)
}

fn free_address() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn wait_until_listening(child: &mut Child, address: SocketAddr) -> Result<(), Failure> {
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        if let Some(status) = child.try_wait()? {
            return Err(format!("the server ended by itself ({status})").into());
        }
        if started.elapsed() > START {
            return Err(format!("the server does not listen after {} s", START.as_secs()).into());
        }
        thread::sleep(POLL);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_names_is_found() {
        let html = r#"<link rel="icon" href="./icon.svg"><script type="module" src="./assets/a-1.js"></script>
                      <a href="https://example.com/x.js">"#;
        assert_eq!(Vec::from_iter(named_in(html)), ["/assets/a-1.js", "/icon.svg"]);
    }

    #[test]
    fn an_answer_is_read() {
        let answer =
            answer(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\nhello").unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"hello".as_slice()));
        answer.expect("/", "text/html").unwrap();
        assert!(answer.expect("/", "text/css").unwrap_err().to_string().contains("text/html"));
    }

    #[test]
    fn a_missing_page_is_reported_with_its_answer() {
        let answer = answer(b"HTTP/1.1 503 Service Unavailable\r\n\r\nThe pages are not part").unwrap();
        let complaint = answer.expect("/", "text/html").unwrap_err().to_string();
        assert_eq!(complaint, "GET / answered 503: The pages are not part");
    }
}
