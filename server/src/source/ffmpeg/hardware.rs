//! Maps a software command line to a hardware engine as go2rtc does: the encoder's template, the decoder's options and the
//! filters. The tests check the mapping only, since they run without the hardware.

use super::filter::{Filter, Filters};
use super::template::split;
use crate::config::{FfmpegConfig, Hardware, Rotation};

/// Changes the encoder and the filters to those of the engine, and returns the arguments that go before the input. `copy` and
/// an encoder that the engine does not have are not changed.
pub(super) fn apply(
    engine: Hardware,
    encoder: &mut Vec<String>,
    filters: &mut Filters,
    config: &FfmpegConfig,
) -> Vec<String> {
    let codec = match encoder.get(1).map(String::as_str) {
        Some("libx264") => "h264",
        Some("libx265") => "h265",
        Some("mjpeg") => "mjpeg",
        _ => return Vec::new(),
    };
    let Some(template) = config.template(&format!("{codec}/{}", engine.name())) else { return Vec::new() };
    *encoder = split(template);
    split(match engine {
        Hardware::Vaapi => vaapi(codec, filters),
        Hardware::Cuda => cuda(filters),
        Hardware::Rkmpp => rkmpp(filters),
        Hardware::VideoToolbox => "-hwaccel videotoolbox -hwaccel_output_format videotoolbox_vld",
        Hardware::V4l2m2m | Hardware::Any => "",
    })
}

fn vaapi(codec: &str, filters: &mut Filters) -> &'static str {
    if filters.draws_text() {
        filters.0.push(Filter::Other("hwupload".to_owned()));
        return "-hwaccel vaapi -hwaccel_output_format nv12 -hwaccel_flags allow_profile_mismatch";
    }
    // Full-range pictures (yuvj420p) would be marked as limited-range, so they are converted while scaling.
    let limited_range = "out_color_matrix=bt709:out_range=tv:format=nv12";
    let mut scaled = false;
    for filter in &mut filters.0 {
        *filter = Filter::Other(match filter {
            Filter::Scale(options) if codec == "h264" && !scaled => {
                scaled = true;
                format!("scale_vaapi={options}:{limited_range}")
            }
            Filter::Scale(options) => format!("scale_vaapi={options}"),
            Filter::Rotate(rotation) => format!("transpose_vaapi={}", transpose(*rotation)),
            _ => continue,
        });
    }
    if codec == "h264" && !scaled {
        filters.0.push(Filter::Other(format!("scale_vaapi={limited_range}")));
    }
    // Uploads pictures that the engine could not decode; others pass unchanged.
    filters.0.insert(0, Filter::Other("format=vaapi|nv12,hwupload".to_owned()));
    "-hwaccel vaapi -hwaccel_output_format vaapi -hwaccel_flags allow_profile_mismatch"
}

fn cuda(filters: &mut Filters) -> &'static str {
    // There is no transpose in CUDA (go2rtc issue 389).
    if filters.draws_text() || filters.rotates() {
        filters.0.push(Filter::Other("hwupload".to_owned()));
        return "-hwaccel cuda -hwaccel_output_format nv12";
    }
    for filter in &mut filters.0 {
        if let Filter::Scale(options) = filter {
            *filter = Filter::Other(format!("scale_cuda={options}"));
        }
    }
    "-hwaccel cuda -hwaccel_output_format cuda"
}

fn rkmpp(filters: &mut Filters) -> &'static str {
    if filters.draws_text() {
        filters.0.push(Filter::Other("hwupload".to_owned()));
        return "-hwaccel rkmpp -hwaccel_output_format nv12 -afbc rga";
    }
    for filter in &mut filters.0 {
        *filter = Filter::Other(match filter {
            Filter::Scale(options) => format!("scale_rkrga={options}:force_original_aspect_ratio=0"),
            Filter::Rotate(rotation) => format!("vpp_rkrga=transpose={}", transpose(*rotation)),
            _ => continue,
        });
    }
    if !filters.is_empty() {
        filters.0.insert(0, Filter::Other("format=drm_prime|nv12,hwupload".to_owned()));
    }
    "-hwaccel rkmpp -hwaccel_output_format drm_prime -afbc rga"
}

/// The engines' numbers: clockwise, reversal, counter-clockwise.
fn transpose(rotation: Rotation) -> u8 {
    match rotation {
        Rotation::Quarter => 1,
        Rotation::Half => 4,
        Rotation::ThreeQuarters => 2,
    }
}
