"""What is shown in calendars and weeks shows every change at once, and costs hardly anything while there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from session_manager.booking_records import BookingChange
from session_manager.ical import parse
from session_manager.opening import ALWAYS
from session_manager.store import NewSite, Store
from tests.session_manager.hall import NOW, Web
from tests.session_manager.house import ZONE, Databases, House, at, build
from tests.session_manager.kinds import postgresql

HOME = "default"


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    databases = Databases(request.param, tmp_path, postgresql() if request.param == "postgresql" else None)
    yield build(databases.open(databases.new()))
    databases.close()


def _by_hand(store: Store, statement: str) -> None:
    with store._database.write() as connection:
        connection.execute(text(statement))


def changes(house: House) -> Iterator[Callable[[], object]]:
    """Each is one thing that somebody who looks would see."""
    store = house.store
    booked = house.book(at(1))
    session = store.add_session("t", NOW, NOW + 60, ZONE, [NewSite("壱岐", house.small.place_id)]).session_id
    group = store.add_group(HOME, "物理", NOW).group_id
    person = store.register_person(HOME, "先生", NOW).person_id
    yield lambda: house.book(at(3))
    yield lambda: store.change(booked.booking_id, BookingChange(title="港の会"), "me", NOW)
    yield lambda: store.change(booked.booking_id, BookingChange(time=at(5)), "me", NOW)
    yield lambda: store.cancel(booked.booking_id, "", "me", NOW)
    yield lambda: store.change_place(replace(house.big, name="講堂"))
    yield lambda: store.set_opening(house.facility_id, ALWAYS)
    yield lambda: store.add_facility("福岡", ZONE)
    yield lambda: store.put_in_group(HOME, group, person, "member", NOW)
    yield lambda: store.bind_session(session, HOME, group)
    yield lambda: store.set_state(session, "planned", "live", NOW)
    yield lambda: store.add_board(house.big.place_id, "ボード", NOW)
    yield lambda: _by_hand(store, "UPDATE bookings SET title = '手で'")


def test_every_change_that_somebody_would_see_gives_another_mark(house: House) -> None:
    seen = [house.store.calendar_mark()]
    for change in changes(house):
        change()
        seen.append(house.store.calendar_mark())
    assert len(set(seen)) == len(seen) == 13


def test_what_nobody_sees_there_leaves_the_mark(house: House) -> None:
    board = house.store.add_board(house.big.place_id, "ボード", NOW)
    session = house.store.add_session("t", NOW, NOW + 60, ZONE, [NewSite("壱岐", house.big.place_id)]).session_id
    before = house.store.calendar_mark()
    house.store.board_by_token(board.device_token, NOW)
    house.store.append_event(session, "note", {}, NOW)
    assert house.store.calendar_mark() == before


def test_every_table_that_a_calendar_reads_has_its_triggers(house: House) -> None:
    """A migration that makes a table anew in SQLite takes its triggers away without a word."""
    kind = house.store._database.engine.dialect.name
    names = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if kind == "sqlite"
        else "SELECT tgname || '_' || event FROM pg_trigger, (VALUES ('insert'), ('delete'), ('update')) AS e (event)"
    )
    with house.store._database.read() as connection:
        found = set(connection.execute(text(names)).scalars())
        tables = set(inspect(connection).get_table_names())
    here = {name.split("shown_")[1].rsplit("_", 1)[0] for name in found if name.startswith("shown_")}
    assert here <= tables
    assert len([name for name in found if name.startswith("shown_")]) == 3 * len(here) == 3 * 19


async def test_a_program_that_has_the_calendar_hears_that_nothing_is_new_until_something_is(web: Web) -> None:
    _by_hand(web.store, "UPDATE facilities SET name = '鰐' || name")
    house = build(web.store)
    booked = house.book(at(1), title="港の会")
    path = f"/calendar/{web.store.add_feed(HOME, 'room', house.big.place_id, NOW).secret}.ics"
    other = f"/calendar/{web.store.add_feed(HOME, 'room', house.small.place_id, NOW).secret}.ics"
    async with web.browser() as program:
        first = await program.get(path)
        tag = {"If-None-Match": first.headers["etag"]}
        again = await program.get(path, headers=tag)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        assert (await program.get(other, headers=tag)).status_code == 200
        assert first.headers["cache-control"] == "private, no-cache"
        web.store.change(booked.booking_id, BookingChange(title="山の会", time=at(2)), "me", NOW)
        changed = await program.get(path, headers=tag)
        assert changed.status_code == 200
        [before], [after] = (parse(one.content).entries for one in (first, changed))
        assert (after.title, after.start, after.sequence > before.sequence) == ("山の会", at(2).starts, True)
        web.at[0] += 86_400
        next_day = await program.get(path, headers={"If-None-Match": changed.headers["etag"]})
        assert next_day.status_code == 200
