//! An RTSP camera whose pictures and faults the test chooses: a real server on a real socket, over TCP and UDP, without a library
//! that would keep it from doing wrong.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::clip::Clip;
use oddity::{Answer, AnswerHook, Exchange, PacketHook, Sent};

pub(crate) mod oddity;

pub(crate) const FPS: u32 = 25;
const TICKS: u32 = 90_000 / FPS;
/// As the SDP has it.
const PAYLOAD_TYPE: u8 = 0x60;
const POLL: Duration = Duration::from_millis(10);

/// A picture just before it is sent.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) timestamp: u32,
    /// Nothing is sent of a picture without NAL units.
    pub(crate) nals: Vec<Vec<u8>>,
    /// Whether decoding can start with it.
    pub(crate) key_frame: bool,
    pub(crate) marks: Marks,
}

/// The packets that have the marker bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "each test file uses its own part of it")]
pub(crate) enum Marks {
    /// The last one of each picture, as it should be.
    Pictures,
    /// The last one of each NAL unit.
    NalUnits,
    Packets,
    Nothing,
}

/// Makes a picture wrong. The number counts the pictures since this fault began.
type Fault = Arc<dyn Fn(u32, &mut Picture) + Send + Sync>;

/// What the camera does at present.
struct Present {
    clip: Arc<Clip>,
    fault: Fault,
    /// Increased by every change of the clip or the fault: the clip then begins anew.
    changes: u64,
    /// What it says and sends in a way of its own.
    answers: AnswerHook,
    packets: PacketHook,
    /// `user:password`
    login: Option<String>,
    /// How many percent of the packets are left out.
    loss: u32,
    sockets: Vec<TcpStream>,
}

/// The camera. Dropping it ends it.
pub(crate) struct Camera {
    address: SocketAddr,
    present: Arc<Mutex<Present>>,
    power: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

impl Camera {
    /// Shows this clip again and again, at [`FPS`].
    pub(crate) fn start(clip: &Arc<Clip>) -> Self {
        let present = Present {
            clip: clip.clone(),
            fault: Arc::new(|_, _| {}),
            changes: 0,
            answers: Arc::new(|_, _| {}),
            packets: Arc::new(|_, packet| vec![Sent::Packet(packet)]),
            login: None,
            loss: 0,
            sockets: Vec::new(),
        };
        let mut camera = Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            present: Arc::new(Mutex::new(present)),
            power: Arc::default(),
            listener: None,
        };
        camera.switch_on();
        camera
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("rtsp://{}/", self.address)
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        lock(&self.present)
    }

    /// Shows another clip from the next picture on.
    pub(crate) fn show(&self, clip: &Arc<Clip>) {
        let mut present = self.present();
        present.clip = clip.clone();
        present.changes += 1;
    }

    /// Makes every picture from now on wrong in this way.
    pub(crate) fn fault(&self, fault: impl Fn(u32, &mut Picture) + Send + Sync + 'static) {
        let mut present = self.present();
        present.fault = Arc::new(fault);
        present.changes += 1;
    }

    /// Changes the answers before they are sent.
    pub(crate) fn answers(&self, change: impl Fn(&Exchange<'_>, &mut Answer) + Send + Sync + 'static) {
        self.present().answers = Arc::new(change);
    }

    /// Says what is sent in place of a packet, of which the number is given, from 0 on for each PLAY.
    pub(crate) fn packets(&self, change: impl Fn(u32, Vec<u8>) -> Vec<Sent> + Send + Sync + 'static) {
        self.present().packets = Arc::new(change);
    }

    pub(crate) fn no_fault(&self) {
        self.fault(|_, _| {});
    }

    /// From now on it answers only to this login (`user:password`).
    pub(crate) fn demand(&self, login: &str) {
        self.present().login = Some(login.to_owned());
    }

    pub(crate) fn lose(&self, percent: u32) {
        self.present().loss = percent;
    }

    /// Ends every connection without a goodbye (TCP reset).
    pub(crate) fn reset_connections(&self) {
        for socket in self.present().sockets.drain(..) {
            // The reset is sent when the last owner of the socket has closed it, which each does at the end of its input.
            let _ = socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO));
            let _ = socket.shutdown(Shutdown::Read);
        }
    }

    /// Ends every connection and refuses new ones.
    pub(crate) fn switch_off(&mut self) {
        self.power.store(false, Ordering::Relaxed);
        let _ = self.listener.take().map(JoinHandle::join);
        self.reset_connections();
    }

    /// Takes connections again, at the same address.
    pub(crate) fn switch_on(&mut self) {
        let listener = TcpListener::bind(self.address).expect("the camera's port is free");
        listener.set_nonblocking(true).expect("sockets can be polled");
        self.address = listener.local_addr().expect("it is bound");
        self.power.store(true, Ordering::Relaxed);
        let (present, power) = (self.present.clone(), self.power.clone());
        self.listener = Some(thread::spawn(move || {
            while power.load(Ordering::Relaxed) {
                let Ok((socket, _)) = listener.accept() else {
                    thread::sleep(POLL);
                    continue;
                };
                let present = present.clone();
                if let (Ok(()), Ok(kept)) = (socket.set_nonblocking(false), socket.try_clone()) {
                    lock(&present).sockets.push(kept);
                    thread::spawn(move || Client::serve(socket, &present));
                }
            }
        }));
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.switch_off();
    }
}

fn lock(present: &Mutex<Present>) -> MutexGuard<'_, Present> {
    present.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How packets go to the client.
#[derive(Clone)]
enum Way {
    Interleaved(Arc<Mutex<TcpStream>>),
    /// The pair of ports, of which the second is for RTCP, and the client's address.
    Udp(Arc<(UdpSocket, UdpSocket)>, SocketAddr),
}

impl Way {
    fn send(&self, sent: &Sent) -> io::Result<()> {
        match (self, sent) {
            (Self::Interleaved(socket), sent) => {
                let bytes = sent.framed();
                socket.lock().unwrap_or_else(PoisonError::into_inner).write_all(&bytes)
            }
            (Self::Udp(sockets, to), Sent::Packet(packet)) => sockets.0.send_to(packet, to).map(drop),
            (Self::Udp(..), _) => Ok(()),
        }
    }
}

/// One connection.
struct Client<'a> {
    socket: Arc<Mutex<TcpStream>>,
    present: &'a Arc<Mutex<Present>>,
    way: Option<Way>,
    gone: Arc<AtomicBool>,
}

impl Client<'_> {
    fn serve(socket: TcpStream, present: &Arc<Mutex<Present>>) {
        let Ok(writer) = socket.try_clone() else { return };
        let socket_of_replies = Arc::new(Mutex::new(writer));
        let gone = Arc::<AtomicBool>::default();
        let mut client = Client { socket: socket_of_replies, present, way: None, gone: gone.clone() };
        let _ = client.answer_all(BufReader::new(socket));
        gone.store(true, Ordering::Relaxed);
    }

    fn answer_all(&mut self, mut input: BufReader<TcpStream>) -> io::Result<()> {
        loop {
            match input.fill_buf()?.first() {
                None => return Ok(()),
                Some(b'$') => {
                    let mut frame = [0; 4];
                    input.read_exact(&mut frame)?;
                    let len = u64::from(u16::from_be_bytes([frame[2], frame[3]]));
                    io::copy(&mut input.by_ref().take(len), &mut io::sink())?;
                }
                Some(_) => {
                    let mut request = String::new();
                    while !request.ends_with("\r\n\r\n") {
                        if input.read_line(&mut request)? == 0 {
                            return Ok(());
                        }
                    }
                    self.answer(&request)?;
                }
            }
        }
    }

    fn answer(&mut self, request: &str) -> io::Result<()> {
        let header = |name: &str| {
            let lines = request.lines().filter_map(|line| line.split_once(':'));
            lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
        };
        let method = request.split(' ').next().unwrap_or_default();
        let (login, rtpmap) = {
            let present = lock(self.present);
            (present.login.clone(), present.clip.rtpmap())
        };
        let expected = login.map(|login| format!("Basic {}", BASE64_STANDARD.encode(login)));
        let is_allowed = expected.is_none() || header("Authorization") == expected.as_deref();
        let sdp = format!(
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n{rtpmap}a=control:trackID=0\r\n"
        );
        let mut answer = match method {
            _ if !is_allowed => {
                Answer::of("401 Unauthorized").with("WWW-Authenticate", "Basic realm=\"camera\"")
            }
            "DESCRIBE" => Answer::of("200 OK").with("Content-Type", "application/sdp").with_body(&sdp),
            "SETUP" => {
                let transport = self.set_up(header("Transport").unwrap_or_default())?;
                Answer::of("200 OK").with("Transport", &transport).with("Session", "1")
            }
            _ => Answer::of("200 OK").with("Session", "1"),
        };
        answer.headers.insert(0, ("CSeq".to_owned(), header("CSeq").unwrap_or_default().to_owned()));
        let change = lock(self.present).answers.clone();
        change(&Exchange { method, request }, &mut answer);
        self.socket.lock().unwrap_or_else(PoisonError::into_inner).write_all(&answer.bytes())?;
        let is_allowed = answer.status.starts_with("200");
        if let ("PLAY", true, Some(way)) = (method, is_allowed, self.way.clone()) {
            let (present, gone) = (self.present.clone(), self.gone.clone());
            thread::spawn(move || play(&way, &present, &gone));
        }
        Ok(())
    }

    fn set_up(&mut self, transport: &str) -> io::Result<String> {
        let ports = transport.split(';').find_map(|part| part.strip_prefix("client_port="));
        let Some(client) = ports.and_then(|ports| ports.split('-').next()?.parse::<u16>().ok()) else {
            self.way = Some(Way::Interleaved(self.socket.clone()));
            return Ok("RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=00000007".to_owned());
        };
        let (pair, port) = loop {
            let rtp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            let port = rtp.local_addr()?.port();
            if let Ok(rtcp) = UdpSocket::bind((Ipv4Addr::LOCALHOST, port.wrapping_add(1))) {
                break ((rtp, rtcp), port);
            }
        };
        self.way = Some(Way::Udp(Arc::new(pair), SocketAddr::from((Ipv4Addr::LOCALHOST, client))));
        let rtcp = port + 1;
        Ok(format!(
            "RTP/AVP;unicast;client_port={client}-{};server_port={port}-{rtcp};ssrc=00000007",
            client + 1
        ))
    }
}

/// Sends pictures until the client is gone.
fn play(way: &Way, present: &Mutex<Present>, gone: &AtomicBool) {
    let start = Instant::now();
    let mut sequence_number = 0_u16;
    let (mut changes, mut changed_at) = (u64::MAX, 0);
    let (mut chance, mut packet_number) = (1_u64, 0);
    for number in 0_u32.. {
        thread::sleep(
            (start + Duration::from_secs(1) / FPS * number).saturating_duration_since(Instant::now()),
        );
        if gone.load(Ordering::Relaxed) {
            return;
        }
        let (clip, fault, packets, loss) = {
            let present = lock(present);
            if changes != present.changes {
                (changes, changed_at) = (present.changes, number);
            }
            (present.clip.clone(), present.fault.clone(), present.packets.clone(), present.loss)
        };
        let since = number - changed_at;
        let index = since as usize % clip.pictures.len();
        let timestamp = number.wrapping_mul(TICKS);
        let nals = clip.pictures[index].clone();
        let mut picture = Picture { timestamp, nals, key_frame: index == 0, marks: Marks::Pictures };
        fault(since, &mut picture);
        let of_nals: Vec<Vec<_>> = picture.nals.iter().map(|nal| clip.payloads(nal)).collect();
        let is_last = of_nals.iter().flat_map(|nal| (1..=nal.len()).map(|number| number == nal.len()));
        let ends_nal: Vec<bool> = is_last.collect();
        let payloads = of_nals.concat();
        let last = payloads.len().saturating_sub(1);
        for (at, payload) in payloads.iter().enumerate() {
            sequence_number = sequence_number.wrapping_add(1);
            // A simple congruential generator: the same packets are lost in every run.
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if chance >> 33 & 0xffff < u64::from(loss) * 65_536 / 100 {
                continue;
            }
            let is_marked = match picture.marks {
                Marks::Pictures => at == last,
                Marks::NalUnits => ends_nal[at],
                Marks::Packets => true,
                Marks::Nothing => false,
            };
            let mut packet = vec![0x80, PAYLOAD_TYPE | u8::from(is_marked) << 7];
            packet.extend(sequence_number.to_be_bytes());
            packet.extend(picture.timestamp.to_be_bytes());
            packet.extend([0, 0, 0, 7]);
            packet.extend(payload);
            let sent = packets(packet_number, packet);
            packet_number += 1;
            if sent.iter().any(|sent| way.send(sent).is_err()) {
                return;
            }
        }
    }
}
