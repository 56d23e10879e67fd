//! Parses YAML into a tree whose nodes know their lines and whose scalars keep their text, so that a password `0123` is not
//! read as a number. The parser is saphyr's; the tree is built here to bound depth and size, and to report every duplicate key.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::problem::Report;

/// The limit of nesting, which bounds the stack.
const MAX_DEPTH: usize = 32;
/// The limit of nodes, repeated ones of aliases included, which bounds memory.
const MAX_NODES: usize = 200_000;

#[derive(Debug, Clone)]
pub(super) struct Node {
    /// From 1.
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) node: Node,
}

impl Node {
    /// The kind of the node, for messages with "found …".
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "keys and values",
        }
    }

    fn nodes(&self) -> usize {
        1 + match &self.value {
            Value::Null | Value::Text(_) => 0,
            Value::List(items) => items.iter().map(Node::nodes).sum(),
            Value::Map(entries) => entries.iter().map(|entry| entry.node.nodes()).sum(),
        }
    }
}

/// Parses the document; `None` if it is empty or was reported as invalid.
pub(super) fn parse(text: &str, report: &mut Report) -> Option<Node> {
    let mut tree = Tree { open: Vec::new(), anchors: HashMap::new(), root: None, nodes: 0 };
    for event in Parser::new_from_str(text) {
        let (line, result) = match event {
            Ok((event, span)) => (span.start.line(), tree.add(event, span, report)),
            Err(error) => (error.marker().line(), Err(error.info().to_owned())),
        };
        if let Err(reason) = result {
            report.error(line.max(1), "", format!("expected YAML: {reason}"));
            return None;
        }
    }
    tree.root
}

struct Tree {
    open: Vec<Open>,
    /// Complete nodes that have an anchor (`&name`).
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
}

/// A list or map that has begun.
struct Open {
    anchor: usize,
    line: usize,
    items: Items,
}

enum Items {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(String, usize)> },
}

impl Tree {
    fn add(&mut self, event: Event<'_>, span: Span, report: &mut Report) -> Result<(), String> {
        let line = span.start.line();
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let null =
                    style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if null { Value::Null } else { Value::Text(text.into_owned()) };
                self.finish(Node { line, value }, anchor, report)
            }
            Event::SequenceStart(anchor, _) => self.begin(anchor, line, Items::List(Vec::new())),
            Event::MappingStart(anchor, _) => {
                self.begin(anchor, line, Items::Map { entries: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { anchor, line, items }) = self.open.pop() else { return Ok(()) };
                let value = match items {
                    Items::List(items) => Value::List(items),
                    Items::Map { entries, .. } => Value::Map(merged(entries)),
                };
                self.finish(Node { line, value }, anchor, report)
            }
            Event::Alias(anchor) => {
                let node =
                    self.anchors.get(&anchor).ok_or("an alias to something that is not finished")?.clone();
                self.nodes += node.nodes();
                self.finish(node, 0, report)
            }
            Event::DocumentStart(_) if self.root.is_some() => Err("one document, found a second".to_owned()),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, anchor: usize, line: usize, items: Items) -> Result<(), String> {
        if let Some(Open { items: Items::Map { key: None, .. }, .. }) = self.open.last() {
            return Err("a key must be a word, found a list or a map".to_owned());
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH}"));
        }
        self.open.push(Open { anchor, line, items });
        Ok(())
    }

    fn finish(&mut self, node: Node, anchor: usize, report: &mut Report) -> Result<(), String> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err("too large".to_owned());
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.items) {
            None => self.root = Some(node),
            Some(Items::List(items)) => items.push(node),
            Some(Items::Map { entries, key }) => {
                let line = node.line;
                if let Some((name, line)) = key.take() {
                    match entries.iter().find(|entry| entry.key == name) {
                        Some(first) => {
                            report.error(
                                line,
                                &name,
                                format!("is there twice, first in line {}", first.line),
                            );
                        }
                        None => entries.push(Entry { key: name, line, node }),
                    }
                    return Ok(());
                }
                *key = match node.value {
                    Value::Text(name) => Some((name, line)),
                    Value::Null => Some((String::new(), line)),
                    _ => return Err("a key must be a word, found a list or a map".to_owned()),
                };
            }
        }
        Ok(())
    }
}

/// Applies `<<: *name` (YAML merge keys): adds the entries of the named map that this one lacks.
fn merged(mut entries: Vec<Entry>) -> Vec<Entry> {
    let Some(at) = entries.iter().position(|entry| entry.key == "<<") else { return entries };
    let maps = match entries.remove(at).node.value {
        Value::List(maps) => maps.into_iter().map(|node| node.value).collect(),
        value => vec![value],
    };
    for map in maps {
        if let Value::Map(others) = map {
            for other in others {
                if entries.iter().all(|entry| entry.key != other.key) {
                    entries.push(other);
                }
            }
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let mut report = Report::new("m.yaml");
        parse(text, &mut report);
        report.into_problems().iter().map(ToString::to_string).collect()
    }

    fn map(text: &str) -> Vec<Entry> {
        let mut report = Report::new("m.yaml");
        let node = parse(text, &mut report).expect("a document");
        assert!(!report.has_errors(), "{report:?}");
        match node.value {
            Value::Map(entries) => entries,
            other => panic!("a map, not {other:?}"),
        }
    }

    #[test]
    fn nodes_know_their_lines_and_scalars_their_text() {
        let entries = map("# comment\na: 0123\n\nb:\n  - x\n  - 'null'\n  - null\n");
        assert_eq!((entries[0].line, entries[1].line), (2, 4));
        assert!(matches!(&entries[0].node.value, Value::Text(text) if text == "0123"));
        let Value::List(items) = &entries[1].node.value else { panic!("a list") };
        assert_eq!(items[0].line, 5);
        assert!(matches!(&items[1].value, Value::Text(text) if text == "null"));
        assert!(matches!(items[2].value, Value::Null));
    }

    #[test]
    fn anchors_and_merge_keys_are_followed() {
        let entries = map("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n");
        let Value::Map(b) = &entries[1].node.value else { panic!("a map") };
        let keys: Vec<&str> = b.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["y", "x"]);
    }

    #[test]
    fn a_duplicate_key_is_reported_with_both_lines() {
        assert_eq!(problems("a: 1\nb: 2\na: 3\n"), ["m.yaml:3: a: is there twice, first in line 1"]);
    }

    #[test]
    fn invalid_yaml_is_reported_with_its_line() {
        let found = problems("a: 1\nb: [1, 2\nc: 3\n");
        assert!(found.len() == 1 && found[0].contains("expected YAML"), "{found:?}");
        assert!(problems("a: 1\n---\nb: 2\n")[0].contains("m.yaml:2: expected YAML: one document"));
    }

    #[test]
    fn aliases_that_repeat_too_much_are_refused_before_they_are_expanded() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..12 {
            let alias = format!("*a{}", i - 1);
            let line = format!("a{i}: &a{i} [{}]\n", [alias.as_str(); 9].join(", "));
            bomb.push_str(&line);
        }
        assert!(problems(&bomb)[0].contains("too large"));
        let deep = "[".repeat(100_000);
        assert_eq!(problems(&deep).len(), 1);
        let deep: Vec<String> = (0..200).map(|i| " ".repeat(i) + "a:\n").collect();
        let deep = deep.concat();
        assert!(problems(&deep)[0].contains("nested deeper"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            problems(&text);
        }

        #[test]
        fn nothing_that_looks_like_yaml_panics(text in "[a-c:\\-\\[\\]{}&*!|>'\"#%@,~? \n]{0,120}") {
            problems(&text);
        }
    }
}
