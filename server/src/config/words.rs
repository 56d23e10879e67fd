//! Splits command lines into words by go2rtc's rules: a quote counts only at the start of a word, and a backslash is a plain
//! character. A shell's rules would remove the quotes and backslashes that ffmpeg's filters need.

/// `None` when a quote is not closed.
pub(crate) fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = if matches!(first, '"' | '\'') {
            rest[1..].split_once(first)?
        } else {
            rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()))
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(line: &str) -> Vec<String> {
        words(line).expect("quotes are closed")
    }

    #[test]
    fn words_are_split_at_white_space_and_quotes_hold_them_together() {
        assert_eq!(split("  ffmpeg -i\t'my file.mp4'  \"\" - "), ["ffmpeg", "-i", "my file.mp4", "", "-"]);
        assert_eq!(split(""), [""; 0]);
    }

    #[test]
    fn backslashes_and_quotes_inside_a_word_are_kept() {
        let line = r#"-vf "drawtext=text='%{localtime\:%X}'" -metadata title='x'"#;
        assert_eq!(split(line), ["-vf", r"drawtext=text='%{localtime\:%X}'", "-metadata", "title='x'"]);
    }

    #[test]
    fn a_quote_that_is_not_closed_is_refused() {
        assert_eq!(words("ffmpeg 'file"), None);
    }

    proptest! {
        #[test]
        fn quoting_a_word_gives_it_back(word in "[^\"]*") {
            prop_assert_eq!(split(&format!("a \"{word}\" b")), ["a".to_owned(), word, "b".to_owned()]);
        }

        #[test]
        fn no_line_panics(line in any::<String>()) {
            let _ = words(&line);
        }
    }
}
