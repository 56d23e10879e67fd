//! The commands `multistream serve`, `multistream check` and `multistream demo`. Errors are printed to stderr as sentences.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use multistream::config::Config;
use multistream::demo::{self, DemoOptions};
use multistream::serve::Server;
use tracing::{info, warn};

use crate::{config_file, logging};

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
    /// Print every problem of a config file; ends with 1 when the server would not start with it.
    Check(ConfigPath),
    /// Serve six moving demo cameras, without a camera or a config file.
    Demo(Demo),
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
            logging::init(&config.log);
            for warning in warnings {
                warn!("{warning}");
            }
            serve(config)
        }),
        Command::Check(path) => config_file::load(&path.config).map(|(config, warnings)| {
            for warning in warnings {
                println!("{warning}");
            }
            println!("{}: fine, {} streams", path.config.display(), config.streams.len());
        }),
        Command::Demo(Demo { render_only: true, .. }) => demo::render().map_err(Into::into),
        Command::Demo(Demo { host, port, render_only: false }) => {
            demo::prepare(&DemoOptions { host, port }).map_err(Into::into).and_then(|config| {
                logging::init(&config.log);
                println!("six demo cameras on http://{}/  (Ctrl-C ends)", SocketAddr::new(host, port));
                serve(config)
            })
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until Ctrl-C or SIGTERM.
fn serve(config: Config) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let served = runtime.block_on(async {
        let base_path = config.api.base_path.clone();
        let server = Server::bind(config).await?;
        info!("serving http://{}{base_path}/, WebRTC on {}", server.http_addr()?, server.webrtc_addr());
        server.run(stop_signal()?).await?;
        anyhow::Ok(())
    });
    // Tasks that still hang end with the process.
    runtime.shutdown_background();
    served
}

/// Ready at the first signal; the second one ends the process at once.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
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
