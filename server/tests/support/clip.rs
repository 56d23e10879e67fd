//! Coded pictures of the real ffmpeg for the cameras of `camera.rs`: one GOP, in H.264 or H.265.

use std::process::Command;

use multistream::media::Codec;

/// Packets of a picture are no larger than this.
const MAX_PAYLOAD: usize = 1200;

/// One GOP.
#[derive(Debug)]
pub(crate) struct Clip {
    pub(crate) codec: Codec,
    /// The NAL units of each picture, the first one a key frame with its parameter sets.
    pub(crate) pictures: Vec<Vec<Vec<u8>>>,
}

impl Clip {
    /// Lets ffmpeg code a moving test picture of this size (`320x180`).
    pub(crate) fn new(codec: Codec, size: &str, pictures: usize) -> Self {
        Self::of_slices(codec, size, pictures, 1)
    }

    /// The same with so many slices a picture.
    pub(crate) fn of_slices(codec: Codec, size: &str, pictures: usize, slices: usize) -> Self {
        Self::with(codec, size, pictures, slices, "")
    }

    /// The same with more parameters of x264 or x265 (`:sps-id=1`).
    pub(crate) fn with(codec: Codec, size: &str, pictures: usize, slices: usize, more: &str) -> Self {
        let encoder = match codec {
            Codec::H265 => {
                format!(
                    "-c:v libx265 -preset ultrafast -x265-params log-level=none:bframes=0:keyint={pictures}:\
                     min-keyint={pictures}:scenecut=0:repeat-headers=1:slices={slices}{more} -f hevc"
                )
            }
            _ => format!(
                "-c:v libx264 -preset ultrafast -profile:v baseline -crf 35 -x264-params \
                 sliced-threads=0:slices={slices}:bframes=0:keyint={pictures}:min-keyint={pictures}:scenecut=0{more} -f h264"
            ),
        };
        let output = Command::new("ffmpeg")
            .args(["-v", "error", "-f", "lavfi", "-i", &format!("testsrc2=size={size}:rate=25")])
            .args(["-frames:v", &pictures.to_string(), "-pix_fmt", "yuv420p"])
            .args(encoder.split_whitespace())
            .arg("-")
            .output()
            .expect("ffmpeg is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut clip = Self { codec, pictures: vec![Vec::new()] };
        let mut seen = 0;
        for nal in nal_units(&output.stdout) {
            seen += usize::from(clip.is_slice(&nal));
            clip.pictures.last_mut().expect("one at least").push(nal);
            if seen == slices {
                seen = 0;
                clip.pictures.push(Vec::new());
            }
        }
        clip.pictures.retain(|picture| !picture.is_empty());
        assert_eq!(clip.pictures.len(), pictures, "{slices} slices a picture");
        clip
    }

    fn is_slice(&self, nal: &[u8]) -> bool {
        match self.codec {
            Codec::H265 => nal[0] >> 1 & 0x3f < 32,
            _ => (1..=5).contains(&(nal[0] & 0x1f)),
        }
    }

    /// What the camera writes into its SDP.
    pub(crate) fn rtpmap(&self) -> &'static str {
        match self.codec {
            Codec::H265 => "a=rtpmap:96 H265/90000\r\n",
            _ => "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\n",
        }
    }

    /// The RTP payloads of a NAL unit: itself, or fragments of it (RFC 6184 §5.8, RFC 7798 §4.4.3).
    pub(crate) fn payloads(&self, nal: &[u8]) -> Vec<Vec<u8>> {
        let header_len = if self.codec == Codec::H265 { 2 } else { 1 };
        if nal.len() <= MAX_PAYLOAD {
            return vec![nal.to_vec()];
        }
        let (header, rest) = nal.split_at(header_len);
        let last = rest.len().div_ceil(MAX_PAYLOAD) - 1;
        let fragment = |(number, part): (usize, &[u8])| {
            let ends = u8::from(number == 0) << 7 | u8::from(number == last) << 6;
            let mut payload = match self.codec {
                Codec::H265 => vec![header[0] & 0x81 | 0x62, header[1], ends | header[0] >> 1 & 0x3f],
                _ => vec![header[0] & 0xe0 | 0x1c, ends | header[0] & 0x1f],
            };
            payload.extend(part);
            payload
        };
        rest.chunks(MAX_PAYLOAD).enumerate().map(fragment).collect()
    }
}

fn nal_units(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut starts = Vec::new();
    for at in 0..stream.len().saturating_sub(3) {
        if stream[at..at + 3] == [0, 0, 1] {
            starts.push(at + 3);
        }
    }
    let ends = starts.iter().skip(1).map(|start| start - 3).chain([stream.len()]);
    let unit = |(start, end): (&usize, usize)| {
        let nal = &stream[*start..end];
        // What is left of a start code of four bytes.
        nal[..nal.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)].to_vec()
    };
    starts.iter().zip(ends).map(unit).collect()
}
