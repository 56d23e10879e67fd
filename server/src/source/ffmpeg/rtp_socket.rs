//! The socket to which ffmpeg sends RTP: a unix `seqpacket` socket, which keeps packet boundaries and order and loses nothing,
//! in a directory that no other user can enter.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};
use tokio_seqpacket::{UnixSeqpacket, UnixSeqpacketListener};

use crate::source::guardian::Guarded;

/// The largest packet that ffmpeg makes. Browsers never see these packets, so few large ones are best, but ffmpeg's output
/// buffer (32 KiB) would split larger ones.
const PACKET_SIZE: usize = 16_000;

#[derive(Debug)]
pub(super) struct RtpSocket {
    directory: Guarded,
    listener: UnixSeqpacketListener,
}

impl RtpSocket {
    pub(super) fn bind() -> io::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("multistream-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map(Guarded::new)?;
        let listener = UnixSeqpacketListener::bind_with_backlog(directory.path().join("rtp"), 1)?;
        Ok(Self { directory, listener })
    }

    /// The end of ffmpeg's command line.
    pub(super) fn arguments(&self) -> Vec<String> {
        let sdp = self.sdp_path().to_string_lossy().into_owned();
        let url = format!("unix:{}", self.directory.path().join("rtp").display());
        let size = PACKET_SIZE.to_string();
        [
            "-flush_packets",
            "1",
            "-packetsize",
            &size,
            "-sdp_file",
            &sdp,
            "-f",
            "rtp",
            "-type",
            "seqpacket",
            &url,
        ]
        .map(str::to_owned)
        .to_vec()
    }

    /// Waits for ffmpeg to open its output.
    pub(super) async fn accept(mut self) -> io::Result<RtpReader> {
        let socket = self.listener.accept().await?;
        let buffer = BytesMut::zeroed(2 * PACKET_SIZE);
        Ok(RtpReader { directory: self.directory, socket, buffer })
    }

    fn sdp_path(&self) -> PathBuf {
        self.directory.path().join(SDP)
    }
}

const SDP: &str = "sdp";

#[derive(Debug)]
pub(super) struct RtpReader {
    directory: Guarded,
    socket: UnixSeqpacket,
    buffer: BytesMut,
}

impl RtpReader {
    /// The next RTP packet; `None` when ffmpeg has closed the socket. RTCP, which ffmpeg sends on the same socket, is skipped.
    /// Cancel-safe.
    pub(super) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let message = self.socket.recv(&mut self.buffer).await?;
            let packet = &self.buffer[..message.bytes_read()];
            match packet {
                [] => return Ok(None),
                // RTCP: RFC 5761 §4 reserves the RTP payload types 64 to 95 to distinguish it.
                [_, 192..=223, ..] => {}
                _ => return Ok(Some(Bytes::copy_from_slice(packet))),
            }
        }
    }

    /// The SDP that ffmpeg writes about its output, before the first packet.
    pub(super) async fn sdp(&self) -> io::Result<String> {
        tokio::fs::read_to_string(self.directory.path().join(SDP)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn packets_come_whole_without_rtcp_and_then_the_end() {
        let socket = RtpSocket::bind().expect("a socket");
        let path = socket.directory.path().join("rtp");
        let mode = std::fs::metadata(socket.directory.path()).expect("it exists").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);

        let sender = UnixSeqpacket::connect(&path).await.expect("it listens");
        let mut reader = socket.accept().await.expect("a connection");
        for packet in [&[0x80, 200, 1][..], &[0x80, 96, 1], &[0x80, 0xe0, 2, 3]] {
            sender.send(packet).await.expect("sent");
        }
        drop(sender);
        assert_eq!(reader.next().await.unwrap().as_deref(), Some(&[0x80, 96, 1][..]));
        assert_eq!(reader.next().await.unwrap().as_deref(), Some(&[0x80, 0xe0, 2, 3][..]));
        assert_eq!(reader.next().await.unwrap(), None);
        drop(reader);
        assert!(!path.exists(), "nothing is left behind");
    }
}
