"""Lines: what was said, stored together with the watermark it moves and the event that tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, select, update

from session_manager import repair
from session_manager.errors import NotPossible
from session_manager.records import Line, Stream
from session_manager.repair import Heard
from session_manager.store.events import next_event
from session_manager.store.part import Part, need
from session_manager.store.repairs import take_off
from session_manager.store.secrets import new_id
from session_manager.store.streams import one as one_stream
from session_manager.store.streams import read_stream
from session_manager.store.tables import lines, seats, sites, streams
from session_manager.store.values import AlreadyThere, Committed, WatermarkMoved
from signaling.messages import LineCommitted

SAMPLE_RATE = 48_000


@dataclass(frozen=True, slots=True)
class _Said:
    start_sample: int
    end_sample: int
    text: str
    language: str
    confidence: float
    suppressed: str | None


class Lines(Part):
    def commit_line(
        self,
        track_id: str,
        epoch: int,
        start_sample: int,
        end_sample: int,
        text: str,
        language: str,
        confidence: float,
        suppressed: str | None,
        watermark_from: int | None,
        watermark_to: int,
        now: float,
    ) -> Committed | AlreadyThere | WatermarkMoved:
        """One transaction: the line, the watermark from `watermark_from` to `watermark_to`, and the event's number.

        `watermark_from` None: do not compare (a repair behind the watermark). The watermark never goes back. A
        suppressed line has no event. Keyed by (track, epoch, start_sample): again is AlreadyThere. Raises NotFound,
        and NotPossible for samples that run backwards.
        """
        if not 0 <= start_sample <= end_sample:
            raise NotPossible("A line cannot end before it starts.")
        said = _Said(start_sample, end_sample, text, language, confidence, suppressed)
        with self._database.write() as connection:
            stream = read_stream(connection, track_id, epoch)
            before = _existing(connection, track_id, epoch, start_sample)
            if before is not None:
                return AlreadyThere(_line(before))
            mark = stream.watermark_sample
            if watermark_from is not None and (mark != watermark_from or watermark_to < mark):
                return WatermarkMoved(mark)
            connection.execute(
                update(streams).where(one_stream(track_id, epoch)).values(watermark_sample=max(mark, watermark_to))
            )
            return _store(connection, stream, said, now)

    def lines(self, session_id: str, include_suppressed: bool = False) -> list[Line]:
        """The newest revision of each, in the order of speaking; without what a repair has taken back."""
        with self._database.read() as connection:
            found = newest(connection, lines.c.session_id == session_id)
        return [line for line in found if include_suppressed or line.suppressed is None]

    def stream_lines(self, track_id: str, epoch: int) -> list[Line]:
        """The same of one stream, the suppressed ones too."""
        with self._database.read() as connection:
            return newest(connection, _of(track_id, epoch))

    def revisions(self, line_id: str) -> list[Line]:
        """Everything that this line has been, oldest first. `suppressed` is "repaired" where it was taken back."""
        query = select(lines).where(lines.c.line_id == line_id).order_by(lines.c.revision)
        with self._database.read() as connection:
            return [_line(row) for row in connection.execute(query)]

    def repair(
        self,
        track_id: str,
        epoch: int,
        region: repair.Samples,
        heard: Sequence[Heard],
        taken: Sequence[int],
        now: float,
    ) -> list[Committed]:
        """One transaction: the lines of `region` become what was `heard` there, each change with its event; the
        watermark is not before its end; the marks `taken` (`Repairs.touched`) are taken off it. Raises NotFound.

        What is the same is left alone, so doing it twice changes nothing.
        """
        with self._database.write() as connection:
            stream = read_stream(connection, track_id, epoch)
            stored = newest(connection, _of(track_id, epoch))
            inside = {one.line_id: one for one in stored if repair.belongs((one.start_sample, one.end_sample), region)}
            changes = repair.reconcile(list(inside.values()), heard)
            done = [_revise(connection, stream, inside[line_id], one, now) for line_id, one in changes.revise]
            done += [_revise(connection, stream, inside[line_id], None, now) for line_id in changes.retract]
            done += [_store(connection, stream, _said(one), now, repaired=True) for one in changes.add]
            mark = max(stream.watermark_sample, region.end)
            connection.execute(update(streams).where(one_stream(track_id, epoch)).values(watermark_sample=mark))
            take_off(connection, taken, region)
        return done


def newest(connection: Connection, where: ColumnElement[bool]) -> list[Line]:
    order = (lines.c.started_at, lines.c.ended_at, lines.c.line_id)
    later = lines.alias()
    last = select(func.max(later.c.revision)).where(later.c.line_id == lines.c.line_id).scalar_subquery()
    rows = connection.execute(select(lines).where(where, lines.c.revision == last).order_by(*order))
    return [_line(row) for row in rows if row.suppressed != repair.RETRACTED]


def _of(track_id: str, epoch: int) -> ColumnElement[bool]:
    return and_(lines.c.track_id == track_id, lines.c.epoch == epoch)


def _said(heard: Heard) -> _Said:
    return _Said(heard.start_sample, heard.end_sample, heard.text, heard.language, heard.confidence, heard.suppressed)


def _revise(connection: Connection, stream: Stream, line: Line, heard: Heard | None, now: float) -> Committed:
    """The line's next revision; `heard` None: it is taken back. Clients who saw it hear of it, with empty text."""
    if heard is None:
        revised = replace(line, suppressed=repair.RETRACTED)
    else:
        fresh = _new_line(connection, stream, _said(heard))
        names = ("start_sample", "end_sample", "started_at", "ended_at", "text", "language", "confidence", "suppressed")
        revised = replace(line, **{name: getattr(fresh, name) for name in names})
    revised = replace(revised, revision=line.revision + 1, repaired=True)
    return _write(connection, revised, now, tell=line.suppressed is None or revised.suppressed is None)


def _existing(connection: Connection, track_id: str, epoch: int, start_sample: int) -> Row[Any] | None:
    same = select(lines).where(
        lines.c.track_id == track_id, lines.c.epoch == epoch, lines.c.start_sample == start_sample
    )
    return connection.execute(same.order_by(lines.c.revision.desc()).limit(1)).one_or_none()


def _store(connection: Connection, stream: Stream, said: _Said, now: float, *, repaired: bool = False) -> Committed:
    line = replace(_new_line(connection, stream, said), repaired=repaired)
    return _write(connection, line, now, tell=said.suppressed is None)


def _write(connection: Connection, line: Line, now: float, *, tell: bool) -> Committed:
    number = None
    if tell:
        event = next_event(
            connection, line.session_id, LineCommitted.type, line_body(line).model_dump(mode="json"), now
        )
        number = event.number
    values = asdict(line) | {"event_number": number or 0, "committed_at": now}
    row = connection.execute(insert(lines).values(values).returning(lines)).one()
    return Committed(_line(row), number)


def _new_line(connection: Connection, stream: Stream, said: _Said) -> Line:
    site = need(connection, sites, stream.site_id, "site")
    seat = need(connection, seats, stream.seat_id, "seat")
    origin = stream.origin_at if stream.origin_at is not None else stream.opened_at
    return Line(
        line_id=new_id(),
        session_id=stream.session_id,
        track_id=stream.track_id,
        epoch=stream.epoch,
        site_id=stream.site_id,
        site_name=site.name,
        # A board hears a whole room: naming one of its people would be a guess.
        speaker="" if seat.board_id is not None else seat.display_name,
        revision=1,
        start_sample=said.start_sample,
        end_sample=said.end_sample,
        started_at=origin + said.start_sample / SAMPLE_RATE,
        ended_at=origin + said.end_sample / SAMPLE_RATE,
        text=said.text,
        language=said.language,
        confidence=said.confidence,
        suppressed=said.suppressed,
        event_number=0,
    )


def line_body(line: Line) -> LineCommitted:
    """As everybody hears of it: what is suppressed has no text."""
    return LineCommitted(
        line_id=line.line_id,
        revision=line.revision,
        track_id=line.track_id,
        site_id=line.site_id,
        site_name=line.site_name,
        speaker=line.speaker,
        text=line.text if line.suppressed is None else "",
        language=line.language,
        started_at=line.started_at,
        ended_at=line.ended_at,
        repaired=line.repaired,
    )


def _line(row: Row[Any]) -> Line:
    return Line(**{name: getattr(row, name) for name in Line.__dataclass_fields__})
