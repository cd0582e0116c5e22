"""The account of a session's sound: every second of every audio track is a line, silence, suppressed, a gap or pending.

Pure. Each epoch is painted in whole samples of its own clock (48 kHz), so nothing overlaps and nothing is left out;
only then it is placed in time. A track is counted from its first sample to its last one; what lies between two epochs
is a gap, `reconnect`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from session_manager.records import CoverageSpan, Gap, Line, Session, SpanKind, Stream, TrackCoverage

SAMPLE_RATE = 48_000
TOLERATED_S = 0.06
"""A hole as short as this is filled by the decoder's concealment: three packets."""

StreamKey = tuple[str, int]
"""(track_id, epoch)"""


class _Paint(NamedTuple):
    kind: SpanKind
    cause: str | None = None


class _Ribbon:
    """[0, length) in samples, one colour per stretch; the last paint wins."""

    def __init__(self, length: int, paint: _Paint) -> None:
        self._length = length
        self._starts = [0]
        self._paints = [paint]

    def paint(self, start: int, end: int, paint: _Paint) -> None:
        start, end = max(0, start), min(self._length, end)
        if start < end:
            first, last = self._cut(start), self._cut(end)
            self._starts[first:last] = [start]
            self._paints[first:last] = [paint]

    def stretches(self) -> Iterable[tuple[int, int, _Paint]]:
        ends = [*self._starts[1:], self._length]
        return zip(self._starts, ends, self._paints, strict=True)

    def _cut(self, at: int) -> int:
        """Index of the stretch that begins at `at`, made if there is none."""
        index = bisect_left(self._starts, at)
        if at < self._length and (index == len(self._starts) or self._starts[index] != at):
            self._starts.insert(index, at)
            self._paints.insert(index, self._paints[index - 1])
        return index


def compute(
    session: Session,
    streams: Sequence[Stream],
    lines: Sequence[Line],
    gaps: Sequence[Gap],
    missing: Mapping[StreamKey, Iterable[tuple[int, int]]],
    coming: Mapping[StreamKey, Sequence[tuple[int, int]]] | None = None,
    off: Sequence[tuple[float, float]] = (),
    unheard: Mapping[StreamKey, Sequence[tuple[int, int]]] | None = None,
) -> list[TrackCoverage]:
    """`lines` with the suppressed ones; `missing`: sample spans that the log of a stream does not have; `coming`: what
    of it a board has and will bring, which is pending and no gap; `unheard`: where sound came later and waits to be
    heard, pending too; `off`: when nobody wanted anything to be kept.

    Tracks in the order of the session's sites. A track that never brought a sample is one gap, `network`.
    """
    said: dict[StreamKey, list[Line]] = defaultdict(list)
    for line in lines:
        said[line.track_id, line.epoch].append(line)
    epochs: dict[str, list[Stream]] = defaultdict(list)
    for stream in sorted(streams, key=lambda one: one.epoch):
        if stream.kind == "audio":
            epochs[stream.track_id].append(stream)
    places = {site.site_id: site for site in session.sites}
    covered = []
    for track_id, its_epochs in epochs.items():
        site = places[its_epochs[0].site_id]
        its_gaps = [gap for gap in gaps if gap.track_id == track_id]
        parts = [
            _timed(
                one,
                _painted(
                    one,
                    said[_key(one)],
                    its_gaps,
                    missing.get(_key(one), ()),
                    (coming or {}).get(_key(one), ()),
                    (unheard or {}).get(_key(one), ()),
                    off,
                ),
            )
            for one in its_epochs
            if one.end_sample > 0
        ]
        spans = _joined(parts) if parts else _never_came(its_epochs, session)
        covered.append((site.position, TrackCoverage(track_id, site.site_id, site.name, spans)))
    return [track for _, track in sorted(covered, key=lambda one: (one[0], one[1].track_id))]


def figure(coverages: Iterable[TrackCoverage]) -> float:
    """Share of the time that is neither a gap nor pending, 0 to 1; 1 when there was no sound to account for."""
    total = open_ = 0.0
    for span in (span for track in coverages for span in track.spans):
        total += span.ended_at - span.started_at
        if span.kind in {SpanKind.GAP, SpanKind.PENDING}:
            open_ += span.ended_at - span.started_at
    return 1.0 - open_ / total if open_ else 1.0


def _key(stream: Stream) -> StreamKey:
    return stream.track_id, stream.epoch


def _origin(stream: Stream) -> float:
    return stream.origin_at if stream.origin_at is not None else stream.opened_at


def _painted(
    stream: Stream,
    lines: Iterable[Line],
    gaps: Iterable[Gap],
    missing: Iterable[tuple[int, int]],
    coming: Iterable[tuple[int, int]],
    unheard: Iterable[tuple[int, int]],
    off: Iterable[tuple[float, float]],
) -> _Ribbon:
    """Later layers hide earlier ones: text over silence, a hole in the sound over text, a known cause over a hole, what
    waits to be heard over what was heard, and what was off the record over everything.
    """
    ribbon = _Ribbon(stream.end_sample, _Paint(SpanKind.PENDING))
    ribbon.paint(0, stream.end_sample if stream.decided else stream.watermark_sample, _Paint(SpanKind.SILENCE))
    for line in sorted(lines, key=lambda one: one.suppressed is None):
        kind = SpanKind.LINE if line.suppressed is None else SpanKind.SUPPRESSED
        ribbon.paint(line.start_sample, line.end_sample, _Paint(kind, line.suppressed))
    for start, end in missing:
        if end - start > TOLERATED_S * SAMPLE_RATE:
            ribbon.paint(start, end, _Paint(SpanKind.GAP, "network"))
    for gap in gaps:
        if gap.epoch is None or gap.epoch == stream.epoch:
            ribbon.paint(
                _sample(stream, gap.started_at), _sample(stream, gap.ended_at), _Paint(SpanKind.GAP, gap.cause)
            )
    for start, end in coming:
        if end - start > TOLERATED_S * SAMPLE_RATE:
            ribbon.paint(start, end, _Paint(SpanKind.PENDING, "network"))
    for start, end in unheard:
        ribbon.paint(start, end, _Paint(SpanKind.PENDING))
    for off_at, on_at in off:
        ribbon.paint(_sample(stream, off_at), _sample(stream, on_at), _Paint(SpanKind.OFF_RECORD))
    return ribbon


def _sample(stream: Stream, instant: float) -> int:
    return math.floor((instant - _origin(stream)) * SAMPLE_RATE)


def _timed(stream: Stream, ribbon: _Ribbon) -> list[CoverageSpan]:
    origin = _origin(stream)
    return [
        CoverageSpan(paint.kind, origin + start / SAMPLE_RATE, origin + end / SAMPLE_RATE, paint.cause)
        for start, end, paint in ribbon.stretches()
    ]


def _joined(epochs: Iterable[list[CoverageSpan]]) -> tuple[CoverageSpan, ...]:
    """One after the other: what two epochs claim both stays with the first, what lies between is a gap."""
    spans: list[CoverageSpan] = []
    for epoch in epochs:
        if spans and epoch[0].started_at > spans[-1].ended_at:
            between = epoch[0].started_at - spans[-1].ended_at
            paint = _Paint(SpanKind.GAP, "reconnect") if between > TOLERATED_S else _Paint(SpanKind.SILENCE)
            _add(spans, CoverageSpan(paint.kind, spans[-1].ended_at, epoch[0].started_at, paint.cause))
        for span in epoch:
            _add(spans, span)
    return tuple(spans)


def _add(spans: list[CoverageSpan], span: CoverageSpan) -> None:
    """At the end of what is there, and as one with its like."""
    last = spans[-1] if spans else None
    if last is None:
        spans.append(span)
    elif span.ended_at > last.ended_at:
        if (span.kind, span.cause) == (last.kind, last.cause):
            spans[-1] = CoverageSpan(last.kind, last.started_at, span.ended_at, last.cause)
        else:
            spans.append(CoverageSpan(span.kind, last.ended_at, span.ended_at, span.cause))


def _never_came(epochs: Sequence[Stream], session: Session) -> tuple[CoverageSpan, ...]:
    last = epochs[-1]
    end = last.closed_at if last.closed_at is not None else session.ended_at
    if end is None or end - epochs[0].opened_at <= TOLERATED_S:
        return ()
    return (CoverageSpan(SpanKind.GAP, epochs[0].opened_at, end, "network"),)
