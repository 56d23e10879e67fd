//! RTCP from the browser. The core passes an application only the packets for the first SSRC of a compound packet, so an
//! interceptor of this module reads all of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket, convert_twcc};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{NackPair, TransportLayerNack};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

use crate::rtp::ArrivalReport;

/// How a browser asks for a key frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyframeRequest {
    /// RFC 4585 §6.3.1.
    Pli,
    /// RFC 5104 §4.3.1.
    Fir,
}

/// The feedback of a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Feedback {
    /// The browser needs a key frame to go on decoding.
    KeyframeWanted { ssrc: u32, by: KeyframeRequest },
    /// The browser misses these packets (RFC 4585 §6.2.1).
    Lost { ssrc: u32, sequence_numbers: Vec<u16> },
    /// The browser has estimated that this many bits per second arrive at most (REMB, draft-alvestrand-rmcat-remb-03).
    Bandwidth { bits_per_second: u64 },
    /// When packets with transport-wide sequence numbers arrived, on any stream.
    Arrivals(Vec<ArrivalReport>),
}

/// Whether RTCP has come from the browser since this was asked last. It was decrypted, so nobody else can have sent it.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(Arc<AtomicBool>);

impl Heard {
    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// An interceptor that reads all incoming RTCP, reports the feedback in it, and passes every packet on unchanged.
pub(super) struct FeedbackTap {
    feedback: mpsc::Sender<Feedback>,
    heard: Heard,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

impl FeedbackTap {
    pub(super) fn new() -> (Self, mpsc::Receiver<Feedback>, Heard) {
        let (feedback, receiver) = mpsc::channel();
        let heard = Heard::default();
        let tap = Self { feedback, heard: heard.clone(), reads: VecDeque::new(), writes: VecDeque::new() };
        (tap, receiver, heard)
    }

    fn listen(&self, packet: &dyn rtc::rtcp::Packet) {
        let any = packet.as_any();
        // The receiver exists as long as the connection that owns this tap.
        let tell = |feedback| {
            let _ = self.feedback.send(feedback);
        };
        if let Some(pli) = any.downcast_ref::<PictureLossIndication>() {
            tell(Feedback::KeyframeWanted { ssrc: pli.media_ssrc, by: KeyframeRequest::Pli });
        } else if let Some(fir) = any.downcast_ref::<FullIntraRequest>() {
            for entry in &fir.fir {
                tell(Feedback::KeyframeWanted { ssrc: entry.ssrc, by: KeyframeRequest::Fir });
            }
        } else if let Some(nack) = any.downcast_ref::<TransportLayerNack>() {
            let sequence_numbers = nack.nacks.iter().flat_map(NackPair::packet_list).collect();
            tell(Feedback::Lost { ssrc: nack.media_ssrc, sequence_numbers });
        } else if let Some(remb) = any.downcast_ref::<ReceiverEstimatedMaximumBitrate>() {
            tell(Feedback::Bandwidth { bits_per_second: remb.bitrate as u64 });
        } else if let Some(report) = any.downcast_ref::<TransportLayerCc>() {
            let reports = convert_twcc(report);
            // The last chunk may have room for more packets than the report is about, which would read as lost.
            let reports = reports
                .iter()
                .take(report.packet_status_count.into())
                .map(|report| ArrivalReport { number: report.sequence_number, arrived: report.arrival });
            tell(Feedback::Arrivals(reports.collect()));
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for FeedbackTap {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &packet.message.packet {
            self.heard.0.store(true, Ordering::Relaxed);
            for packet in packets {
                self.listen(packet.as_ref());
            }
        }
        self.reads.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.writes.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }
}

impl Interceptor for FeedbackTap {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
