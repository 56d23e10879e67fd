//! Loads a config file, with the values of `${NAME}`, a check of the files that it names, and of which programs are installed.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use anyhow::{anyhow, bail};
use multistream::access::{AccessError, Tokens};
use multistream::config::{Config, Machine, Problem, Problems, Severity, Source};
use multistream::tls::{self, PairError};

/// Returns the config and its warnings, or every problem, one per line. From then on no secret of the file leaves the process.
pub(crate) fn load(path: &Path) -> anyhow::Result<(Config, Vec<Problem>)> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(
            "there is no config file at {}. Make it, or name another with --config FILE. Three lines will do:\n\n\
             streams:\n  camera1: rtsp://user:password@192.168.1.20/stream1\n  \
             camera1-360p: ffmpeg:camera1#video=h264#height=360\n",
            std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display()
        ),
        Err(error) => bail!("cannot read the config file {}: {error}", path.display()),
    };
    let text = String::from_utf8(bytes)
        .map_err(|_| anyhow!("{}:1: expected YAML in UTF-8, found other bytes", path.display()))?;
    let file = path.display().to_string();
    let (config, mut warnings) = Config::parse(&file, &text, &lookup)?;
    config.secrets.install();
    if let Some(problem) = wrong_certificate(&file, &config).or_else(|| wrong_token(&file, &config)) {
        warnings.push(problem);
        return Err(Problems(warnings).into());
    }
    warnings.extend(missing_ffmpeg(&file, &config));
    Ok((config, warnings))
}

/// A credential of systemd (`LoadCredential=`), or else an environment variable. Credentials are files, so they are not visible
/// in the environment of processes.
fn lookup(name: &str) -> Option<String> {
    let credential =
        env::var_os("CREDENTIALS_DIRECTORY").map(|directory| PathBuf::from(directory).join(name));
    credential.and_then(|path| fs::read_to_string(path).ok()).or_else(|| env::var(name).ok())
}

fn wrong_certificate(file: &str, config: &Config) -> Option<Problem> {
    let PairError { key, line, message } = tls::check(config.api.tls.as_ref()?).err()?;
    Some(Problem { severity: Severity::Error, file: file.to_owned(), line, key: key.to_owned(), message })
}

fn wrong_token(file: &str, config: &Config) -> Option<Problem> {
    let AccessError { key, line, message } = Tokens::load(&config.api).err()?;
    Some(Problem { severity: Severity::Error, file: file.to_owned(), line, key, message })
}

/// For each stream why it cannot show a picture, as far as the config and this machine tell.
pub(crate) fn obstacles(config: &Config) -> Vec<Option<String>> {
    config.obstacles(&Machine { has_program: &has_program, has_file: &Path::exists })
}

/// Whether a program is installed: by its path, or by its name where programs are looked for.
fn has_program(name: &str) -> bool {
    let program = Path::new(name);
    if program.components().count() > 1 {
        return program.is_file();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

fn missing_ffmpeg(file: &str, config: &Config) -> Option<Problem> {
    let uses = |source: &Source| matches!(source, Source::Ffmpeg(_));
    let stream = config.streams.iter().find(|stream| stream.sources.iter().any(uses))?;
    (!has_program(&config.ffmpeg.bin)).then(|| Problem {
        severity: Severity::Warning,
        file: file.to_owned(),
        line: 1,
        key: "ffmpeg.bin".to_owned(),
        message: format!(
            "there is no program \"{}\" on this machine, and stream {} needs it: install ffmpeg, or set ffmpeg.bin",
            config.ffmpeg.bin, stream.name
        ),
    })
}
