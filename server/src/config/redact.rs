//! Masks secrets in text that leaves the process: logs, errors, the API. In doubt it masks too much rather than too little.
//!
//! The values that are known ([`Secrets`]) go first; then whatever looks like a secret by its place.

use std::fmt;

use super::Secrets;
use super::secret_names::{MASK, names_a_secret};

/// Displays a URL, a command line or any other text with its secrets masked: those that are installed, `user:password@` of
/// every URL in it, and the values of keys such as `password=`, `token=` or `Authorization:`.
#[derive(Clone, Copy)]
pub struct Masked<'a>(pub &'a str);

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask_values(&mask_userinfo(&Secrets::mask_installed(self.0))))
    }
}

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Displays text with the secrets that are installed masked, and nothing else: for sentences of this server, which quote what
/// cameras and programs say.
#[derive(Clone, Copy)]
pub struct Known<'a>(pub &'a str);

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Secrets::mask_installed(self.0))
    }
}

impl fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Like [`Masked`] for each argument, and for the argument after a flag such as `--password`.
pub fn masked_argv(argv: &[String]) -> Vec<String> {
    let mut after_secret_flag = false;
    argv.iter()
        .map(|argument| {
            let secret = std::mem::replace(
                &mut after_secret_flag,
                argument.starts_with('-') && names_a_secret(argument),
            );
            if secret && !argument.starts_with('-') { MASK.to_owned() } else { Masked(argument).to_string() }
        })
        .collect()
}

fn ends_token(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>')
}

/// `scheme://user:password@host` → `scheme://***@host`.
///
/// Passwords are often not percent-encoded and may hold `/`, `?` or `@`: with a `:` before the first `@`, everything up to
/// the token's last `@` is taken for one.
fn mask_userinfo(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let token = &after[..after.find(ends_token).unwrap_or(after.len())];
        let secret_ends = match token.split_once('@') {
            Some((user, _)) if user.contains(':') => token.rfind('@'),
            Some(_) => token[..token.find(['?', '#']).unwrap_or(token.len())].rfind('@'),
            None => None,
        };
        rest = match secret_ends {
            Some(end) => {
                shown.push_str(MASK);
                &after[end..]
            }
            None => after,
        };
    }
    shown + rest
}

/// `password=x` → `password=***`, `Authorization: x` → `Authorization: ***`.
fn mask_values(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['=', ':']) {
        let (before, after) = rest.split_at(at + 1);
        shown.push_str(before);
        rest = after;
        let is_header = before.ends_with(':');
        let key_starts = before[..at]
            .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
            .map_or(0, |i| i + before[i..].chars().next().map_or(1, char::len_utf8));
        let key = &before[key_starts..at];
        // The value of a header extends to the end of its line or string, that of a query parameter to the next parameter.
        let ends = |c: char| {
            if is_header {
                matches!(c, '\r' | '\n' | '"' | '\'')
            } else {
                ends_token(c) || matches!(c, '&' | '#')
            }
        };
        if names_a_secret(key) && !(is_header && after.starts_with("//")) {
            let value = &after[..after.find(ends).unwrap_or(after.len())];
            if !value.trim().is_empty() {
                shown.push_str(if value.starts_with(' ') { " " } else { "" });
                shown.push_str(MASK);
                rest = &after[value.len()..];
            }
        }
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(text: &str) -> String {
        Masked(text).to_string()
    }

    #[test]
    fn a_url_loses_its_user_and_password_and_nothing_else() {
        assert_eq!(masked("rtsp://admin:secret@10.0.0.9:554/ch1?a=1"), "rtsp://***@10.0.0.9:554/ch1?a=1");
        assert_eq!(masked("rtsp://10.0.0.9:554/ch1?a=1"), "rtsp://10.0.0.9:554/ch1?a=1");
        assert_eq!(masked("tapo://secret@10.0.0.9"), "tapo://***@10.0.0.9");
        assert_eq!(masked("http://10.0.0.9/@yard/live"), "http://***@yard/live");
    }

    #[test]
    fn every_url_of_a_command_line_is_masked() {
        assert_eq!(
            masked("ffmpeg -i 'rtsp://a:b@h/1' -i rtsp://c:d@h/2 -"),
            "ffmpeg -i 'rtsp://***@h/1' -i rtsp://***@h/2 -"
        );
    }

    #[test]
    fn secrets_in_queries_and_headers_are_masked() {
        assert_eq!(
            masked("http://h/x?user=u&password=p&q=1#token=t"),
            "http://h/x?user=u&password=***&q=1#token=***"
        );
        assert_eq!(masked("-headers \"Authorization: Bearer x y\" -i"), "-headers \"Authorization: ***\" -i");
        assert_eq!(masked("http://h/?access_token=abc"), "http://h/?access_token=***");
    }

    #[test]
    fn an_argument_after_a_secret_flag_is_masked() {
        let argv = ["camera", "--password", "p", "--name", "yard", "--api-key=k"].map(str::to_owned);
        assert_eq!(masked_argv(&argv).join(" "), "camera --password *** --name yard --api-key=***");
    }

    #[test]
    fn text_without_secrets_is_left_as_it_is() {
        for text in
            ["", "camera1", "ffmpeg:camera1#video=h264#height=360", "-x264-params keyint=30:bframes=0"]
        {
            assert_eq!(masked(text), text);
        }
    }

    proptest! {
        #[test]
        fn a_password_never_survives_however_it_is_spelled(
            user in "[a-z]{1,8}", password in "[!$%&*+,./0-9:;=?@A-Z^_|~-]{4,20}", host in "[a-z]{1,8}",
        ) {
            let shown = masked(&format!("rtsp://{user}:{password}@{host}/path"));
            prop_assert!(!shown.contains(&password), "{}", shown);
            prop_assert!(shown.contains(&host));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = masked(&text);
            let _ = masked_argv(&[text.clone(), text]);
        }
    }
}
