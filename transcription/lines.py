"""What a transcript is when it leaves the system: plain values, the input of `transcription.formats` and `.score`.

Times `*_s` are seconds from the start of the session or of the file.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One utterance. `speaker` is empty when only the site is known; `language` is ISO 639-1 or empty."""

    started_s: float
    ended_s: float
    site: str
    speaker: str
    text: str
    language: str = ""
    confidence: float = 1.0
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Gap:
    """Audio of a site that is missing. `cause`: `network`, `reconnect`, `disk_full`, `worker_lost`, or another word."""

    started_s: float
    ended_s: float
    site: str
    cause: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """`started_at`: UTC POSIX seconds, None for a file without a date; `timezone`: IANA name of the place.

    `coverage`: share of the time of all tracks that is accounted for, 0 to 1; None when nobody computed it.
    """

    title: str = ""
    started_at: float | None = None
    timezone: str = "UTC"
    sites: tuple[str, ...] = ()
    lines: tuple[TranscriptLine, ...] = ()
    gaps: tuple[Gap, ...] = ()
    coverage: float | None = None
