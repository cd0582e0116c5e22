"""Tracks and their epochs: which stream a seat publishes, how far it reaches and how far it is accounted for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, insert, select, update

from session_manager.errors import NotFound, NotPossible
from session_manager.records import Seat, Stream
from session_manager.store.part import Part, need
from session_manager.store.secrets import new_id
from session_manager.store.tables import lines, sessions, streams, tracks
from session_manager.store.values import StaleEpoch


class Streams(Part):
    def open_stream(
        self, session_id: str, seat: Seat, name: str, kind: str, source: str, epoch: int | None, now: float
    ) -> Stream | StaleEpoch:
        """The same track for one seat and name, at that epoch (None: the last plus one).

        The last epoch again is the same stream going on: its sound, watermark and origin stay, its end is taken back.
        An earlier one is stale. Raises NotFound (session), NotPossible when the session is over, or the seat's track
        of that name is of the other kind.
        """
        with self._database.write() as connection:
            if need(connection, sessions, session_id, "session").state in {"ending", "ended"}:
                raise NotPossible("This session is over. Nothing can be published in it any more.")
            track_id = track_of(connection, session_id, seat, name, kind)
            last: int = connection.execute(
                select(func.coalesce(func.max(streams.c.epoch), -1)).where(streams.c.track_id == track_id)
            ).scalar_one()
            wanted = last + 1 if epoch is None else epoch
            if wanted < last:
                return StaleEpoch(track_id, last)
            if wanted == last:
                _go_on(connection, track_id, wanted)
            else:
                begin(connection, track_id, wanted, source, now)
            return read_stream(connection, track_id, wanted)

    def set_origin(self, track_id: str, epoch: int, origin_at: float) -> None:
        """The instant of sample 0; the first one said stays."""
        with self._database.write() as connection:
            values = {"origin_at": func.coalesce(streams.c.origin_at, origin_at)}
            _change(connection, track_id, epoch, values)

    def move_origin(self, track_id: str, epoch: int, origin_at: float) -> None:
        """A surer word of that instant, which holds as long as no line lies by the one before."""
        same = (lines.c.track_id == track_id, lines.c.epoch == epoch)
        with self._database.write() as connection:
            lined = connection.execute(select(lines.c.line_id).where(*same).limit(1)).first() is not None
            kept = func.coalesce(streams.c.origin_at, origin_at) if lined else origin_at
            _change(connection, track_id, epoch, {"origin_at": kept})

    def room_for(self, track_id: str, epoch: int) -> tuple[float | None, float | None]:
        """Where the track's sound before that epoch ends, and where what follows it begins; None: there is none."""
        ends = func.max(streams.c.origin_at + streams.c.end_sample / 48_000.0)
        same = streams.c.track_id == track_id
        with self._database.read() as connection:
            after = connection.execute(select(ends).where(same, streams.c.epoch < epoch)).scalar_one()
            begins = select(func.min(streams.c.origin_at)).where(same, streams.c.epoch > epoch)
            return after, connection.execute(begins).scalar_one()

    def note_end(self, track_id: str, epoch: int, end_sample: int) -> None:
        """The log reaches to `end_sample`; a lower one than before is ignored. Raises NotFound."""
        self.note_ends({(track_id, epoch): end_sample})

    def note_ends(self, ends: Mapping[tuple[str, int], int]) -> None:
        """Of several streams at once, by track and epoch."""
        with self._database.write(lasting=False) as connection:  # the log knows it after a restart
            for key, end_sample in ends.items():
                _change(connection, *key, {"end_sample": _at_least(streams.c.end_sample, end_sample)})

    def advance_watermark(self, track_id: str, epoch: int, to: int) -> None:
        """Everything before `to` is accounted for; a lower one than before is ignored."""
        with self._database.write(lasting=False) as connection:  # what it skips is heard again and decided the same
            _change(connection, track_id, epoch, {"watermark_sample": _at_least(streams.c.watermark_sample, to)})

    def close_stream(self, track_id: str, epoch: int, at: float, cause: str) -> None:
        """The first end said stays until the stream is opened again."""
        with self._database.write() as connection:
            values = {
                "closed_at": func.coalesce(streams.c.closed_at, at),
                "close_cause": func.coalesce(streams.c.close_cause, cause),
            }
            _change(connection, track_id, epoch, values)

    def set_decided(self, track_id: str, epoch: int) -> None:
        """Its last word is out."""
        with self._database.write() as connection:
            _change(connection, track_id, epoch, {"decided": True})

    def streams(self, session_id: str) -> list[Stream]:
        """In the order they were opened."""
        with self._database.read() as connection:
            rows = connection.execute(_query().where(tracks.c.session_id == session_id))
            return [_stream(row) for row in rows]


def one(track_id: str, epoch: int) -> ColumnElement[bool]:
    return and_(streams.c.track_id == track_id, streams.c.epoch == epoch)


def read_stream(connection: Connection, track_id: str, epoch: int) -> Stream:
    row = connection.execute(_query().where(one(track_id, epoch))).one_or_none()
    if row is None:
        raise NotFound("There is no stream with that identifier and epoch.")
    return _stream(row)


def _query() -> Select[Any]:
    return (
        select(streams, tracks)
        .join(tracks, tracks.c.track_id == streams.c.track_id)
        .order_by(streams.c.opened_at, tracks.c.track_id, streams.c.epoch)
    )


def track_of(connection: Connection, session_id: str, seat: Seat, name: str, kind: str) -> str:
    mine = select(tracks).where(tracks.c.seat_id == seat.seat_id, tracks.c.name == name)
    row = connection.execute(mine).one_or_none()
    if row is None:
        values = {
            "track_id": new_id(),
            "session_id": session_id,
            "seat_id": seat.seat_id,
            "site_id": seat.site_id,
            "name": name,
            "kind": kind,
        }
        row = connection.execute(insert(tracks).values(values).returning(tracks)).one()
    if row.kind != kind or row.session_id != session_id:
        raise NotPossible("That seat has a track of this name of another kind. Give the new one another name.")
    return str(row.track_id)


def begin(connection: Connection, track_id: str, epoch: int, source: str, now: float) -> None:
    values = {
        "track_id": track_id,
        "epoch": epoch,
        "source": source,
        "opened_at": now,
        "end_sample": 0,
        "watermark_sample": 0,
        "decided": False,
    }
    connection.execute(insert(streams).values(values))


def _go_on(connection: Connection, track_id: str, epoch: int) -> None:
    values = {"closed_at": None, "close_cause": None, "decided": False}
    _change(connection, track_id, epoch, values)


def _change(connection: Connection, track_id: str, epoch: int, values: Mapping[str, Any]) -> None:
    if connection.execute(update(streams).where(one(track_id, epoch)).values(**values)).rowcount != 1:
        raise NotFound("There is no stream with that identifier and epoch.")


def _at_least(column: ColumnElement[int], value: int) -> ColumnElement[int]:
    return case((column > value, column), else_=value)


def _stream(row: Row[Any]) -> Stream:
    return Stream(
        track_id=row.track_id,
        epoch=row.epoch,
        session_id=row.session_id,
        site_id=row.site_id,
        seat_id=row.seat_id,
        name=row.name,
        kind=row.kind,
        source=row.source,
        opened_at=row.opened_at,
        origin_at=row.origin_at,
        end_sample=row.end_sample,
        watermark_sample=row.watermark_sample,
        closed_at=row.closed_at,
        close_cause=row.close_cause,
        decided=row.decided,
    )
