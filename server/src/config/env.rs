//! `${NAME}` and `${NAME:default}`: replaced in the raw text, before it is YAML, as go2rtc does.

use super::problem::Report;

/// Replaces every reference but those in comment lines. `lookup` returns a credential or an environment variable.
pub(super) fn substitute(text: &str, lookup: &dyn Fn(&str) -> Option<String>, report: &mut Report) -> String {
    let mut replaced = String::with_capacity(text.len());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if line.trim_start().starts_with('#') {
            replaced.push_str(line);
        } else {
            substitute_line(line, index + 1, lookup, &mut replaced, report);
        }
    }
    replaced
}

fn substitute_line(
    line: &str,
    number: usize,
    lookup: &dyn Fn(&str) -> Option<String>,
    replaced: &mut String,
    report: &mut Report,
) {
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("${") {
        replaced.push_str(before);
        let reference = after.split_once('}').and_then(|(inside, after)| {
            let (name, default) =
                inside.split_once(':').map_or((inside, None), |(name, default)| (name, Some(default)));
            is_name(name).then_some((name, default, after))
        });
        let Some((name, default, after)) = reference else {
            replaced.push_str("${");
            rest = after;
            continue;
        };
        match lookup(name).or_else(|| default.map(str::to_owned)) {
            // A value of several lines could change the structure of the file around it.
            Some(value) if value.trim_end().contains(['\n', '\r']) => {
                report.error(number, &format!("${{{name}}}"), "expected a value of one line");
            }
            Some(value) => replaced.push_str(value.trim_end()),
            None => report.error(
                number,
                &format!("${{{name}}}"),
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
            "BROKEN" => Some("a\nb".to_owned()),
            _ => None,
        };
        let mut report = Report::new("m.yaml");
        let replaced = substitute(text, &lookup, &mut report);
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
