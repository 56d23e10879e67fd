//! The command line of `cargo xtask`, read by hand: a parser library would double the time this crate takes to build.

use crate::test::{Part, Scope};

pub(crate) const USAGE: &str = "\
cargo xtask demo [--port PORT] [--host ADDRESS] [--no-setup]
    Sets up what is missing, builds, and serves six moving cameras on http://127.0.0.1:1984/.
cargo xtask test [--only rust|wasm|npm|e2e] [--no-setup]
    Sets up what is missing and runs all tests; ends with one line of totals.
cargo xtask test --quick
    What is worth a look after each change: formatting, unit tests, types. No browser, no cameras, no set-up.
cargo xtask test --release-checks
    For a release: the oldest Rust it is said to build with, advisories, changes of the crates' API, the release binary.
cargo xtask bench NAME [--out FILE] …
    Runs a benchmark; `cargo xtask bench help` lists them.
cargo xtask soak [--minutes N] [--viewers N] [--browser] [--out FILE]
    Many viewers that come, switch and go, and cameras that die; fails if the server is not the same afterwards.
cargo xtask setup
    Installs everything that demo and test need, and nothing that is there already.";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Help,
    Setup,
    Demo(DemoOptions),
    Test { scope: Scope, setup: bool },
    Bench(Vec<String>),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DemoOptions {
    pub(crate) port: Option<u16>,
    pub(crate) host: Option<String>,
    pub(crate) setup: bool,
}

pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Task, String> {
    let words: Vec<String> = arguments.into_iter().collect();
    let is_bench = words.first().is_some_and(|task| matches!(task.as_str(), "bench" | "soak"));
    if !is_bench && words.iter().any(|word| matches!(word.as_str(), "--help" | "-h")) {
        return Ok(Task::Help);
    }
    let mut rest = words.into_iter();
    match rest.next().as_deref() {
        None | Some("help") => Ok(Task::Help),
        Some("setup") => match rest.next() {
            None => Ok(Task::Setup),
            Some(unknown) => Err(format!("setup takes no arguments, but got '{unknown}'")),
        },
        Some("demo") => demo(rest),
        Some("test") => test(rest),
        Some("bench") => Ok(Task::Bench(rest.collect())),
        Some("soak") => Ok(Task::Bench(std::iter::once("soak".to_owned()).chain(rest).collect())),
        Some(unknown) => Err(format!("there is no task '{unknown}'")),
    }
}

fn demo(mut rest: impl Iterator<Item = String>) -> Result<Task, String> {
    let mut options = DemoOptions { port: None, host: None, setup: true };
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--no-setup" => options.setup = false,
            "--host" => options.host = Some(value(&argument, rest.next())?),
            "--port" => {
                let port = value(&argument, rest.next())?;
                options.port =
                    Some(port.parse().map_err(|_| format!("'{port}' is not a port (0 to 65535)"))?);
            }
            _ => return Err(format!("demo does not know '{argument}'")),
        }
    }
    Ok(Task::Demo(options))
}

fn test(mut rest: impl Iterator<Item = String>) -> Result<Task, String> {
    let (mut scope, mut setup) = (None, true);
    while let Some(argument) = rest.next() {
        let chosen = match argument.as_str() {
            "--no-setup" => {
                setup = false;
                continue;
            }
            "--only" => Scope::Only(Part::named(&value(&argument, rest.next())?)?),
            "--quick" => Scope::Quick,
            "--release-checks" => Scope::Release,
            _ => return Err(format!("test does not know '{argument}'")),
        };
        if scope.replace(chosen).is_some() {
            return Err("--only, --quick and --release-checks exclude each other".to_owned());
        }
    }
    Ok(Task::Test { scope: scope.unwrap_or(Scope::All), setup })
}

fn value(name: &str, next: Option<String>) -> Result<String, String> {
    next.ok_or_else(|| format!("{name} needs a value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn demo_options_are_read() {
        let options = DemoOptions { port: Some(8080), host: Some("0.0.0.0".to_owned()), setup: false };
        assert_eq!(parsed("demo --port 8080 --no-setup --host 0.0.0.0"), Ok(Task::Demo(options)));
    }

    #[test]
    fn one_part_of_the_tests_can_be_chosen() {
        assert_eq!(parsed("test --only e2e"), Ok(Task::Test { scope: Scope::Only(Part::E2e), setup: true }));
        assert!(parsed("test --only e3e").unwrap_err().contains("rust, wasm, npm, e2e"));
    }

    #[test]
    fn one_scope_of_the_tests_can_be_chosen() {
        assert_eq!(parsed("test"), Ok(Task::Test { scope: Scope::All, setup: true }));
        assert_eq!(parsed("test --quick --no-setup"), Ok(Task::Test { scope: Scope::Quick, setup: false }));
        assert_eq!(parsed("test --release-checks"), Ok(Task::Test { scope: Scope::Release, setup: true }));
        assert!(parsed("test --quick --only e2e").unwrap_err().contains("exclude"));
    }

    #[test]
    fn the_arguments_of_a_benchmark_are_passed_on() {
        assert_eq!(
            parsed("bench switch --out x"),
            Ok(Task::Bench(vec!["switch".into(), "--out".into(), "x".into()]))
        );
        assert_eq!(
            parsed("soak --minutes 1"),
            Ok(Task::Bench(vec!["soak".into(), "--minutes".into(), "1".into()]))
        );
    }

    #[test]
    fn every_task_has_help() {
        for line in ["", "help", "--help", "demo --help", "test -h"] {
            assert_eq!(parsed(line), Ok(Task::Help), "{line}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        assert!(parsed("deom").unwrap_err().contains("deom"));
        assert!(parsed("demo --port").unwrap_err().contains("needs a value"));
        assert!(parsed("demo --port 99999").unwrap_err().contains("99999"));
        assert!(parsed("test --fast").unwrap_err().contains("--fast"));
    }
}
