//! Builds the command line of ffmpeg for a source. Pure: it neither starts a process nor looks at the machine.
//!
//! Templates and raw arguments are split into words first and `{input}` is replaced after that, so an input with spaces or
//! quotes never becomes an option.

use std::time::Duration;

use super::filter::Filters;
use super::hardware;
use super::template::split;
use crate::config::{FfmpegConfig, FfmpegInput, FfmpegSource};

/// The command line of ffmpeg for a source, and the codec that it produces.
#[derive(Debug)]
pub(super) struct Command {
    /// The arguments without the program's name and without the output.
    pub(super) arguments: Vec<String>,
    pub(super) codec: OutputCodec,
}

/// The codec of ffmpeg's output, as far as the outlet depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutputCodec {
    Av1,
    /// Any other codec, or that of the input. The SDP of the output names it.
    Other,
}

impl OutputCodec {
    /// The codec that these output options of ffmpeg produce. Any encoder may stand in a user's template, and ffmpeg takes the
    /// last one. The names of all its AV1 encoders contain "av1".
    fn of(options: &[String]) -> Self {
        let is_encoder = |option: &str| matches!(option, "-c:v" | "-codec:v" | "-vcodec");
        let last = options.windows(2).rfind(|pair| is_encoder(&pair[0]));
        if last.is_some_and(|pair| pair[1].contains("av1")) { Self::Av1 } else { Self::Other }
    }
}

/// The command for `source`. `stdin_format` is the container on stdin if the input is a stream: `flv`, `matroska`, …
pub(super) fn command(
    source: &FfmpegSource,
    config: &FfmpegConfig,
    timeout: Duration,
    stdin_format: &str,
) -> Command {
    let mut filters = Filters::of(source, config);
    let mut encoder = encoder(source, config, &filters);
    // The engine is used only with an encoder: a copied stream is neither decoded nor encoded.
    let mut engine_input = Vec::new();
    if let Some(engine) = source.hardware {
        engine_input = hardware::apply(engine, &mut encoder, &mut filters, config);
    }

    let mut arguments = global(config);
    arguments.extend(engine_input);
    if source.wallclock {
        arguments.extend(["-use_wallclock_as_timestamps", "1"].map(str::to_owned));
    }
    arguments.extend(input(source, config, timeout, stdin_format));
    let mut output = vec!["-an".to_owned()];
    for raw in &source.raw {
        output.extend(split(config.template(raw).unwrap_or(raw)));
    }
    output.extend(encoder);
    if matches!(source.input, FfmpegInput::Picture(_)) {
        // Each is a second, and a viewer that lost one waits for the next key frame.
        output.extend(["-g", "5"].map(str::to_owned));
    }
    if let Some(bitrate) = &source.bitrate {
        output.extend(["-b:v", bitrate, "-maxrate", bitrate, "-bufsize", bitrate].map(str::to_owned));
    }
    if let Some(graph) = filters.graph() {
        output.extend(["-vf".to_owned(), graph]);
    }
    let codec = OutputCodec::of(&output);
    arguments.extend(output);
    Command { arguments, codec }
}

fn global(config: &FfmpegConfig) -> Vec<String> {
    let mut global = split(config.template("global").unwrap_or_default());
    if !global.iter().any(|word| matches!(word.as_str(), "-v" | "-loglevel")) {
        global.extend(["-v", "error"].map(str::to_owned));
    }
    global.push("-nostdin".to_owned());
    global
}

fn input(source: &FfmpegSource, config: &FfmpegConfig, timeout: Duration, stdin_format: &str) -> Vec<String> {
    let (template, input) = match &source.input {
        // The format is known, so probing, which takes seconds, is minimised.
        FfmpegInput::Stream(_) => {
            let known_format = "-flags low_delay -fpsprobesize 0 -probesize 5000 -analyzeduration 0 -f";
            let mut arguments = split(known_format);
            arguments.extend([stdin_format, "-i", "pipe:0"].map(str::to_owned));
            return arguments;
        }
        FfmpegInput::Picture(_) => {
            let known =
                "-use_wallclock_as_timestamps 1 -fpsprobesize 0 -analyzeduration 0 -f mpjpeg -i pipe:0";
            return split(known);
        }
        FfmpegInput::Device(options) => return device(options),
        FfmpegInput::Virtual(options) => return virtual_picture(options),
        FfmpegInput::Url(url) => match url.split_once("://").map_or("", |(scheme, _)| scheme) {
            "rtsp" | "rtsps" => ("rtsp", url),
            "http" | "https" | "rtmp" | "rtmps" => ("http", url),
            _ => ("-i {input}", url),
        },
        FfmpegInput::File(path) => ("file", path),
    };
    let mut arguments = Vec::new();
    if template == "rtsp" {
        arguments.extend(["-allowed_media_types", "video"].map(str::to_owned));
    }
    let template = source.input_template.as_deref().unwrap_or(template);
    let words = split(config.template(template).unwrap_or(template));
    arguments.extend(
        words.into_iter().map(|word| word.replace("{timeout}", &micros(timeout)).replace("{input}", input)),
    );
    arguments
}

/// The command that opens a camera or a file, with its sound, and does nothing with it but describe it. `None` for other inputs.
pub(super) fn opening(
    source: &FfmpegSource,
    config: &FfmpegConfig,
    timeout: Duration,
) -> Option<Vec<String>> {
    if !matches!(source.input, FfmpegInput::Url(_) | FfmpegInput::File(_)) {
        return None;
    }
    let mut input = input(source, config, timeout, "");
    if let Some(at) = input.iter().position(|word| word == "-allowed_media_types") {
        input.drain(at..(at + 2).min(input.len()));
    }
    let mut arguments: Vec<String> = ["-v", "info", "-hide_banner", "-nostdin"].map(str::to_owned).into();
    arguments.extend(input);
    Some(arguments)
}

fn micros(timeout: Duration) -> String {
    timeout.as_micros().to_string()
}

/// A camera by V4L2 (<https://ffmpeg.org/ffmpeg-devices.html#video4linux2_002c-v4l2>).
fn device(options: &[(String, String)]) -> Vec<String> {
    let mut arguments = vec!["-f".to_owned(), "v4l2".to_owned()];
    let mut video = "";
    for (key, value) in options {
        let option = match key.as_str() {
            "video" => {
                video = value;
                continue;
            }
            "resolution" => "-video_size".to_owned(),
            "video_size" | "pixel_format" | "input_format" | "framerate" | "use_libv4l2" => format!("-{key}"),
            _ => continue,
        };
        arguments.extend([option, value.clone()]);
    }
    // `0` is go2rtc's short form for the first camera.
    let number = !video.is_empty() && video.bytes().all(|digit| digit.is_ascii_digit());
    let path = if number { format!("/dev/video{video}") } else { video.to_owned() };
    arguments.extend(["-i".to_owned(), path]);
    arguments
}

/// A source of `lavfi` (<https://ffmpeg.org/ffmpeg-filters.html#Video-Sources>) in real time.
fn virtual_picture(options: &[(String, String)]) -> Vec<String> {
    let option = |name: &str| options.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let mut graph = match option("video") {
        None | Some("") => "testsrc=decimals=2".to_owned(),
        Some(video) => video.to_owned(),
    };
    let size = match option("size").unwrap_or("1080") {
        "720" => "1280x720",
        "1080" => "1920x1080",
        "2K" => "2560x1440",
        "4K" => "3840x2160",
        "8K" => "7680x4320",
        other => other,
    };
    let mut add = |key: &str, value: &str| {
        let separator = if graph.contains('=') { ":" } else { "=" };
        graph.extend([separator, key, "=", value]);
    };
    add("size", size);
    for (key, value) in options {
        if matches!(key.as_str(), "color" | "rate" | "duration" | "sar" | "decimals") {
            add(key, value);
        }
    }
    if let Some(format) = option("format") {
        graph.extend([",format=", format]);
    }
    ["-re", "-f", "lavfi", "-i", &graph].map(str::to_owned).to_vec()
}

/// The encoder that `#video=` names. Without one a generated or filtered picture and that of a camera of this machine, unless it
/// is asked for H.264 or H.265, is encoded as H.264, any other is copied.
fn encoder(source: &FfmpegSource, config: &FfmpegConfig, filters: &Filters) -> Vec<String> {
    let is_coded = |(key, value): &(String, String)| {
        key == "input_format" && matches!(value.as_str(), "h264" | "h265" | "hevc")
    };
    let drawn = match &source.input {
        FfmpegInput::Virtual(_) | FfmpegInput::Picture(_) => true,
        FfmpegInput::Device(options) => !options.iter().any(is_coded),
        _ => false,
    };
    let video = match source.video.first() {
        Some(video) => video.as_str(),
        None if drawn || !filters.is_empty() => "h264",
        None => "copy",
    };
    match video {
        "copy" => ["-c:v", "copy"].map(str::to_owned).to_vec(),
        name => split(config.template(name).unwrap_or(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Hardware, Rotation};

    /// The arguments for a source; the format of stdin does not matter.
    fn arguments(source: &FfmpegSource, config: &FfmpegConfig) -> Vec<String> {
        let Command { mut arguments, .. } = command(source, config, Duration::from_secs(3), "flv");
        arguments.extend(["-f", "null", "-"].map(str::to_owned));
        arguments
    }

    fn stream() -> FfmpegSource {
        FfmpegSource::new(FfmpegInput::Stream("camera1".to_owned()))
    }

    fn url(url: &str) -> FfmpegSource {
        FfmpegSource::new(FfmpegInput::Url(url.to_owned()))
    }

    fn drawn(options: &[(&str, &str)]) -> FfmpegSource {
        let own = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
        FfmpegSource::new(FfmpegInput::Virtual(options.iter().map(own).collect()))
    }

    fn line(source: &FfmpegSource) -> String {
        arguments(source, &FfmpegConfig::default()).join(" ")
    }

    const GLOBAL: &str = "-hide_banner -v error -nostdin";
    const STDIN: &str =
        "-flags low_delay -fpsprobesize 0 -probesize 5000 -analyzeduration 0 -f flv -i pipe:0 -an";
    const X264: &str =
        "-c:v libx264 -preset superfast -tune zerolatency -g 30 -bf 0 -profile:v high -pix_fmt yuv420p";

    #[test]
    fn a_smaller_h264_variant_of_a_stream_reads_stdin_with_low_delay() {
        let source = FfmpegSource { video: vec!["h264".to_owned()], height: Some(360), ..stream() };
        assert_eq!(line(&source), format!("{GLOBAL} {STDIN} {X264} -vf scale=-2:360 -f null -"));
    }

    #[test]
    fn without_a_codec_the_picture_is_copied_unless_it_is_generated_or_filtered() {
        assert_eq!(line(&stream()), format!("{GLOBAL} {STDIN} -c:v copy -f null -"));
        assert!(line(&FfmpegSource { width: Some(640), ..stream() }).contains("libx264"));
        assert!(line(&drawn(&[("video", "testsrc2")])).contains("libx264"));
    }

    #[test]
    fn the_last_encoder_is_what_comes_out_and_a_decoder_is_not() {
        let codec = |source: &FfmpegSource| {
            command(source, &FfmpegConfig::default(), Duration::from_secs(3), "flv").codec
        };
        let made = |video: &str, raw: &str| {
            codec(&FfmpegSource { video: vec![video.to_owned()], raw: vec![raw.to_owned()], ..stream() })
        };
        assert_eq!(made("av1", "-r 10"), OutputCodec::Av1);
        assert_eq!(made("-c:v libsvtav1 -preset 12", "-vcodec copy"), OutputCodec::Av1);
        assert_eq!(made("h264", "-c:v libaom-av1"), OutputCodec::Other);
        assert_eq!(codec(&stream()), OutputCodec::Other);
        let decoder = Some("-c:v libdav1d -i {input}".to_owned());
        let transcoded =
            FfmpegSource { video: vec!["h264".to_owned()], input_template: decoder, ..url("http://h/1") };
        assert_eq!(codec(&transcoded), OutputCodec::Other);
    }

    #[test]
    fn only_the_first_codec_is_produced() {
        let source = FfmpegSource { video: vec!["vp8".to_owned(), "h264".to_owned()], ..stream() };
        assert!(line(&source).contains("libvpx") && !line(&source).contains("libx264"));
    }

    #[test]
    fn a_virtual_picture_has_go2rtcs_sizes_and_options() {
        let source = drawn(&[("video", "testsrc2"), ("rate", "25"), ("size", "720")]);
        assert!(
            line(&source).contains("-re -f lavfi -i testsrc2=size=1280x720:rate=25 -an"),
            "{}",
            line(&source)
        );
        let default = drawn(&[("video", ""), ("format", "yuv420p")]);
        let graph = "-i testsrc=decimals=2:size=1920x1080,format=yuv420p -an";
        assert!(line(&default).contains(graph), "{}", line(&default));
        assert!(
            line(&drawn(&[("video", "mandelbrot"), ("size", "640x360")])).contains("mandelbrot=size=640x360")
        );
    }

    #[test]
    fn an_rtsp_camera_is_read_over_tcp_with_a_timeout() {
        let source = url("rtsp://u:p@h/1");
        let expected = "-allowed_media_types video -flags low_delay -rtsp_transport tcp -timeout 3000000 \
                        -i rtsp://u:p@h/1 -an -c:v copy";
        assert!(line(&source).contains(expected), "{}", line(&source));
        let udp = FfmpegSource { input_template: Some("rtsp/udp".to_owned()), ..source };
        assert!(line(&udp).contains("-rtsp_transport udp -timeout 3000000"), "{}", line(&udp));
    }

    #[test]
    fn the_input_stays_one_argument_with_any_characters() {
        let path = "/media/my \"film\" -y '{timeout}.mp4";
        let source = FfmpegSource::new(FfmpegInput::File(path.to_owned()));
        let arguments = arguments(&source, &FfmpegConfig::default());
        let input = arguments.iter().position(|word| word == "-i").expect("it reads something");
        assert_eq!(arguments[input - 3..input], ["-re", "-stream_loop", "-1"]);
        assert_eq!(arguments[input + 1], path);
    }

    #[test]
    fn a_camera_of_the_machine_is_opened_with_its_options() {
        let options = [("video", "0"), ("input_format", "h264"), ("resolution", "1280x720"), ("audio", "x")];
        let own = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
        let source = FfmpegSource::new(FfmpegInput::Device(options.iter().map(own).collect()));
        let expected = "-f v4l2 -input_format h264 -video_size 1280x720 -i /dev/video0 -an -c:v copy";
        assert!(line(&source).contains(expected), "{}", line(&source));
    }

    #[test]
    fn pictures_of_a_camera_of_the_machine_that_are_not_h264_are_encoded() {
        for (format, encoder) in
            [("mjpeg", "-c:v libx264"), ("yuyv422", "-c:v libx264"), ("hevc", "-c:v copy")]
        {
            let options = [("video", "/dev/video0"), ("input_format", format)];
            let options = options.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
            let line = line(&FfmpegSource::new(FfmpegInput::Device(options)));
            assert!(line.contains(encoder), "{line}");
        }
    }

    #[test]
    fn filters_keep_their_order_and_text_gets_the_time_when_it_has_none() {
        let source = FfmpegSource {
            width: Some(640),
            rotate: Some(Rotation::Half),
            drawtext: vec!["fontsize=12".to_owned()],
            ..stream()
        };
        let arguments = arguments(&source, &FfmpegConfig::default());
        let graph =
            r"scale=640:-2,transpose=1,transpose=1,drawtext=fontsize=12:text='%{localtime\:%Y-%m-%d %X}'";
        assert!(arguments.windows(2).any(|pair| pair == ["-vf", graph]), "{arguments:?}");
    }

    #[test]
    fn raw_arguments_come_first_and_a_bitrate_last() {
        let source = FfmpegSource {
            video: vec!["h264".to_owned()],
            raw: vec!["-r 10".to_owned(), "-metadata 'title=a b'".to_owned()],
            bitrate: Some("500k".to_owned()),
            ..stream()
        };
        let expected =
            format!("-an -r 10 -metadata title=a b {X264} -b:v 500k -maxrate 500k -bufsize 500k -f");
        assert!(line(&source).contains(&expected), "{}", line(&source));
    }

    #[test]
    fn templates_of_the_user_replace_ours() {
        let mut config = FfmpegConfig::default();
        for (name, arguments) in
            [("global", "-v verbose"), ("h264", "-c:v mine"), ("small", "-c:v tiny -s 1x1")]
        {
            config.templates.insert(name.to_owned(), arguments.to_owned());
        }
        let of = |video: &str| {
            arguments(&FfmpegSource { video: vec![video.to_owned()], ..stream() }, &config).join(" ")
        };
        assert!(of("h264").starts_with("-v verbose -nostdin -flags") && of("h264").contains("-c:v mine"));
        assert!(of("small").contains("-c:v tiny -s 1x1"));
        assert!(of("-c:v raw_arguments -x 1").contains("-c:v raw_arguments -x 1"));
    }

    #[test]
    fn a_hardware_engine_decodes_filters_and_encodes() {
        let source = FfmpegSource {
            video: vec!["h264".to_owned()],
            height: Some(360),
            rotate: Some(Rotation::Quarter),
            hardware: Some(Hardware::Vaapi),
            ..stream()
        };
        let vaapi = line(&source);
        assert!(
            vaapi.starts_with(&format!("{GLOBAL} -hwaccel vaapi -hwaccel_output_format vaapi")),
            "{vaapi}"
        );
        assert!(vaapi.contains("-c:v h264_vaapi"));
        let graph = "-vf format=vaapi|nv12,hwupload,\
                     scale_vaapi=-2:360:out_color_matrix=bt709:out_range=tv:format=nv12,transpose_vaapi=1 -f";
        assert!(vaapi.contains(graph), "{vaapi}");

        let cuda = line(&FfmpegSource { hardware: Some(Hardware::Cuda), ..source.clone() });
        assert!(
            cuda.contains("-hwaccel_output_format nv12")
                && cuda.contains("scale=-2:360,transpose=1,hwupload")
        );
        let cuda = line(&FfmpegSource { hardware: Some(Hardware::Cuda), rotate: None, ..source.clone() });
        assert!(cuda.contains("-vf scale_cuda=-2:360 -f") && cuda.contains("h264_nvenc"));
        let v4l2 = line(&FfmpegSource { hardware: Some(Hardware::V4l2m2m), ..source.clone() });
        assert!(v4l2.contains("-c:v h264_v4l2m2m") && !v4l2.contains("-hwaccel"));
        let rkmpp = line(&FfmpegSource { hardware: Some(Hardware::Rkmpp), ..source });
        let graph = "format=drm_prime|nv12,hwupload,scale_rkrga=-2:360:force_original_aspect_ratio=0,vpp_rkrga=transpose=1";
        assert!(rkmpp.contains(graph), "{rkmpp}");
    }

    #[test]
    fn a_variant_of_the_ladder_is_never_larger_than_its_camera() {
        let source = FfmpegSource { height: Some(360), from_ladder: true, ..stream() };
        let height = "'floor(min(360,ih)/2)*2'";
        assert!(line(&source).contains(&format!("-vf scale=-2:{height} -f")), "{}", line(&source));
        let cuda = line(&FfmpegSource { hardware: Some(Hardware::Cuda), ..source });
        assert!(cuda.contains(&format!("-vf scale_cuda=-2:{height} -f")), "{cuda}");
    }

    #[test]
    fn hardware_does_not_change_a_copy_or_an_encoder_that_the_engine_lacks() {
        let copy = FfmpegSource { hardware: Some(Hardware::Vaapi), ..stream() };
        assert_eq!(line(&copy), line(&stream()));
        let vp8 = FfmpegSource { video: vec!["vp8".to_owned()], ..copy };
        assert!(line(&vp8).contains("libvpx") && !line(&vp8).contains("hwaccel"));
    }
}
