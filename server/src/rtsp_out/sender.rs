//! Makes the RTP stream of one reader from the events of its stream. Pure: no socket, no clock.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::source_description::{
    SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
};

use crate::media::{Codec, Frame, StreamEvent, Timestamp90k};

/// The only payload type, from the dynamic ones (RFC 3551 §6).
pub(super) const PAYLOAD_TYPE: u8 = 96;
const MARKER: u8 = 0x80;
/// Version 2, without padding, extension and contributing sources (RFC 3550 §5.1).
const FIRST_BYTE: u8 = 0x80;

/// The stream has another codec than what the reader was told.
#[derive(Debug)]
pub(super) struct OtherCodec(pub(super) Codec);

/// The RTP stream of one track. Its timestamps have the distances of the media timeline, which are those of the camera; the first
/// one is chosen before its frame is there, so that the answer to PLAY can tell it.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) ssrc: u32,
    /// What the reader was told; without a DESCRIBE, that of the first frame.
    codec: Option<Codec>,
    sequence: u16,
    /// The RTP timestamp of the first frame since the last PLAY, and that frame's on the media timeline.
    start: u32,
    first: Option<Timestamp90k>,
    /// The last frame that was taken since then.
    last: Option<Timestamp90k>,
    /// What is yet to be sent; of the first one the packets from `at` on.
    frames: VecDeque<Arc<Frame>>,
    at: usize,
    packets: u32,
    octets: u32,
}

impl Sender {
    pub(super) fn new(codec: Option<Codec>) -> Self {
        Self {
            ssrc: rand::random(),
            codec,
            sequence: rand::random(),
            start: rand::random(),
            first: None,
            last: None,
            frames: VecDeque::new(),
            at: 0,
            packets: 0,
            octets: 0,
        }
    }

    /// Begins to play, at the first start or after a pause. Returns the sequence number and the timestamp of the first packet.
    pub(super) fn begin(&mut self, now: Timestamp90k) -> (u16, u32) {
        if let Some(start) = self.rtp(now) {
            self.start = start;
        }
        (self.first, self.last) = (None, None);
        self.frames.clear();
        self.at = 0;
        (self.sequence, self.start)
    }

    /// Takes the next event of the stream. A GOP that the reader has a part of goes on where it was; one that begins later than what
    /// it has is sent as a whole, and what is between is lost. Timestamps never go back.
    pub(super) fn take(&mut self, event: &StreamEvent) -> Result<(), OtherCodec> {
        match event {
            StreamEvent::Gop(gop) => gop.iter().try_for_each(|frame| self.push(frame)),
            StreamEvent::Frame(frame) => self.push(frame),
            // The next pictures come as a GOP.
            StreamEvent::Offline(_) => Ok(()),
        }
    }

    fn push(&mut self, frame: &Arc<Frame>) -> Result<(), OtherCodec> {
        let is_next = self.last.map_or(frame.keyframe, |last| frame.timestamp > last);
        if !is_next {
            return Ok(());
        }
        if *self.codec.get_or_insert(frame.codec) != frame.codec {
            return Err(OtherCodec(frame.codec));
        }
        self.first.get_or_insert(frame.timestamp);
        self.last = Some(frame.timestamp);
        self.frames.push_back(Arc::clone(frame));
        Ok(())
    }

    /// Whether everything was sent.
    pub(super) fn is_idle(&self) -> bool {
        self.frames.is_empty()
    }

    /// Whether packets were sent since the last PLAY, or wait to be.
    pub(super) fn has_begun(&self) -> bool {
        self.first.is_some()
    }

    /// Writes the next packet. [`Self::sent`] goes on to the one after it.
    pub(super) fn put(&self, out: &mut BytesMut) -> bool {
        let Some((frame, payload)) = self.next() else { return false };
        let marker = if self.at + 1 == frame.payloads.len() { MARKER } else { 0 };
        out.put_u8(FIRST_BYTE);
        out.put_u8(marker | PAYLOAD_TYPE);
        out.put_u16(self.sequence);
        out.put_u32(self.rtp(frame.timestamp).unwrap_or_default());
        out.put_u32(self.ssrc);
        out.put_slice(payload);
        true
    }

    pub(super) fn sent(&mut self) {
        let Some((frame, payload)) = self.next() else { return };
        let (length, count) = (payload.len() as u32, frame.payloads.len());
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(length);
        self.sequence = self.sequence.wrapping_add(1);
        self.at += 1;
        if self.at >= count {
            self.frames.pop_front();
            self.at = 0;
        }
    }

    fn next(&self) -> Option<(&Frame, &Bytes)> {
        let frame = self.frames.front()?;
        Some((frame, frame.payloads.get(self.at)?))
    }

    /// A sender report (RFC 3550 §6.4.1) with the name of the source. `ntp` is the time of `now`.
    pub(super) fn report(&self, now: Timestamp90k, ntp: u64) -> Option<BytesMut> {
        let report = SenderReport {
            ssrc: self.ssrc,
            ntp_time: ntp,
            rtp_time: self.rtp(now)?,
            packet_count: self.packets,
            octet_count: self.octets,
            ..SenderReport::default()
        };
        let name = SourceDescriptionItem {
            sdes_type: SdesType::SdesCname,
            text: Bytes::from(format!("multistream-{:08x}", self.ssrc)),
        };
        let source = SourceDescription {
            chunks: vec![SourceDescriptionChunk { source: self.ssrc, items: vec![name] }],
        };
        rtc::rtcp::packet::marshal(&[Box::new(report), Box::new(source)]).ok()
    }

    /// The RTP timestamp of a time.
    fn rtp(&self, time: Timestamp90k) -> Option<u32> {
        Some(self.start.wrapping_add(time.rtp().wrapping_sub(self.first?.rtp())))
    }
}

#[cfg(test)]
mod tests {
    use rtc::rtp::Packet;
    use rtc::shared::marshal::Unmarshal as _;

    use super::*;

    fn frame(timestamp: u64, keyframe: bool) -> Arc<Frame> {
        let payloads = Box::new([Bytes::from_static(b"first"), Bytes::from_static(b"last")]);
        let (codec, timestamp) = (Codec::H264, Timestamp90k(timestamp));
        Arc::new(Frame { codec, timestamp, keyframe, dimensions: None, display: None, payloads })
    }

    fn gop(timestamps: &[u64]) -> StreamEvent {
        let frames = timestamps.iter().enumerate().map(|(index, at)| frame(*at, index == 0));
        StreamEvent::Gop(frames.collect())
    }

    fn packets(sender: &mut Sender) -> Vec<Packet> {
        let mut packets = Vec::new();
        let mut packet = BytesMut::new();
        while sender.put(&mut packet) {
            sender.sent();
            packets.push(Packet::unmarshal(&mut packet.split().freeze()).expect("RTP"));
        }
        packets
    }

    /// The timestamps of the frames, from the first one on.
    fn sent(sender: &mut Sender) -> Vec<u32> {
        let packets = packets(sender);
        packets
            .iter()
            .filter(|p| p.header.marker)
            .map(|p| p.header.timestamp.wrapping_sub(sender.start))
            .collect()
    }

    #[test]
    fn the_first_packet_is_the_one_that_was_told_and_numbers_go_on_without_a_gap() {
        let mut sender = Sender::new(None);
        let (sequence, timestamp) = sender.begin(Timestamp90k(0));
        assert!(
            sender.take(&StreamEvent::Frame(frame(5, false))).is_ok() && sender.is_idle(),
            "no key frame"
        );
        sender.take(&gop(&[1000, 4000])).expect("the same codec");
        let packets = packets(&mut sender);
        assert_eq!(packets.len(), 4);
        for (number, packet) in (0..).zip(&packets) {
            let header = &packet.header;
            assert_eq!((header.payload_type, header.ssrc), (PAYLOAD_TYPE, sender.ssrc));
            assert_eq!(header.sequence_number, sequence.wrapping_add(number));
            assert_eq!(header.timestamp, timestamp.wrapping_add(3000 * u32::from(number / 2)));
            assert_eq!(header.marker, number % 2 == 1);
        }
    }

    #[test]
    fn a_reader_that_was_slow_loses_whole_gops_and_gets_nothing_twice() {
        let mut sender = Sender::new(None);
        sender.begin(Timestamp90k(0));
        sender.take(&gop(&[100, 101])).expect("the same codec");
        assert_eq!(sent(&mut sender), [0, 1]);
        sender.take(&gop(&[100, 101, 102, 103])).expect("the same codec");
        assert_eq!(sent(&mut sender), [2, 3], "of a GOP that it has a part of, the rest");
        sender.take(&StreamEvent::Frame(frame(103, false))).expect("the same codec");
        sender.take(&gop(&[300, 301])).expect("the same codec");
        sender.take(&StreamEvent::Frame(frame(302, false))).expect("the same codec");
        assert_eq!(sent(&mut sender), [200, 201, 202]);
    }

    #[test]
    fn time_goes_on_during_a_pause() {
        let mut sender = Sender::new(None);
        let (_, before) = sender.begin(Timestamp90k(0));
        sender.take(&gop(&[1000])).expect("the same codec");
        packets(&mut sender);
        let (_, after) = sender.begin(Timestamp90k(91_000));
        assert_eq!(after, before.wrapping_add(90_000));
        sender.take(&gop(&[80_000, 83_000])).expect("the same codec");
        assert_eq!(sent(&mut sender), [0, 3000]);
    }

    #[test]
    fn a_report_tells_the_time_of_the_timestamps() {
        let mut sender = Sender::new(None);
        let (_, start) = sender.begin(Timestamp90k(0));
        assert!(sender.report(Timestamp90k(0), 0).is_none(), "nothing was sent");
        sender.take(&gop(&[1000])).expect("the same codec");
        packets(&mut sender);
        let report = sender.report(Timestamp90k(91_000), 7 << 32).expect("it has begun");
        let report = SenderReport::unmarshal(&mut report.freeze()).expect("RTCP");
        assert_eq!((report.ssrc, report.ntp_time), (sender.ssrc, 7 << 32));
        assert_eq!(report.rtp_time, start.wrapping_add(90_000));
        assert_eq!((report.packet_count, report.octet_count), (2, 9));
    }

    #[test]
    fn another_codec_than_the_one_that_was_told_is_an_error() {
        let mut sender = Sender::new(Some(Codec::H265));
        sender.begin(Timestamp90k(0));
        assert!(sender.take(&gop(&[1])).is_err());
    }
}
