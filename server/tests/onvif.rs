//! Tests of cameras that are asked by ONVIF for the URL of their stream: a SOAP server on a real socket in front of a real RTSP camera.

#[path = "support/camera.rs"]
#[allow(dead_code, reason = "each test file uses its own part of it")]
mod camera;
#[path = "support/clip.rs"]
#[allow(dead_code, reason = "each test file uses its own part of it")]
mod clip;

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_auth::{PasswordClient, PasswordParams};
use multistream::config::{Config, FfmpegConfig};
use multistream::media::{AccessUnit, Codec};
use multistream::source::{SourceError, Way, run_once};
use sha1::{Digest as _, Sha1};
use time::{Date, Month, OffsetDateTime, Time};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use camera::Camera;
use clip::Clip;

const USER: &str = "viewer";
const PASSWORD: &str = "hunt&er<22";
const CHALLENGE: &str = "Digest realm=\"device\", qop=\"auth\", nonce=\"67f2a0\", opaque=\"1\"";

static CLIP: LazyLock<Arc<Clip>> = LazyLock::new(|| Arc::new(Clip::new(Codec::H264, "160x90", 10)));

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lock {
    /// `UsernameToken` in the message.
    Token,
    /// Digest in HTTP, and no token.
    Http,
}

/// A camera with an ONVIF service.
struct Device {
    lock: Lock,
    /// By how many seconds its clock is ahead.
    ahead: i64,
    /// The requests that it does not know.
    unknown: &'static [&'static str],
    /// By which it names itself, `host:port`.
    named: Option<&'static str>,
    /// The answer to everything, in place of the right one.
    always: Option<&'static str>,
    rtsp: Camera,
    /// The requests that it has granted.
    granted: Mutex<Vec<String>>,
}

struct Request {
    path: String,
    authorization: Option<String>,
    body: String,
}

impl Device {
    fn new(lock: Lock) -> Self {
        let rtsp = Camera::start(&CLIP);
        rtsp.demand(&format!("{USER}:{PASSWORD}"));
        Self { lock, ahead: 0, unknown: &[], named: None, always: None, rtsp, granted: Mutex::default() }
    }

    /// Serves it, at the address that is returned.
    async fn start(self) -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let device = Arc::new(self);
        let (served, at) = (device.clone(), address.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let Some(request) = request(&mut stream).await else { continue };
                let answer = served.answer(&request, &at);
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        (device, address)
    }

    fn granted(&self) -> Vec<String> {
        self.granted.lock().expect("no panic").clone()
    }

    fn answer(&self, request: &Request, address: &str) -> String {
        if let Some(answer) = self.always {
            return http("200 OK", "", answer);
        }
        let content = between(&request.body, "Body>", "</s:Body>").expect("a body").trim();
        let end = content.find([' ', '/', '>']).expect("an element");
        let action = &content[1..end];
        if self.unknown.contains(&action)
            || !["/onvif/device_service", "/odd/media?x=1", "/onvif/media_service"].contains(&&*request.path)
        {
            return http("404 Not Found", "", "<html>no such page");
        }
        if action != "GetSystemDateAndTime" && !self.allows(request) {
            return match self.lock {
                Lock::Http => http("401 Unauthorized", &format!("WWW-Authenticate: {CHALLENGE}\r\n"), ""),
                Lock::Token => http(
                    "400 Bad Request",
                    "",
                    "<E:Envelope xmlns:E='x'><E:Body><E:Fault><E:Code><E:Value>E:Sender</E:Value><E:Subcode><E:Value>ter:NotAuthorized\
                     </E:Value></E:Subcode></E:Code></E:Fault></E:Body></E:Envelope>",
                ),
            };
        }
        let profile = between(content, "<ProfileToken>", "</ProfileToken>").unwrap_or_default();
        self.granted.lock().expect("no panic").push(format!("{action} {profile}").trim().to_owned());
        let media = format!("http://{}/odd/media?x=1", self.named.unwrap_or(address));
        let said = match action {
            "GetSystemDateAndTime" => self.time(),
            "GetServices" => format!(
                "<tds:Service><tds:Namespace>http://www.onvif.org/ver10/media/wsdl</tds:Namespace><tds:XAddr>{media}</tds:XAddr></tds:Service>"
            ),
            "GetCapabilities" => {
                format!("<tds:Capabilities><tt:Media><tt:XAddr>{media}</tt:XAddr></tt:Media></tds:Capabilities>")
            }
            "GetProfiles" => "<trt:Profiles token='sound'/><trt:Profiles fixed='true' token='main &amp; best'><tt:Name>Main</tt:Name>\
                <tt:VideoEncoderConfiguration token='1'/></trt:Profiles><trt:Profiles token='sub'><tt:VideoEncoderConfiguration/>\
                </trt:Profiles>"
                .to_owned(),
            "GetStreamUri" => {
                let host = self.named.and_then(|named| named.split(':').next()).unwrap_or("127.0.0.1");
                let port = self.rtsp.address().port();
                format!("<trt:MediaUri><tt:Uri>rtsp://{host}:{port}/live?a=1&amp;b=2</tt:Uri></trt:MediaUri>")
            }
            other => panic!("{other} is asked for"),
        };
        let said = format!(
            "<?xml version='1.0'?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV='http://www.w3.org/2003/05/soap-envelope'><SOAP-ENV:Body>\
             <trt:{action}Response>{said}</trt:{action}Response></SOAP-ENV:Body></SOAP-ENV:Envelope>"
        );
        http("200 OK", "", &said)
    }

    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + time::Duration::seconds(self.ahead)
    }

    fn time(&self) -> String {
        let (now, (hour, minute, second)) = (self.now(), self.now().to_hms());
        let month = u8::from(now.month());
        format!(
            "<tt:UTCDateTime><tt:Time><tt:Hour>{hour}</tt:Hour><tt:Minute>{minute}</tt:Minute><tt:Second>{second}</tt:Second></tt:Time>\
             <tt:Date><tt:Year>{}</tt:Year><tt:Month>{month}</tt:Month><tt:Day>{}</tt:Day></tt:Date></tt:UTCDateTime>",
            now.year(),
            now.day(),
        )
    }

    fn allows(&self, request: &Request) -> bool {
        let has_token = request.body.contains("UsernameToken");
        match self.lock {
            Lock::Http => {
                !has_token
                    && request.authorization.as_deref().is_some_and(|given| {
                        let cnonce = between(given, "cnonce=\"", "\"").expect("a cnonce");
                        let Ok(PasswordClient::Digest(mut digest)) = PasswordClient::try_from(CHALLENGE)
                        else {
                            panic!("Digest")
                        };
                        let params = PasswordParams {
                            username: USER,
                            password: PASSWORD,
                            uri: &request.path,
                            method: "POST",
                            body: Some(request.body.as_bytes()),
                        };
                        digest.respond_with_testing_cnonce(&params, cnonce).expect("it can") == given
                    })
            }
            Lock::Token => has_token && self.is_right(&request.body).unwrap_or(false),
        }
    }

    /// Whether the token is of the user and of this minute.
    fn is_right(&self, body: &str) -> Option<bool> {
        let value = |name: &str| {
            let element = between(body, &format!("<{name}"), &format!("</{name}>"))?;
            element.rsplit_once('>').map(|(_, text)| text)
        };
        let (nonce, created) = (BASE64_STANDARD.decode(value("Nonce")?).ok()?, value("Created")?);
        let hash = Sha1::new().chain_update(nonce).chain_update(created).chain_update(PASSWORD).finalize();
        let number = |at: std::ops::Range<usize>| created.get(at)?.parse::<u8>().ok();
        let year = created.get(..4)?.parse().ok()?;
        let date =
            Date::from_calendar_date(year, Month::try_from(number(5..7)?).ok()?, number(8..10)?).ok()?;
        let time = Time::from_hms(number(11..13)?, number(14..16)?, number(17..19)?).ok()?;
        let age = self.now() - OffsetDateTime::new_utc(date, time);
        let is_now = age.whole_seconds().abs() < 30;
        Some(is_now && value("Username")? == USER && value("Password")? == BASE64_STANDARD.encode(hash))
    }
}

fn http(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Type: application/soap+xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let rest = text.split_once(start)?.1;
    rest.split_once(end).map(|(found, _)| found)
}

async fn request(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let header = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
        };
        if header("Content-Length")?.parse::<usize>().ok()? > body.len() {
            continue;
        }
        let path = head.split(' ').nth(1)?.to_owned();
        return Some(Request { path, authorization: header("Authorization"), body: body.to_owned() });
    }
}

fn start(line: &str, way: Way) -> (mpsc::Receiver<AccessUnit>, JoinHandle<Result<(), SourceError>>) {
    let text = format!("streams:\n  a: '{line}'\n");
    let (mut config, warnings) = Config::parse("m.yaml", &text, &|_| None).expect("the config is fine");
    assert_eq!(warnings, []);
    let source = config.streams.remove(0).sources.remove(0);
    let (output, units) = mpsc::channel(64);
    let run = async move { run_once(&source, &FfmpegConfig::default(), way, None, output).await };
    (units, tokio::spawn(run))
}

async fn shows(line: &str, way: Way) {
    let (mut units, run) = start(line, way);
    let unit = timeout(Duration::from_secs(20), units.recv()).await.expect("a picture in time");
    drop(units);
    let ended = run.await.expect("no panic");
    assert_eq!(unit.map(|unit| unit.codec), Some(Codec::H264), "{line}: {ended:?}");
}

async fn fails(line: &str) -> SourceError {
    let (mut units, run) = start(line, Way::AsItIs);
    while timeout(Duration::from_secs(20), units.recv()).await.expect("an end in time").is_some() {}
    let error = run.await.expect("no panic").expect_err("it fails");
    assert!(!error.to_string().contains("hunt"), "{error}");
    error
}

/// The source with the right login.
fn line(address: &str, more: &str) -> String {
    format!("onvif://{USER}:hunt%26er%3C22@{address}{more}")
}

#[tokio::test]
async fn the_stream_of_the_first_profile_with_video_is_shown_or_that_of_the_one_that_is_named() {
    let (device, address) = Device::new(Lock::Token).start().await;
    shows(&line(&address, ""), Way::AsItIs).await;
    assert_eq!(device.granted(), ["GetServices", "GetProfiles", "GetStreamUri main &amp; best"]);
    for (more, token) in [
        ("?subtype=sub", "sub"),
        ("/onvif/device_service?subtype=Main#timeout=5", "main &amp; best"),
        ("?subtype=2", "sub"),
    ] {
        shows(&line(&address, more), Way::AsItIs).await;
        assert_eq!(device.granted().pop(), Some(format!("GetStreamUri {token}")));
    }
}

#[tokio::test]
async fn what_cannot_be_shown_as_it_is_is_encoded_as_of_any_camera() {
    let (_device, address) = Device::new(Lock::Token).start().await;
    shows(&line(&address, ""), Way::AsH264).await;
    shows(&line(&address, "#via=ffmpeg"), Way::AsItIs).await;
}

#[tokio::test]
async fn a_login_by_digest_of_http_is_given_without_one_in_the_message() {
    let (device, address) = Device::new(Lock::Http).start().await;
    shows(&line(&address, ""), Way::AsItIs).await;
    assert_eq!(device.granted().len(), 3, "{:?}", device.granted());
}

#[tokio::test]
async fn a_camera_whose_clock_is_wrong_is_told_its_own_time() {
    for ahead in [3 * 3600, -20 * 365 * 86_400] {
        let (device, address) = Device { ahead, ..Device::new(Lock::Token) }.start().await;
        shows(&line(&address, ""), Way::AsItIs).await;
        assert_eq!(device.granted()[0], "GetSystemDateAndTime");
        assert_eq!(device.granted().len(), 4, "it is asked once: {:?}", device.granted());
    }
}

#[tokio::test]
async fn an_address_of_the_camera_behind_nat_is_replaced_by_the_configured_one() {
    // TEST-NET-1, which leads nowhere.
    let named = Some("192.0.2.1:81");
    let (_device, address) = Device { named, ..Device::new(Lock::Token) }.start().await;
    shows(&line(&address, ""), Way::AsItIs).await;
}

#[tokio::test]
async fn old_cameras_and_those_that_do_not_tell_their_services_are_shown() {
    for unknown in [&["GetServices"][..], &["GetServices", "GetCapabilities"]] {
        let (device, address) = Device { unknown, ..Device::new(Lock::Token) }.start().await;
        shows(&line(&address, ""), Way::AsItIs).await;
        assert_eq!(device.granted().pop().as_deref(), Some("GetStreamUri main &amp; best"));
    }
    // The service is looked for where ONVIF puts it, too.
    let (_device, address) = Device::new(Lock::Token).start().await;
    shows(&line(&address, "/other"), Way::AsItIs).await;
}

#[tokio::test]
async fn a_wrong_or_missing_login_is_said_and_not_tried_again() {
    for lock in [Lock::Token, Lock::Http] {
        let (device, address) = Device::new(lock).start().await;
        let error = fails(&format!("onvif://{USER}:hunter@{address}")).await;
        let words =
            format!("http://{address}/onvif/device_service refuses the user or the password: check them");
        assert!(error.to_string().starts_with(&words) && error.permanent(), "{error}");
        let error = fails(&format!("onvif://{address}")).await;
        assert!(error.to_string().contains("wants a user and a password") && error.permanent(), "{error}");
        assert!(device.granted().iter().all(|action| action == "GetSystemDateAndTime"));
    }
}

#[tokio::test]
async fn a_profile_that_the_camera_does_not_have_is_said_with_those_that_it_has() {
    let (_device, address) = Device::new(Lock::Token).start().await;
    let error = fails(&line(&address, "?subtype=third")).await;
    let words = "has no profile \"third\" (?subtype=): it has sound, main & best, sub";
    assert!(error.to_string().ends_with(words) && error.permanent(), "{error}");
}

#[tokio::test]
async fn what_is_no_onvif_service_is_said() {
    for answer in ["<html><body>Welcome</p>", "", "hello", "<a><b></b></a>", "<a>&&&&<![CDATA["] {
        let (_device, address) = Device { always: Some(answer), ..Device::new(Lock::Token) }.start().await;
        let error = fails(&line(&address, "")).await;
        let words = "/onvif/device_service is no ONVIF service (status 200): switch ONVIF on";
        assert!(error.to_string().contains(words) && !error.permanent(), "{answer}: {error}");
    }
    let rtsp = Camera::start(&CLIP);
    let error = fails(&line(&rtsp.address().to_string(), "")).await;
    assert!(error.to_string().contains("is no ONVIF service (invalid HTTP version"), "{error}");
    let nowhere = multistream_testkit::free_port();
    let error = fails(&line(&format!("127.0.0.1:{nowhere}"), "")).await;
    assert!(matches!(error, SourceError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = request(&mut stream).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<a>").await;
                while stream.write_all(&[b'<'; 8192]).await.is_ok() {}
            });
        }
    });
    let error = fails(&line(&address, "")).await;
    assert!(error.to_string().contains("is no ONVIF service"), "{error}");
}
