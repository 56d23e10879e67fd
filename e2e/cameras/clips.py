"""The loops that the cameras send: rendered once with ffmpeg, kept in a cache, cut into access units."""

import concurrent.futures
import dataclasses
import math
import os
import pathlib
import subprocess
import sys
import time

import barcode

# Part of the cache's file names: increment it when the picture changes.
VERSION = 1


@dataclasses.dataclass(frozen=True)
class Clip:
    """One camera's loop: whole GOPs, ten seconds or a little more."""

    camera: int
    width: int
    height: int
    fps: int
    gop_s: float

    @property
    def name(self) -> str:
        return f"camera{self.camera}"

    @property
    def gop_frames(self) -> int:
        return max(1, round(self.gop_s * self.fps))

    @property
    def frames(self) -> int:
        return self.gop_frames * math.ceil(10 * self.fps / self.gop_frames)

    def path(self, cache: pathlib.Path) -> pathlib.Path:
        shape = f"{self.width}x{self.height}-{self.fps}fps-gop{self.gop_frames}"
        return cache / f"{self.name}-{shape}-v{VERSION}.h264"

    def render(self, cache: pathlib.Path) -> None:
        """Renders the clip. The file gets its final name at the end, so an interrupted rendering is never taken for a clip."""
        unfinished = self.path(cache).with_suffix(f".{os.getpid()}.part")
        try:
            subprocess.run(self._ffmpeg(unfinished), check=True, stdin=subprocess.DEVNULL)
            unfinished.rename(self.path(cache))
        finally:
            unfinished.unlink(missing_ok=True)

    def _ffmpeg(self, output: pathlib.Path) -> list[str]:
        # Each camera has another hue, so that a person can tell the cameras apart.
        name_size = max(12, self.height // 8)
        picture = (
            f"testsrc2=size={self.width}x{self.height}:rate={self.fps},hue=h={self.camera * 47 % 360},"
            f"drawtext=text='camera {self.camera}':fontsize={name_size}:fontcolor=white:box=1:"
            f"boxcolor=black@0.6:boxborderw=8:x=(w-tw)/2:y=h*0.7"
        )
        graph = f"{picture}[p];{barcode.source(self.camera, self.width, self.fps)}[b];[p][b]overlay=0:0,format=yuv420p"
        # One slice per picture and no B-frames: a slice NAL then ends its access unit (see `access_units`).
        # The size of a frame is bounded, as a camera's encoder does.
        kbit = max(100, self.width * self.height * self.fps // 14_000)
        x264 = f"keyint={self.gop_frames}:min-keyint={self.gop_frames}:scenecut=0:slices=1:sliced-threads=0:bframes=0"
        return [
            *("ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y"),
            *("-f", "lavfi", "-i", graph, "-frames:v", str(self.frames)),
            *("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-x264-params", x264),
            *("-b:v", f"{kbit}k", "-maxrate", f"{kbit * 3 // 2}k", "-bufsize", f"{kbit}k"),
            *("-f", "h264", str(output)),
        ]


def render_missing(clips: list[Clip], cache: pathlib.Path) -> None:
    """Renders two clips at a time: the filters of one fill one core, its encoder a part of another."""
    missing = [clip for clip in clips if not clip.path(cache).exists()]
    if not missing:
        return
    cache.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        renderings = [pool.submit(clip.render, cache) for clip in missing]
        for done, rendering in enumerate(concurrent.futures.as_completed(renderings), start=1):
            rendering.result()
            elapsed = time.monotonic() - started
            print(f"cameras: rendered {done} of {len(missing)} loops ({elapsed:.0f} s)", file=sys.stderr, flush=True)


@dataclasses.dataclass(frozen=True)
class Loop:
    """A rendered clip in memory."""

    parameter_sets: bytes
    access_units: list[bytes]


def load(clip: Clip, cache: pathlib.Path) -> Loop:
    stream = clip.path(cache).read_bytes()
    units = access_units(stream)
    if len(units) != clip.frames:
        raise SystemExit(f"{clip.path(cache)} holds {len(units)} pictures instead of {clip.frames}: delete it")
    sets = b"".join(nal for nal in nal_units(units[0]) if nal_type(nal) in (7, 8))
    return Loop(sets, units)


def nal_units(stream: bytes) -> list[bytes]:
    """The NAL units of an Annex B stream, each with a four-byte start code before it (ITU-T H.264, B.1)."""
    return [b"\0\0\0\1" + nal.rstrip(b"\0") for nal in stream.split(b"\0\0\1") if nal.strip(b"\0")]


def nal_type(nal: bytes) -> int:
    return nal[4] & 0x1F


def access_units(stream: bytes) -> list[bytes]:
    """With one slice per picture, each slice (NAL types 1 and 5) is the last NAL of its access unit."""
    units: list[bytes] = []
    pending = b""
    for nal in nal_units(stream):
        pending += nal
        if nal_type(nal) in (1, 5):
            units.append(pending)
            pending = b""
    return units
