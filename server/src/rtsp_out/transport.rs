//! Chooses among the transports that a client offers.

use rtsp_types::headers::{RtpLowerTransport, RtpProfile, Transport, TransportMode, Transports};

use super::request::Request;

/// How packets go to a reader, as the client wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// In the RTSP connection, on these channels.
    Interleaved { media: u8, reports: u8 },
    /// To these ports of the client.
    Udp { media: u16, reports: u16 },
}

/// The first transport of the request that there is.
pub(super) fn choose(request: &Request) -> Option<Choice> {
    let transports = request.typed_header::<Transports>().ok()??;
    transports.iter().find_map(choice)
}

fn choice(transport: &Transport) -> Option<Choice> {
    let Transport::Rtp(transport) = transport else { return None };
    let params = &transport.params;
    if transport.profile != RtpProfile::Avp
        || params.multicast
        || params.mode.contains(&TransportMode::Record)
    {
        return None;
    }
    match transport.lower_transport {
        Some(RtpLowerTransport::Tcp) => {
            let (media, reports) = params.interleaved.unwrap_or((0, Some(1)));
            let reports = reports.or(media.checked_add(1))?;
            (media != reports).then_some(Choice::Interleaved { media, reports })
        }
        Some(RtpLowerTransport::Udp) | None => {
            // Packets go to the client's own address only: `destination=` would have this server flood another one.
            let (media, reports) = params.client_port?;
            let reports = reports.or(media.checked_add(1))?;
            (media != 0 && reports != 0).then_some(Choice::Udp { media, reports })
        }
        Some(RtpLowerTransport::Other(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use rtsp_types::{Method, Version, headers};

    use super::*;

    fn of(transport: &str) -> Option<Choice> {
        let request =
            rtsp_types::Request::builder(Method::Setup, Version::V1_0).header(headers::TRANSPORT, transport);
        choose(&request.build(Vec::new()))
    }

    #[test]
    fn the_first_transport_that_there_is_is_taken() {
        let udp = |media, reports| Some(Choice::Udp { media, reports });
        let tcp = |media, reports| Some(Choice::Interleaved { media, reports });
        for (transport, expected) in [
            ("RTP/AVP/TCP;unicast;interleaved=0-1", tcp(0, 1)),
            ("RTP/AVP/TCP;unicast;interleaved=4-5;mode=\"PLAY\"", tcp(4, 5)),
            ("RTP/AVP/TCP;unicast", tcp(0, 1)),
            ("RTP/AVP/TCP;unicast;interleaved=255", None),
            ("RTP/AVP;unicast;client_port=5000-5001", udp(5000, 5001)),
            ("RTP/AVP/UDP;unicast;client_port=5000", udp(5000, 5001)),
            ("RTP/AVP;unicast;client_port=0-1", None),
            ("RTP/AVP;unicast;client_port=65535", None),
            ("RTP/AVP;unicast", None),
            ("RTP/AVP;multicast;client_port=5000-5001", None),
            ("RTP/SAVP;unicast;client_port=5000-5001", None),
            ("RTP/AVP;multicast,RTP/AVP/TCP;unicast;interleaved=0-1", tcp(0, 1)),
            ("RTP/AVP/TCP;unicast;interleaved=0-1;mode=record", None),
            ("nonsense", None),
        ] {
            assert_eq!(of(transport), expected, "{transport}");
        }
    }
}
