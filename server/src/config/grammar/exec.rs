//! `exec:ffmpeg -re -i file.mp4 -c copy -f h264 -`

use super::{Context, Outcome, split, timeout};
use crate::config::source::{ExecSource, Source};
use crate::config::words::words;

pub(super) fn source(command: &str, text: &str, context: &mut Context<'_>) -> Outcome {
    let names_source = text.starts_with("echo:");
    let (command, parameters) = split(command);
    if parameters.iter().any(|&(key, value)| key == "backchannel" && value != "0") {
        return context.left_out(text, "sound to a camera is not supported");
    }
    let (mut start_timeout, mut silence) = (None, None);
    for (key, value) in parameters {
        match key {
            "starttimeout" => start_timeout = timeout(key, value, context),
            "timeout" => silence = timeout(key, value, context),
            _ => context.warning(format!("#{key} is not supported and has no effect")),
        }
    }
    match words(command) {
        None => context.invalid("expected a command, found a quote that is not closed"),
        Some(argv) if argv.first().is_none_or(String::is_empty) => context
            .invalid("expected a command after exec:, such as exec:ffmpeg -i file.mp4 -c copy -f h264 -"),
        Some(argv) => {
            Outcome::Source(Source::Exec(ExecSource { argv, names_source, start_timeout, timeout: silence }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{problem, valid};
    use super::*;

    #[test]
    fn a_command_is_split_and_never_given_to_a_shell() {
        let Source::Exec(source) = valid("exec:cat '/tmp/my file' ; $(reboot) -") else { panic!("exec") };
        assert_eq!(source.argv, ["cat", "/tmp/my file", ";", "$(reboot)", "-"]);
    }

    #[test]
    fn an_empty_command_and_an_open_quote_are_refused() {
        assert!(problem("exec:").contains("expected a command after exec:"));
        assert!(problem("exec:cat 'x").contains("a quote that is not closed"));
    }

    #[test]
    fn a_command_with_an_output_publishes_and_others_write_to_stdout() {
        for (line, publishes) in [
            ("exec:ffmpeg -i x -f rtsp {output}", true),
            ("exec:gst-launch-1.0 a ! b location={output}", true),
            ("exec:cat output", false),
        ] {
            let Source::Exec(source) = valid(line) else { panic!("exec") };
            assert_eq!(source.publishes(), publishes, "{line}");
        }
    }
}
