//! Reads the parts of a STUN message (RFC 8489) that the port and the lite agent need.

const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
pub(super) const HEADER_LEN: usize = 20;
const USERNAME: u16 = 0x0006;
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const BINDING_ERROR: [u8; 2] = [0x01, 0x11];

/// Whether it is a STUN message: its two top bits are zero, and the magic cookie distinguishes it from everything else on the
/// port.
pub(super) fn is_stun(datagram: &[u8]) -> bool {
    datagram.get(..HEADER_LEN).is_some_and(|header| header[0] <= 0x3f && header[4..8] == MAGIC_COOKIE)
}

pub(super) fn is_binding_request(datagram: &[u8]) -> bool {
    is_stun(datagram) && datagram.starts_with(&BINDING_REQUEST)
}

/// Whether it is an answer to a binding request.
pub(super) fn is_response(datagram: &[u8]) -> bool {
    is_stun(datagram) && (datagram.starts_with(&BINDING_SUCCESS) || datagram.starts_with(&BINDING_ERROR))
}

/// The transaction id, which a request and its answer share.
pub(super) fn transaction_id(datagram: &[u8]) -> Option<[u8; 12]> {
    if is_stun(datagram) { datagram[8..HEADER_LEN].try_into().ok() } else { None }
}

/// The USERNAME of a binding request: `server:browser` (RFC 8445 §7.2.2).
pub(super) fn username(datagram: &[u8]) -> Option<&str> {
    if !is_stun(datagram) {
        return None;
    }
    let mut attributes = &datagram[HEADER_LEN..];
    while let [kind_hi, kind_lo, len_hi, len_lo, rest @ ..] = attributes {
        let kind = u16::from_be_bytes([*kind_hi, *kind_lo]);
        let len = usize::from(u16::from_be_bytes([*len_hi, *len_lo]));
        let value = rest.get(..len)?;
        if kind == USERNAME {
            return std::str::from_utf8(value).ok();
        }
        attributes = rest.get(len.next_multiple_of(4)..)?;
    }
    None
}

/// The server's ufrag in the USERNAME, which identifies the peer.
pub(super) fn server_ufrag(datagram: &[u8]) -> Option<&str> {
    username(datagram)?.split_once(':').map(|(server, _)| server)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn binding_request(username: &[u8]) -> Vec<u8> {
        let mut message = vec![0x00, 0x01, 0x00, 0x00];
        message.extend(MAGIC_COOKIE);
        message.extend([7; 12]);
        // SOFTWARE first, of a length that needs padding.
        message.extend([0x80, 0x22, 0x00, 0x03, b'a', b'b', b'c', 0]);
        message.extend([0x00, 0x06, 0x00, username.len() as u8]);
        message.extend(username);
        message.resize(message.len().next_multiple_of(4), 0);
        message
    }

    #[test]
    fn the_servers_half_of_the_username_is_found_behind_other_attributes() {
        assert_eq!(server_ufrag(&binding_request(b"srv1:br")), Some("srv1"));
    }

    #[test]
    fn a_username_without_a_colon_has_no_ufrag() {
        assert_eq!(server_ufrag(&binding_request(b"srv1")), None);
    }

    #[test]
    fn an_attribute_longer_than_the_message_gives_no_ufrag() {
        let mut message = binding_request(b"srv1:br");
        message.truncate(message.len() - 4);
        assert_eq!(server_ufrag(&message), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = server_ufrag(&bytes);
        }
    }
}
