//! Reads a YAML tree into typed values: keys by their names, each value checked, and every key that was not read reported at
//! the end.

use std::ops::RangeInclusive;

use super::problem::{Report, quoted};
use super::yaml::{Entry, Node, Value};

/// A map of the config, such as `api:`.
pub(super) struct Section<'a> {
    path: String,
    entries: &'a [Entry],
    taken: Vec<bool>,
}

/// A value of the config with its path and line.
#[derive(Clone)]
pub(super) struct Field<'a> {
    /// `api.listen`
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) node: &'a Node,
}

impl<'a> Section<'a> {
    /// The whole file.
    pub(super) fn root(node: Option<&'a Node>, report: &mut Report) -> Self {
        match node {
            Some(node) => Self::of(Some(&Field { path: String::new(), line: node.line, node }), "", report),
            None => Self::of(None, "", report),
        }
    }

    /// A missing or empty section is one without keys.
    pub(super) fn of(field: Option<&Field<'a>>, path: &str, report: &mut Report) -> Self {
        let entries: &[Entry] = match field.map(|field| (&field.node.value, field)) {
            None | Some((Value::Null, _)) => &[],
            Some((_, field)) if field.is_empty_text() => &[],
            Some((Value::Map(entries), _)) => entries,
            Some((_, field)) => {
                let found = field.node.kind();
                report.error(field.line, path, format!("expected keys and values, found {found}"));
                &[]
            }
        };
        Self { path: path.to_owned(), entries, taken: vec![false; entries.len()] }
    }

    /// The value of a key, unless it is missing or empty: `""` and nothing both leave the default.
    pub(super) fn field(&mut self, key: &str, report: &mut Report) -> Option<Field<'a>> {
        self.field_or_empty(key, report).filter(|field| !field.is_empty_text())
    }

    /// The value of a key, for which `""` means something.
    pub(super) fn field_or_empty(&mut self, key: &str, report: &mut Report) -> Option<Field<'a>> {
        let path = self.path_of(key);
        report.asked(&path);
        let index = self.entries.iter().position(|entry| entry.key == key)?;
        self.taken[index] = true;
        let entry = &self.entries[index];
        let empty = matches!(entry.node.value, Value::Null);
        (!empty).then_some(Field { path, line: entry.line, node: &entry.node })
    }

    /// A section within this one.
    pub(super) fn section(&mut self, key: &str, report: &mut Report) -> Section<'a> {
        let path = self.path_of(key);
        let field = self.field(key, report);
        Section::of(field.as_ref(), &path, report)
    }

    /// The entries that were not read yet, empty ones included.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        let taken = std::mem::replace(&mut self.taken, vec![true; self.entries.len()]);
        let path = self.path.clone();
        self.entries.iter().zip(taken).filter(|(_, taken)| !taken).map(move |(entry, _)| Field {
            path: join(&path, &entry.key),
            line: entry.line,
            node: &entry.node,
        })
    }

    /// Reports the keys that were not read: those that only go2rtc has (`foreign`: key and what to do instead), then the
    /// unknown ones.
    pub(super) fn finish(mut self, foreign: &[(&str, &str)], report: &mut Report) {
        let prefix = if self.path.is_empty() { 0 } else { self.path.len() + 1 };
        for field in self.rest() {
            let key = &field.path[prefix..];
            match foreign.iter().find(|(name, _)| *name == key) {
                Some((_, instead)) => report.warning(
                    field.line,
                    &field.path,
                    format!("is not supported and has no effect: {instead}"),
                ),
                None => report.warning(field.line, &field.path, "is not a known key and has no effect"),
            }
        }
    }

    fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Reads a number into `value`, if the section has it.
pub(super) fn number(
    section: &mut Section<'_>,
    key: &str,
    range: RangeInclusive<usize>,
    value: &mut usize,
    report: &mut Report,
) {
    let expected = format!("a number from {} to {}", range.start(), range.end());
    if let Some(number) = section.field(key, report).and_then(|field| {
        field.parse(report, &expected, |text| text.parse().ok().filter(|number| range.contains(number)))
    }) {
        *value = number;
    }
}

impl<'a> Field<'a> {
    pub(super) fn error(&self, report: &mut Report, message: impl Into<String>) {
        report.error(self.line, &self.path, message);
    }

    pub(super) fn warning(&self, report: &mut Report, message: impl Into<String>) {
        report.warning(self.line, &self.path, message);
    }

    /// A single value: text or a number, as it was written.
    pub(super) fn text(&self, report: &mut Report) -> Option<&'a str> {
        if let Value::Text(text) = &self.node.value {
            return Some(text);
        }
        self.error(report, format!("expected a single value, found {}", self.node.kind()));
        None
    }

    /// Whether it is `""`, by which go2rtc's file switches a listener off.
    pub(super) fn is_empty_text(&self) -> bool {
        is_empty(self.node)
    }

    pub(super) fn string(&self, report: &mut Report) -> Option<String> {
        self.text(report).map(str::to_owned)
    }

    /// A value that `parse` understands; `expected` says what that is.
    pub(super) fn parse<T>(
        &self,
        report: &mut Report,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(report)?;
        let value = parse(text);
        if value.is_none() {
            self.error(report, format!("expected {expected}, found {}", quoted(text)));
        }
        value
    }

    /// The items of a list, without empty ones; a single value is a list of one.
    pub(super) fn items(&self) -> Vec<Field<'a>> {
        match &self.node.value {
            Value::List(items) => items
                .iter()
                .enumerate()
                .filter(|(_, node)| !matches!(node.value, Value::Null) && !is_empty(node))
                .map(|(i, node)| Field { path: format!("{}[{i}]", self.path), line: node.line, node })
                .collect(),
            Value::Null => Vec::new(),
            Value::Text(_) if self.is_empty_text() => Vec::new(),
            Value::Text(_) | Value::Map(_) => vec![self.clone()],
        }
    }
}

/// Whether it is text of nothing or of spaces alone.
fn is_empty(node: &Node) -> bool {
    matches!(&node.value, Value::Text(text) if text.trim().is_empty())
}
