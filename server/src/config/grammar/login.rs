//! The login of a URL, `scheme://user:password@host/path#parameters`, as people paste it: passwords are often not percent-encoded.
//!
//! A password with `/`, `?`, `#` or `@` in it makes a URL that can be read in more than one way. It is understood where only
//! one reading makes sense: behind a login comes a host, a port is a number, and no parameter has an `@` in its name.

use std::borrow::Cow;
use std::net::IpAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All but what no URL needs to encode (RFC 3986 §2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a URL is followed by where its authority ends.
const ENDS: [char; 3] = ['/', '?', '#'];

/// Splits what follows `scheme://` into the login, if it has one, and the rest without its `@`.
pub(super) fn split(rest: &str) -> (Option<&str>, &str) {
    match end(rest) {
        Some(at) => (Some(&rest[..at]), &rest[at + 1..]),
        None => (None, rest),
    }
}

/// User and password, decoded.
pub(super) fn user_and_password(login: &str) -> (String, String) {
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    (decoded(user), decoded(password))
}

/// The URL with a login that every program reads in the same way.
pub(super) fn encoded(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else { return Cow::Borrowed(url) };
    let (Some(login), rest) = split(rest) else { return Cow::Borrowed(url) };
    if is_encoded(login) {
        return Cow::Borrowed(url);
    }
    let (user, password) = user_and_password(login);
    let encode = |text| utf8_percent_encode(text, ENCODED);
    Cow::Owned(format!("{scheme}://{}:{}@{rest}", encode(&user), encode(&password)))
}

/// Of a password that cannot be told from a host and its path, what to write instead, without a part of it.
pub(super) fn ambiguity(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("://")?;
    let authority = authority(rest);
    let chosen = end(rest);
    let host = chosen.map_or(authority, |at| host_at(&rest[at + 1..]));
    let colon = rest.find(':')?;
    if chosen.is_none() {
        // What would be the host and the port of a URL without a login.
        let (user, port) = authority.split_once(':')?;
        let is_number = !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit());
        if !is_number || user.contains(['.', '@', '[']) || user == "localhost" {
            return None;
        }
    } else if is_address(host) || host == "localhost" {
        return None;
    }
    // Behind a login that was found, parameters are none of it.
    let from = chosen.map_or(0, |at| at + 1);
    let to = chosen.and_then(|_| rest[from..].find('#')).map_or(rest.len(), |at| from + at);
    let is_login = |at: &usize| is_address(host_at(&rest[at + 1..]));
    let at = rest[from..to].match_indices('@').map(|(at, _)| from + at).find(is_login)?;
    let codes = [('/', "%2F"), ('?', "%3F"), ('#', "%23"), ('@', "%40")];
    let found =
        codes.iter().filter(|(c, _)| rest.get(colon..at).is_some_and(|password| password.contains(*c)));
    let encode: Vec<String> = found.map(|(c, code)| format!("{c} as {code}")).collect();
    Some(format!(
        "this can be read in two ways, as a password with special characters or as a host with a path: write {} in the password",
        encode.join(" and ")
    ))
}

/// Where the `@` behind the login is.
fn end(rest: &str) -> Option<usize> {
    let authority = authority(rest);
    let fits = |at: &usize| {
        let after = &rest[at + 1..];
        !after.is_empty() && !after.starts_with(ENDS) && has_plain_parameters(after)
    };
    if let Some(at) = authority.rfind('@').filter(fits) {
        return Some(at);
    }
    let has_port =
        |(_, port): (&str, &str)| !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit());
    let is_host = !authority.contains('@') && authority.split_once(':').is_none_or(has_port);
    if authority.starts_with('[') || is_host && has_plain_parameters(rest) {
        return None;
    }
    let before_a_host = |at: &usize| {
        let after = &rest[at + 1..];
        after.find(['@', '/', '?', '#']).is_none_or(|next| !after[next..].starts_with('@'))
    };
    rest.match_indices('@').map(|(at, _)| at).filter(before_a_host).find(fits)
}

fn authority(rest: &str) -> &str {
    &rest[..rest.find(ENDS).unwrap_or(rest.len())]
}

/// Whether no name of a parameter (`#name=value`) has an `@` in it.
fn has_plain_parameters(rest: &str) -> bool {
    rest.split('#').skip(1).all(|parameter| !parameter.split('=').next().unwrap_or_default().contains('@'))
}

/// The host at the start of a text, without its port.
fn host_at(text: &str) -> &str {
    let authority = authority(text);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Whether it is an address or a name with a dot.
fn is_address(host: &str) -> bool {
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    plain.parse::<IpAddr>().is_ok() || host.contains('.') && host.chars().all(is_name)
}

/// Whether a login has no characters but those that may stand in one (RFC 3986 §3.2.1). A `'` may, but it ends a word where a
/// text is searched for logins to mask.
fn is_encoded(login: &str) -> bool {
    let mut bytes = login.bytes();
    while let Some(byte) = bytes.next() {
        let fine = match byte {
            b'%' => {
                [bytes.next(), bytes.next()].iter().all(|hex| hex.is_some_and(|hex| hex.is_ascii_hexdigit()))
            }
            _ => byte.is_ascii_alphanumeric() || b"-._~!$&()*+,;=:".contains(&byte),
        };
        if !fine {
            return false;
        }
    }
    true
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_owned(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{problem, valid};
    use super::*;
    use crate::config::{Config, FfmpegInput, Source};

    fn login_of(text: &str) -> Option<(String, String)> {
        match valid(text) {
            Source::Rtsp(source) => source.credentials,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_password_may_hold_any_special_character() {
        for special in
            ["@", "%", ":", "/", "?", "#", "&", "{", "^", "+", "\"", "'", "<", " ", "#@/", "é", "#x=1"]
        {
            let password = format!("ab{special}cd");
            let source = format!("rtsp://admin:{password}@10.0.0.9:554/ch1?a=1#timeout=5");
            assert_eq!(login_of(&source), Some(("admin".to_owned(), password.clone())), "{source}");

            // ffmpeg reads the same from the URL that it is given.
            for (before, after) in
                [("ffmpeg:rtsp", "#video=h264"), ("ffmpeg:http", "#video=h264#raw=-r 5"), ("http", "")]
            {
                let text = format!("{before}://admin:{password}@10.0.0.9/ch1?a=1{after}");
                let Source::Ffmpeg(source) = valid(&text) else { panic!("{text}") };
                let FfmpegInput::Url(url) = source.input else { panic!("{text}") };
                let url = url::Url::parse(&url).expect("a URL");
                assert_eq!(url.host_str(), Some("10.0.0.9"), "{text}");
                assert_eq!(decoded(url.password().expect("a password")), password, "{text}");
                assert_eq!((url.path(), url.query(), url.fragment()), ("/ch1", Some("a=1"), None));
            }
        }
    }

    #[test]
    fn a_url_that_is_right_stays_as_it_is() {
        for url in
            ["rtsp://h/1", "http://u:p%40s@h/1", "rtsp://u:a+b$c&d@h:554/x@y?z=@", "rtmp://u@h/1", "file.mp4"]
        {
            assert_eq!(encoded(url), url);
        }
    }

    #[test]
    fn parameters_may_hold_an_at_sign() {
        assert_eq!(
            valid("ffmpeg:rtsp://u:p@h/1#video=h264#drawtext=text=a@10.0.0.9").to_string(),
            "ffmpeg:rtsp://***@h/1#video=h264#drawtext=text=a@10.0.0.9"
        );
        assert_eq!(
            valid("ffmpeg:rtsp://h/1#video=h264#drawtext=text=a@b").to_string(),
            "ffmpeg:rtsp://h/1#video=h264#drawtext=text=a@b"
        );
    }

    #[test]
    fn a_password_that_could_be_a_port_is_refused_with_what_to_write_and_never_shown() {
        for (text, encode) in [
            ("rtsp://admin:4711/hunter2@10.0.0.9/ch1", "write / as %2F in the password"),
            ("ffmpeg:rtsp://admin:4711?hunter2@cam.lan/ch1", "write ? as %3F in the password"),
            ("http://admin:4711#hunter=2@10.0.0.9:80/ch1", "write # as %23 in the password"),
            ("rtsp://admin:4711@hunter/2@10.0.0.9", "write / as %2F and @ as %40 in the password"),
            (
                "rtsp://admin:4711/hunter@hunter2/1@10.0.0.9:554/1",
                "write / as %2F and @ as %40 in the password",
            ),
            ("rtsp://admin:4711/#hunter=2@10.0.0.9", "write / as %2F and # as %23 in the password"),
        ] {
            let said = problem(text);
            assert!(said.ends_with(encode) && !said.contains("hunter") && !said.contains("4711"), "{said}");
        }
        for (text, host) in [
            ("rtsp://cam:554/live@2", "cam"),
            ("rtsp://10.0.0.9:554/a@10.0.0.8", "10.0.0.9"),
            ("rtsp://u:p@cam/a@b", "cam"),
        ] {
            let Source::Rtsp(source) = valid(text) else { panic!("{text}") };
            assert_eq!(source.url.host_str(), Some(host));
        }
    }

    proptest! {
        #[test]
        fn no_part_of_a_password_is_in_a_message(
            kind in "(rtsp|ffmpeg:rtsp|http|tapo)", head in "[A-Z]{6}", special in "[@%:/?#&{^+\"'< ]{1,3}", tail in "[A-Z]{6}",
        ) {
            let source = format!("{kind}://admin:{head}{special}{tail}@10.0.0.9/ch1#no=1");
            let yaml = format!("streams:\n  x: '{}'\n", source.replace('\'', "''"));
            let said = match Config::parse("m.yaml", &yaml, &|_| None) {
                Ok((config, warnings)) => format!("{config:?} {warnings:?}"),
                Err(problems) => problems.to_string(),
            };
            prop_assert!(!said.contains(&head) && !said.contains(&tail), "{}", said);
        }

        #[test]
        fn what_is_encoded_is_read_back(password in "[ -~]{1,12}") {
            let url = format!("rtsp://admin:{password}@10.0.0.9/ch1");
            let once = encoded(&url).into_owned();
            prop_assert_eq!(encoded(&once).into_owned(), once);
        }
    }
}
