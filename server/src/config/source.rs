//! The sources of streams. Their `Display` and `Debug` mask secrets.

use std::fmt;
use std::time::Duration;

use url::Url;

use super::redact::{Masked, masked_argv};

/// A source, as parsed from its line in the config.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    Rtsp(RtspSource),
    /// A camera that is asked by ONVIF for the URL of its stream. The URL of this one, `onvif://host:port/path?subtype=profile`, is that
    /// of its service.
    Onvif(RtspSource),
    Ffmpeg(FfmpegSource),
    Exec(ExecSource),
    /// A kind that only other servers support. It is kept only if the stream has no other source.
    Unsupported(UnsupportedSource),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RtspTransport {
    #[default]
    Tcp,
    Udp,
}

/// Who speaks RTSP with the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RtspVia {
    /// This server, and ffmpeg for a camera that it does not understand.
    #[default]
    Any,
    /// This server alone.
    Native,
    /// ffmpeg alone. It passes the pictures on as they are.
    Ffmpeg,
}

/// `rtsp://user:password@host/path#transport=udp#via=native#timeout=5`
#[derive(Clone, PartialEq, Eq)]
pub struct RtspSource {
    /// Without the user and the password.
    pub url: Url,
    /// User and password, percent-decoded.
    pub credentials: Option<(String, String)>,
    pub transport: RtspTransport,
    pub via: RtspVia,
    /// Without a first frame for this long the source counts as dead, …
    pub start_timeout: Option<Duration>,
    /// … and without another one for this long.
    pub timeout: Option<Duration>,
}

/// What ffmpeg reads.
#[derive(Clone, PartialEq, Eq)]
pub enum FfmpegInput {
    /// Another stream of this config: its access units arrive on stdin.
    Stream(String),
    /// `rtsp://…`, `http://…`, … that ffmpeg opens itself, credentials and all.
    Url(String),
    /// A JPEG picture at an `http://` URL, which is fetched once a second.
    Picture(String),
    /// Read in real time, and repeated from the start.
    File(String),
    /// A camera of this machine: `device?video=/dev/video0&video_size=1280x720`, as key and value in order.
    Device(Vec<(String, String)>),
    /// A picture that ffmpeg generates: `virtual?video=testsrc2&size=720`, as key and value in order.
    Virtual(Vec<(String, String)>),
}

/// Where ffmpeg decodes and encodes. Engines and their names are go2rtc's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hardware {
    /// The first one that encodes on this machine, or else software.
    Any,
    Vaapi,
    Cuda,
    V4l2m2m,
    Rkmpp,
    VideoToolbox,
}

/// Clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    Quarter,
    Half,
    ThreeQuarters,
}

/// `ffmpeg:camera1#video=h264#height=360`
#[derive(Clone, PartialEq, Eq)]
pub struct FfmpegSource {
    pub input: FfmpegInput,
    /// `#input=`: the template (or raw arguments with `{input}` in them) that opens the input.
    pub input_template: Option<String>,
    /// `#video=` values in order: `copy`, a template's name or raw arguments. If empty, the picture is copied, or encoded as
    /// H.264 where it cannot be copied. Only the first value is used.
    pub video: Vec<String>,
    /// The picture's size in pixels; a missing side follows the other.
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub rotate: Option<Rotation>,
    /// Options of ffmpeg's `drawtext` filter, or a template's name.
    pub drawtext: Vec<String>,
    /// In ffmpeg's form: `500k`, `2M`.
    pub bitrate: Option<String>,
    /// Arguments for the encoder, or a template's name.
    pub raw: Vec<String>,
    pub hardware: Option<Hardware>,
    /// Without a first frame for this long the source counts as dead, …
    pub start_timeout: Option<Duration>,
    /// … and without another one for this long.
    pub timeout: Option<Duration>,
    /// `#async`: take the time of arrival as the time of the picture.
    pub wallclock: bool,
    /// Made for `multistream.ladder`, not written in the config: it never enlarges the picture, and counts for
    /// `multistream.max_ladder`.
    pub from_ladder: bool,
}

/// `exec:ffmpeg -re -i file.mp4 -c copy -f h264 -`
#[derive(Clone, PartialEq, Eq)]
pub struct ExecSource {
    /// Never empty; never goes through a shell. It may contain [`Self::OUTPUT`].
    pub argv: Vec<String>,
    /// `echo:`: the first line of its output is the source.
    pub names_source: bool,
    pub start_timeout: Option<Duration>,
    pub timeout: Option<Duration>,
}

/// `tapo://…`, `homekit://…`, …
#[derive(Clone, PartialEq, Eq)]
pub struct UnsupportedSource {
    /// As in the config, secrets masked.
    pub source: String,
    /// A sentence: why it cannot be shown and what can be done.
    pub reason: String,
}

impl RtspSource {
    pub fn new(url: Url) -> Self {
        Self {
            url,
            credentials: None,
            transport: RtspTransport::Tcp,
            via: RtspVia::Any,
            start_timeout: None,
            timeout: None,
        }
    }
}

impl ExecSource {
    /// The word in place of which the program is given the address to publish to.
    pub const OUTPUT: &str = "{output}";

    /// Whether the program publishes by RTSP, where others write to their stdout.
    pub fn publishes(&self) -> bool {
        self.argv.iter().any(|word| word.contains(Self::OUTPUT))
    }

    pub fn new(argv: Vec<String>) -> Self {
        Self { argv, names_source: false, start_timeout: None, timeout: None }
    }
}

impl FfmpegSource {
    pub fn new(input: FfmpegInput) -> Self {
        Self {
            input,
            input_template: None,
            video: Vec::new(),
            width: None,
            height: None,
            rotate: None,
            drawtext: Vec::new(),
            bitrate: None,
            raw: Vec::new(),
            hardware: None,
            start_timeout: None,
            timeout: None,
            wallclock: false,
            from_ladder: false,
        }
    }

    /// Whether the picture is changed, other than by its codec.
    pub fn is_filtered(&self) -> bool {
        self.width.is_some() || self.height.is_some() || self.rotate.is_some() || !self.drawtext.is_empty()
    }

    /// Whether the picture is passed on as it is.
    pub fn copies(&self) -> bool {
        match self.video.first() {
            Some(video) => video == "copy",
            None => {
                !self.is_filtered()
                    && !matches!(self.input, FfmpegInput::Virtual(_) | FfmpegInput::Picture(_))
            }
        }
    }

    /// The stream of this config that it reads, if any.
    pub fn upstream(&self) -> Option<&str> {
        match &self.input {
            FfmpegInput::Stream(name) => Some(name),
            _ => None,
        }
    }
}

impl Hardware {
    /// The engines, in the order in which they are tried.
    pub const ALL: [Self; 5] = [Self::Vaapi, Self::Cuda, Self::V4l2m2m, Self::Rkmpp, Self::VideoToolbox];

    /// As in `#hardware=` and in template names: `h264/vaapi`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Vaapi => "vaapi",
            Self::Cuda => "cuda",
            Self::V4l2m2m => "v4l2m2m",
            Self::Rkmpp => "rkmpp",
            Self::VideoToolbox => "videotoolbox",
        }
    }
}

impl Rotation {
    pub const fn degrees(self) -> i32 {
        match self {
            Self::Quarter => 90,
            Self::Half => 180,
            Self::ThreeQuarters => 270,
        }
    }
}

impl fmt::Display for RtspSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.credentials, self.url.as_str().split_once("://")) {
            (Some(_), Some((scheme, rest))) => write!(f, "{scheme}://***@{}", Masked(rest))?,
            _ => write!(f, "{}", Masked(self.url.as_str()))?,
        }
        if self.transport == RtspTransport::Udp {
            f.write_str("#transport=udp")?;
        }
        match self.via {
            RtspVia::Any => {}
            RtspVia::Native => f.write_str("#via=native")?,
            RtspVia::Ffmpeg => f.write_str("#via=ffmpeg")?,
        }
        write_timeouts(f, self.start_timeout, self.timeout)
    }
}

impl fmt::Display for FfmpegInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(text) | Self::Url(text) | Self::Picture(text) | Self::File(text) => {
                write!(f, "{}", Masked(text))
            }
            Self::Device(options) => write_options(f, "device", options),
            Self::Virtual(options) => write_options(f, "virtual", options),
        }
    }
}

impl fmt::Display for FfmpegSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ffmpeg:{}", self.input)?;
        for (key, value) in [("input", &self.input_template), ("bitrate", &self.bitrate)] {
            if let Some(value) = value {
                write!(f, "#{key}={}", Masked(value))?;
            }
        }
        for (key, values) in [("video", &self.video), ("drawtext", &self.drawtext), ("raw", &self.raw)] {
            for value in values {
                write!(f, "#{key}={}", Masked(value))?;
            }
        }
        let degrees = self.rotate.map(Rotation::degrees);
        for (key, value) in [("width", self.width), ("height", self.height), ("rotate", degrees)] {
            if let Some(value) = value {
                write!(f, "#{key}={value}")?;
            }
        }
        if let Some(hardware) = self.hardware {
            let sign = if hardware == Hardware::Any { "" } else { "=" };
            write!(f, "#hardware{sign}{}", hardware.name())?;
        }
        if self.wallclock {
            f.write_str("#async")?;
        }
        write_timeouts(f, self.start_timeout, self.timeout)
    }
}

impl fmt::Display for ExecSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.names_source { "echo" } else { "exec" };
        write!(f, "{kind}:{}", masked_argv(&self.argv).join(" "))?;
        write_timeouts(f, self.start_timeout, self.timeout)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rtsp(source) | Self::Onvif(source) => source.fmt(f),
            Self::Ffmpeg(source) => source.fmt(f),
            Self::Exec(source) => source.fmt(f),
            Self::Unsupported(source) => f.write_str(&source.source),
        }
    }
}

fn write_options(f: &mut fmt::Formatter<'_>, kind: &str, options: &[(String, String)]) -> fmt::Result {
    let options: Vec<String> = options.iter().map(|(key, value)| format!("{key}={value}")).collect();
    write!(f, "{kind}?{}", Masked(&options.join("&")))
}

fn write_timeouts(
    f: &mut fmt::Formatter<'_>,
    start: Option<Duration>,
    silence: Option<Duration>,
) -> fmt::Result {
    for (key, time) in [("starttimeout", start), ("timeout", silence)] {
        if let Some(time) = time {
            write!(f, "#{key}={}", time.as_secs_f64())?;
        }
    }
    Ok(())
}

/// Implements `Debug` by `Display`, which masks secrets, since debug output ends in logs.
macro_rules! debug_is_display {
    ($($type:ty),+) => { $(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )+ };
}

debug_is_display!(Source, RtspSource, FfmpegInput, FfmpegSource, ExecSource);

impl fmt::Debug for UnsupportedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_display_nor_debug_of_a_source_shows_its_password() {
        let rtsp = RtspSource {
            credentials: Some(("admin".to_owned(), "hunter2".to_owned())),
            ..RtspSource::new("rtsp://10.0.0.9/ch1".parse().expect("a URL"))
        };
        let mut ffmpeg =
            FfmpegSource::new(FfmpegInput::Url("http://10.0.0.9/flv?user=admin&password=hunter2".to_owned()));
        ffmpeg.raw.push("-headers 'Authorization: Basic hunter2'".to_owned());
        ffmpeg.height = Some(360);
        let argv = ["ffmpeg", "-i", "rtsp://admin:hunter2@10.0.0.9/ch1", "-"].map(str::to_owned).to_vec();
        let sources = [Source::Rtsp(rtsp), Source::Ffmpeg(ffmpeg), Source::Exec(ExecSource::new(argv))];
        for source in &sources {
            let shown = format!("{source} {source:?} {source:#?}");
            assert!(!shown.contains("hunter2"), "{shown}");
            assert!(shown.contains("10.0.0.9"), "{shown}");
        }
        assert_eq!(sources[0].to_string(), "rtsp://***@10.0.0.9/ch1");
    }
}
