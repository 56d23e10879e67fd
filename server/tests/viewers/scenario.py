"""What every viewer does here: it shows three cameras on one connection, switches, pauses and resumes slots, and tells as JSON
what pictures its stack has decoded meanwhile.

A stack is a class with `offer(count)` (SDP with that many recvonly video m-lines), `accept(sdp, slots)` (the answer, and the slot
of each mid), `close()`, and the attribute `on_picture`, which it calls with every decoded picture.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from control import PATIENCE_S, Control

sys.path.append(str(Path(__file__).resolve().parents[3] / "e2e" / "cameras"))
import barcode  # noqa: E402

#: Pictures by which a slot counts as playing.
PLAYS = 15
POLL_S = 0.01
#: How long pictures may still come after a pause: what was under way, and what the stack has buffered.
SETTLE_S = 1.0
QUIET_S = 1.5


class Tally:
    """What one slot has shown."""

    def __init__(self):
        self.pictures = 0
        #: Each camera or size when it was first seen after another one, and how many pictures it had: `[["camera1", 31], …]`.
        self.shown = []

    def count(self, what):
        self.pictures += 1
        if not self.shown or self.shown[-1][0] != what:
            self.shown.append([what, 0])
        self.shown[-1][1] += 1

    def playing(self, what):
        """How many pictures of this one were shown since the last other one."""
        return self.shown[-1][1] if self.shown and self.shown[-1][0] == what else 0


async def until(expected, holds):
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {PATIENCE_S} s: {expected()}")
        await asyncio.sleep(POLL_S)


async def view(url, stack, streams, switches):
    """`streams` are shown first; `switches` is a list of `(slot, stream, what its pictures show)`."""
    tallies = [Tally() for _ in streams]

    def on_picture(slot, luma, stride, width, height):
        reading = barcode.read(luma, stride, width)
        tallies[slot].count(f"camera{reading[0]}" if reading else f"{width}x{height}")

    def told(what):
        return lambda: f"{what}; shown: {[tally.shown for tally in tallies]}; statuses: {control.statuses}"

    stack.on_picture = on_picture
    control = await Control.connect(url)
    sdp, slots = await control.negotiate(streams, stack.offer)
    await stack.accept(sdp, slots)
    for slot, stream in enumerate(streams):
        await until(told(f"pictures of {stream}"), lambda: tallies[slot].playing(stream) >= PLAYS)

    switch_ms = []
    for slot, stream, shows in switches:
        asked = time.monotonic()
        answer = await control.request("switch", slot=slot, stream=stream)
        if answer.get("status", {}).get("status") != "active":
            raise RuntimeError(f"switch: {answer}")
        await until(told(f"pictures of {stream}"), lambda: tallies[slot].playing(shows) >= 1)
        switch_ms.append(round((time.monotonic() - asked) * 1000))
        await until(told(f"more of {stream}"), lambda: tallies[slot].playing(shows) >= PLAYS)

    last = len(streams) - 1
    paused = await control.request("pause", slot=last)
    await asyncio.sleep(SETTLE_S)
    before = [tally.pictures for tally in tallies]
    await asyncio.sleep(QUIET_S)
    during_pause = [tally.pictures - count for tally, count in zip(tallies, before)]
    resumed = await control.request("resume", slot=last)
    await until(told("pictures after the pause"), lambda: tallies[last].pictures >= before[last] + PLAYS)
    statuses = [control.statuses[slot] for slot in range(len(streams))]
    reason = await control.close()
    await stack.close()
    return {
        "slots": [{"pictures": tally.pictures, "shown": tally.shown} for tally in tallies],
        "switch_ms": switch_ms,
        "paused": paused["status"]["status"],
        "pictures_during_pause": during_pause,
        "resumed": resumed["status"]["status"],
        "codecs": [status.get("codec") for status in statuses],
        "closed": reason,
        "answer": sdp,
    }


def main(stack):
    """`SCRIPT URL STREAMS SWITCHES`, the two lists as JSON."""
    url, streams, switches = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])

    async def run():
        # Made here, since stacks want the running loop.
        return await view(url, stack(), streams, switches)

    print(json.dumps(asyncio.run(run())))
