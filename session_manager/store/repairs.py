"""What boards hold of each stream, which stretches must be heard again, and whether a session is complete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, delete, func, insert, select, update

from session_manager import repair
from session_manager.records import Coming, Seat, Spool, Stream
from session_manager.store.part import Part, need
from session_manager.store.seats import board_seat
from session_manager.store.streams import begin, one, read_stream, track_of
from session_manager.store.tables import boards, seats, sessions, sites, spools, streams, touched, tracks


class Mark(NamedTuple):
    """Packets came here after it had been heard, or may have."""

    touched_id: int
    start_sample: int
    end_sample: int


class Repairs(Part):
    def spool_stream(self, board_id: str, session_id: str, name: str, epoch: int, opened_at: float) -> Stream | None:
        """The stream of that board's seat in that session, made if the hub never saw it, whatever the session's state.

        None when the session has no place for this board, or does not exist.
        """
        with self._database.write() as connection:
            seat = _seat(connection, board_id, session_id)
            if seat is None:
                return None
            track_id = track_of(connection, session_id, seat, name, "audio")
            known = connection.execute(select(streams.c.epoch).where(one(track_id, epoch))).one_or_none()
            if known is None:
                begin(connection, track_id, epoch, "room_mic", opened_at)
            return read_stream(connection, track_id, epoch)

    def board_stream(self, board_id: str, session_id: str, name: str, epoch: int) -> Stream | None:
        """A stream of that board that is known; None for any other."""
        query = (
            select(tracks.c.track_id)
            .join(seats, seats.c.seat_id == tracks.c.seat_id)
            .join(streams, and_(streams.c.track_id == tracks.c.track_id, streams.c.epoch == epoch))
            .where(seats.c.board_id == board_id, tracks.c.session_id == session_id)
            .where(tracks.c.name == name, tracks.c.kind == "audio")
        )
        with self._database.read() as connection:
            track_id = connection.execute(query).scalar_one_or_none()
            return None if track_id is None else read_stream(connection, track_id, epoch)

    def stream(self, track_id: str, epoch: int) -> Stream:
        """Raises NotFound."""
        with self._database.read() as connection:
            return read_stream(connection, track_id, epoch)

    def board_sessions(self, board_id: str, from_at: float, to_at: float) -> list[tuple[str, str]]:
        """Session and site of everything in the board's room that touches that time, by planned start."""
        with self._database.read() as connection:
            room = need(connection, boards, board_id, "board").room_id
            query = (
                select(sessions.c.session_id, sites.c.site_id)
                .join(sites, sites.c.session_id == sessions.c.session_id)
                .where(sites.c.room_id == room, sessions.c.ends_at > from_at, sessions.c.starts_at < to_at)
                .order_by(sessions.c.starts_at, sessions.c.session_id)
            )
            return [(row.session_id, row.site_id) for row in connection.execute(query)]

    # ---- spools ----------------------------------------------------------------------------------------------------

    def note_spool(self, spool: Spool) -> None:
        """What the board said last."""
        values = {name: getattr(spool, name) for name in Spool.__dataclass_fields__}
        here = _at(spools, spool.track_id, spool.epoch)
        with self._database.write(lasting=bool(spool.coming_s)) as connection:  # the board says it again
            if not connection.execute(update(spools).where(here).values(values)).rowcount:
                connection.execute(insert(spools).values(values))
            if spool.coming_s:
                session_id = read_stream(connection, spool.track_id, spool.epoch).session_id
                _not_complete(connection, session_id)

    def spool(self, track_id: str, epoch: int) -> Spool | None:
        with self._database.read() as connection:
            row = connection.execute(select(spools).where(_at(spools, track_id, epoch))).one_or_none()
            return None if row is None else _spool(row)

    def spools(self, session_id: str) -> list[Spool]:
        query = (
            select(spools).join(tracks, tracks.c.track_id == spools.c.track_id).where(tracks.c.session_id == session_id)
        )
        with self._database.read() as connection:
            return [_spool(row) for row in connection.execute(query)]

    def coming(self, session_id: str) -> list[Coming]:
        """By site, in the session's order; sites with nothing to come are left out."""
        seconds = func.sum(spools.c.coming_s)
        query = (
            select(sites.c.site_id, sites.c.name, seconds.label("seconds"))
            .join(tracks, tracks.c.site_id == sites.c.site_id)
            .join(spools, spools.c.track_id == tracks.c.track_id)
            .where(sites.c.session_id == session_id, spools.c.coming_s > 0)
            .group_by(sites.c.site_id, sites.c.name, sites.c.position)
            .order_by(sites.c.position)
        )
        with self._database.read() as connection:
            return [Coming(row.site_id, row.name, row.seconds) for row in connection.execute(query)]

    # ---- marks -----------------------------------------------------------------------------------------------------

    def touch(self, track_id: str, epoch: int, spans: Sequence[tuple[int, int]]) -> None:
        """Say so before the packets are stored: then no crash can forget it. The session is not complete any more."""
        rows = [
            {"track_id": track_id, "epoch": epoch, "start_sample": start, "end_sample": end} for start, end in spans
        ]
        if not rows:
            return
        with self._database.write() as connection:
            session_id = read_stream(connection, track_id, epoch).session_id
            connection.execute(insert(touched), rows)
            _not_complete(connection, session_id)

    def touched(self, track_id: str, epoch: int) -> list[Mark]:
        query = select(touched).where(_at(touched, track_id, epoch)).order_by(touched.c.start_sample)
        with self._database.read() as connection:
            return [Mark(row.touched_id, row.start_sample, row.end_sample) for row in connection.execute(query)]

    def untouch(self, marks: Sequence[int]) -> None:
        """Nothing came there after all."""
        with self._database.write() as connection:
            connection.execute(delete(touched).where(touched.c.touched_id.in_(marks)))

    def touched_streams(self) -> list[Stream]:
        with self._database.read() as connection:
            keys = connection.execute(select(touched.c.track_id, touched.c.epoch).distinct()).all()
            return [read_stream(connection, key.track_id, key.epoch) for key in keys]

    # ---- completeness ----------------------------------------------------------------------------------------------

    def incomplete_sessions(self) -> list[str]:
        """Ended ones."""
        query = select(sessions.c.session_id).where(sessions.c.state == "ended", sessions.c.completed_at.is_(None))
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def complete_if_so(self, session_id: str, now: float) -> bool:
        """Stores when it became so. False while something is to come, and for a session that has not ended."""
        with self._database.write() as connection:
            session = need(connection, sessions, session_id, "session")
            if session.state != "ended" or session.completed_at is not None:
                return session.completed_at is not None
            told, silent = _states(connection, session_id), _silent(connection, session_id)
            if not repair.complete(told, silent, session.ended_at, now):
                return False
            here = update(sessions).where(sessions.c.session_id == session_id)
            connection.execute(here.values(completed_at=now))
            mine = select(tracks.c.track_id).where(tracks.c.session_id == session_id)
            connection.execute(update(spools).where(spools.c.track_id.in_(mine)).values(coming_s=0.0))
            return True


def take_off(connection: Connection, taken: Sequence[int], region: repair.Samples) -> None:
    """Those marks end where the region begins and begin where it ends."""
    for mark in connection.execute(select(touched).where(touched.c.touched_id.in_(taken))).all():
        here = touched.c.touched_id == mark.touched_id
        left = repair.subtracted((mark.start_sample, mark.end_sample), region)
        if not left:
            connection.execute(delete(touched).where(here))
        for part in left[:-1]:
            values = {
                "track_id": mark.track_id,
                "epoch": mark.epoch,
                "start_sample": part.start,
                "end_sample": part.end,
            }
            connection.execute(insert(touched).values(values))
        for part in left[-1:]:
            connection.execute(update(touched).where(here).values(start_sample=part.start, end_sample=part.end))


def _not_complete(connection: Connection, session_id: str) -> None:
    here = and_(sessions.c.session_id == session_id, sessions.c.completed_at.is_not(None))
    connection.execute(update(sessions).where(here).values(completed_at=None))


def _seat(connection: Connection, board_id: str, session_id: str) -> Seat | None:
    board = need(connection, boards, board_id, "board")
    here = select(sites.c.site_id).where(sites.c.session_id == session_id, sites.c.room_id == board.room_id)
    mine = select(seats.c.site_id).where(seats.c.session_id == session_id, seats.c.board_id == board_id)
    site_id = connection.execute(mine).scalar_one_or_none() or connection.execute(here).scalar_one_or_none()
    return None if site_id is None else board_seat(connection, session_id, site_id, board)


def _states(connection: Connection, session_id: str) -> list[repair.StreamState]:
    marked = select(touched.c.touched_id).where(
        touched.c.track_id == streams.c.track_id, touched.c.epoch == streams.c.epoch
    )
    query = (
        select(streams, seats.c.board_id, spools.c.closed, spools.c.coming_s, marked.exists().label("marked"))
        .join(tracks, tracks.c.track_id == streams.c.track_id)
        .join(seats, seats.c.seat_id == tracks.c.seat_id)
        .outerjoin(spools, and_(spools.c.track_id == streams.c.track_id, spools.c.epoch == streams.c.epoch))
        .where(tracks.c.session_id == session_id, tracks.c.kind == "audio")
    )
    return [
        repair.StreamState(
            board=row.board_id is not None,
            decided=row.decided or row.end_sample == 0,
            touched=bool(row.marked),
            closed=row.closed,
            coming_s=row.coming_s or 0.0,
        )
        for row in connection.execute(query)
    ]


def _silent(connection: Connection, session_id: str) -> list[float | None]:
    has_stream = select(tracks.c.track_id).where(tracks.c.seat_id == seats.c.seat_id, tracks.c.kind == "audio")
    query = (
        select(boards.c.last_seen_at)
        .join(seats, seats.c.board_id == boards.c.board_id)
        .where(seats.c.session_id == session_id, ~has_stream.exists())
    )
    return list(connection.execute(query).scalars())


def _at(table: Any, track_id: str, epoch: int) -> Any:
    return and_(table.c.track_id == track_id, table.c.epoch == epoch)


def _spool(row: Row[Any]) -> Spool:
    values = {name: getattr(row, name) for name in Spool.__dataclass_fields__}
    return Spool(**{**values, "missing": tuple((first, after) for first, after in row.missing)})
