//! The size of a coded picture.

/// The size of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dimensions {
    pub width: u32,
    pub height: u32,
}

impl Dimensions {
    /// The size to show a picture in whose samples are so wide and so high. Samples are made larger and never smaller. `None` where
    /// that is the same size, and for a ratio that no camera has.
    pub fn displayed(self, sample_width: u16, sample_height: u16) -> Option<Self> {
        const MOST: u16 = 8;
        let (wide, high) = (sample_width, sample_height);
        if wide == high || wide.min(high) == 0 || wide.max(high) / wide.min(high) >= MOST {
            return None;
        }
        let stretched = |size: u32, by: u16, of: u16| {
            let (by, of) = (u64::from(by), u64::from(of));
            u32::try_from((u64::from(size) * by + of / 2) / of).ok()
        };
        Some(if wide > high {
            Self { width: stretched(self.width, wide, high)?, ..self }
        } else {
            Self { height: stretched(self.height, high, wide)?, ..self }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_that_are_not_square_make_the_picture_larger_in_one_direction() {
        let displayed = |width, height, sample: (u16, u16)| {
            Dimensions { width, height }.displayed(sample.0, sample.1).map(|size| (size.width, size.height))
        };
        assert_eq!(displayed(704, 576, (16, 11)), Some((1024, 576)));
        assert_eq!(displayed(1920, 1080, (3, 4)), Some((1920, 1440)));
        assert_eq!(displayed(1920, 1080, (1, 1)), None);
        assert_eq!(displayed(1920, 1080, (0, 1)), None);
        assert_eq!(displayed(u32::MAX, 1, (u16::MAX, 9000)), None, "too large");
        assert_eq!(displayed(64, 64, (100, 1)), None, "no camera has that");
    }
}
