//! The login of a SOAP message: a `UsernameToken` of WS-Security, with a digest of the password (OASIS Username Token Profile 1.0).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use quick_xml::escape::escape;
use sha1::{Digest as _, Sha1};
use time::OffsetDateTime;

const OASIS: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss";

/// The header of a message that is sent at this time of the camera's clock.
pub(super) fn security(user: &str, password: &str, time: OffsetDateTime) -> String {
    let nonce: [u8; 16] = rand::random();
    let created = timestamp(time);
    let digest = digest(&nonce, &created, password);
    let (user, nonce) = (escape(user), BASE64_STANDARD.encode(nonce));
    format!(
        "<Security s:mustUnderstand=\"1\" xmlns=\"{OASIS}-wssecurity-secext-1.0.xsd\"><UsernameToken><Username>{user}</Username>\
         <Password Type=\"{OASIS}-username-token-profile-1.0#PasswordDigest\">{digest}</Password>\
         <Nonce EncodingType=\"{OASIS}-soap-message-security-1.0#Base64Binary\">{nonce}</Nonce>\
         <Created xmlns=\"{OASIS}-wssecurity-utility-1.0.xsd\">{created}</Created></UsernameToken></Security>"
    )
}

fn digest(nonce: &[u8], created: &str, password: &str) -> String {
    let hash = Sha1::new().chain_update(nonce).chain_update(created).chain_update(password).finalize();
    BASE64_STANDARD.encode(hash)
}

fn timestamp(time: OffsetDateTime) -> String {
    let (date, (hour, minute, second)) = (time.date(), time.to_hms());
    let month = u8::from(date.month());
    format!("{:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", date.year(), date.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_example_in_onvifs_guide_for_programmers() {
        let nonce = BASE64_STANDARD.decode("LKqI6G/AikKCQrN0zqZFlg==").expect("base64");
        let time = OffsetDateTime::from_unix_timestamp(1_284_623_445).expect("a time");
        assert_eq!(timestamp(time), "2010-09-16T07:50:45Z");
        assert_eq!(digest(&nonce, &timestamp(time), "userpassword"), "tuOSpGlFlIXsozq4HFNeeGeFLEI=");
    }

    #[test]
    fn the_password_is_not_in_the_message_and_the_user_is_escaped() {
        let said = security("a<b", "hunter22", OffsetDateTime::UNIX_EPOCH);
        assert!(said.contains("<Username>a&lt;b</Username>") && !said.contains("hunter22"), "{said}");
    }
}
