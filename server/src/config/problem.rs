//! The problems of a config with their places: all of them, not only the first.

use std::collections::{BTreeSet, HashMap};
use std::fmt::{self, Write as _};
use std::sync::Arc;

use super::Secrets;
use super::redact::Masked;

/// Said once of a file, whose streams often all ask for sound.
pub(super) const SOUND: &str = "sound is not sent yet: what asks for it has no effect";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The server does not start.
    Error,
    /// The server starts, but what is named has no effect.
    Warning,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    pub file: String,
    /// From 1.
    pub line: usize,
    /// Such as `api.listen`; empty for the file as a whole.
    pub key: String,
    /// What was expected, and what to do; secrets masked.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// A config that cannot be used: every problem, one per line, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Problem::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Problems {}

/// Collects problems while a file is read.
#[derive(Debug)]
pub(super) struct Report {
    file: String,
    problems: Vec<Problem>,
    /// Every key that the reader asked for, present or not: the keys that the documentation has to explain.
    asked: BTreeSet<String>,
    secrets: Arc<Secrets>,
}

impl Report {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), problems: Vec::new(), asked: BTreeSet::new(), secrets: Arc::default() }
    }

    pub(super) fn error(&mut self, line: usize, key: &str, message: impl Into<String>) {
        self.add(Severity::Error, line, key, message.into());
    }

    pub(super) fn warning(&mut self, line: usize, key: &str, message: impl Into<String>) {
        self.add(Severity::Warning, line, key, message.into());
    }

    fn add(&mut self, severity: Severity, line: usize, key: &str, message: String) {
        self.problems.push(Problem { severity, file: self.file.clone(), line, key: key.to_owned(), message });
    }

    /// An empty report about the same file, for what may turn out not to matter.
    pub(super) fn fork(&self) -> Self {
        Self { secrets: Arc::clone(&self.secrets), ..Self::new(&self.file) }
    }

    /// Adds what a fork has found, its errors as warnings that say `consequence`.
    pub(super) fn join_as_warnings(&mut self, fork: Self, consequence: &str) {
        for mut problem in fork.problems {
            if problem.severity == Severity::Error {
                problem.severity = Severity::Warning;
                problem.message.push_str(consequence);
            }
            self.problems.push(problem);
        }
    }

    /// Adds what a fork has found.
    pub(super) fn join(&mut self, fork: Self) {
        self.problems.extend(fork.problems);
    }

    pub(super) fn asked(&mut self, key: &str) {
        self.asked.insert(key.to_owned());
    }

    #[cfg(test)]
    pub(super) fn known_keys(&self) -> impl Iterator<Item = &str> {
        self.asked.iter().map(String::as_str)
    }

    pub(super) fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Messages are shown without these.
    pub(super) fn mask(&mut self, secrets: Secrets) {
        self.secrets = Arc::new(secrets);
    }

    /// A text of the file without its secrets, whether they are known by their values or by their places.
    pub(super) fn masked(&self, text: &str) -> String {
        Masked(&self.secrets.mask(text)).to_string()
    }

    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        for problem in &mut self.problems {
            problem.message = self.secrets.mask(&problem.message).into_owned();
        }
        self.problems.sort_by_key(|problem| problem.line);
        said_once(self.problems)
    }
}

/// One warning for each cause: a parameter without effect that stands at many sources is named where it stands first.
fn said_once(problems: Vec<Problem>) -> Vec<Problem> {
    let mut said: Vec<Problem> = Vec::with_capacity(problems.len());
    let mut counted: HashMap<String, (usize, BTreeSet<String>)> = HashMap::new();
    for problem in problems {
        let of_parameter = problem.message.starts_with('#') || problem.message == SOUND;
        if of_parameter && problem.severity == Severity::Warning {
            let (_, keys) =
                counted.entry(problem.message.clone()).or_insert_with(|| (said.len(), BTreeSet::new()));
            keys.insert(problem.key.clone());
            if counted[&problem.message].0 < said.len() {
                continue;
            }
        }
        said.push(problem);
    }
    for (at, keys) in counted.into_values() {
        let others = keys.len() - 1;
        if others > 0 {
            let streams = if others == 1 { "stream" } else { "streams" };
            let _ = write!(said[at].message, " (the same of {others} more {streams})");
        }
    }
    said
}

/// A value of the file for a message: masked, and cut to a length that fits on a line.
pub(super) fn quoted(value: &str) -> String {
    const LONGEST: usize = 80;
    let shown = Masked(value).to_string();
    match shown.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("\"{}…\"", &shown[..end]),
        None => format!("\"{shown}\""),
    }
}
