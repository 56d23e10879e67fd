//! AV1 (AOM's RTP payload specification §4.4).
//!
//! It is implemented here because that of the `rtc` crate panics at an OBU that ends within its header.

use bytes::BytesMut;

use super::Damaged;
use crate::bitstream::{av1, leb128};

/// Joins one temporal unit's payloads to OBUs with sizes, which RTP leaves out (AV1 §5.3).
#[derive(Debug, Default)]
pub(super) struct Unit {
    data: BytesMut,
    /// The bytes of the current OBU so far.
    obu: Vec<u8>,
    /// Whether the current OBU continues in the next payload.
    in_fragment: bool,
}

impl Unit {
    pub(super) fn len(&self) -> usize {
        self.data.len() + self.obu.len()
    }

    pub(super) fn finish(self) -> Result<BytesMut, Damaged> {
        if self.in_fragment { Err(Damaged) } else { Ok(self.data) }
    }

    pub(super) fn push(&mut self, payload: &[u8]) -> Result<(), Damaged> {
        let (header, mut rest) = payload.split_first().ok_or(Damaged)?;
        // Z, Y, W.
        let (continues, goes_on) = (header & 0x80 != 0, header & 0x40 != 0);
        let count = usize::from(header >> 4 & 3);
        if continues != self.in_fragment {
            return Err(Damaged);
        }
        let mut index = 0;
        while !rest.is_empty() {
            index += 1;
            // If the number of elements is given, the last one has no length.
            let (length, elements) =
                if index == count { (rest.len(), rest) } else { leb128::read(rest).ok_or(Damaged)? };
            let (element, after) = elements.split_at_checked(length).ok_or(Damaged)?;
            self.obu.extend_from_slice(element);
            rest = after;
            if !(rest.is_empty() && goes_on) {
                let obu = std::mem::take(&mut self.obu);
                av1::put_obu(&obu, &mut self.data).ok_or(Damaged)?;
            }
        }
        self.in_fragment = goes_on;
        Ok(())
    }
}
