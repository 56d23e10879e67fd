//! Why there is no media path: where the server was looked for, and the STUN and TURN servers that the browser cannot use. It may
//! find a path without them, so this is told only where it finds none.

use super::Client;
use super::command::Attempt;

/// What a browser said of an ICE server (`icecandidateerror`).
#[derive(Debug)]
pub(super) struct IceTrouble {
    attempt: Attempt,
    code: u16,
    text: String,
}

/// The browser's code for a server that does not answer (WebRTC §4.8.2).
const OUT_OF_REACH: u16 = 701;

impl Client {
    /// `code`: the server's, such as 401, or the browser's. `text` is a sentence for people that names the server.
    pub fn handle_ice_trouble(&mut self, attempt: Attempt, code: u16, text: String) {
        let known = self.ice_trouble.as_ref().filter(|known| known.attempt == attempt);
        // A refusal says more than silence, which may be that of one network of several.
        if known.is_none_or(|known| known.code == OUT_OF_REACH) {
            self.ice_trouble = Some(IceTrouble { attempt, code, text });
        }
    }

    /// What to look at when no address of the server has answered: those of its answer, `a=candidate:FOUNDATION COMPONENT TRANSPORT
    /// PRIORITY ADDRESS PORT …` (RFC 8839 §5.1). Those for TCP are the same.
    pub(super) fn no_media_path(&self, mut message: String) -> String {
        message.push_str(": is its WebRTC port reachable, by UDP or TCP?");
        for line in self.answer.split('\n') {
            let mut fields = line.split(' ');
            if line.starts_with("a=candidate:")
                && let (Some("udp"), _, Some(ip), Some(port)) =
                    (fields.nth(2), fields.next(), fields.next(), fields.next())
            {
                for part in [" Tried ", ip, " port ", port, "."] {
                    message.push_str(part);
                }
            }
        }
        self.with_ice_trouble(message)
    }

    /// The message of a handshake that fails, with what the browser said of the ICE servers in this attempt.
    pub(super) fn with_ice_trouble(&self, mut message: String) -> String {
        if let Some(trouble) = self.ice_trouble.as_ref().filter(|trouble| trouble.attempt == self.attempt) {
            message.push(' ');
            message.push_str(&trouble.text);
        }
        message
    }
}
