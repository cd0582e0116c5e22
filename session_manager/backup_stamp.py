"""When a hub's data was last taken into a file: a small note beside the data, so that the office's morning can tell."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

NOTE = "last_backup.json"


class _Note(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    made_at: float = Field(ge=0, allow_inf_nan=False)


def note_backup(data: Path, made_at: float) -> None:
    """Whole or not at all. A note that cannot be written is none: the backup is good, the office is reminded early."""
    draft = data / f"{NOTE}.{os.getpid()}"
    with contextlib.suppress(OSError):
        draft.write_text(_Note(made_at=made_at).model_dump_json(), encoding="utf-8")
        os.replace(draft, data / NOTE)


def last_backup(data: Path) -> float | None:
    """UTC POSIX seconds; None: there was none yet, or the note is spoilt."""
    try:
        return _Note.model_validate_json((data / NOTE).read_bytes()).made_at
    except (OSError, ValidationError):
        return None
