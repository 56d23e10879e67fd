//! Counts of tests, and how each runner prints its own.

use std::fmt;
use std::ops::Add;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Totals {
    pub(super) passed: u32,
    pub(super) failed: u32,
    pub(super) skipped: u32,
}

impl Totals {
    pub(super) fn one_passed() -> Self {
        Self { passed: 1, ..Self::default() }
    }

    fn count(mut self, what: &str, n: u32) -> Self {
        match what {
            "passed" | "pass" => self.passed += n,
            // A test that passed only on a retry counts as failed.
            "failed" | "fail" | "flaky" | "interrupted" | "cancelled" | "timed out" => self.failed += n,
            "skipped" | "ignored" | "todo" | "did not run" => self.skipped += n,
            _ => {}
        }
        self
    }
}

impl Add for Totals {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// `test result: ok. 4 passed; 0 failed; 1 ignored; …`, from cargo and from wasm-bindgen's runner.
pub(super) fn of_cargo(line: &str) -> Totals {
    let Some((_, counts)) = line.split_once("test result: ").and_then(|(_, rest)| rest.split_once(". "))
    else {
        return Totals::default();
    };
    counts.split(';').filter_map(number_and_word).fold(Totals::default(), |sum, (n, what)| sum.count(what, n))
}

/// `  12 passed (1.2m)`, `  1 failed`, …: Playwright prints one count per line.
pub(super) fn of_playwright(line: &str) -> Totals {
    let line = line.split(" (").next().unwrap_or(line);
    number_and_word(line).map(|(n, what)| Totals::default().count(what, n)).unwrap_or_default()
}

/// `      Tests  1 failed | 12 passed (13)` from vitest, and `ℹ pass 5` or `# pass 5` from Node's own runner.
pub(super) fn of_npm(line: &str) -> Totals {
    let line = line.trim();
    if let Some(counts) = line.strip_prefix("Tests ") {
        let counts = counts.split(" (").next().unwrap_or(counts);
        return counts
            .split('|')
            .filter_map(number_and_word)
            .fold(Totals::default(), |sum, (n, what)| sum.count(what, n));
    }
    let node =
        line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# ")).and_then(|count| count.split_once(' '));
    node.and_then(|(what, n)| Some(Totals::default().count(what, n.parse().ok()?))).unwrap_or_default()
}

fn number_and_word(text: &str) -> Option<(u32, &str)> {
    let (number, word) = text.trim().split_once(' ')?;
    Some((number.parse().ok()?, word.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(passed: u32, failed: u32, skipped: u32) -> Totals {
        Totals { passed, failed, skipped }
    }

    #[test]
    fn cargo_is_read() {
        let line = "test result: FAILED. 4 passed; 2 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.1s";
        assert_eq!(of_cargo(line), totals(4, 2, 1));
        assert_eq!(of_cargo("test result_is_ok ... ok"), totals(0, 0, 0));
    }

    #[test]
    fn playwright_is_read() {
        assert_eq!(of_playwright("  12 passed (1.2m)"), totals(12, 0, 0));
        assert_eq!(of_playwright("  1 failed"), totals(0, 1, 0));
        assert_eq!(of_playwright("  2 flaky"), totals(0, 2, 0));
        assert_eq!(of_playwright("  3 did not run"), totals(0, 0, 3));
        assert_eq!(of_playwright("    2 skipped"), totals(0, 0, 2));
        assert_eq!(of_playwright("Running 12 tests using 1 worker"), totals(0, 0, 0));
        assert_eq!(of_playwright("  ✓  1 e2e/play.spec.ts:3:1 › six slots play (2s)"), totals(0, 0, 0));
    }

    #[test]
    fn vitest_and_node_are_read() {
        assert_eq!(of_npm("      Tests  1 failed | 12 passed | 2 skipped (15)"), totals(12, 1, 2));
        assert_eq!(of_npm(" Test Files  1 failed (1)"), totals(0, 0, 0));
        assert_eq!(of_npm("ℹ pass 5"), totals(5, 0, 0));
        assert_eq!(of_npm("# fail 2"), totals(0, 2, 0));
        assert_eq!(of_npm("ℹ tests 5"), totals(0, 0, 0));
    }

    #[test]
    fn totals_read_as_one_line() {
        assert_eq!((totals(1, 0, 2) + totals(3, 1, 0)).to_string(), "4 passed, 1 failed, 2 skipped");
    }
}
