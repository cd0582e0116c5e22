"""What is missing, and the final account of every second of every track."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from session_manager.records import CoverageSpan, Gap, SpanKind, TrackCoverage
from session_manager.store.part import Part, need
from session_manager.store.tables import coverage, gaps, sessions, tracks


class Accounting(Part):
    def record_gap(
        self, session_id: str, track_id: str, epoch: int | None, started_at: float, ended_at: float, cause: str
    ) -> None:
        """A gap that begins where a known one of the same cause begins is that gap, grown. Raises NotFound."""
        values = {"session_id": session_id, "track_id": track_id, "epoch": epoch, "cause": cause}
        same = [gaps.c[name].is_not_distinct_from(value) for name, value in values.items()]
        with self._database.write() as connection:
            need(connection, tracks, track_id, "track")
            known = connection.execute(select(gaps).where(*same, gaps.c.started_at == started_at)).first()
            if known is None:
                connection.execute(insert(gaps).values(started_at=started_at, ended_at=ended_at, **values))
            elif ended_at > known.ended_at:
                connection.execute(update(gaps).where(gaps.c.gap_id == known.gap_id).values(ended_at=ended_at))

    def gaps(self, session_id: str) -> list[Gap]:
        query = select(gaps).where(gaps.c.session_id == session_id).order_by(gaps.c.started_at, gaps.c.gap_id)
        with self._database.read() as connection:
            rows = connection.execute(query)
            return [Gap(r.session_id, r.track_id, r.epoch, r.started_at, r.ended_at, r.cause) for r in rows]

    def save_coverage(self, session_id: str, tracks_covered: Sequence[TrackCoverage]) -> None:
        """Replaces what was saved before. Raises NotFound."""
        rows = [_row(session_id, track) for track in tracks_covered]
        with self._database.write() as connection:
            need(connection, sessions, session_id, "session")
            connection.execute(delete(coverage).where(coverage.c.session_id == session_id))
            if rows:
                connection.execute(insert(coverage), rows)

    def coverage(self, session_id: str) -> list[TrackCoverage]:
        """Empty until the session has ended."""
        query = (
            select(coverage)
            .where(coverage.c.session_id == session_id)
            .order_by(coverage.c.site_name, coverage.c.track_id)
        )
        with self._database.read() as connection:
            return [_covered(row) for row in connection.execute(query)]


def _row(session_id: str, track: TrackCoverage) -> dict[str, Any]:
    spans = [[str(span.kind), span.started_at, span.ended_at, span.cause] for span in track.spans]
    return {
        "session_id": session_id,
        "track_id": track.track_id,
        "site_id": track.site_id,
        "site_name": track.site_name,
        "spans": spans,
    }


def _covered(row: Row[Any]) -> TrackCoverage:
    spans = tuple(CoverageSpan(SpanKind(kind), start, end, cause) for kind, start, end, cause in row.spans)
    return TrackCoverage(row.track_id, row.site_id, row.site_name, spans)
