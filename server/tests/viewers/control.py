"""The signalling of docs/protocol.md: JSON messages on the WebSocket `/api/ws`, for any WebRTC stack in Python."""

import asyncio
import itertools
import json

import websockets

PATIENCE_S = 20


class Control:
    """One WebSocket with one session. Requests get their answers by `request_id`; the rest is in `statuses`."""

    def __init__(self, socket):
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting = {}
        #: The latest status of each slot.
        self.statuses = {}
        self.disconnected = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, url):
        # The library would look for a proxy of the environment, also for this machine's own addresses.
        return cls(await websockets.connect(url.replace("http", "ws", 1) + "/api/ws", proxy=None))

    async def _read(self):
        async for text in self._socket:
            message = json.loads(text)
            if message["type"] == "multistream/status":
                self.statuses[message["slot"]] = message["status"]
            elif message["type"] == "multistream/disconnected":
                self.disconnected.set_result(message["reason"])
            waiting = self._waiting.pop(message.get("request_id"), None)
            if waiting is not None:
                waiting.set_result(message)

    async def send(self, kind, **fields):
        await self._socket.send(json.dumps({"type": f"multistream/{kind}", **fields}))

    async def request(self, kind, **fields):
        """Returns the message that answers, whatever it says."""
        request_id = str(next(self._ids))
        answer = self._waiting[request_id] = asyncio.get_running_loop().create_future()
        await self.send(kind, request_id=request_id, **fields)
        return await asyncio.wait_for(answer, PATIENCE_S)

    async def negotiate(self, streams, make_offer):
        """Opens a session with one slot for each stream; returns the answer's SDP, and the slot of each mid."""
        slots = [{"slot": slot, "stream": stream} for slot, stream in enumerate(streams)]
        ready = await self.request("init", slots=slots)
        if ready["type"] != "multistream/ready":
            raise RuntimeError(f"init: {ready}")
        answer = await self.request("offer", sdp=await make_offer(len(streams)))
        if answer["type"] != "multistream/answer":
            raise RuntimeError(f"offer: {answer}")
        self.statuses.update({status["slot"]: status for status in answer["slots"]})
        return answer["sdp"], {mid: int(slot) for slot, mid in answer["mids"].items()}

    async def close(self):
        """Ends the session, and returns the server's reason."""
        await self.send("close")
        reason = await asyncio.wait_for(self.disconnected, PATIENCE_S)
        await self._socket.close()
        await self._reader
        return reason
