//! The secrets that a configuration holds, by their values: what is known is found in any text, in whatever way a camera or a
//! program writes it there.
//!
//! They are found once, in every text of the file. [`Secrets::install`] lets [`super::Masked`] replace them in everything that
//! leaves the process; what nobody knew is still masked by its pattern there.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, Input, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::secret_names::{MASK, names_a_secret};
use super::words;
use super::yaml::{Node, Value};

/// A value of fewer letters and digits is replaced only where it stands as a word of its own: a password `1` is not every 1.
const SHORT: usize = 6;
/// How deep command lines within command lines are looked through.
const MAX_DEPTH: usize = 4;

/// Those of the configurations that this process has read.
static KNOWN: RwLock<Option<Arc<Secrets>>> = RwLock::new(None);

/// The secret values of a configuration, and every form in which they may be written.
#[derive(Clone, Default)]
pub struct Secrets {
    values: BTreeSet<String>,
    /// Finds each in every form.
    finder: Option<AhoCorasick>,
}

impl Secrets {
    /// Those of a file: of its tree, and of what was set for its `${NAME}`.
    pub(super) fn of(tree: Option<&Node>, set: &[(String, String)]) -> Self {
        let mut found = Found::default();
        if let Some(tree) = tree {
            found.tree(tree);
        }
        for (name, value) in set {
            found.text(value, 0);
            if names_a_secret(name) {
                found.add(value);
            }
        }
        Self::new(found.0)
    }

    /// Those of a text that is no tree, as it is not valid YAML.
    pub(super) fn of_lines(text: &str) -> Self {
        let mut found = Found::default();
        for line in text.lines() {
            let (key, value) = line.split_once(": ").unwrap_or(("", line));
            let value = value.trim().trim_matches(['"', '\'']);
            found.text(value, 0);
            if names_a_secret(key.trim()) {
                found.add(value);
            }
        }
        Self::new(found.0)
    }

    fn new(values: BTreeSet<String>) -> Self {
        let forms: BTreeSet<String> = values.iter().flat_map(|value| forms(value)).collect();
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&forms);
        Self { values, finder: finder.ok().filter(|_| !forms.is_empty()) }
    }

    /// Lets [`super::Masked`] replace these from now on, besides those that are installed already.
    pub fn install(&self) {
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        let before = known.as_ref().map(|known| known.values.clone()).unwrap_or_default();
        *known = Some(Arc::new(Self::new(&before | &self.values)));
    }

    /// The text without those that are installed.
    pub(super) fn mask_installed(text: &str) -> Cow<'_, str> {
        let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(known) => Cow::Owned(known.mask(text).into_owned()),
            None => Cow::Borrowed(text),
        }
    }

    /// The text without them.
    pub(super) fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(finder) = &self.finder else { return Cow::Borrowed(text) };
        let mut masked = String::new();
        let (mut copied, mut from) = (0, 0);
        while let Some(found) = finder.find(Input::new(text).span(from..text.len())) {
            if is_part_of_a_word(text, found.start(), found.end()) {
                // Another may begin within it.
                from = found.start() + text[found.start()..].chars().next().map_or(1, char::len_utf8);
                continue;
            }
            masked.push_str(&text[copied..found.start()]);
            masked.push_str(MASK);
            (copied, from) = (found.end(), found.end());
        }
        if copied == 0 { Cow::Borrowed(text) } else { Cow::Owned(masked + &text[copied..]) }
    }
}

/// Shows none of them.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.values.len())
    }
}

/// Whether these bytes are short, and letters or digits of a longer word.
fn is_part_of_a_word(text: &str, start: usize, end: usize) -> bool {
    let value = &text[start..end];
    let is_short = value.chars().count() < SHORT && value.chars().all(char::is_alphanumeric);
    let goes_on = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    is_short && (goes_on(text[..start].chars().next_back()) || goes_on(text[end..].chars().next()))
}

/// The value as it is, percent-decoded, percent-encoded in the ways that are common, as text in JSON, and as Rust's debug
/// format shows it.
fn forms(value: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::from([value.to_owned()]);
    forms.extend(percent_decode_str(value).decode_utf8().map(Cow::into_owned));
    for plain in forms.clone() {
        for reserved in ["", "!$&'()*+,;=:@/?", "!'()*", "!$'()*,;:@/?"] {
            let encoded = percent_encoded(&plain, reserved);
            forms.insert(encoded.to_ascii_lowercase());
            forms.insert(encoded);
        }
        forms.insert(url::form_urlencoded::byte_serialize(plain.as_bytes()).collect());
    }
    for plain in forms.clone() {
        let json = serde_json::to_string(&plain).unwrap_or_default();
        forms.insert(json.trim_matches('"').to_owned());
        forms.insert(plain.escape_debug().to_string());
        forms.insert(plain.replace('\'', "\\'"));
    }
    forms.retain(|form| !form.trim().is_empty());
    forms
}

/// Encodes all but letters, digits, `-._~` (RFC 3986 §2.3), and `kept`.
fn percent_encoded(text: &str, kept: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || "-._~".contains(c) || kept.contains(c) {
            encoded.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

/// The values that were found.
#[derive(Default)]
struct Found(BTreeSet<String>);

impl Found {
    fn add(&mut self, value: &str) {
        let value = value.trim();
        // `api.auth: none` is no secret, and a word of many sentences.
        if !value.is_empty() && value != MASK && value != "none" {
            self.0.insert(value.to_owned());
        }
    }

    fn tree(&mut self, node: &Node) {
        match &node.value {
            Value::Null => {}
            Value::Text(text) => self.text(text, 0),
            Value::List(items) => items.iter().for_each(|item| self.tree(item)),
            Value::Map(entries) => {
                for entry in entries {
                    if let Value::Text(text) = &entry.node.value
                        && names_a_secret(&entry.key)
                    {
                        self.add(text);
                    }
                    self.tree(&entry.node);
                }
            }
        }
    }

    /// A source, a command line, or a word of one.
    fn text(&mut self, text: &str, depth: usize) {
        self.url(text);
        self.parameters(text);
        self.header(text);
        if depth < MAX_DEPTH && text.contains(char::is_whitespace) {
            let words = words(text).unwrap_or_else(|| {
                text.split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_owned()).collect()
            });
            self.flags(&words);
            words.iter().filter(|word| *word != text).for_each(|word| self.text(word, depth + 1));
        }
    }

    /// The password of a URL, which may hold any character if the text is the URL and nothing else.
    fn url(&mut self, text: &str) {
        let Some((before, rest)) = text.split_once("://") else { return };
        let scheme = before.rsplit(':').next().unwrap_or_default();
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_');
        if scheme.is_empty() || !scheme.chars().all(is_scheme) || before.contains(char::is_whitespace) {
            return;
        }
        // Where the host begins is not clear if a password is not encoded: all readings count.
        let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        for ends in [authority.rfind('@'), rest.find('@'), rest.rfind('@')].into_iter().flatten() {
            match rest[..ends].split_once(':') {
                Some((user, password)) => {
                    self.add(password);
                    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
                    for login in [rest[..ends].to_owned(), format!("{}:{}", decoded(user), decoded(password))]
                    {
                        self.add(&STANDARD.encode(login));
                    }
                }
                // Cameras with a password and no user: `tapo://password@host`.
                None if !rest[..ends].contains(['/', '?', '#']) && !names_a_user(scheme) => {
                    self.add(&rest[..ends]);
                }
                None => {}
            }
        }
    }

    /// `password=x` in a query, in a path (`/user=admin_password=x_channel=1`) and in an option.
    fn parameters(&mut self, text: &str) {
        for (at, _) in text.match_indices('=') {
            let is_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
            let key = text[..at].rsplit(|c: char| !is_key(c)).next().unwrap_or_default();
            if !names_a_secret(key) {
                continue;
            }
            let after = &text[at + 1..];
            let value = &after[..after.find(['&', '#']).unwrap_or(after.len())];
            // The next key of a path begins after what separates it.
            let next = value.find('=').and_then(|next| value[..next].rfind(['_', ';', ',', '/', '?', ' ']));
            let value = next.map_or(value, |next| &value[..next]);
            self.add(value.trim_matches(['"', '\'']));
        }
    }

    /// `Authorization: Basic x`
    fn header(&mut self, text: &str) {
        for (at, _) in text.match_indices(':') {
            let key =
                text[..at].rsplit(|c: char| !(c.is_alphanumeric() || c == '-')).next().unwrap_or_default();
            let after = &text[at + 1..];
            if after.starts_with("//") || !names_a_secret(key) {
                continue;
            }
            let value = &after[..after.find(['\r', '\n', '"', '\'']).unwrap_or(after.len())];
            self.add(value);
            if let Some((_, credentials)) = value.trim().split_once(' ') {
                self.add(credentials);
            }
        }
    }

    /// `--password x`, and `-u user:password` as curl and others have it.
    fn flags(&mut self, words: &[String]) {
        for pair in words.windows(2) {
            let [flag, value] = pair else { continue };
            if !flag.starts_with('-') || value.starts_with('-') || flag.contains('=') {
                continue;
            }
            if names_a_secret(flag) {
                self.add(value);
            } else if matches!(flag.as_str(), "-u" | "-U" | "--user" | "--proxy-user" | "-user")
                && let Some((_, password)) = value.split_once(':')
            {
                self.add(password);
                self.add(&STANDARD.encode(value));
            }
        }
    }
}

/// Whether what stands before the `@` of such a URL, without a colon, is a user.
fn names_a_user(scheme: &str) -> bool {
    matches!(
        scheme,
        "rtsp" | "rtsps" | "rtspx" | "rtmp" | "rtmps" | "http" | "https" | "onvif" | "srt" | "ftp" | "ftps"
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Secrets {
        let mut found = Found::default();
        found.text(text, 0);
        Secrets::new(found.0)
    }

    #[test]
    fn every_way_to_write_a_secret_down_is_known() {
        for (text, secret) in [
            ("rtsp://admin:pa\"ss'w<o>r`d 1#2@10.0.0.9/ch1", "pa\"ss'w<o>r`d 1#2"),
            ("rtsp://admin:a/b?c@d@10.0.0.9/ch1", "a/b?c@d"),
            ("ffmpeg:rtsp://admin:hunter22@10.0.0.9/ch1#video=h264", "hunter22"),
            ("rtsp://10.0.0.9/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp", "tlJwpbo6"),
            ("http://10.0.0.9/cgi?loginuse=admin&loginpas=hunter22", "hunter22"),
            ("exec:curl -u admin:hunter22 http://10.0.0.9/", "hunter22"),
            ("exec:sh -c \"curl --user 'admin:hunter22' http://10.0.0.9/\"", "hunter22"),
            ("exec:camera --password hunter22 --name yard", "hunter22"),
            ("exec:ffmpeg -headers \"Authorization: Basic aHVudGVyMjI\" -i http://h/ -", "aHVudGVyMjI"),
            ("tapo://hunter22@10.0.0.9", "hunter22"),
        ] {
            let secrets = of(text);
            assert!(secrets.values.contains(secret), "{text}: {:?}", secrets.values);
            assert_eq!(secrets.mask(&format!("x {secret} y")), "x *** y", "{text}");
        }
    }

    #[test]
    fn what_is_no_secret_is_not_taken_for_one() {
        for text in [
            "rtsp://10.0.0.9:554/ch1?channel=1&subtype=0",
            "rtsp://admin@10.0.0.9/ch1",
            "rtsp://10.0.0.9/@yard/live",
            "ffmpeg:camera1#video=h264#height=360",
            "exec:ffmpeg -re -i file.mp4 -c copy -x264-params keyint=30:bframes=0 -f h264 -",
        ] {
            assert_eq!(of(text).values, BTreeSet::new(), "{text}");
        }
    }

    #[test]
    fn a_secret_is_found_encoded_and_decoded() {
        let secrets = of("rtsp://admin:p%40ss%2Fw%20rd@10.0.0.9/");
        for form in ["p%40ss%2Fw%20rd", "p%40ss%2fw%20rd", "p@ss/w rd", "p%40ss%2Fw+rd", "p@ss/w%20rd"] {
            assert_eq!(secrets.mask(form), "***", "{form}");
        }
        let quoted = of("rtsp://admin:p\"ss\\word@10.0.0.9/");
        assert_eq!(quoted.mask(r#"{"error":"p\"ss\\word"}"#), r#"{"error":"***"}"#);
        let basic = STANDARD.encode("admin:p\"ss\\word");
        assert_eq!(quoted.mask(&format!("Basic {basic}")), "Basic ***");
    }

    #[test]
    fn a_short_secret_is_a_word_of_its_own() {
        let secrets = of("rtsp://admin:12@10.0.0.9/");
        assert_eq!(secrets.mask("port 1234, password 12, 12"), "port 1234, password ***, ***");
    }

    #[test]
    fn what_is_installed_is_masked_beside_what_was() {
        of("rtsp://a:installed-first@h/").install();
        of("rtsp://a:installed-second@h/").install();
        assert_eq!(Secrets::mask_installed("installed-second installed-first"), "*** ***");
    }

    proptest! {
        #[test]
        fn a_password_of_any_characters_never_survives(
            user in "[a-z]{1,8}", password in "[ -~]{6,20}", rest in "[a-z/?=&]{0,12}",
        ) {
            prop_assume!(!password.contains('@') && password.trim() == password);
            let secrets = of(&format!("rtsp://{user}:{password}@host/{rest}"));
            let said = format!("cannot open {password}: {}", percent_encoded(&password, ""));
            prop_assert!(!secrets.mask(&said).contains(&password), "{}", secrets.mask(&said));
        }

        #[test]
        fn no_text_panics(config in any::<String>(), text in any::<String>()) {
            let _ = of(&config).mask(&text);
            let _ = Secrets::of_lines(&config).mask(&text);
        }
    }
}
