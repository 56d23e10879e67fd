//! The result of a benchmark: a table for people, JSON for programs.

use std::path::Path;

use anyhow::Context;
use comfy_table::{Table, presets};
use serde::Serialize;

use crate::machine::{Machine, Versions};

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    bench: &'static str,
    machine: Machine,
    versions: Versions,
    /// The set-up and the meaning of the figures, in a sentence or two.
    about: String,
    cases: Vec<serde_json::Value>,
    #[serde(skip)]
    header: Vec<String>,
    #[serde(skip)]
    rows: Vec<Vec<String>>,
}

/// One line of the table and one object of the JSON.
pub(crate) trait Case: Serialize {
    /// Column titles and cells.
    fn row(&self) -> Vec<(&'static str, String)>;
}

impl Report {
    pub(crate) fn new<C: Case>(
        bench: &'static str,
        machine: Machine,
        versions: Versions,
        about: String,
        cases: &[C],
    ) -> anyhow::Result<Self> {
        let rows: Vec<_> = cases.iter().map(Case::row).collect();
        let header = rows.first().into_iter().flatten().map(|(title, _)| (*title).to_owned()).collect();
        Ok(Self {
            bench,
            machine,
            versions,
            about,
            cases: cases.iter().map(serde_json::to_value).collect::<Result<_, _>>()?,
            header,
            rows: rows.into_iter().map(|row| row.into_iter().map(|(_, cell)| cell).collect()).collect(),
        })
    }

    /// The report as Markdown, to be pasted into `docs/performance.md`.
    pub(crate) fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_header(&self.header).add_rows(&self.rows);
        format!("{}: {}\n{}\n\n{table}", self.bench, self.about, self.machine)
    }

    pub(crate) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}
