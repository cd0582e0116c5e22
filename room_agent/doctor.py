"""`shimawa doctor board`: what is well on a meeting board, what is not, and what to do next. Nothing is changed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from room_agent.config import BoardSettings
from room_agent.doctor_token import look_at_token, settings_of
from room_agent.errors import CannotStart
from signaling.examining import folders, packages
from signaling.examining.findings import Finding, attention, well
from signaling.examining.rows import Examination, refused, report

OWN = ("localhost", "127.0.0.1", "::1")


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    lacking = [one for one in packages.look("board", sys.platform) if one.level == "wrong"]
    try:
        if not lacking:
            return _looked(given)
    except ImportError as error:
        lacking = [packages.broken(error, "board")]
    row = Examination("packages", "the packages", lambda: lacking)  # without them nothing else can be looked at
    return report([row], as_json=given.json, out=sys.stdout, terminal=sys.stderr)


def _looked(given: argparse.Namespace) -> int:
    flags: dict[tuple[str, ...], object | None] = {
        ("hub",): given.hub,
        ("state",): given.state,
        ("token_file",): given.token_file,
    }
    flags |= {("devices", kind): getattr(given, kind) for kind in ("microphone", "speaker", "camera")}
    try:
        settings = settings_of(given.config, os.environ, flags)
    except CannotStart as error:
        return refused("settings", error, as_json=given.json)
    rows = examinations(settings, given.config, given.media_port)
    return report(rows, as_json=given.json, out=sys.stdout, terminal=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="shimawa doctor board",
        description="Examine a meeting board. Give what you give to `shimawa board`. Nothing is changed.",
    )
    parser.add_argument("--config", type=Path, help="TOML file with the board's settings")
    parser.add_argument("--hub", help="address of the hub, http://host:port")
    parser.add_argument("--token-file", type=Path, help="file that holds the device token")
    parser.add_argument("--state", type=Path, help="folder that belongs to this board alone")
    for kind in ("microphone", "speaker", "camera"):
        parser.add_argument(f"--{kind}", metavar="SPEC", help="as `shimawa devices` names it; none for not at all")
    parser.add_argument("--media-port", type=int, default=8421, metavar="N", help="the hub's first UDP port (8421)")
    parser.add_argument("--json", action="store_true", help="print a JSON list of findings")
    return parser


def examinations(settings: BoardSettings, config: Path | None = None, media_port: int = 8421) -> list[Examination]:
    """In the order of reading: itself, its devices, its disk, its way to the hub."""
    from room_agent import doctor_hub as hub
    from room_agent import doctor_room as room

    return [
        Examination("packages", "the packages", partial(packages.look, "board", sys.platform)),
        Examination("settings", "the settings", partial(_settings, settings, config)),
        Examination("token", "the device token", partial(look_at_token, settings)),
        Examination("microphone", "the microphone", partial(room.look_at_device, settings, "microphone")),
        Examination("speaker", "the loudspeaker", partial(room.look_at_device, settings, "speaker")),
        Examination("camera", "the camera", partial(room.look_at_device, settings, "camera")),
        Examination("state", "the board's folder", partial(room.look_at_state, settings)),
        Examination("spool", "room for sound", partial(room.look_at_spool, settings)),
        Examination("writes", "how fast the disk writes", partial(folders.look_at_writes, "writes", settings.state)),
        Examination("hub", "the way to the hub", partial(hub.look_at_way, settings)),
        Examination("signaling", "the hub's signaling", partial(hub.look_at_signaling, settings)),
        Examination("media", "the way of sound and picture", partial(hub.look_at_media, settings, media_port)),
        Examination("clock", "what the hub says of this board and its clock", partial(hub.look_at_clock, settings)),
    ]


def _settings(settings: BoardSettings, config: Path | None) -> Iterator[Finding]:
    where = f"The settings in {config}" if config else "The settings"
    yield well("settings", f"{where} can be read; the hub is {settings.hub}.")
    if settings.hub.startswith("http://") and urlsplit(settings.hub).hostname not in OWN:
        yield attention(
            "settings_hub",
            "The way to the hub is not encrypted: who shares the network can take this board's token.",
            "Fine on a wire of one's own; otherwise use the hub's https address.",
        )


if __name__ == "__main__":
    raise SystemExit(main())
