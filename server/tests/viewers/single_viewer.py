"""A viewer of one stream by the ways that other servers have: go2rtc's messages and requests, and WHEP. It says as JSON what the
server has answered, what it has decoded, and how the session ended.

    single_viewer.py STACK FORM URL STREAM

`FORM` is `ws`, `ws-object`, `json`, `sdp`, `raw` or `whep`.
"""

import asyncio
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

import websockets

import scenario

TOLD = {"json": "application/json", "sdp": "application/sdp", "raw": None}


def request(method, url, body=None, **headers):
    """Status, headers and body."""
    headers = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
    asked = urllib.request.Request(url, None if body is None else body.encode(), headers, method=method)
    # The library would look for a proxy of the environment.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(asked, timeout=scenario.PATIENCE_S) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


async def ask(*arguments, **headers):
    return await asyncio.get_running_loop().run_in_executor(None, lambda: request(*arguments, **headers))


async def by_websocket(url, stream, offer, as_object):
    address = f"{url.replace('http', 'ws', 1)}/api/ws?src={urllib.parse.quote(stream)}"
    async with websockets.connect(address, proxy=None) as socket:
        value = {"type": "offer", "sdp": offer, "ice_servers": []} if as_object else offer
        await socket.send(json.dumps({"type": "webrtc" if as_object else "webrtc/offer", "value": value}))
        await socket.send(json.dumps({"type": "webrtc/candidate", "value": ""}))
        answer = json.loads(await asyncio.wait_for(socket.recv(), scenario.PATIENCE_S))
    # The socket is closed here, as go2rtc's player does; pictures come nevertheless.
    if answer["type"] == "error":
        raise RuntimeError(answer["value"])
    value = answer["value"]
    assert answer["type"] == ("webrtc" if as_object else "webrtc/answer"), answer
    assert not as_object or value["type"] == "answer", answer
    return (value["sdp"] if as_object else value), {"status": answer["type"]}


async def by_post(url, stream, offer, form):
    address = f"{url}/api/webrtc?src={urllib.parse.quote(stream)}"
    body = json.dumps({"type": "offer", "sdp": offer}) if form == "json" else offer
    status, headers, answer = await ask("POST", address, body, Content_Type=TOLD[form] or "text/plain")
    if form == "json":
        answer = json.loads(answer)
        assert answer["type"] == "answer", answer
        answer = answer["sdp"]
    return answer, {"status": status, "type": headers.get("Content-Type")}


async def by_whep(url, stream, offer):
    address = f"{url}/whep/{urllib.parse.quote(stream)}"
    status, headers, answer = await ask("POST", address, offer, Content_Type="application/sdp")
    session = urllib.parse.urljoin(address, headers["Location"])
    fragment = "\r\n".join(
        [line for line in offer.splitlines() if line.startswith(("a=ice-ufrag", "a=ice-pwd"))][:2] + ["a=end-of-candidates", ""]
    )
    told = await ask(
        "PATCH", session, fragment, Content_Type="application/trickle-ice-sdpfrag", If_Match=headers["ETag"]
    )
    return answer, {"status": status, "type": headers.get("Content-Type"), "session": session, "trickled": told[0]}


async def view(stack, form, url, stream):
    pictures = asyncio.Queue()

    def on_picture(_slot, luma, stride, width, height):
        reading = scenario.barcode.read(luma, stride, width)
        pictures.put_nowait(f"camera{reading[0]}" if reading else f"{width}x{height}")

    stack.on_picture = on_picture
    offer = await stack.offer(1)
    if form.startswith("ws"):
        answer, seen = await by_websocket(url, stream, offer, form == "ws-object")
    elif form == "whep":
        answer, seen = await by_whep(url, stream, offer)
    else:
        answer, seen = await by_post(url, stream, offer, form)
    mids = [part.split("a=mid:")[1].splitlines()[0] for part in answer.split("m=video")[1:]]
    await stack.accept(answer, {mid: 0 for mid in mids})
    shown = [await asyncio.wait_for(pictures.get(), scenario.PATIENCE_S) for _ in range(scenario.PLAYS)]
    seen["shown"] = sorted(set(shown))
    if form == "whep":
        seen["deleted"] = (await ask("DELETE", seen["session"]))[0]
        seen["again"] = (await ask("DELETE", seen["session"]))[0]
    else:
        await stack.close()
    return seen


def main():
    name, form, url, stream = sys.argv[1:]
    if name == "aiortc":
        from aiortc_viewer import Aiortc as Stack
    else:
        from webrtcbin_viewer import Webrtcbin as Stack

    async def run():
        return await view(Stack(), form, url, stream)

    print(json.dumps(asyncio.run(run())))


main()
