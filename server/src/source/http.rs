//! A small HTTP client for cameras: a connection for each request, answers of bounded size, and logins by Basic or Digest.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_auth::{PasswordClient, PasswordParams};
use hyper::body::{Body as _, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use super::SourceError;

/// More than any picture of a camera.
const LARGEST_PICTURE: usize = 32 << 20;
/// More than any camera says of itself.
const LARGEST_SAYING: usize = 1 << 20;

pub(super) struct Client {
    /// Without the login.
    url: Url,
    login: Option<(String, String)>,
    auth: Option<PasswordClient>,
    patience: Duration,
}

pub(super) struct Answer {
    pub(super) status: u16,
    /// In small letters.
    pub(super) content_type: String,
    /// Empty where it is a stream of pictures, which has no end.
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn is_stream(&self) -> bool {
        self.content_type.starts_with("multipart/") || self.content_type.starts_with("video/")
    }
}

impl Client {
    pub(super) fn new(url: &str, patience: Duration) -> Option<Self> {
        let mut url = Url::parse(url).ok().filter(|url| url.scheme() == "http" && url.has_host())?;
        let decoded =
            |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let login = (!url.username().is_empty())
            .then(|| (decoded(url.username()), decoded(url.password().unwrap_or_default())));
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Some(Self::with_login(url, login, patience))
    }

    /// `url` is `http://`, and holds no login. User and password are decoded.
    pub(super) fn with_login(url: Url, login: Option<(String, String)>, patience: Duration) -> Self {
        Self { url, login, auth: None, patience }
    }

    pub(super) fn url(&self) -> String {
        crate::config::Masked(self.url.as_str()).to_string()
    }

    /// Asks with the login once the server has said how it wants it.
    pub(super) async fn get(&mut self) -> Result<Answer, SourceError> {
        let silent = self.silent();
        timeout(self.patience, self.logged_in()).await.map_err(|_| silent)?
    }

    /// Asks once: with the login if the server has said before how it wants it.
    pub(super) async fn post(&mut self, content_type: &str, body: String) -> Result<Answer, SourceError> {
        let silent = self.silent();
        timeout(self.patience, self.ask(Some((content_type, body)))).await.map_err(|_| silent)?
    }

    /// Whether the next request gives the login.
    pub(super) fn gives_login(&self) -> bool {
        self.auth.is_some() && self.login.is_some()
    }

    fn silent(&self) -> SourceError {
        SourceError::Silent { url: self.url(), after: self.patience }
    }

    async fn logged_in(&mut self) -> Result<Answer, SourceError> {
        let answer = self.ask(None).await?;
        if answer.status == 401 && self.login.is_some() {
            return self.ask(None).await;
        }
        Ok(answer)
    }

    /// Sends what is given with its content type, or else just asks for what is there.
    async fn ask(&mut self, sent: Option<(&str, String)>) -> Result<Answer, SourceError> {
        let host = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = self.url.port_or_known_default().unwrap_or(80);
        let address = format!("{}:{port}", self.url.host_str().unwrap_or_default());
        let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::ConnectionRefused => SourceError::Refused { address: address.clone() },
            _ => SourceError::Unreachable { address: address.clone(), reason: error.to_string() },
        })?;
        let broken = |reason: String| SourceError::Protocol { url: self.url(), reason };
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(error.to_string()))?;
        let target = match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        };
        let (method, largest) = match sent {
            Some(_) => (Method::POST, LARGEST_SAYING),
            None => (Method::GET, LARGEST_PICTURE),
        };
        let (content_type, body) = sent.unwrap_or_default();
        let mut request = Request::builder()
            .method(&method)
            .uri(&target)
            .header(HOST, &address)
            .header(USER_AGENT, concat!("multistream/", env!("CARGO_PKG_VERSION")));
        if let (Some(auth), Some((username, password))) = (&mut self.auth, &self.login) {
            let (uri, method, body) = (&*target, method.as_str(), Some(body.as_bytes()));
            let params = PasswordParams { username, password, uri, method, body };
            request = request.header(AUTHORIZATION, auth.respond(&params).unwrap_or_default());
        }
        if !content_type.is_empty() {
            request = request.header(CONTENT_TYPE, content_type);
        }
        let broken = |reason: String| SourceError::Protocol { url: self.url(), reason };
        let request = request.body(body).map_err(|error| broken(error.to_string()))?;
        let answering = async {
            let response = sender.send_request(request).await?;
            read(response, largest).await
        };
        // The connection ends with the answer.
        let (answer, challenges) = tokio::select! {
            answer = answering => answer.map_err(|error| broken(error.to_string()))?,
            () = async { let _ = connection.await; std::future::pending().await } => return Err(broken("it closed the connection".to_owned())),
        };
        if answer.status == 401 {
            self.auth = challenges.and_then(|challenges| PasswordClient::try_from(&*challenges).ok());
        }
        Ok(answer)
    }
}

/// An answer that is larger than that is empty.
async fn read(response: Response<Incoming>, largest: usize) -> hyper::Result<(Answer, Option<String>)> {
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (content_type, challenges) = (text(CONTENT_TYPE).unwrap_or_default(), text(WWW_AUTHENTICATE));
    let status = response.status().as_u16();
    let mut answer = Answer { status, content_type: content_type.to_ascii_lowercase(), body: Bytes::new() };
    if answer.is_stream() {
        return Ok((answer, challenges));
    }
    let (mut body, mut bytes) = (response.into_body(), BytesMut::new());
    while let Some(frame) = std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() > largest {
            bytes.clear();
            break;
        }
    }
    answer.body = bytes.freeze();
    Ok((answer, challenges))
}
