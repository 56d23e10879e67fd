//! The ICE servers that browsers are given, with short-lived credentials for the TURN servers among them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use multistream_protocol::server::IceServer;
use rtc::crypto::{CryptoError, HmacAlgorithm, default_provider};

use crate::config::WebrtcConfig;

/// How long a credential can be used to make an allocation. One that was made in time can be refreshed after that.
const LIFETIME: Duration = Duration::from_hours(24);
/// The second part of the user name, for the log of the TURN server.
const NAME: &str = "multistream";

/// The servers of `webrtc.ice_servers`, and the secret that the server shares with the TURN servers among them.
#[derive(Clone, Default)]
pub struct IceServers {
    servers: Vec<IceServer>,
    turn_secret: Option<String>,
}

impl IceServers {
    pub fn new(config: &WebrtcConfig) -> Self {
        Self { servers: config.ice_servers.clone(), turn_secret: config.turn_secret.clone() }
    }

    /// The servers for a browser that connects now. With a secret, each TURN server without a credential of its own gets one in
    /// the form of coturn's `use-auth-secret` (draft-uberti-behave-turn-rest-00 §2.2).
    pub fn at(&self, now: SystemTime) -> Vec<IceServer> {
        let mut servers = self.servers.clone();
        let Some(secret) = &self.turn_secret else { return servers };
        let expiry = now.duration_since(UNIX_EPOCH).unwrap_or_default() + LIFETIME;
        let username = format!("{}:{NAME}", expiry.as_secs());
        let credential = match credential(secret, &username) {
            Ok(credential) => credential,
            Err(error) => {
                tracing::error!(%error, "no credential for the TURN server");
                return servers;
            }
        };
        for server in servers.iter_mut().filter(|server| is_turn(server) && server.credential.is_none()) {
            server.username = Some(username.clone());
            server.credential = Some(credential.clone());
        }
        servers
    }
}

/// Without secrets, since debug output ends in logs.
impl fmt::Debug for IceServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let urls: Vec<_> = self.servers.iter().map(|server| &server.urls).collect();
        f.debug_struct("IceServers").field("urls", &urls).finish_non_exhaustive()
    }
}

fn is_turn(server: &IceServer) -> bool {
    server.urls.iter().any(|url| url.starts_with("turn:") || url.starts_with("turns:"))
}

/// base64(HMAC-SHA1(secret, username))
fn credential(secret: &str, username: &str) -> Result<String, CryptoError> {
    let mut mac = default_provider()?.crypto().new_hmac(HmacAlgorithm::Sha1, secret.as_bytes())?;
    let mut tag = vec![0; mac.output_len()];
    mac.sign(&[username.as_bytes()], &mut tag)?;
    Ok(STANDARD.encode(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str, credential: Option<&str>) -> IceServer {
        let credential = credential.map(str::to_owned);
        IceServer { urls: vec![url.to_owned()], username: credential.clone(), credential }
    }

    #[test]
    fn the_hmac_is_that_of_rfc_2202() {
        let tag = credential("Jefe", "what do ya want for nothing?");
        assert_eq!(tag.ok().as_deref(), Some("7/zfauXrL6LSdBbV8YTfnCWafHk="));
    }

    #[test]
    fn a_turn_server_gets_a_credential_for_a_day_and_no_other_server_does() {
        let config = WebrtcConfig {
            ice_servers: vec![server("stun:a", None), server("turn:b", None), server("turns:c", Some("own"))],
            turn_secret: Some("north".to_owned()),
            ..WebrtcConfig::default()
        };
        let servers = IceServers::new(&config);
        let [stun, turn, own] = &servers.at(UNIX_EPOCH + Duration::from_secs(1_700_000_000))[..] else {
            panic!("three servers")
        };
        assert_eq!((stun, own), (&config.ice_servers[0], &config.ice_servers[2]));
        assert_eq!(turn.username.as_deref(), Some("1700086400:multistream"));
        assert_eq!(turn.credential.as_deref(), Some("a34q2kN9At6R3aaUwGU3z4XZTuA="));
        for shown in [format!("{servers:?}"), format!("{config:?}")] {
            assert!(!shown.contains("north") && !shown.contains("own"), "{shown}");
        }
    }
}
