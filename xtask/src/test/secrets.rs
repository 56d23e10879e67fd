//! Looks through all that the test runners print for the passwords that the tests use: what a test prints, a server has said.

use std::sync::{Mutex, PoisonError};

use super::totals::Totals;
use crate::Failure;

/// The passwords of the tests. Their own sources and names do not count, and are not printed.
const PASSWORDS: &[&str] = &["hunter2", "right-horse", "wr0ng-s3cret", "ill-spoken", "tlJwpbo6", "curl-pass"];

static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Looks at a line that a runner has printed.
pub(super) fn look_at(line: &str) {
    if PASSWORDS.iter().any(|password| line.contains(password)) {
        FOUND.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
    }
}

/// Fails if one of the lines so far holds a password.
pub(super) fn check() -> Result<Totals, Failure> {
    let found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    match found.first() {
        None => Ok(Totals::one_passed()),
        Some(line) => {
            Err(format!("{} printed lines hold a password of a test, such as: {line}", found.len()).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_password_is_found() {
        assert!(check().is_ok());
        look_at("rtsp://***@10.0.0.9/ch1");
        assert!(check().is_ok());
        look_at("rtsp://admin:hunter2@10.0.0.9/ch1");
        assert!(check().is_err());
    }
}
