//! The built-in templates of ffmpeg arguments, to which values such as `#video=h264` refer. The config's `ffmpeg:` section
//! overrides each by name. The names are go2rtc's; the arguments are chosen for low delay.

use super::FfmpegConfig;

/// `{input}` is replaced by the input, `{timeout}` by the timeout in microseconds. `-fflags nobuffer` is not used, since it
/// drops the first key frame.
const BUILT_IN: &[(&str, &str)] = &[
    ("global", "-hide_banner"),
    // Inputs.
    ("file", "-re -stream_loop -1 -i {input}"),
    ("http", "-flags low_delay -rw_timeout {timeout} -i {input}"),
    ("rtsp", "-flags low_delay -rtsp_transport tcp -timeout {timeout} -i {input}"),
    ("rtsp/udp", "-flags low_delay -rtsp_transport udp -timeout {timeout} -i {input}"),
    // Encoders: no B frames, and a key frame every 30 frames so that a switch finds a recent one.
    ("h264", "-c:v libx264 -preset superfast -tune zerolatency -g 30 -bf 0 -profile:v high -pix_fmt yuv420p"),
    ("h265", "-c:v libx265 -preset superfast -tune zerolatency -g 30 -bf 0 -profile:v main -pix_fmt yuv420p"),
    (
        "vp8",
        "-c:v libvpx -deadline realtime -cpu-used 8 -lag-in-frames 0 -auto-alt-ref 0 -error-resilient 1 -g 30 -b:v 2M -pix_fmt yuv420p",
    ),
    (
        "vp9",
        "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -row-mt 1 -lag-in-frames 0 -error-resilient 1 -g 30 -b:v 2M -pix_fmt yuv420p -strict experimental",
    ),
    (
        "av1",
        "-c:v libaom-av1 -usage realtime -cpu-used 8 -row-mt 1 -lag-in-frames 0 -g 30 -b:v 2M -pix_fmt yuv420p -strict experimental",
    ),
    ("mjpeg", "-c:v mjpeg"),
    // Hardware encoders, as go2rtc maps them.
    ("h264/vaapi", "-c:v h264_vaapi -g 30 -bf 0 -profile:v high -level:v 4.1 -sei:v 0"),
    ("h265/vaapi", "-c:v hevc_vaapi -g 30 -bf 0 -profile:v main -level:v 5.1 -sei:v 0"),
    ("mjpeg/vaapi", "-c:v mjpeg_vaapi"),
    ("h264/v4l2m2m", "-c:v h264_v4l2m2m -g 30 -bf 0"),
    ("h265/v4l2m2m", "-c:v hevc_v4l2m2m -g 30 -bf 0"),
    ("h264/rkmpp", "-c:v h264_rkmpp -g 30 -bf 0 -profile:v high -level:v 4.1"),
    ("h265/rkmpp", "-c:v hevc_rkmpp -g 30 -bf 0 -profile:v main -level:v 5.1"),
    ("mjpeg/rkmpp", "-c:v mjpeg_rkmpp"),
    ("h264/cuda", "-c:v h264_nvenc -g 30 -bf 0 -profile:v high -level:v auto -preset:v p2 -tune:v ll"),
    ("h265/cuda", "-c:v hevc_nvenc -g 30 -bf 0 -profile:v main -level:v auto"),
    ("h264/videotoolbox", "-c:v h264_videotoolbox -g 30 -bf 0 -profile:v high -level:v 4.1"),
    ("h265/videotoolbox", "-c:v hevc_videotoolbox -g 30 -bf 0 -profile:v main -level:v 5.1"),
];

impl FfmpegConfig {
    /// The arguments of a template: the user's, or else the built-in ones.
    pub fn template(&self, name: &str) -> Option<&str> {
        let built_in = || BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, arguments)| *arguments);
        self.templates.get(name).map(String::as_str).or_else(built_in)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_of_the_user_overrides_the_built_in_one() {
        let mut config = FfmpegConfig::default();
        assert!(config.template("h264").is_some_and(|arguments| arguments.contains("libx264")));
        config.templates.insert("h264".to_owned(), "-c:v h264_mine".to_owned());
        assert_eq!(config.template("h264"), Some("-c:v h264_mine"));
        assert_eq!(config.template("h266"), None);
    }
}
