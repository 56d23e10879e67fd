//! `exec:… {output}`: a program that publishes by RTSP to the address it is given, as go2rtc's files have it. An ffmpeg of ours listens
//! there for this one program, and copies or encodes the video.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::config::{ExecSource, FfmpegConfig, Patience};
use crate::source::process::{Child, Joined};
use crate::source::{Output, SourceError, Way, ffmpeg};

/// How long ffmpeg may take to listen. It says by itself if it cannot.
const OPENS_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long what a program has sent before its end is read.
const GRACE: Duration = Duration::from_millis(500);

/// Runs until the program ends or `output` is closed (`Ok`).
pub(super) async fn run_once(
    source: &ExecSource,
    config: &FfmpegConfig,
    patience: Patience,
    way: Way,
    output: Output,
) -> Result<(), SourceError> {
    let program = source.argv.first().map_or("", String::as_str);
    let place = free_place().map_err(|error| SourceError::CannotStart {
        program: program.to_owned(),
        reason: format!("there is no port for what it publishes: {error}"),
    })?;
    // A path that nobody else knows of, such as a program that is left of an earlier run.
    let url = format!("rtsp://{place}/{:032x}", rand::random::<u128>());
    let receiving = ffmpeg::receive(config, patience, way, &url, output.clone());
    tokio::pin!(receiving);
    tokio::select! {
        result = &mut receiving => return result,
        () = listened_to(place) => {}
    }
    let words: Vec<String> = source.argv.iter().map(|word| word.replace(ExecSource::OUTPUT, &url)).collect();
    let (_, arguments) = words.split_first().unwrap_or((&url, &[]));
    let joined = Joined { stdin: false, stdout: false };
    let mut child = Child::spawn(program, arguments, joined, "install it, or write its full path")?;
    let received = tokio::select! {
        received = &mut receiving => Some(received),
        () = child.ended() => tokio::time::timeout(GRACE, &mut receiving).await.ok(),
    };
    match received {
        _ if output.is_closed() => child.end().await,
        // The program's own words say more.
        None | Some(Ok(()) | Err(SourceError::ProgramFailed { .. })) => return child.outcome().await,
        Some(Err(SourceError::ProgramSilent { after, .. })) => {
            child.end().await;
            return Err(super::silent(program, after));
        }
        Some(Err(error)) => {
            child.end().await;
            return Err(error);
        }
    }
    Ok(())
}

/// An address of loopback at which nothing listens.
fn free_place() -> std::io::Result<SocketAddr> {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Returns when something listens there. It is not asked by a connection, since ffmpeg takes one only.
async fn listened_to(place: SocketAddr) {
    let waiting = async {
        while is_free(place) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let _ = tokio::time::timeout(OPENS_WITHIN, waiting).await;
}

/// Whether nothing listens there. A socket that is bound without listening does not keep others from doing so.
fn is_free(place: SocketAddr) -> bool {
    let bound = Socket::new(Domain::IPV4, Type::STREAM, None).and_then(|socket| {
        socket.set_reuse_address(true)?;
        socket.bind(&place.into())
    });
    bound.is_ok()
}
