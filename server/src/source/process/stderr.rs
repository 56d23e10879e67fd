//! The end of a program's stderr, as one masked sentence of bounded length.

use std::collections::VecDeque;

use crate::config::Masked;

const KEPT_BYTES: usize = 4096;
const SHOWN_LINES: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes: VecDeque<u8>,
}

impl Tail {
    pub(super) fn push(&mut self, said: &[u8]) {
        self.bytes.extend(said);
        let excess = self.bytes.len().saturating_sub(KEPT_BYTES);
        self.bytes.drain(..excess);
    }

    /// The last lines, oldest first. Lines are masked as a whole, and a first line whose beginning was dropped is left out,
    /// since a secret that is cut in half would not be recognised.
    pub(super) fn sentence(&self) -> String {
        let bytes: Vec<u8> = self.bytes.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let cut = usize::from(self.bytes.len() == KEPT_BYTES);
        let lines: Vec<&str> =
            text.split(['\n', '\r']).skip(cut).map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
        if last.is_empty() {
            return "it gave no reason".to_owned();
        }
        last.iter().map(|line| Masked(line).to_string()).collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_lines_are_shown_in_order() {
        let mut tail = Tail::default();
        tail.push(b"one\ntwo\n\nthree\r\nfour");
        assert_eq!(tail.sentence(), "two; three; four");
    }

    #[test]
    fn an_empty_stderr_is_stated() {
        assert_eq!(Tail::default().sentence(), "it gave no reason");
    }

    #[test]
    fn a_line_whose_beginning_was_dropped_is_not_shown() {
        let mut tail = Tail::default();
        tail.push(format!("rtsp://admin:{}@camera\nrefused\n", "x".repeat(KEPT_BYTES)).as_bytes());
        assert_eq!(tail.sentence(), "refused");
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_bounded_sentence(chunks in prop::collection::vec(any::<Vec<u8>>(), 0..50)) {
            let mut tail = Tail::default();
            for chunk in &chunks {
                tail.push(chunk);
            }
            // A byte that is not UTF-8 becomes three.
            prop_assert!(tail.sentence().len() <= 3 * KEPT_BYTES + 64);
        }
    }
}
