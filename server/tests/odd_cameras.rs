//! Cameras that do what RFC 2326, 3550 and 7616 do not have in mind, or leave open: each is shown, or the error says why not.

#[path = "support/camera.rs"]
#[allow(dead_code, reason = "each test file uses its own part of it")]
mod camera;
#[path = "support/clip.rs"]
#[allow(dead_code, reason = "each test file uses its own part of it")]
mod clip;
#[path = "support/odd.rs"]
mod odd;
#[allow(dead_code, reason = "each test file uses its own part of it")]
mod support;
#[allow(dead_code, reason = "each test file uses its own part of it")]
#[path = "support/witness.rs"]
mod witness;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use multistream::config::{Config, RtspSource, RtspVia, Source, StreamConfig};
use multistream::media::Codec;
use tokio::time::sleep;

use camera::Camera;
use camera::oddity::Sent;
use clip::Clip;
use odd::{
    basic, before, describe, every, latin1_name, locked, odd_channels, old_keep_alive, on, other_channels,
    packet, redirects, refused_keep_alive, report, session, sha_256, transport, udp_only,
};
use support::Server;
use witness::stream;

/// So many are tried at a time.
const AT_A_TIME: usize = 6;
/// After that they are looked at. What goes wrong while they play does so in the first second.
const LOOKED_AT_AFTER: Duration = Duration::from_secs(7);
/// The packet with which something goes wrong: the clip has about 50 in a second.
const LATER: u32 = 60;

static CLIP: LazyLock<Arc<Clip>> = LazyLock::new(|| Arc::new(Clip::new(Codec::H264, "320x180", 10)));

type Odd = fn(&Camera);

/// What becomes of a camera: `live`, with how it is read if that is not as configured, or the words of the error.
type Outcome = &'static str;

/// The oddity, what this server's own client makes of it, and what becomes of the camera in the end.
const CAMERAS: &[(&str, Odd, Outcome, Outcome)] = &[
    // The table begins with what is no oddity.
    ("nothing", |_| {}, "live", "live"),
    // DESCRIBE and the SDP.
    (
        "a Content-Type with parameters",
        |c| describe(c, |a| a.set("Content-Type", "application/sdp; charset=utf-8")),
        "unexpected content type",
        "live, ffmpeg",
    ),
    ("no Content-Type", |c| describe(c, |a| a.remove("Content-Type")), "live", "live"),
    (
        "a Content-Type in capitals",
        |c| describe(c, |a| a.set("Content-Type", "Application/SDP")),
        "unexpected content type",
        "live, ffmpeg",
    ),
    (
        "a line in the SDP that is none",
        |c| describe(c, |a| a.edit("t=0 0", "t=0 0\r\nhello")),
        "live",
        "live",
    ),
    ("an empty line in the SDP", |c| describe(c, |a| a.edit("t=0 0\r\n", "t=0 0\r\n\r\n")), "live", "live"),
    (
        "an SDP that begins with m=",
        |c| describe(c, |a| a.edit("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", "")),
        "No version line",
        "live, ffmpeg",
    ),
    ("an SDP without t=", |c| describe(c, |a| a.edit("t=0 0\r\n", "")), "live", "live"),
    ("an SDP without s=", |c| describe(c, |a| a.edit("s=-\r\n", "")), "live", "live"),
    ("an SDP without o=", |c| describe(c, |a| a.edit("o=- 0 0 IN IP4 127.0.0.1\r\n", "")), "live", "live"),
    (
        "an o= of two words",
        |c| describe(c, |a| a.edit("o=- 0 0 IN IP4 127.0.0.1", "o=camera 1")),
        "Missing field Origin",
        "live, ffmpeg",
    ),
    (
        "lines of the SDP in another order",
        |c| describe(c, |a| a.edit("s=-\r\nt=0 0\r\n", "t=0 0\r\ns=-\r\n")),
        "live",
        "live",
    ),
    (
        "c=IN without an address",
        |c| describe(c, |a| a.edit("s=-\r\n", "s=-\r\nc=IN\r\n")),
        "Missing field Connection",
        "live, ffmpeg",
    ),
    (
        "an empty b=",
        |c| describe(c, |a| a.edit("RTP/AVP 96\r\n", "RTP/AVP 96\r\nb=\r\n")),
        "Missing field Bandwidth",
        "live, ffmpeg",
    ),
    (
        "two spaces in rtpmap",
        |c| describe(c, |a| a.edit("rtpmap:96 H264", "rtpmap:96  H264")),
        "live",
        "live",
    ),
    (
        "an rtpmap without a clock rate",
        |c| describe(c, |a| a.edit("H264/90000", "H264")),
        "No parseable streams",
        "live, ffmpeg",
    ),
    (
        "an rtpmap with two spaces and without a clock rate",
        |c| describe(c, |a| a.edit(" H264/90000", "  H264")),
        "No parseable streams",
        "live, ffmpeg",
    ),
    ("h264 in small letters", |c| describe(c, |a| a.edit("H264", "h264")), "live", "live"),
    ("lines of the SDP that end with LF alone", |c| describe(c, |a| a.edit("\r\n", "\n")), "live", "live"),
    ("a NUL after the SDP", |c| describe(c, |a| a.body.push(0)), "live", "live"),
    (
        "a name in the SDP that is not UTF-8",
        |c| describe(c, latin1_name),
        "Invalid field encoding",
        "live, ffmpeg",
    ),
    (
        "a track before that of the picture that is not RTP",
        |c| describe(c, |a| a.edit("m=video", "m=application 0 raw x\r\na=control:x\r\nm=video")),
        "live",
        "live",
    ),
    (
        "a track whose payload type is no number",
        |c| describe(c, |a| a.edit("m=video", "m=audio 0 RTP/AVP x\r\na=control:x\r\nm=video")),
        "live",
        "live",
    ),
    ("no control of the track", |c| describe(c, |a| a.edit("a=control:trackID=0\r\n", "")), "live", "live"),
    // Headers.
    ("Session with timeout=0", |c| session(c, "1;timeout=0"), "Invalid timeout=0", "live, ffmpeg"),
    (
        "Session with an unknown parameter",
        |c| session(c, "1;mode=x"),
        "Unparseable Session header",
        "live, ffmpeg",
    ),
    (
        "Session with two parameters",
        |c| session(c, "1;timeout=60;mode=x"),
        "Unparseable timeout",
        "live, ffmpeg",
    ),
    (
        "Session with a timeout that is no number",
        |c| session(c, "1;timeout=long"),
        "Unparseable timeout",
        "live, ffmpeg",
    ),
    (
        "Session with spaces",
        |c| session(c, " 1 ; timeout=60"),
        "what the RTSP client fails at",
        "live, ffmpeg",
    ),
    ("another Session in the answer to PLAY", |c| on(c, "PLAY", |a| a.set("Session", "2")), "live", "live"),
    ("no Session in the answer to PLAY", |c| on(c, "PLAY", |a| a.remove("Session")), "live", "live"),
    (
        "Transport without interleaved",
        |c| transport(c, "RTP/AVP/TCP;unicast"),
        "missing interleaved parameter",
        "live, ffmpeg",
    ),
    ("Transport with one channel", |c| transport(c, "RTP/AVP/TCP;unicast;interleaved=0"), "live", "live"),
    ("Transport with other channels, which are used", other_channels, "live", "live"),
    ("Transport with odd channels, which are used", odd_channels, "odd channel id", "live, ffmpeg"),
    (
        "Transport with other channels, which are not used",
        |c| transport(c, "RTP/AVP/TCP;unicast;interleaved=2-3"),
        "sent nothing for 5 s",
        "sent nothing for 5 s",
    ),
    (
        "no Transport",
        |c| on(c, "SETUP", |a| a.remove("Transport")),
        "Missing Transport header",
        "tried by ffmpeg then",
    ),
    (
        "a wrong ssrc in Transport",
        |c| transport(c, "RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=12345678"),
        "wrong ssrc",
        "live, ffmpeg",
    ),
    (
        "an ssrc in Transport that is no number",
        |c| transport(c, "RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=camera"),
        "live",
        "live",
    ),
    (
        "spaces in Transport",
        |c| transport(c, "RTP/AVP/TCP; unicast; interleaved=0-1"),
        "missing interleaved parameter",
        "live, ffmpeg",
    ),
    (
        "an RTP-Info that is none",
        |c| on(c, "PLAY", |a| a.set("RTP-Info", "none")),
        "RTP-Info missing",
        "live, ffmpeg",
    ),
    (
        "an RTP-Info with a wrong sequence number",
        |c| on(c, "PLAY", |a| a.set("RTP-Info", "url=trackID=0;seq=40000;rtptime=5")),
        "live",
        "live",
    ),
    ("no CSeq", |c| every(c, |_, a| a.remove("CSeq")), "no/unparseable cseq", "live, ffmpeg"),
    (
        "a CSeq of the request before",
        |c| on(c, "SETUP", |a| a.set("CSeq", "1")),
        "got OK response with CSeq 1",
        "live, ffmpeg",
    ),
    ("a keep-alive that is answered with an old CSeq", old_keep_alive, "started anew", "live, ffmpeg"),
    ("a keep-alive that is refused", refused_keep_alive, "live", "live"),
    (
        "names of headers in small letters",
        |c| every(c, |_, a| a.headers.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase())),
        "live",
        "live",
    ),
    ("a status line without words", |c| every(c, |_, a| a.status.truncate(3)), "status-line", "live, ffmpeg"),
    (
        "a header that is not UTF-8",
        |c| {
            every(c, |_, a| {
                a.latin1 = true;
                a.set("Server", "Caméra");
            });
        },
        "invalid RTSP header value",
        "live, ffmpeg",
    ),
    ("an empty line before each answer", |c| every(c, |_, a| a.before = b"\r\n".to_vec()), "live", "live"),
    // Logins.
    (
        "a realm that is not UTF-8",
        |c| locked(c, "Basic realm=\"Caméra\"", basic),
        "invalid RTSP header value",
        "live, ffmpeg",
    ),
    (
        "Digest with SHA-256 and without qop",
        |c| locked(c, "Digest realm=\"camera\", nonce=\"1\", algorithm=SHA-256", sha_256),
        "refuses the user or the password (401)",
        "refuses the user or the password (401)",
    ),
    // Other ways.
    ("a redirect (302)", redirects, "at another address (302)", "live, ffmpeg"),
    ("UDP only (461)", |c| udp_only(c), "live, udp", "live, udp"),
    // Packets.
    (
        "sequence numbers that begin anew",
        |c| {
            packet(c, |number, packet| {
                if number >= LATER {
                    let new = (number - LATER) as u16;
                    packet[2..4].copy_from_slice(&new.wrapping_add(50_000).to_be_bytes());
                }
            });
        },
        "started anew",
        "live, ffmpeg",
    ),
    (
        "another SSRC",
        |c| {
            packet(c, |number, packet| {
                if number >= LATER {
                    packet[8..12].copy_from_slice(&[1, 2, 3, 4]);
                }
            });
        },
        "started anew",
        "live, ffmpeg",
    ),
    (
        "a jump of the timestamps",
        |c| {
            packet(c, |number, packet| {
                if number >= LATER {
                    packet[4] = packet[4].wrapping_add(100);
                }
            });
        },
        "live",
        "live",
    ),
    (
        "stray bytes between two frames",
        |c| before(c, Sent::Bytes(b"stray".to_vec())),
        "started anew",
        "started anew",
    ),
    ("line ends between two frames", |c| before(c, Sent::Bytes(b"\r\n\r\n".to_vec())), "live", "live"),
    ("a packet on a channel of nobody", |c| before(c, Sent::On(9, vec![0; 20])), "live", "live"),
    ("a packet that is no RTP", |c| before(c, Sent::Packet(vec![0; 20])), "live", "live"),
    ("an empty packet", |c| before(c, Sent::Packet(Vec::new())), "live", "live"),
    (
        "a packet of another payload type",
        |c| before(c, Sent::Packet([&[0x80, 0x67, 0, 61, 0, 0, 0, 0, 0, 0, 0, 7][..], &[0; 20]].concat())),
        "live",
        "live",
    ),
    ("RTCP that is none", |c| before(c, Sent::On(1, vec![7; 8])), "live", "live"),
    ("RTCP of another SSRC", |c| before(c, Sent::On(1, report(8))), "live", "live"),
    ("RTCP with a wrong timestamp", |c| before(c, Sent::On(1, report(7))), "live", "live"),
    (
        "each packet twice",
        |c| c.packets(|_, packet| vec![Sent::Packet(packet.clone()), Sent::Packet(packet)]),
        "live",
        "live",
    ),
    (
        "a request on the connection",
        |c| before(c, Sent::Bytes(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n".to_vec())),
        "live",
        "live",
    ),
    (
        "an answer to no request",
        |c| before(c, Sent::Bytes(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n".to_vec())),
        "live",
        "live",
    ),
];

fn source(camera: &Camera, via: RtspVia) -> RtspSource {
    RtspSource {
        via,
        credentials: Some(("ann".to_owned(), "secret".to_owned())),
        ..RtspSource::new(camera.url().parse().expect("a URL"))
    }
}

/// What has become of cameras after a while.
async fn outcomes(sources: Vec<RtspSource>) -> Vec<String> {
    let names: Vec<String> = (0..sources.len()).map(|number| format!("camera{number}")).collect();
    let streams = names
        .iter()
        .zip(sources)
        .map(|(name, source)| StreamConfig { name: name.clone(), sources: vec![Source::Rtsp(source)] });
    let config = Config { streams: streams.collect(), preload: names.clone(), ..Config::default() };
    let server = Server::start(config).await;
    sleep(LOOKED_AT_AFTER).await;
    let mut outcomes = Vec::new();
    for name in &names {
        let seen = stream(&server.url, name).await;
        let via = seen["producers"][0]["via"].as_str().map_or_else(String::new, |via| format!(", {via}"));
        let fps = seen["fps"].as_f64().unwrap_or_default();
        let restarts = seen["restarts"].as_u64().unwrap_or_default();
        let error = seen["error"].as_str().unwrap_or_default();
        let restarted = if restarts > 0 { ", started anew" } else { "" };
        outcomes.push(match &seen["state"] {
            state if state == "live" && error.is_empty() && fps > 15.0 => format!("live{via}{restarted}"),
            state => format!("{state}, {fps} fps{via}{restarted}: {error}"),
        });
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_shown_or_says_why_not() {
    let rows = stream::iter(CAMERAS).map(|(name, odd, natively, at_last)| async move {
        let [native, any] = [(); 2].map(|()| {
            let camera = Camera::start(&CLIP);
            odd(&camera);
            camera
        });
        let seen = outcomes(vec![source(&native, RtspVia::Native), source(&any, RtspVia::Any)]).await;
        let is = |seen: &str, expected: &str| {
            seen == expected || !expected.starts_with("live") && seen.contains(expected)
        };
        let fits = is(&seen[0], natively) && is(&seen[1], at_last);
        println!("{} {name} | {} | {}", if fits { "ok   " } else { "WRONG" }, seen[0], seen[1]);
        fits
    });
    let fit: Vec<bool> = rows.buffered(AT_A_TIME).collect().await;
    assert!(
        fit.iter().all(|fits| *fits),
        "{} of {} are not as expected",
        fit.iter().filter(|fits| !**fits).count(),
        fit.len()
    );
}
