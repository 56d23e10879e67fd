//! `${NAME}` and `${NAME:default}`, and Frigate's `{FRIGATE_NAME}`: replaced in the raw text, before it is YAML, as go2rtc does.

use std::ops::Range;

use super::problem::Report;

/// Replaces every reference in these lines (from 0) but those in comment lines. `lookup` returns a credential or an environment
/// variable.
pub(super) fn substitute(
    text: &str,
    lines: &Range<usize>,
    lookup: &dyn Fn(&str) -> Option<String>,
    report: &mut Report,
) -> String {
    let mut replaced = String::with_capacity(text.len());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if line.trim_start().starts_with('#') || !lines.contains(&index) {
            replaced.push_str(line);
        } else {
            substitute_line(line, index + 1, lookup, &mut replaced, report);
        }
    }
    replaced
}

/// A reference, from its first character to behind its last.
struct Reference<'a> {
    /// As it is written, without a default.
    shown: String,
    name: &'a str,
    default: Option<&'a str>,
    before: &'a str,
    after: &'a str,
}

/// The reference of a line whose brace is at `brace`: `${NAME}`, or Frigate's `{FRIGATE_NAME}`.
fn reference(line: &str, brace: usize) -> Option<Reference<'_>> {
    let (before, (inside, after)) = (&line[..brace], line[brace + 1..].split_once('}')?);
    match before.strip_suffix('$') {
        Some(before) => {
            let (name, default) =
                inside.split_once(':').map_or((inside, None), |(name, default)| (name, Some(default)));
            let shown = format!("${{{name}}}");
            is_name(name).then_some(Reference { shown, name, default, before, after })
        }
        None => (inside.starts_with("FRIGATE_") && is_name(inside)).then(|| Reference {
            shown: format!("{{{inside}}}"),
            name: inside,
            default: None,
            before,
            after,
        }),
    }
}

fn substitute_line(
    line: &str,
    number: usize,
    lookup: &dyn Fn(&str) -> Option<String>,
    replaced: &mut String,
    report: &mut Report,
) {
    let mut rest = line;
    while let Some(brace) = rest.find('{') {
        let Some(Reference { shown, name, default, before, after }) = reference(rest, brace) else {
            replaced.push_str(&rest[..=brace]);
            rest = &rest[brace + 1..];
            continue;
        };
        replaced.push_str(before);
        match lookup(name).or_else(|| default.map(str::to_owned)) {
            // A value of several lines could change the structure of the file around it.
            Some(value) if value.trim_end().contains(['\n', '\r']) => {
                report.error(number, &shown, "expected a value of one line");
            }
            Some(value) => replaced.push_str(value.trim_end()),
            None => report.error(
                number,
                &shown,
                format!("is not set: set {name} in the environment, or write ${{{name}:default}}"),
            ),
        }
        rest = after;
    }
    replaced.push_str(rest);
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> (String, Vec<String>) {
        let lookup = |name: &str| match name {
            "HOST" => Some("10.0.0.9\n".to_owned()),
            "FRIGATE_USER" => Some("admin".to_owned()),
            "BROKEN" => Some("a\nb".to_owned()),
            _ => None,
        };
        let mut report = Report::new("m.yaml");
        let replaced = substitute(text, &(0..usize::MAX), &lookup, &mut report);
        (replaced, report.into_problems().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn names_are_replaced_and_defaults_used() {
        let (text, problems) = with("a: rtsp://${HOST}/${PATH_X:ch1:2}\nb: ${HOST}${EMPTY:}\n");
        assert_eq!(text, "a: rtsp://10.0.0.9/ch1:2\nb: 10.0.0.9\n");
        assert_eq!(problems, [""; 0]);
    }

    #[test]
    fn a_name_that_is_not_set_is_reported_with_its_line() {
        let (_, problems) = with("a: 1\nb: ${MISSING}\n");
        assert_eq!(
            problems,
            ["m.yaml:2: ${MISSING}: is not set: set MISSING in the environment, or write ${MISSING:default}"]
        );
    }

    #[test]
    fn frigates_names_are_replaced_and_other_words_in_braces_are_not() {
        let (text, problems) =
            with("a: rtsp://{FRIGATE_USER}:x@h/1 ${FRIGATE_USER}\nb: {c: 1} {output} {HOST}\n");
        assert_eq!(text, "a: rtsp://admin:x@h/1 admin\nb: {c: 1} {output} {HOST}\n");
        assert_eq!(problems, [""; 0]);
        assert_eq!(
            with("a: {{FRIGATE_MISSING}}\n").1,
            [
                "m.yaml:1: {FRIGATE_MISSING}: is not set: set FRIGATE_MISSING in the environment, or write ${FRIGATE_MISSING:default}"
            ]
        );
    }

    #[test]
    fn comments_and_references_without_a_valid_name_are_not_replaced() {
        for text in ["# ${MISSING}\n", "a: ${not a name} ${", "a: $HOST ${} ${1}"] {
            assert_eq!(with(text), (text.to_owned(), vec![]));
        }
    }

    #[test]
    fn a_value_cannot_add_lines_to_the_file() {
        assert_eq!(with("a: ${BROKEN}").1, ["m.yaml:1: ${BROKEN}: expected a value of one line"]);
    }
}
