//! RTCP from the browser. The core gives an application only what belongs to the first SSRC of a compound packet, so an
//! interceptor of our own listens in.

use std::collections::VecDeque;
use std::sync::mpsc;
use std::time::Instant;

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket, convert_twcc};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

use super::codecs::TRANSPORT_CC_URI;
use super::departures::Departures;
use crate::slot::Arrival;

/// What a browser said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Feedback {
    /// It cannot decode and wants a key frame: PLI (RFC 4585 §6.3.1) or FIR (RFC 5104 §4.3.1).
    KeyframeWanted { ssrc: u32 },
    /// When packets of bursts arrived, on whatever stream.
    Arrivals(Vec<Arrival>),
}

/// Reads all RTCP on its way in and passes it on untouched; numbers what the browser shall report the arrival of.
pub(super) struct FeedbackTap {
    feedback: mpsc::Sender<Feedback>,
    departures: Departures,
    /// The header extension that carries the number.
    number_extension: Option<u8>,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

impl FeedbackTap {
    pub(super) fn new() -> (Self, mpsc::Receiver<Feedback>) {
        let (feedback, receiver) = mpsc::channel();
        let tap = Self {
            feedback,
            departures: Departures::default(),
            number_extension: None,
            reads: VecDeque::new(),
            writes: VecDeque::new(),
        };
        (tap, receiver)
    }

    fn listen(&mut self, packet: &dyn rtc::rtcp::Packet) {
        let any = packet.as_any();
        // The receiver lives as long as the connection that owns this tap.
        let feedback = &self.feedback;
        let tell = |said| {
            let _ = feedback.send(said);
        };
        if let Some(pli) = any.downcast_ref::<PictureLossIndication>() {
            tell(Feedback::KeyframeWanted { ssrc: pli.media_ssrc });
        } else if let Some(fir) = any.downcast_ref::<FullIntraRequest>() {
            fir.fir.iter().for_each(|entry| tell(Feedback::KeyframeWanted { ssrc: entry.ssrc }));
        } else if let Some(report) = any.downcast_ref::<TransportLayerCc>() {
            tell(Feedback::Arrivals(self.departures.resolve(&convert_twcc(report))));
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

    fn handle_write(&mut self, mut packet: TaggedPacket) -> Result<(), Error> {
        if let (Some(id), Packet::Rtp(rtp)) = (self.number_extension, &mut packet.message.packet) {
            // A repair carries the number of the first try: this is another packet on the path, with a number of its own.
            if let Some(extension) = rtp.header.extensions.iter_mut().find(|extension| extension.id == id) {
                extension.payload = self.departures.number(packet.now, rtp.payload.len());
            }
        }
        self.writes.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }
}

impl Interceptor for FeedbackTap {
    fn bind_local_stream(&mut self, stream: &StreamInfo) {
        let extension = stream.rtp_header_extensions.iter().find(|known| known.uri == TRANSPORT_CC_URI);
        self.number_extension = extension.map(|known| known.id as u8).or(self.number_extension);
    }
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
