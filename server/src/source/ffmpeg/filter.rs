//! The filters between ffmpeg's decoder and its encoder: size, rotation, text.

use crate::config::{FfmpegConfig, FfmpegSource, Rotation};

/// In the order in which they are applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filters(pub(super) Vec<Filter>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filter {
    /// `scale`'s options.
    Scale(String),
    Rotate(Rotation),
    /// `drawtext`'s options.
    Text(String),
    /// Any other filter, in ffmpeg's syntax.
    Other(String),
}

impl Filters {
    pub(super) fn of(source: &FfmpegSource, config: &FfmpegConfig) -> Self {
        let mut filters = Vec::new();
        if source.width.is_some() || source.height.is_some() {
            // −2: the side follows the other one, rounded to an even number as 4:2:0 needs.
            let side = |pixels: Option<i32>| pixels.unwrap_or(-2);
            let height = match source.height {
                // A camera may be smaller than the ladder's size, and may even have an odd number of lines.
                Some(height) if source.from_ladder => format!("'floor(min({height},ih)/2)*2'"),
                height => side(height).to_string(),
            };
            filters.push(Filter::Scale(format!("{}:{height}", side(source.width))));
        }
        filters.extend(source.rotate.map(Filter::Rotate));
        for drawtext in &source.drawtext {
            let mut options = config.template(drawtext).unwrap_or(drawtext).to_owned();
            if !options.contains("text=") {
                options.push_str(r":text='%{localtime\:%Y-%m-%d %X}'");
            }
            filters.push(Filter::Text(options));
        }
        Self(filters)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them draws text, which can be done in software only.
    pub(super) fn draws_text(&self) -> bool {
        self.0.iter().any(|filter| matches!(filter, Filter::Text(_)))
    }

    pub(super) fn rotates(&self) -> bool {
        self.0.iter().any(|filter| matches!(filter, Filter::Rotate(_)))
    }

    /// The value of `-vf`.
    pub(super) fn graph(&self) -> Option<String> {
        let graph: Vec<String> = self.0.iter().map(Filter::software).collect();
        (!graph.is_empty()).then(|| graph.join(","))
    }
}

impl Filter {
    fn software(&self) -> String {
        match self {
            Self::Scale(options) => format!("scale={options}"),
            Self::Rotate(Rotation::Quarter) => "transpose=1".to_owned(),
            Self::Rotate(Rotation::Half) => "transpose=1,transpose=1".to_owned(),
            Self::Rotate(Rotation::ThreeQuarters) => "transpose=2".to_owned(),
            Self::Text(options) => format!("drawtext={options}"),
            Self::Other(filter) => filter.clone(),
        }
    }
}
