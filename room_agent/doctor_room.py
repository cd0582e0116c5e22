"""What the doctor looks at in the room: devices, and the disk that keeps what the line could not carry."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator

from hardware.devices import is_there, list_devices
from hardware.specs import Kind
from room_agent.config import NONE, BoardSettings
from room_agent.spool import BYTES_PER_S, NEAR_S, Limits
from signaling.examining.findings import Finding, attention, hours_in_words, size_in_words, well, wrong
from signaling.examining.folders import beside, look_at_folder

WITHOUT: dict[Kind, str] = {
    "microphone": "nobody here would be heard",
    "speaker": "nobody here would hear the others",
    "camera": "this room would not be seen",
}
WORD: dict[Kind, str] = {"microphone": "microphone", "speaker": "loudspeaker", "camera": "camera"}
FOLDER = "The board's folder"


def look_at_device(settings: BoardSettings, kind: Kind) -> Iterator[Finding]:
    """By the system's lists alone: nothing is opened, nobody is heard or seen."""
    spec = getattr(settings.devices, kind)
    there = None if spec == NONE else is_there(kind, spec)
    others = [] if there or spec == NONE else [one.spec for one in list_devices() if one.kind == kind]
    yield judge_device(kind, spec, there, others)


def judge_device(kind: Kind, spec: str, there: bool | None, others: list[str]) -> Finding:
    """`others`: devices of that kind that are there, as they can be written in the settings."""
    word = WORD[kind]
    test = f"shimawa devices --{kind} {shlex.quote(spec)}"
    if spec == NONE:
        return well(kind, f"No {word} is wanted here.")
    if there:
        return well(kind, f"The {word} “{spec}” is there; it was not opened.", f"Whether it works: {test}")
    if there is None:
        said = f"Whether the {word} “{spec}” is there, only opening it tells."
        return attention(kind, said, f"Try it: {test}")
    judge = attention if kind == "camera" else wrong
    choose = f"Here are: {', '.join(others)}." if others else f"Connect one, or set it to none. See: {test}"
    return judge(kind, f"The {word} “{spec}” is not found: {WITHOUT[kind]}.", choose)


def look_at_state(settings: BoardSettings) -> Iterator[Finding]:
    yield from look_at_folder("state", settings.state, FOLDER)


def look_at_spool(settings: BoardSettings) -> Iterator[Finding]:
    known = settings.spool
    limits = Limits(known.hours, known.min_free_mb << 20, known.min_free_percent / 100)
    disk = shutil.disk_usage(beside(settings.state))
    yield judge_spool(disk.free - limits.reserve(disk.total), known.hours)


def judge_spool(room: int, hours: float) -> Finding:
    """`room`: bytes that this board may fill. `hours`: so much it would like to keep."""
    room_s = max(0.0, room / BYTES_PER_S)
    if room_s == 0:
        said = "There is no room for sound on this board's disk: what is said while the line is down would be lost."
        return wrong("spool", said, "Make room on it.")
    said = f"When the line is down, there is room for {hours_in_words(room_s)} of this board's sound"
    if room_s < NEAR_S:
        return attention("spool", f"{said} ({size_in_words(room)}).", "Make room: an evening takes two hours and more.")
    if room_s < hours * 3600:
        then = f"Make room, or set spool.hours lower than {hours:g}."
        return attention("spool", f"{said}, less than the {hours:g} hours that are set.", then)
    return well("spool", f"{said}.")
