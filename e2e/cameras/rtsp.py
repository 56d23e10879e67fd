"""The RTSP server: each camera is one `appsrc` that is fed from its loop by the wall clock.

Frame k is sent when floor(now * fps) mod N == k, for all clients at once: the picture alone then tells its age.
A client that comes in the middle of a GOP gets the rest of that GOP first, as from a real camera.
"""

import collections.abc
import pathlib
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

from clips import Clip, Loop, load  # noqa: E402

ROLE = "viewer"
CLEAN_UP_EVERY_S = 2

OnEvent = collections.abc.Callable[..., None]


class Cameras:
    def __init__(self, port: int, cache: pathlib.Path, clips: list[Clip], on_event: OnEvent) -> None:
        Gst.init(None)
        self._on_event = on_event
        self._server = GstRtspServer.RTSPServer(address="127.0.0.1", service=str(port))
        self._server.connect("client-connected", self._client_connected)
        self._factories: list[GstRtspServer.RTSPMediaFactory] = []
        self._next_client = 1
        for clip in clips:
            self._serve(clip.name, _factory(clip, load(clip, cache)))

    def launch(self, name: str, pipeline: str) -> None:
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( {pipeline} )")
        factory.set_shared(True)
        self._serve(name, factory)

    def _serve(self, name: str, factory: GstRtspServer.RTSPMediaFactory) -> None:
        self._server.get_mount_points().add_factory(f"/{name}", factory)
        self._factories.append(factory)

    def require_login(self, user: str, password: str, method: str) -> None:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", ROLE)
        if method == "digest":
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest(user, password, token)
        else:
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        self._server.set_auth(auth)
        permissions = GstRtspServer.RTSPPermissions()
        for permission in ("media.factory.access", "media.factory.construct"):
            permissions.add_permission_for_role(ROLE, permission, True)
        for factory in self._factories:
            factory.set_permissions(permissions)

    def listen(self) -> int:
        if self._server.attach(None) == 0:
            raise SystemExit(f"cannot listen on 127.0.0.1:{self._server.get_service()}: is the port taken?")
        return self._server.get_bound_port()

    def run(self) -> None:
        # A UDP client that died leaves a session that only its timeout ends.
        GLib.timeout_add_seconds(CLEAN_UP_EVERY_S, lambda: self._server.get_session_pool().cleanup() >= 0)
        # GLib's loop does not run Python's signal handlers; a timer that calls Python lets them run.
        GLib.timeout_add(50, lambda: True)
        GLib.MainLoop().run()

    def _client_connected(self, _server: object, client: GstRtspServer.RTSPClient) -> None:
        number = self._next_client
        self._next_client += 1
        played: list[str] = []

        def play(_client: object, context: GstRtspServer.RTSPContext) -> None:
            played.append(context.uri.abspath)
            self._on_event("play", client=number, path=context.uri.abspath)

        def closed(_client: object) -> None:
            self._on_event("closed", client=number, paths=played)

        client.connect("play-request", play)
        client.connect("closed", closed)


def _factory(clip: Clip, loop: Loop) -> GstRtspServer.RTSPMediaFactory:
    factory = GstRtspServer.RTSPMediaFactory()
    caps = (
        f"video/x-h264,stream-format=byte-stream,alignment=au,width={clip.width},height={clip.height},"
        f"framerate={clip.fps}/1"
    )
    factory.set_launch(
        f"( appsrc name=camera is-live=true format=time max-bytes=0 caps={caps} "
        "! rtph264pay name=pay0 pt=96 config-interval=-1 )"
    )
    # All clients of a camera share one pipeline, as they share one encoder in a real camera.
    factory.set_shared(True)
    factory.set_latency(0)
    factory.connect("media-configure", lambda _factory, media: _Feed(clip, loop, media).start())
    return factory


class _Feed(threading.Thread):
    """Pushes one pipeline's frames on time until the pipeline ends."""

    def __init__(self, clip: Clip, loop: Loop, media: GstRtspServer.RTSPMedia) -> None:
        super().__init__(name=clip.name, daemon=True)
        self._clip, self._loop = clip, loop
        self._appsrc = media.get_element().get_by_name_recurse_up("camera")
        self._ended = threading.Event()
        self._clock_started_late: int | None = None
        self._latest = -1
        media.connect("unprepared", lambda _media: self._ended.set())

    def run(self) -> None:
        fps, units = self._clip.fps, self._loop.access_units
        first = number = int(time.time() * fps)
        while not self._ended.is_set():
            # After a delay of this thread the missed frames are sent too: a gap would break the pictures after it.
            while number <= int(time.time() * fps):
                unit = units[number % len(units)]
                # The payloader can only describe the stream (SDP) once it has seen the parameter sets.
                data = self._loop.parameter_sets + unit if number == first else unit
                buffer = Gst.Buffer.new_wrapped(data)
                buffer.pts = buffer.dts = self._timestamp(number, first)
                if self._appsrc.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                    return
                number += 1
            self._ended.wait(max(0.0, number / fps - time.time()))

    def _timestamp(self, number: int, first: int) -> int:
        """Spaced as the frames are, and never in the pipeline's future: its sinks would hold the frame back.

        The pipeline's clock starts some time after the first frame, which is pushed while it is still preparing.
        """
        timestamp = (number - first) * Gst.SECOND // self._clip.fps
        if self._clock_started_late is None and self._appsrc.current_state == Gst.State.PLAYING:
            since_first = int((time.time() - first / self._clip.fps) * Gst.SECOND)
            self._clock_started_late = max(0, since_first - self._appsrc.get_current_running_time())
        self._latest = max(self._latest + 1, timestamp - (self._clock_started_late or 0))
        return self._latest
