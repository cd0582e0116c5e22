"""A session's transcript as a file: one row per format. Pure; the words and layouts are `transcription.formats`'."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from session_manager.coverage import figure
from session_manager.records import Line, Session, SpanKind, TrackCoverage
from transcription import formats
from transcription.lines import Gap, Transcript, TranscriptLine

Language = Literal["ja", "en"]

JSON_VERSION = 1


@dataclass(frozen=True, slots=True)
class Whole:
    """Everything an export is made of. `coverage` empty: the session has not ended and nobody computed it."""

    session: Session
    lines: Sequence[Line]
    coverage: Sequence[TrackCoverage] = ()


@dataclass(frozen=True, slots=True)
class Format:
    media_type: str
    render: Callable[[Whole, Language], str]


def transcript(whole: Whole) -> Transcript:
    """Times count from the start of the session."""
    start = _start(whole.session)
    return Transcript(
        title=whole.session.title,
        started_at=start,
        timezone=whole.session.timezone,
        sites=tuple(site.name for site in whole.session.sites),
        lines=tuple(
            TranscriptLine(
                started_s=line.started_at - start,
                ended_s=line.ended_at - start,
                site=line.site_name,
                speaker=line.speaker,
                text=line.text,
                language=line.language,
                confidence=line.confidence,
                revision=line.revision,
            )
            for line in whole.lines
        ),
        gaps=tuple(
            Gap(span.started_at - start, span.ended_at - start, track.site_name, span.cause or "unknown")
            for track in whole.coverage
            for span in track.spans
            if span.kind is SpanKind.GAP
        ),
        coverage=figure(whole.coverage) if whole.coverage else None,
    )


def to_json(whole: Whole, _language: Language) -> str:
    """Everything, for programs: lines and spans as the hub keeps them, times in UTC POSIX seconds."""
    session = whole.session
    document = {
        "version": JSON_VERSION,
        "session_id": session.session_id,
        "title": session.title,
        "state": session.state,
        "timezone": session.timezone,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "sites": [{"site_id": site.site_id, "name": site.name} for site in session.sites],
        "lines": [_line(line) for line in whole.lines],
        "coverage": [asdict(track) for track in whole.coverage],
        "coverage_figure": figure(whole.coverage) if whole.coverage else None,
    }
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


FORMATS: dict[str, Format] = {
    "txt": Format("text/plain; charset=utf-8", lambda whole, language: formats.to_text(transcript(whole), language)),
    "md": Format(
        "text/markdown; charset=utf-8", lambda whole, language: formats.to_markdown(transcript(whole), language)
    ),
    "vtt": Format("text/vtt; charset=utf-8", lambda whole, language: formats.to_vtt(transcript(whole), language)),
    "srt": Format(
        "application/x-subrip; charset=utf-8", lambda whole, language: formats.to_srt(transcript(whole), language)
    ),
    "json": Format("application/json", to_json),
}


def _start(session: Session) -> float:
    return session.started_at if session.started_at is not None else session.starts_at


def _line(line: Line) -> dict[str, object]:
    hidden = {"session_id", "suppressed"}
    return {name: value for name, value in asdict(line).items() if name not in hidden}
