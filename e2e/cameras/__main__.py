"""Test cameras: a real RTSP server (GStreamer's) that serves pre-encoded loops with a barcode in the picture.

    /usr/bin/python3 e2e/cameras --port 8554 --count 9 --size 1280x720 --gop 2

serves rtsp://127.0.0.1:8554/camera1 ... /camera9 until SIGTERM or Ctrl-C. On stdout it prints one JSON object
per line, for whoever started it: `ready` once, then `play` and `closed` as RTSP clients come and go. Progress and
complaints go to stderr.
"""

import argparse
import json
import pathlib
import signal
import sys

from clips import Clip, render_missing

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def clip(text: str, defaults: argparse.Namespace) -> Clip:
    """`7` or `7,size=1280x720,fps=25,gop=5`: a camera's id and what differs from the defaults."""
    number, *pairs = text.split(",")
    fields = {"size": defaults.size, "fps": defaults.fps, "gop": defaults.gop}
    for pair in pairs:
        key, _, value = pair.partition("=")
        if key not in fields:
            raise SystemExit(f"--camera {text}: unknown key '{key}', expected one of {', '.join(fields)}")
        fields[key] = value
    width, _, height = str(fields["size"]).partition("x")
    return Clip(int(number), int(width), int(height), int(fields["fps"]), float(fields["gop"]))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="cameras", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--port", type=int, default=8554, help="0 takes a free one and names it in `ready`")
    parser.add_argument("--count", type=int, default=0, help="serve cameras 1...COUNT")
    parser.add_argument("--camera", action="append", default=[], help="ID[,size=WxH][,fps=N][,gop=SECONDS]; repeatable")
    parser.add_argument(
        "--launch",
        action="append",
        default=[],
        metavar="NAME=PIPELINE",
        help="serve this GStreamer pipeline, whose payloader is pay0, as /NAME; repeatable",
    )
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--fps", type=int, default=30)
    parser.add_argument("--gop", type=float, default=2, help="seconds between key frames")
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    parser.add_argument("--auth", choices=["basic", "digest"], default="digest")
    parser.add_argument("--cache", type=pathlib.Path, default=REPOSITORY / ".cache" / "cameras")
    parser.add_argument("--render-only", action="store_true", help="fill the cache and exit")
    return parser.parse_args()


def say(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


def main() -> None:
    args = arguments()
    clips = {c.camera: c for c in [clip(str(n + 1), args) for n in range(args.count)]}
    clips |= {c.camera: c for c in [clip(text, args) for text in args.camera]}
    if not clips and not args.launch:
        raise SystemExit("no cameras: give --count, --camera or --launch")
    # Both handlers are set explicitly: a process started in the background inherits an ignored SIGINT.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    render_missing(list(clips.values()), args.cache)
    if args.render_only:
        return

    # GStreamer is imported only here: rendering must work where it is not installed.
    from rtsp import Cameras

    cameras = Cameras(args.port, args.cache, list(clips.values()), on_event=say)
    for name, _, pipeline in (text.partition("=") for text in args.launch):
        cameras.launch(name, pipeline)
    if args.user:
        cameras.require_login(args.user, args.password, args.auth)
    port = cameras.listen()
    say("ready", port=port, cameras=[c.name for c in clips.values()])
    cameras.run()


if __name__ == "__main__":
    main()
