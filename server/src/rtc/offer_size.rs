//! Bounds an offer before anything is made of it: reading a large one takes time, and its m-lines take memory for as long as the
//! connection lasts.

use super::PeerError;

/// Refuses an offer that is larger than one for this many slots, before it is read. Browsers need up to 5 kB for an m-line.
pub fn check_size(offer: &str, max_slots: usize) -> Result<(), PeerError> {
    const BYTES: usize = 8 * 1024;
    /// For sound, and for what a browser has stopped.
    const MORE_LINES: usize = 4;
    let most = BYTES * (max_slots + MORE_LINES);
    if offer.len() > most {
        return Err(PeerError::TooLarge { bytes: offer.len(), most });
    }
    let lines = || offer.lines().filter(|line| line.starts_with("m="));
    if lines().any(|line| line.starts_with("m=application")) {
        return Err(PeerError::DataChannel);
    }
    let (lines, most) = (lines().count(), max_slots + MORE_LINES);
    if lines > most { Err(PeerError::TooManyMedia { lines, most }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_for_the_slots_that_are_allowed_passes_and_a_larger_one_does_not() {
        let offer =
            |lines: usize, kind: &str| format!("v=0\r\n{}", format!("m={kind} 9 UDP 96\r\n").repeat(lines));
        assert!(check_size(&offer(13, "video"), 9).is_ok());
        let error = check_size(&offer(14, "video"), 9).expect_err("too many");
        assert!(matches!(error, PeerError::TooManyMedia { lines: 14, most: 13 }), "{error}");
        assert!(matches!(check_size(&offer(1, "application"), 9), Err(PeerError::DataChannel)));
        let large = offer(1, "video") + &"a=x\r\n".repeat(100_000);
        assert!(matches!(check_size(&large, 9), Err(PeerError::TooLarge { .. })));
    }
}
