//! The client's end of the WebSocket, with JSON messages and a limit for every wait.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::ViewerError;

/// The longest wait for anything that a test expects of the server.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A WebSocket connection to `/api/ws`.
#[derive(Debug)]
pub struct Control {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Control {
    /// Opens `/api/ws` of the server at `url` (`http://…`).
    pub async fn connect(url: &str) -> Result<Self, ViewerError> {
        Self::connect_to(&format!("{url}/api/ws")).await
    }

    /// The same with a token.
    pub async fn connect_with(url: &str, token: &str) -> Result<Self, ViewerError> {
        Self::connect_to(&format!("{url}/api/ws?token={token}")).await
    }

    /// Opens a WebSocket at this address (`http://…/api/ws?…`).
    pub async fn connect_to(url: &str) -> Result<Self, ViewerError> {
        let (socket, _) = connect_async(url.replacen("http", "ws", 1)).await.map_err(Box::new)?;
        Ok(Self { socket })
    }

    pub async fn send(&mut self, message: &Value) -> Result<(), ViewerError> {
        self.send_raw(Message::text(message.to_string())).await
    }

    pub async fn send_raw(&mut self, message: Message) -> Result<(), ViewerError> {
        Ok(self.socket.send(message).await.map_err(Box::new)?)
    }

    /// The next message; an object with `closed` and the close code's number once the server has closed the socket.
    pub async fn receive(&mut self) -> Result<Value, ViewerError> {
        self.until("message", |_| true).await
    }

    /// The first message from now that `matches`.
    pub async fn until(
        &mut self,
        expected: &'static str,
        mut matches: impl FnMut(&Value) -> bool,
    ) -> Result<Value, ViewerError> {
        let mut last = Value::Null;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let Ok(received) = tokio::time::timeout_at(deadline, self.socket.next()).await else {
                return Err(ViewerError::Silence { expected, last: last.to_string() });
            };
            let message = match received {
                Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap_or(Value::Null),
                Some(Ok(Message::Close(frame))) => {
                    json!({ "closed": frame.map_or(1005, |frame| u16::from(frame.code)) })
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => json!({ "closed": 1006 }),
            };
            if matches(&message) {
                return Ok(message);
            }
            if message.get("closed").is_some() {
                return Err(ViewerError::Silence { expected, last: message.to_string() });
            }
            last = message;
        }
    }

    /// Opens a session with these slots (`[{"slot": 0, "stream": "camera1"}, …]`) and returns `multistream/ready`.
    pub async fn open(&mut self, slots: &Value) -> Result<Value, ViewerError> {
        self.send(&json!({ "type": "multistream/init", "request_id": "init", "slots": slots })).await?;
        self.until_type("multistream/ready").await
    }

    /// Sends an offer and returns `multistream/answer`.
    pub async fn negotiate(&mut self, sdp: &str) -> Result<Value, ViewerError> {
        self.send(&json!({ "type": "multistream/offer", "request_id": "offer", "sdp": sdp })).await?;
        self.until_type("multistream/answer").await
    }

    /// The first message of this type from now.
    pub async fn until_type(&mut self, kind: &'static str) -> Result<Value, ViewerError> {
        self.until(kind, |message| message["type"] == kind).await
    }
}
