//! `ffmpeg:INPUT#video=h264#height=360`

use url::form_urlencoded;

use super::{Context, Outcome, login, own, split, still, timeout};
use crate::config::problem::SOUND;
use crate::config::source::{FfmpegInput, FfmpegSource, Hardware, Rotation, Source};
use crate::config::words::words;

pub(super) fn source(body: &str, text: &str, context: &mut Context<'_>) -> Outcome {
    let (head, parameters) = split(body);
    let sound_only = parameters.iter().any(|(key, _)| *key == "audio")
        && !parameters.iter().any(|(key, _)| *key == "video");
    if sound_only || head.starts_with("tts?") {
        return context.sound_alone(text);
    }
    let input = match input(head, context) {
        Ok(input) => input,
        Err(outcome) => return outcome(text, context),
    };
    let mut source = FfmpegSource::new(input);
    for (key, value) in parameters {
        parameter(&mut source, key, value, context);
    }
    if source.is_filtered() && source.video.first().is_some_and(|video| video == "copy") {
        context
            .error("#video=copy leaves the picture as it is: expected #video=h264 for another size or text");
    }
    if source.video.len() > 1 {
        context.warning("only the first #video= is produced: make the others streams of their own");
    }
    Outcome::Source(Source::Ffmpeg(source))
}

/// `v4l2:device?video=/dev/video0&input_format=mjpeg`, which go2rtc reads without ffmpeg.
pub(super) fn device(body: &str, text: &str, context: &mut Context<'_>) -> Outcome {
    if body.starts_with("device?") {
        source(body, text, context)
    } else {
        context.invalid("expected v4l2:device?video=/dev/video0")
    }
}

type Refusal = fn(&str, &mut Context<'_>) -> Outcome;

fn input(head: &str, context: &mut Context<'_>) -> Result<FfmpegInput, Refusal> {
    if head.is_empty() {
        return Err(|_, context| {
            context.invalid(
                "expected what to read after ffmpeg: a stream's name, a URL, a file, device?… or virtual?…",
            )
        });
    }
    if let Some(name) = own::stream(head, context) {
        return Ok(FfmpegInput::Stream(name));
    }
    if head.contains("://") {
        return Ok(still::input(login::encoded(head).into_owned()));
    }
    if context.streams.contains(head) {
        return Ok(FfmpegInput::Stream(head.to_owned()));
    }
    let options = |query: &str| -> Vec<(String, String)> {
        form_urlencoded::parse(query.as_bytes())
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect()
    };
    let has_video = |options: &[(String, String)]| options.iter().any(|(key, _)| key == "video");
    if let Some(query) = head.strip_prefix("device?") {
        let options = options(query);
        return if options.iter().any(|(key, value)| key == "video" && !value.is_empty()) {
            Ok(FfmpegInput::Device(options))
        } else if options.iter().any(|(key, _)| key == "audio") {
            Err(|text, context| context.sound_alone(text))
        } else {
            Err(|_, context| context.invalid("expected device?video=/dev/video0"))
        };
    }
    if let Some(query) = head.strip_prefix("virtual?") {
        let options = options(query);
        return if has_video(&options) {
            Ok(FfmpegInput::Virtual(options))
        } else {
            Err(|_, context| context.invalid("expected virtual?video=testsrc2&size=720"))
        };
    }
    if !head.contains(['/', '.', '\\']) {
        context.warning(format!("there is no stream named {}: it is read as a file", context.quoted(head)));
    }
    Ok(FfmpegInput::File(head.to_owned()))
}

fn parameter(source: &mut FfmpegSource, key: &str, value: &str, context: &mut Context<'_>) {
    match key {
        "video" => source.video.extend(template(key, value, context)),
        "raw" => source.raw.extend(template(key, value, context)),
        "input" => source.input_template = template(key, value, context),
        "drawtext" => source.drawtext.push(value.to_owned()),
        "width" => source.width = side(key, value, context),
        "height" => source.height = side(key, value, context),
        "rotate" => match value {
            "90" => source.rotate = Some(Rotation::Quarter),
            "180" => source.rotate = Some(Rotation::Half),
            "270" | "-90" => source.rotate = Some(Rotation::ThreeQuarters),
            "0" => source.rotate = None,
            _ => expected("rotate", "90, 180, 270 or -90", value, context),
        },
        "bitrate" => {
            let number = value.strip_suffix(['k', 'K', 'M', 'm']).unwrap_or(value);
            if number.parse::<f64>().is_ok_and(|number| number.is_finite() && number > 0.0) {
                source.bitrate = Some(value.to_owned());
            } else {
                expected("bitrate", "a rate such as 500k or 2M", value, context);
            }
        }
        "hardware" => source.hardware = hardware(value, context),
        "starttimeout" => source.start_timeout = timeout(key, value, context),
        "timeout" => source.timeout = timeout(key, value, context),
        "async" => source.wallclock = true,
        "audio" => context.warning(SOUND),
        _ => context.warning(format!("#{key} is not supported and has no effect")),
    }
}

/// `copy`, the name of a template, or raw arguments.
fn template(key: &str, value: &str, context: &mut Context<'_>) -> Option<String> {
    let raw_arguments = value.trim_start().starts_with(['-', '"', '\'']);
    if value == "copy" && key == "video" || context.ffmpeg.template(value).is_some() {
        return Some(value.to_owned());
    }
    if raw_arguments && words(value).is_some() {
        return Some(value.to_owned());
    }
    let also = if key == "video" { "copy, h264, h265, vp8, vp9, " } else { "" };
    let what = format!("{also}the name of a template of the ffmpeg: section, or arguments such as \"-r 10\"");
    expected(key, &what, value, context);
    None
}

fn side(key: &str, value: &str, context: &mut Context<'_>) -> Option<i32> {
    match value.parse::<i32>() {
        // In ffmpeg −1 and −2 mean that this side follows the other.
        Ok(pixels) if (1..=16_384).contains(&pixels) => Some(pixels),
        Ok(-2 | -1) => None,
        _ => {
            expected(key, "pixels", value, context);
            None
        }
    }
}

fn hardware(value: &str, context: &mut Context<'_>) -> Option<Hardware> {
    let names = || Hardware::ALL.map(Hardware::name).join(", ");
    let engine = Hardware::ALL.into_iter().find(|engine| engine.name() == value);
    match value {
        _ if engine.is_some() => {}
        "software" => {}
        "" => return Some(Hardware::Any),
        "dxva2" => context.warning("#hardware=dxva2 is not supported: this encodes in software"),
        _ => expected("hardware", &names(), value, context),
    }
    engine
}

fn expected(key: &str, what: &str, value: &str, context: &mut Context<'_>) {
    context.error(format!("#{key}: expected {what}, found {}", context.quoted(value)));
}

#[cfg(test)]
mod tests {
    use super::super::testing::{parse, problem, valid};
    use super::*;

    fn ffmpeg(text: &str) -> FfmpegSource {
        match valid(text) {
            Source::Ffmpeg(source) => source,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn the_kinds_of_input_are_distinguished() {
        let pairs = |list: &[(&str, &str)]| list.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        for (text, input) in [
            ("ffmpeg:camera1#video=h264", FfmpegInput::Stream("camera1".to_owned())),
            ("ffmpeg:rtsp://u:p@h/1#video=copy", FfmpegInput::Url("rtsp://u:p@h/1".to_owned())),
            ("ffmpeg:/media/a b.mp4", FfmpegInput::File("/media/a b.mp4".to_owned())),
            ("ffmpeg:bunny.mp4", FfmpegInput::File("bunny.mp4".to_owned())),
            (
                "ffmpeg:virtual?video=testsrc2&size=720",
                FfmpegInput::Virtual(pairs(&[("video", "testsrc2"), ("size", "720")])),
            ),
            (
                "v4l2:device?video=/dev/video0&input_format=mjpeg",
                FfmpegInput::Device(pairs(&[("video", "/dev/video0"), ("input_format", "mjpeg")])),
            ),
            (
                "ffmpeg:device?video=0&framerate=30",
                FfmpegInput::Device(pairs(&[("video", "0"), ("framerate", "30")])),
            ),
        ] {
            assert_eq!(ffmpeg(text).input, input, "{text}");
        }
    }

    #[test]
    fn every_parameter_of_the_grammar_is_understood() {
        let source = ffmpeg(
            "ffmpeg:yard#video=h264#width=640#height=-1#rotate=-90#drawtext=fontsize=12#bitrate=1.5M#raw=-r 10\
             #hardware=vaapi#timeout=500ms#input=rtsp/udp#async",
        );
        let expected = FfmpegSource {
            video: vec!["h264".to_owned()],
            width: Some(640),
            rotate: Some(Rotation::ThreeQuarters),
            drawtext: vec!["fontsize=12".to_owned()],
            bitrate: Some("1.5M".to_owned()),
            raw: vec!["-r 10".to_owned()],
            hardware: Some(Hardware::Vaapi),
            timeout: Some(std::time::Duration::from_millis(500)),
            input_template: Some("rtsp/udp".to_owned()),
            wallclock: true,
            ..FfmpegSource::new(FfmpegInput::Stream("yard".to_owned()))
        };
        assert!(source == expected, "{source} is not {expected}");
    }

    #[test]
    fn wrong_values_say_what_was_expected() {
        for (text, expected) in [
            ("ffmpeg:yard#video=h266", "#video: expected copy, h264, h265, vp8, vp9, the name of a template"),
            ("ffmpeg:yard#height=tall", "#height: expected pixels, found \"tall\""),
            ("ffmpeg:yard#rotate=45", "#rotate: expected 90, 180, 270 or -90"),
            ("ffmpeg:yard#bitrate=fast", "#bitrate: expected a rate such as 500k or 2M"),
            ("ffmpeg:yard#hardware=magic", "#hardware: expected vaapi, cuda, v4l2m2m, rkmpp, videotoolbox"),
            ("ffmpeg:yard#video=copy#height=360", "expected #video=h264"),
            ("ffmpeg:", "expected what to read after ffmpeg:"),
            ("ffmpeg:virtual?size=720", "expected virtual?video=testsrc2"),
        ] {
            assert!(problem(text).contains(expected), "{text}: {}", problem(text));
        }
    }

    #[test]
    fn a_name_of_no_stream_is_read_as_a_file_with_a_warning() {
        assert!(
            problem("ffmpeg:camra1#video=h264")
                .contains("warning: streams.x: there is no stream named \"camra1\"")
        );
    }

    #[test]
    fn sound_is_a_warning_and_a_source_with_sound_only_is_left_out() {
        assert!(problem("ffmpeg:camera1#video=h264#audio=opus#audio=aac").contains("sound is not sent yet"));
        for text in ["ffmpeg:camera1#audio=opus", "ffmpeg:device?audio=default"] {
            assert!(matches!(parse(text).0, Outcome::LeftOut(_)), "{text}");
        }
    }
}
