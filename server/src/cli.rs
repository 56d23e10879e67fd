//! The commands `multistream serve`, `multistream check`, `multistream doctor` and `multistream demo`. Errors are printed to stderr
//! as sentences.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::anyhow;
use clap::{Args, Parser, Subcommand};
use multistream::access::{self, Claims};
use multistream::config::{Config, Known, duration};
use multistream::demo::{self, DemoOptions};
use multistream::doctor;
use multistream::serve::Server;
use multistream::source::guardian;
use rustix::process::{getpid, kill_process};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use crate::{check, config_file, logging, reload};

/// Many cameras over one WebRTC connection, with instant switching.
#[derive(Debug, Parser)]
#[command(name = "multistream", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the streams of a config file.
    Serve(ConfigPath),
    /// Print every problem of a config file, and how many of its streams can show a picture; ends with 1 when the server would not
    /// start with it.
    Check(Check),
    /// Try what pages need: the media port, each candidate, each ICE server, ffmpeg, and for some seconds each stream; ends with 1 when
    /// one does not work.
    Doctor(Doctor),
    /// Check a config file, and have the server that runs with it read it again: its streams, `preload` and `ffmpeg`.
    Reload(ConfigPath),
    /// Print a token for a browser, signed with a secret of `api.view_keys`.
    Token(Token),
    /// End what a server has started when it is gone. The server starts this by itself.
    #[command(hide = true)]
    Guard,
    /// Serve six moving demo cameras, without a camera or a config file.
    Demo(Demo),
}

#[derive(Debug, Args)]
struct Check {
    #[command(flatten)]
    config: ConfigPath,
    /// Print JSON, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Doctor {
    #[command(flatten)]
    config: ConfigPath,
    /// Try this stream and nothing else.
    #[arg(long, value_name = "NAME")]
    stream: Option<String>,
}

#[derive(Debug, Args)]
struct Token {
    #[command(flatten)]
    config: ConfigPath,
    /// A stream that it is for; `*` stands for any characters. May be repeated.
    #[arg(long, value_name = "NAME", required = true)]
    stream: Vec<String>,
    /// For how long it is valid: seconds, or a time such as 10m or 8h.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = ttl)]
    ttl: Duration,
    /// The `id` of the key; without it, the first one with a secret.
    #[arg(long, value_name = "ID")]
    key: Option<String>,
}

#[derive(Debug, Args)]
struct Demo {
    #[arg(long, value_name = "ADDRESS", default_value_t = DemoOptions::default().host)]
    host: IpAddr,
    #[arg(long, default_value_t = DemoOptions::default().port)]
    port: u16,
    /// Render the cameras' pictures if they are missing, and end.
    #[arg(long)]
    render_only: bool,
}

#[derive(Debug, Args)]
struct ConfigPath {
    /// The config file.
    #[arg(long, short, value_name = "FILE", default_value = "multistream.yaml")]
    config: PathBuf,
}

pub(crate) fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(path) => config_file::load(&path.config).and_then(|(config, warnings)| {
            let _log = logging::init(&config.log);
            for warning in warnings {
                warn!("{warning}");
            }
            serve(config, Some(path.config))
        }),
        Command::Check(Check { config: path, json }) => check::run(&path.config, json),
        Command::Doctor(Doctor { config: path, stream }) => {
            config_file::load(&path.config).and_then(|(config, _)| examine(&config, stream.as_deref()))
        }
        Command::Reload(path) => config_file::load(&path.config).and_then(|(_, warnings)| {
            for warning in warnings {
                say(&warning);
            }
            let told = reload::tell(&path.config)?;
            say(&format_args!(
                "{}: fine, and read again by {told} running; its log says what has changed",
                path.config.display()
            ));
            Ok(())
        }),
        Command::Token(token) => print_token(&token),
        Command::Guard => {
            guardian::watch();
            Ok(())
        }
        Command::Demo(Demo { render_only: true, .. }) => demo::render().map_err(Into::into),
        Command::Demo(Demo { host, port, render_only: false }) => {
            demo::prepare(&DemoOptions { host, port }).map_err(Into::into).and_then(|config| {
                let _log = logging::init(&config.log);
                println!("six demo cameras on http://{}/  (Ctrl-C ends)", SocketAddr::new(host, port));
                serve(config, None)
            })
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There may be nobody to read it.
            let _ = writeln!(std::io::stderr(), "{}", Known(&error.to_string()));
            ExitCode::FAILURE
        }
    }
}

/// Prints a line, without the secrets of the config.
fn say(line: &dyn Display) {
    println!("{}", Known(&line.to_string()));
}

/// Prints a token, and nothing else: scripts read it.
fn print_token(Token { config: path, stream, ttl, key }: &Token) -> anyhow::Result<()> {
    let (config, _) = config_file::load(&path.config)?;
    let claims = Claims::new(stream.clone(), SystemTime::now(), *ttl);
    let token =
        access::sign(&config.api.view_keys, key.as_deref(), &claims).map_err(|message| anyhow!(message))?;
    println!("{token}");
    Ok(())
}

fn ttl(text: &str) -> Result<Duration, String> {
    let ttl = duration(text).filter(|ttl| !ttl.is_zero());
    ttl.ok_or_else(|| "expected seconds, or a time such as 30s, 10m or 8h".to_owned())
}

/// Prints what works and what does not.
fn examine(config: &Config, stream: Option<&str>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let mut ill = false;
    let mut tell = |findings: doctor::Findings| {
        ill |= findings.ill;
        findings.lines.iter().for_each(|line| say(line));
    };
    runtime.block_on(async {
        if stream.is_none() {
            tell(doctor::examine(config).await);
        }
        tell(doctor::examine_streams(config, stream).await);
    });
    // A resolver that hangs ends with the process.
    runtime.shutdown_background();
    if ill { Err(anyhow!("some pages may get no picture: see what is not ok")) } else { Ok(()) }
}

/// Lets this process have as many sockets and files open as the system allows it to; it starts with fewer.
fn allow_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where it is refused, what there is has to do.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Serves until Ctrl-C or SIGTERM.
/// `file` is what SIGHUP has read again.
fn serve(config: Config, file: Option<PathBuf>) -> anyhow::Result<()> {
    allow_open_files();
    let runtime = tokio::runtime::Runtime::new()?;
    let served = runtime.block_on(async {
        // Before anything is started: whoever ends the server meanwhile ends it as cleanly as later.
        let (stopped, hangup) = (stop_signal()?, signal(SignalKind::hangup())?);
        if let Err(error) =
            std::env::current_exe().and_then(|program| guardian::start(program.into(), "guard"))
        {
            warn!(%error, "the guardian does not start: programs may outlive a server that is killed");
        }
        let base_path = config.api.base_path.clone();
        let server = Server::bind(config).await?;
        let pages = check::urls(server.http_addr(), server.https_addr(), &base_path);
        let rtsp = server.rtsp_addr().map(|address| format!(", RTSP on {address}")).unwrap_or_default();
        info!("serving {pages}, WebRTC on {}{rtsp}", server.webrtc_addr());
        let (reloaded, configs) = mpsc::channel(1);
        tokio::spawn(reload_on_hangup(hangup, file, reloaded));
        server.run_with(configs, stopped).await;
        anyhow::Ok(())
    });
    // Tasks that still hang end with the process, and their programs now.
    runtime.shutdown_background();
    guardian::stop();
    served
}

/// Reads the config file again at each SIGHUP. A file that is wrong changes nothing.
async fn reload_on_hangup(mut hangup: Signal, file: Option<PathBuf>, reloaded: mpsc::Sender<Config>) {
    let had_terminal = std::io::stdin().is_terminal();
    while hangup.recv().await.is_some() {
        if had_terminal && !std::io::stdin().is_terminal() {
            // Not a request: the terminal is gone, and so is whoever could end the server there.
            let _ = kill_process(getpid(), rustix::process::Signal::TERM);
            return;
        }
        let Some(file) = file.clone() else { continue };
        match tokio::task::spawn_blocking(move || config_file::load(&file)).await {
            Ok(Ok((config, warnings))) => {
                for warning in warnings {
                    warn!("{warning}");
                }
                let _ = reloaded.send(config).await;
            }
            Ok(Err(error)) => error!("the config has errors, so the one before stays in use:\n{error}"),
            Err(_) => {}
        }
    }
}

/// Ready at the first signal; the second one ends the process at once.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            // The exit code by which a shell reports SIGINT.
            std::process::exit(130);
        });
    })
}
