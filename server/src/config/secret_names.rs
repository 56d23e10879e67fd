//! How secrets are recognised by what they are called, and what stands in their place.

pub(super) const MASK: &str = "***";

/// Whether the value of a key, a flag or a variable of this name is a secret.
pub(super) fn names_a_secret(key: &str) -> bool {
    const ANYWHERE: [&str; 8] =
        ["password", "passwd", "passphrase", "token", "secret", "apikey", "authorization", "credential"];
    const AT_THE_END: [&str; 9] = ["pass", "pas", "pwd", "key", "auth", "signature", "sig", "psk", "cookie"];
    let key = key.to_ascii_lowercase();
    ANYWHERE.iter().any(|word| key.contains(word)) || AT_THE_END.iter().any(|word| key.ends_with(word))
}
