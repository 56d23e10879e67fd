"""A viewer on aiortc, the WebRTC stack in Python: ICE by aioice, decoders by PyAV."""

import asyncio

from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

import scenario


class Aiortc:
    def __init__(self):
        # With another policy all m-lines share a transport from the start, and aiortc takes the candidates of the last one, whereas
        # an answer has them in the first one alone (RFC 8843 section 10).
        self._connection = RTCPeerConnection(RTCConfiguration(bundlePolicy=RTCBundlePolicy.MAX_COMPAT))
        self._tasks = []
        self.on_picture = None

    async def offer(self, count):
        for _ in range(count):
            self._connection.addTransceiver("video", direction="recvonly")
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return self._connection.localDescription.sdp

    async def accept(self, sdp, slots):
        await self._connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))
        for transceiver in self._connection.getTransceivers():
            slot = slots[transceiver.mid]
            self._tasks.append(asyncio.create_task(self._show(slot, transceiver.receiver.track)))

    async def _show(self, slot, track):
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            luma = frame.planes[0]
            self.on_picture(slot, memoryview(luma), luma.line_size, frame.width, frame.height)

    async def close(self):
        await self._connection.close()
        await asyncio.gather(*self._tasks)


if __name__ == "__main__":
    scenario.main(Aiortc)
