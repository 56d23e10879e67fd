//! The parameter sets of a stream of H.264 or H.265, by their ids, and those that a key frame needs.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::bitstream::nal::{NalCodec, NalKind};
use crate::bitstream::parameters::{self, Pps};

/// A longer set is not kept. Those of real cameras have some tens of bytes, with scaling lists a few hundred.
const MAX_LEN: usize = 16 << 10;

/// The latest parameter set of each kind and id. The standards have at most 32 SPS and 256 PPS, so the memory is bounded.
#[derive(Debug, Default)]
pub(super) struct ParameterSets {
    vps: BTreeMap<u32, Bytes>,
    /// With the id of the VPS that each refers to, which H.264 has none of.
    sps: BTreeMap<u32, (Bytes, u32)>,
    /// With the id of the SPS that each refers to.
    pps: BTreeMap<u32, (Bytes, u32)>,
}

impl ParameterSets {
    /// Keeps the sets among these NAL units. One whose ids cannot be read counts as the first one.
    pub(super) fn remember(&mut self, codec: NalCodec, nals: &[Bytes]) {
        for nal in nals.iter().filter(|nal| nal.len() <= MAX_LEN) {
            // Copies, since a slice would keep the whole access unit in memory as long as the parameter set.
            let copy = || Bytes::copy_from_slice(nal);
            match codec.kind(nal) {
                NalKind::Vps => {
                    self.vps.insert(parameters::vps_id(nal).unwrap_or(0), copy());
                }
                NalKind::Sps => {
                    let ids = parameters::sps(codec, nal).unwrap_or_default();
                    self.sps.insert(ids.id, (copy(), ids.vps));
                }
                NalKind::Pps => {
                    let Pps { id, sps } = parameters::pps(codec, nal).unwrap_or_default();
                    self.pps.insert(id, (copy(), sps));
                }
                _ => {}
            }
        }
    }

    /// The sets that the pictures from this key frame on may use: the SPS of its slices, which stays the same up to the next key
    /// frame, and every PPS of it. `None` if one is missing.
    pub(super) fn needed(&self, codec: NalCodec, nals: &[Bytes]) -> Option<Needed<'_>> {
        let mut active = None;
        for slice in nals.iter().filter(|nal| codec.kind(nal).is_slice()) {
            // A slice that cannot be read is the decoder's to judge.
            let Some(pps) = parameters::pps_of_slice(codec, slice) else { continue };
            let (_, sps) = self.pps.get(&pps)?;
            active = active.or(Some(*sps));
        }
        let active = active.or_else(|| self.sps.keys().next().copied())?;
        let (sps, vps) = self.sps.get(&active)?;
        let vps = match codec {
            NalCodec::H264 => None,
            NalCodec::H265 => Some(self.vps.get(vps)?),
        };
        let of_sps = self.pps.values().filter(|(_, sps)| *sps == active);
        let sets: Vec<&Bytes> = vps.into_iter().chain([sps]).chain(of_sps.map(|(pps, _)| pps)).collect();
        let has_pps = sets.len() > 1 + usize::from(vps.is_some());
        has_pps.then_some(Needed { codec, sps, sets })
    }
}

/// See [`ParameterSets::needed`].
#[derive(Debug)]
pub(super) struct Needed<'a> {
    codec: NalCodec,
    pub(super) sps: &'a Bytes,
    sets: Vec<&'a Bytes>,
}

impl Needed<'_> {
    /// Puts the sets in front of the key frame, instead of those that it contains, unless it has them all there.
    pub(super) fn put_first(&self, nals: &mut Vec<Bytes>) {
        let slice = nals.iter().position(|nal| self.codec.kind(nal).is_slice()).unwrap_or(nals.len());
        if self.sets.iter().all(|set| nals[..slice].contains(set)) {
            return;
        }
        nals.retain(|nal| !self.codec.kind(nal).is_parameter_set());
        nals.splice(..0, self.sets.iter().copied().cloned());
    }
}

#[cfg(test)]
mod tests;
