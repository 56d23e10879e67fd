//! Messages to a camera: SOAP 1.2 over HTTP, with the login in the message or, where the camera wants that, in HTTP.

use std::time::Duration;

use time::OffsetDateTime;
use url::Url;

use crate::source::SourceError;
use crate::source::http::{self, Client};

use super::answers::{self, Fault};
use super::token::security;
use super::xml::Answer;

const CONTENT_TYPE: &str = "application/soap+xml; charset=utf-8";
const GET_TIME: &str = "<GetSystemDateAndTime xmlns=\"http://www.onvif.org/ver10/device/wsdl\"/>";

/// A clock that is wrong by less is right enough.
const RIGHT: time::Duration = time::Duration::seconds(2);

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection.
    Source(SourceError),
    /// The login is missing, or is not accepted.
    Refused,
    /// The camera's words.
    Fault(String),
    /// The answer is no SOAP, but this.
    Foreign(String),
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Protocol { reason, .. } => Self::Foreign(reason),
            error => Self::Source(error),
        }
    }
}

pub(super) struct Soap {
    /// Where the camera's time is asked for.
    device: Url,
    login: Option<(String, String)>,
    patience: Duration,
    /// By how much the camera's clock is ahead of this machine's, once it was asked.
    ahead: Option<time::Duration>,
    /// Whether the camera takes the login in HTTP. It is to be in one of the two only (ONVIF Core Specification).
    by_http: bool,
}

impl Soap {
    pub(super) fn new(device: Url, login: Option<(String, String)>, patience: Duration) -> Self {
        Self { device, login, patience, ahead: None, by_http: false }
    }

    pub(super) fn has_login(&self) -> bool {
        self.login.is_some()
    }

    pub(super) async fn call(&mut self, url: &Url, body: &str) -> Result<Answer, Failure> {
        let answer = self.ask(url, body).await?;
        let result = read(&answer);
        if self.login.is_none() || self.ahead.is_some() || !matches!(result, Err(Failure::Refused)) {
            return result;
        }
        // Cameras refuse a message that is too old or from the future, and their clocks are often wrong.
        let ahead = self.clock().await.unwrap_or_default();
        self.ahead = Some(ahead);
        if ahead.abs() < RIGHT {
            return result;
        }
        read(&self.ask(url, body).await?)
    }

    async fn ask(&mut self, url: &Url, body: &str) -> Result<http::Answer, Failure> {
        let mut client = Client::with_login(url.clone(), self.login.clone(), self.patience);
        let header = if self.by_http { String::new() } else { self.header() };
        let answer = client.post(CONTENT_TYPE, envelope(&header, body)).await?;
        if answer.status != 401 || !client.gives_login() {
            return Ok(answer);
        }
        let answer = client.post(CONTENT_TYPE, envelope("", body)).await?;
        self.by_http |= read(&answer).is_ok();
        Ok(answer)
    }

    /// Everyone may ask for the time.
    async fn clock(&self) -> Option<time::Duration> {
        let mut client = Client::with_login(self.device.clone(), self.login.clone(), self.patience);
        let mut answer = client.post(CONTENT_TYPE, envelope("", GET_TIME)).await.ok()?;
        if answer.status == 401 && client.gives_login() {
            answer = client.post(CONTENT_TYPE, envelope("", GET_TIME)).await.ok()?;
        }
        let ahead = answers::time(&read(&answer).ok()?)? - OffsetDateTime::now_utc();
        Some(time::Duration::seconds(ahead.whole_seconds()))
    }

    fn header(&self) -> String {
        let Some((user, password)) = &self.login else { return String::new() };
        let now = OffsetDateTime::now_utc();
        let time = now.checked_add(self.ahead.unwrap_or_default()).unwrap_or(now);
        format!("<s:Header>{}</s:Header>", security(user, password, time))
    }
}

fn envelope(header: &str, body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\">{header}\
         <s:Body>{body}</s:Body></s:Envelope>"
    )
}

fn read(answer: &http::Answer) -> Result<Answer, Failure> {
    if answer.status == 401 {
        return Err(Failure::Refused);
    }
    let read = Answer::read(&String::from_utf8_lossy(&answer.body));
    let Some(read) = read.filter(|read| read.root().first("Body").is_some()) else {
        return Err(match answer.status {
            403 => Failure::Refused,
            status => Failure::Foreign(format!("status {status}")),
        });
    };
    match answers::fault(&read) {
        Some(Fault::Refused) => Err(Failure::Refused),
        Some(Fault::Other(said)) => Err(Failure::Fault(said)),
        None => Ok(read),
    }
}
