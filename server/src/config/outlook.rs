//! Which streams can show a picture as far as the config and the machine tell, and why the others cannot. Cameras are not asked.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use super::{Config, FfmpegInput, FfmpegSource, Source};

/// What the machine has; asked for every program and file that a source needs.
#[derive(Clone, Copy)]
pub struct Machine<'a> {
    pub has_program: &'a dyn Fn(&str) -> bool,
    pub has_file: &'a dyn Fn(&Path) -> bool,
}

impl fmt::Debug for Machine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Machine")
    }
}

/// A source, before it is known which other streams have pictures.
enum Prospect<'a> {
    Fine,
    Reads(&'a str),
    /// A sentence.
    None(String),
}

impl Config {
    /// For each stream, in their order, why it cannot show a picture; `None` where nothing is known that prevents it.
    pub fn obstacles(&self, machine: &Machine<'_>) -> Vec<Option<String>> {
        let prospects: Vec<Vec<Prospect<'_>>> = self
            .streams
            .iter()
            .map(|stream| stream.sources.iter().map(|source| prospect(source, self, machine)).collect())
            .collect();
        let mut readers: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut shown = vec![false; prospects.len()];
        let mut new = Vec::new();
        for (index, sources) in prospects.iter().enumerate() {
            for source in sources {
                match source {
                    Prospect::Fine => new.push(index),
                    Prospect::Reads(name) => readers.entry(name).or_default().push(index),
                    Prospect::None(_) => {}
                }
            }
        }
        while let Some(index) = new.pop() {
            if !std::mem::replace(&mut shown[index], true) {
                new.extend(readers.get(&*self.streams[index].name).into_iter().flatten());
            }
        }
        let reason = |(sources, shown): (&Vec<Prospect<'_>>, bool)| (!shown).then(|| obstacle(sources));
        prospects.iter().zip(shown).map(reason).collect()
    }
}

fn obstacle(sources: &[Prospect<'_>]) -> String {
    let reason = sources.iter().find_map(|source| match source {
        Prospect::Fine => None,
        Prospect::Reads(name) => Some(format!("it is made of {name}, which shows none")),
        Prospect::None(reason) => Some(reason.clone()),
    });
    reason.unwrap_or_else(|| "it has no source: give it one, such as rtsp://camera/stream".to_owned())
}

fn prospect<'a>(source: &'a Source, config: &Config, machine: &Machine<'_>) -> Prospect<'a> {
    let has = |program: &str, advice: &str| {
        if (machine.has_program)(program) {
            Prospect::Fine
        } else {
            Prospect::None(format!("there is no program \"{program}\" on this machine: {advice}"))
        }
    };
    match source {
        Source::Rtsp(_) | Source::Onvif(_) => Prospect::Fine,
        Source::Unsupported(source) => Prospect::None(source.reason.clone()),
        Source::Exec(source) if source.publishes() && !(machine.has_program)(&config.ffmpeg.bin) => has(
            &config.ffmpeg.bin,
            "install ffmpeg, which receives what the program publishes, or set ffmpeg.bin",
        ),
        Source::Exec(source) => match source.argv.first() {
            Some(program) => has(program, "install it, or write its full path"),
            None => Prospect::None("exec: without a program".to_owned()),
        },
        Source::Ffmpeg(source) => match has(&config.ffmpeg.bin, "install ffmpeg, or set ffmpeg.bin") {
            Prospect::Fine => input(source, machine),
            missing => missing,
        },
    }
}

fn input<'a>(source: &'a FfmpegSource, machine: &Machine<'_>) -> Prospect<'a> {
    let file = match &source.input {
        FfmpegInput::Stream(name) => return Prospect::Reads(name),
        // A template may do anything with its input; a file of `concat:` and the like has a protocol.
        FfmpegInput::File(path) if source.input_template.is_none() && !path.contains(':') => path,
        FfmpegInput::Device(options) => match options.iter().find(|(key, _)| key == "video") {
            Some((_, path)) if path.starts_with('/') => path,
            _ => return Prospect::Fine,
        },
        FfmpegInput::File(_) | FfmpegInput::Url(_) | FfmpegInput::Picture(_) | FfmpegInput::Virtual(_) => {
            return Prospect::Fine;
        }
    };
    if (machine.has_file)(Path::new(file)) {
        return Prospect::Fine;
    }
    Prospect::None(format!("there is no file {file}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The obstacles of the streams of a file, on a machine with these programs and no file.
    fn obstacles(programs: &[&str], streams: &str) -> Vec<String> {
        let (config, _) = Config::parse("m.yaml", streams, &|_| None).expect("the config is fine");
        let has_program = |name: &str| programs.contains(&name);
        let found = config.obstacles(&Machine { has_program: &has_program, has_file: &|_| false });
        found.into_iter().map(Option::unwrap_or_default).collect()
    }

    #[test]
    fn a_stream_is_shown_when_one_of_its_sources_can_be() {
        let streams = "streams:\n  made: ffmpeg:of#video=h264\n  of: ffmpeg:camera\n  camera: [tapo://x@h, rtsp://h/1]\n  \
                       mixed: ['ffmpeg:attic#video=h264', rtsp://h/2]\n  attic: tapo://x@h\n";
        let found = obstacles(&["ffmpeg"], streams);
        assert_eq!(found[..4], ["", "", "", ""]);
        assert!(found[4].contains("no tapo: sources"), "{found:?}");
    }

    #[test]
    fn what_is_missing_is_named() {
        let streams = "streams:\n  empty:\n  odd: exec:my-encoder -\n  film: ffmpeg:film.mp4\n  \
                       cam: 'ffmpeg:device?video=/dev/video7'\n  a: ffmpeg:empty\n";
        assert_eq!(
            obstacles(&["ffmpeg"], streams),
            [
                "it has no source: give it one, such as rtsp://camera/stream",
                "there is no program \"my-encoder\" on this machine: install it, or write its full path",
                "there is no file film.mp4",
                "there is no file /dev/video7",
                "it is made of empty, which shows none",
            ]
        );
        let without = obstacles(&[], "streams:\n  a: rtsp://h/1\n  b: ffmpeg:a\n  c: http://h/1\n");
        assert_eq!(without[0], "");
        assert!(without[1].contains("no program \"ffmpeg\"") && without[2].contains("set ffmpeg.bin"));
    }

    #[test]
    fn a_long_chain_is_no_recursion() {
        let chain: Vec<String> = (1..20_000).map(|i| format!("  s{i}: ffmpeg:s{}\n", i - 1)).collect();
        let found = obstacles(&["ffmpeg"], &format!("streams:\n{}  s0: rtsp://h/1\n", chain.concat()));
        assert!(found.iter().all(String::is_empty));
    }
}
