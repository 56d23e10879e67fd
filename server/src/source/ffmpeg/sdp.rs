//! Reads the SDP that ffmpeg writes about its RTP for the codec and for the parameter sets of a copied stream, which need not
//! be in the stream itself (RFC 6184 §8.1, RFC 7798 §7.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::media::Codec;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Video {
    pub(super) codec: Codec,
    /// NAL units without start codes; empty if the SDP has none.
    pub(super) parameter_sets: Vec<Bytes>,
}

/// `Err` contains the name of a codec that cannot be passed through, or `None` if the SDP has no video.
pub(super) fn video(sdp: &str) -> Result<Video, Option<String>> {
    let lines = || {
        let in_video = sdp.lines().map(str::trim).skip_while(|line| !line.starts_with("m=video"));
        in_video.enumerate().take_while(|(i, line)| *i == 0 || !line.starts_with("m=")).map(|(_, line)| line)
    };
    let media = lines().next().ok_or(None)?;
    // `a=rtpmap:96 H264/90000`; static payload types need no such line, and none of them is supported.
    let name = lines()
        .find_map(|line| line.strip_prefix("a=rtpmap:")?.split_once(' '))
        .map(|(_, encoding)| encoding.split('/').next().unwrap_or(encoding))
        .ok_or_else(|| Some(static_codec(media)))?;
    let codec = Codec::ALL
        .into_iter()
        .find(|codec| codec.rtpmap().eq_ignore_ascii_case(name))
        .ok_or_else(|| Some(name.to_owned()))?;
    let parameter_sets = lines()
        .filter_map(|line| line.strip_prefix("a=fmtp:")?.split_once(' '))
        .flat_map(|(_, parameters)| parameters.split(';'))
        .filter_map(|parameter| parameter.trim().split_once('='))
        .filter(|(key, _)| matches!(*key, "sprop-parameter-sets" | "sprop-vps" | "sprop-sps" | "sprop-pps"))
        .flat_map(|(_, sets)| sets.split(','))
        .filter_map(|set| STANDARD.decode(set).ok().filter(|set| !set.is_empty()).map(Bytes::from))
        .collect();
    Ok(Video { codec, parameter_sets })
}

/// RFC 3551 §6.
fn static_codec(media: &str) -> String {
    match media.split_whitespace().nth(3) {
        Some("26") => "MJPEG".to_owned(),
        Some("32") => "MPEG video".to_owned(),
        Some(number) => format!("payload type {number}"),
        None => "an unnamed codec".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Written by ffmpeg 5.1 for `-c copy` of an MP4.
    const H265: &str = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=No Name\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\nb=AS:4552\r\n\
        a=rtpmap:96 H265/90000\r\na=fmtp:96 sprop-vps=QAEMAf//AWAAAAMAkAAAAwAAAwBdugJA; \
        sprop-sps=QgEBAWAAAAMAkAAAAwAAAwBdoAKAgC0WW6SkwvAWgIAAAAMAgAAADwQ=; sprop-pps=RAHAcYMS\r\n\
        a=control:streamid=0\r\n";

    #[test]
    fn ffmpegs_h265_is_read_with_its_three_parameter_sets() {
        let video = video(H265).expect("it names H.265");
        assert_eq!(video.codec, Codec::H265);
        let types: Vec<u8> = video.parameter_sets.iter().map(|set| set[0] >> 1 & 0x3f).collect();
        assert_eq!(types, [32, 33, 34]);
    }

    #[test]
    fn h264_without_parameter_sets_is_h264() {
        let sdp = "m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=fmtp:96 packetization-mode=1\n";
        assert_eq!(video(sdp), Ok(Video { codec: Codec::H264, parameter_sets: Vec::new() }));
    }

    #[test]
    fn an_unsupported_codec_is_named() {
        assert_eq!(video("m=video 0 RTP/AVP 26\n"), Err(Some("MJPEG".to_owned())));
        let theora = "m=video 0 RTP/AVP 96\na=rtpmap:96 theora/90000\n";
        assert_eq!(video(theora), Err(Some("theora".to_owned())));
    }

    #[test]
    fn sound_alone_is_no_video() {
        assert_eq!(video("m=audio 0 RTP/AVP 96\na=rtpmap:96 opus/48000\n"), Err(None));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), tail in "[ -~\n]{0,200}") {
            let _ = video(&text);
            let _ = video(&format!("m=video {tail}"));
        }
    }
}
