//! Keeps logins out of the process list: an input whose URL or headers hold a secret is not named in ffmpeg's arguments, which every
//! user of the machine can read, but in a script on its stdin (<https://ffmpeg.org/ffmpeg-formats.html#concat-1>).

use std::fmt::Write as _;

use crate::config::Masked;

/// Options of demuxers and protocols, which the script gives to the input. As arguments they would be for the script.
const OF_THE_INPUT: &[&str] = &[
    "allowed_media_types",
    "analyzeduration",
    "buffer_size",
    "cookies",
    "fflags",
    "headers",
    "max_delay",
    "probesize",
    "reconnect",
    "reconnect_at_eof",
    "reconnect_delay_max",
    "reconnect_on_network_error",
    "reconnect_streamed",
    "referer",
    "reorder_queue_size",
    "rtmp_live",
    "rtsp_flags",
    "rtsp_transport",
    "rw_timeout",
    "stimeout",
    "timeout",
    "tls_verify",
    "use_wallclock_as_timestamps",
    "user_agent",
];
/// Options that ffmpeg itself and its decoders have, as arguments with a value.
const OF_FFMPEG: &[&str] = &[
    "c:v",
    "codec:v",
    "flags",
    "hwaccel",
    "hwaccel_device",
    "hwaccel_flags",
    "hwaccel_output_format",
    "init_hw_device",
    "itsoffset",
    "loglevel",
    "r",
    "readrate",
    "skip_frame",
    "ss",
    "stream_loop",
    "thread_queue_size",
    "threads",
    "v",
    "vcodec",
];
/// Those without a value.
const SWITCHES: &[&str] =
    &["-an", "-autorotate", "-hide_banner", "-noautorotate", "-nostdin", "-re", "-sn", "-vn", "-y"];
/// What inputs are read by. A script may open nothing else.
const PROTOCOLS: &str = "pipe,crypto,data,http,https,httpproxy,rtmp,rtmpe,rtmps,rtmpt,rtmpte,rtmpts,ffrtmpcrypt,ffrtmphttp,rtp,rtsp,rtsps,srt,\
                         srtp,tcp,tls,udp,udplite";

/// Takes the input out of the arguments if it holds a secret, and returns the script that names it. The arguments are left as they
/// are if they hold none, or where an option among them cannot be handed on: a forced format, or one that is not known here.
pub(super) fn hide(arguments: &mut Vec<String>) -> Option<String> {
    let at = arguments.iter().position(|word| word == "-i")?;
    let url = arguments.get(at + 1)?;
    let (_, host) = url.split_once("://")?;
    let holds_a_secret = |text: &String| Masked(text).to_string() != *text;
    if !host.contains('@') && !arguments[..=at + 1].iter().any(holds_a_secret) {
        return None;
    }
    let mut script = format!("ffconcat version 1.0\nfile {}\n", quoted(url)?);
    let mut shown = Vec::new();
    let mut words = arguments[..at].iter();
    while let Some(word) = words.next() {
        if SWITCHES.contains(&word.as_str()) {
            shown.push(word.clone());
            continue;
        }
        // As in `-user-agent`, which ffmpeg takes for `-user_agent`.
        let option = word.strip_prefix('-')?.replace("user-agent", "user_agent");
        let value = words.next()?;
        if OF_THE_INPUT.contains(&option.as_str()) {
            let _ = writeln!(script, "option {option} {}", quoted(value)?);
        } else if OF_FFMPEG.contains(&option.as_str()) {
            shown.extend([word.clone(), value.clone()]);
        } else {
            return None;
        }
    }
    let opening = ["-protocol_whitelist", PROTOCOLS, "-safe", "0", "-f", "concat", "-i", "pipe:0"];
    shown.extend(opening.map(str::to_owned));
    arguments.splice(..=at + 1, shown);
    Some(script)
}

/// A word of the script (<https://ffmpeg.org/ffmpeg-utils.html#Quoting-and-escaping>), which is on one line.
fn quoted(word: &str) -> Option<String> {
    (!word.contains(['\n', '\r', '\0'])).then(|| format!("'{}'", word.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(line: &str) -> (String, Option<String>) {
        let mut arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let script = hide(&mut arguments);
        (arguments.join(" "), script)
    }

    #[test]
    fn an_input_with_a_login_is_named_in_the_script_with_its_options() {
        let (shown, script) = hidden(
            "-v error -nostdin -allowed_media_types video -flags low_delay -rtsp_transport tcp -timeout 5 -i rtsp://a:it's@h/1 -an -c:v copy",
        );
        assert_eq!(
            shown,
            format!(
                "-v error -nostdin -flags low_delay -protocol_whitelist {PROTOCOLS} -safe 0 -f concat -i pipe:0 -an -c:v copy"
            )
        );
        assert_eq!(
            script.as_deref(),
            Some(
                "ffconcat version 1.0\nfile 'rtsp://a:it'\\''s@h/1'\noption allowed_media_types 'video'\n\
                 option rtsp_transport 'tcp'\noption timeout '5'\n"
            )
        );
    }

    #[test]
    fn a_secret_header_is_hidden_too() {
        let header = "-headers Authorization:x -i http://h/1 -f null -";
        let (shown, script) = hidden(header);
        assert!(!shown.contains("Authorization"), "{shown}");
        assert!(script.is_some_and(|script| script.contains("option headers 'Authorization:x'")));
    }

    #[test]
    fn what_holds_no_secret_or_cannot_be_handed_on_stays_as_it_is() {
        for line in [
            "-rtsp_transport tcp -i rtsp://h/1 -c:v copy",
            "-i /media/password=x.mp4 -c:v copy",
            "-f mpjpeg -i http://a:b@h/1 -c:v copy",
            "-unknown 1 -i http://a:b@h/1 -c:v copy",
        ] {
            assert_eq!(hidden(line), (line.to_owned(), None));
        }
    }
}
