"""A viewer on webrtcbin, the WebRTC stack of GStreamer: ICE by libnice, DTLS by OpenSSL, decoders by libavcodec."""

import asyncio

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstVideo", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstVideo, GstWebRTC  # noqa: E402

import scenario  # noqa: E402

# With the feedback that browsers offer too.
CAPS = (
    "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000,packetization-mode=(string)1,"
    "rtcp-fb-nack=true,rtcp-fb-nack-pli=true,rtcp-fb-transport-cc=true,"
    "extmap-3=http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
)
DECODES = "rtph264depay ! avdec_h264 ! videoconvert ! appsink name=sink emit-signals=true sync=false caps=video/x-raw,format=I420"


class Webrtcbin:
    def __init__(self):
        Gst.init(None)
        self._loop = asyncio.get_running_loop()
        self._pipeline = Gst.Pipeline()
        self._webrtc = Gst.ElementFactory.make("webrtcbin")
        self._webrtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self._webrtc.connect("pad-added", self._on_pad)
        self._pipeline.add(self._webrtc)
        self._slots = {}
        self.on_picture = None

    async def offer(self, count):
        self._pipeline.set_state(Gst.State.PLAYING)
        for _ in range(count):
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            transceiver = self._webrtc.emit("add-transceiver", direction, Gst.Caps.from_string(CAPS))
            transceiver.set_property("do-nack", True)
        created = await self._promise("create-offer", None)
        gathered = self._loop.create_future()

        def on_gathering(*_):
            if self._webrtc.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
                self._loop.call_soon_threadsafe(lambda: gathered.done() or gathered.set_result(None))

        self._webrtc.connect("notify::ice-gathering-state", on_gathering)
        await self._promise("set-local-description", created.get_value("offer"))
        await asyncio.wait_for(gathered, scenario.PATIENCE_S)
        return self._webrtc.get_property("local-description").sdp.as_text()

    async def accept(self, sdp, slots):
        self._slots = slots
        _, message = GstSdp.SDPMessage.new_from_text(sdp)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        await self._promise("set-remote-description", answer)

    async def close(self):
        await self._loop.run_in_executor(None, self._pipeline.set_state, Gst.State.NULL)

    async def _promise(self, action, argument):
        """Emits an action of webrtcbin that takes a promise, and returns the reply."""
        replied = self._loop.create_future()

        def on_change(promise):
            self._loop.call_soon_threadsafe(replied.set_result, promise.get_reply())

        self._webrtc.emit(action, argument, Gst.Promise.new_with_change_func(on_change))
        reply = await asyncio.wait_for(replied, scenario.PATIENCE_S)
        if reply is not None and reply.has_field("error"):
            raise RuntimeError(f"{action}: {reply.get_value('error')}")
        return reply

    def _on_pad(self, _webrtc, pad):
        slot = self._slots[pad.get_property("transceiver").get_property("mid")]
        decoder = Gst.parse_bin_from_description(DECODES, True)
        self._pipeline.add(decoder)
        decoder.get_by_name("sink").connect("new-sample", self._on_sample, slot)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))

    def _on_sample(self, sink, slot):
        """In a thread of GStreamer."""
        sample = sink.emit("pull-sample")
        info = GstVideo.VideoInfo.new_from_caps(sample.get_caps())
        buffer = sample.get_buffer()
        luma = buffer.extract_dup(info.offset[0], info.stride[0] * info.height)
        picture = (slot, luma, info.stride[0], info.width, info.height)
        self._loop.call_soon_threadsafe(self.on_picture, *picture)
        return Gst.FlowReturn.OK


if __name__ == "__main__":
    scenario.main(Webrtcbin)
