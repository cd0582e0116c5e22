"""What the doctor makes of a board's settings and of its device token, which may be lacking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from room_agent.config import TOKEN_FILE, BoardSettings, load
from room_agent.errors import CannotStart
from signaling.examining.findings import Finding, well, wrong
from signaling.examining.folders import privacy

NOBODY = "-"
"""Stands for a token that is lacking, so that everything else can still be looked at; it is never sent."""
ENROL = "Get one: shimawa board enrol --hub, with the address of the hub."


def settings_of(
    file: Path | None, environment: Mapping[str, str], flags: Mapping[tuple[str, ...], object | None]
) -> BoardSettings:
    """With the token `NOBODY` when only that is lacking. Raises CannotStart."""
    try:
        return load(file, environment, flags)
    except CannotStart:
        return load(file, environment, {**flags, ("token",): NOBODY})


def look_at_token(settings: BoardSettings) -> Iterator[Finding]:
    file = settings.token_file or settings.state / TOKEN_FILE
    if settings.token == NOBODY and file.is_file():
        yield wrong("token", f"The device token in {file} cannot be read, or is empty.", f"Look at its owner. {ENROL}")
    elif settings.token == NOBODY:
        yield wrong("token", "This board has no device token: no hub knows it.", ENROL)
    elif file.is_file():
        yield well("token", f"There is a device token in {file}.")
        yield from privacy("token_private", file, "The device token")
    else:
        yield well("token", "There is a device token, from the settings or the environment.")
