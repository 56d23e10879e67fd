//! The server's address → the address of its WebSocket.

use std::fmt::Write as _;

use super::{ClientError, Code};

/// `https://host/base` → `wss://host/base/api/ws?token=…`. The path is kept, for servers behind a `base_path`.
pub fn socket_url(server: &str, token: Option<&str>) -> Result<String, ClientError> {
    let server = server.trim();
    let (scheme, rest) = server.split_once("://").unwrap_or_default();
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" | "ws" => "ws",
        "https" | "wss" => "wss",
        _ => return Err(invalid(server)),
    };
    // If the app passes the address of a page, its query and fragment are not part of the server's address.
    let base = rest.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    if base.is_empty() {
        return Err(invalid(server));
    }
    let mut url = format!("{scheme}://{base}/api/ws");
    if let Some(token) = token.filter(|token| !token.is_empty()) {
        url.push_str("?token=");
        percent_encode(&mut url, token);
    }
    Ok(url)
}

/// `wss://host/base/?a=b`, `/healthz` → `https://host/base/healthz`. What is no address of a server is left as it is.
pub fn http_url(server: &str, path: &str) -> String {
    let Ok(socket) = socket_url(server, None) else { return server.to_owned() };
    let base = socket.strip_suffix("/api/ws").unwrap_or(&socket);
    format!("http{}{path}", base.strip_prefix("ws").unwrap_or(base))
}

fn invalid(server: &str) -> ClientError {
    ClientError::new(
        Code::InvalidUrl,
        format!("`{server}` is not the address of a server: write it like https://device.example.com."),
    )
}

/// Everything but the unreserved characters of RFC 3986 §2.3.
fn percent_encode(url: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => url.push(char::from(byte)),
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(url, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_becomes_ws_and_https_becomes_wss() {
        assert_eq!(socket_url("http://127.0.0.1:1984", None).unwrap(), "ws://127.0.0.1:1984/api/ws");
        assert_eq!(socket_url("HTTPS://cams.example.com/", None).unwrap(), "wss://cams.example.com/api/ws");
        assert_eq!(socket_url("wss://cams.example.com", None).unwrap(), "wss://cams.example.com/api/ws");
    }

    #[test]
    fn the_path_is_kept_and_the_query_is_not() {
        assert_eq!(
            socket_url("https://example.com/base/?layout=4#x", None).unwrap(),
            "wss://example.com/base/api/ws"
        );
    }

    #[test]
    fn a_token_is_escaped() {
        assert_eq!(socket_url("http://h", Some("a&b=ü")).unwrap(), "ws://h/api/ws?token=a%26b%3D%C3%BC");
        assert_eq!(socket_url("http://h", Some("")).unwrap(), "ws://h/api/ws");
    }

    #[test]
    fn other_paths_of_the_server_are_asked_by_http() {
        assert_eq!(http_url("ws://device/base/?a=b", "/healthz"), "http://device/base/healthz");
        assert_eq!(http_url("https://cams.example.com", "/healthz"), "https://cams.example.com/healthz");
    }

    #[test]
    fn what_is_no_address_is_refused_by_name() {
        for bad in ["", "camera1", "ftp://host", "http://", "http:///", "//host"] {
            let error = socket_url(bad, None).unwrap_err();
            assert_eq!(error.code, "invalid-url", "{bad}");
        }
    }
}
