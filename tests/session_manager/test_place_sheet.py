"""Places and bookings through a spreadsheet: out and in again the same, problems by row, no formula gets through."""

from __future__ import annotations

import pytest

from session_manager.booking_records import NewPlace
from session_manager.errors import NotPossible
from session_manager.place_sheet import COLUMNS, read_places, write_places
from session_manager.sheets import read_sheet, write_sheet
from tests.session_manager.hall import NOW, Web
from tests.session_manager.house import at
from tests.session_manager.test_web_calendar import build_in
from tests.session_manager.test_web_people import Towns

GOOD = {"facility": "芦辺", "kind": "room", "name": "集会室", "capacity": "12", "needs_approval": "yes"}


def file(*rows: dict[str, str]) -> str:
    return write_sheet(COLUMNS, [[row.get(name, "") for name in COLUMNS] for row in rows])


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ({"name": ""}, "needs a facility and a name"),
        ({"facility": ""}, "needs a facility and a name"),
        ({"name": "x" * 81}, "80 letters"),
        ({"name": "a\x00b"}, "80 letters"),
        ({"kind": "boat"}, "kind is one of: room, seat, area, free_use, equipment"),
        ({"capacity": "twelve"}, "capacity is a number"),
        ({"capacity": "0"}, "capacity is a number"),
        ({"quantity": "-1"}, "quantity is a number"),
        ({"quantity": "１２"}, "quantity is a number"),
        ({"buffer_after_minutes": "1441"}, "buffer_after_minutes is a number"),
        ({"needs_approval": "maybe"}, "yes or no"),
    ],
)
def test_what_is_wrong_is_said_by_row_and_the_others_are_read(spoilt: dict[str, str], said: str) -> None:
    first, second = read_places(file({**GOOD, **spoilt}, GOOD))
    assert said in first.wrong
    assert (first.number, second.number, second.wrong) == (2, 3, "")
    assert second.values["capacity"] == 12


def test_a_file_without_the_columns_is_refused_as_a_whole() -> None:
    with pytest.raises(NotPossible):
        read_places("house,room\r\na,b\r\n")


async def test_places_go_out_and_come_in_again_as_they_were(web: Web) -> None:
    towns = Towns(web)
    house = build_in(web, towns.iki)
    area = house.place("area", "二階", capacity=60)
    web.store.add_place(NewPlace(house.facility_id, "room", "=cmd()", capacity=3, part_of=area.place_id), NOW)
    house.place("equipment", "投影機", quantity=3, buffer_after_s=600, needs_approval=True)
    async with towns.office() as office:
        out = await office.get(f"{towns.here}/places.csv")
        assert out.headers["content-type"] == "text/csv; charset=utf-8"
        assert "'=cmd()" in out.text
        before = web.store.places(towns.iki.municipality_id)
        again = await office.post(f"{towns.here}/places.csv", content=out.content)
        assert {row["outcome"] for row in again.json()} == {"same"}
        assert web.store.places(towns.iki.municipality_id) == before
    names = {one.facility_id: one.name for one in web.store.facilities()}
    assert write_places(before, names) == out.text


async def test_a_preview_shows_what_saving_would_do_and_saves_nothing(web: Web) -> None:
    towns = Towns(web)
    house = build_in(web, towns.iki)
    content = file(
        GOOD,
        {**GOOD, "name": "大会議室", "capacity": "30", "needs_approval": ""},
        {"facility": "芦辺", "kind": "area", "name": "三階"},
        {**GOOD, "name": "三階の部屋", "area": "三階"},
        {**GOOD, "name": "迷子", "area": "屋上"},
        {**GOOD, "facility": "どこか"},
        GOOD,
    ).encode()
    async with towns.office() as office:
        before = web.store.places()
        for path, status in (("places.csv/preview", 200), ("places.csv", 409)):
            answer = await office.post(f"{towns.here}/{path}", content=content)
            assert answer.status_code == status
            rows = answer.json()
            assert [row["outcome"] for row in rows] == ["new", "changed", "new", "new", "wrong", "wrong", "same"]
            assert [row["number"] for row in rows if row["problem"]] == [6, 7]
            assert web.store.places() == before
        good = file(GOOD, {**GOOD, "name": "大会議室", "capacity": "30", "needs_approval": "no"}).encode()
        assert (await office.post(f"{towns.here}/places.csv", content=good)).status_code == 200
        assert (await office.post(f"{towns.here}/places.csv", content=b"\xff\xfe")).status_code == 409
    found = {one.name: one for one in web.store.places(towns.iki.municipality_id)}
    assert found["大会議室"].capacity == 30
    assert found["大会議室"].place_id == house.big.place_id
    assert found["集会室"].needs_approval
    assert any(room.name == "集会室" for room in web.store.rooms())


async def test_another_municipalitys_facility_is_one_that_does_not_exist(web: Web) -> None:
    towns = Towns(web)
    build_in(web, towns.fukuoka)
    async with towns.office() as office:
        (row,) = (await office.post(f"{towns.here}/places.csv/preview", content=file(GOOD).encode())).json()
    assert row["outcome"] == "wrong"
    assert "no facility" in row["problem"]


async def test_bookings_go_out_without_formulas_and_without_what_is_confidential(web: Web) -> None:
    towns = Towns(web)
    house = build_in(web, towns.iki)
    house.book(at(1), title="=HYPERLINK(1)", people=4)
    house.book(at(3), title="秘密", confidential=True)
    gone = house.book(at(5), title="中止")
    web.store.cancel(gone.booking_id, "船が出ません", "office", NOW)
    web.store.add_account("desk", "correct horse battery", "staff")
    async with web.signed_in("staff") as staff:
        span = {"first": "2026-06-01", "last": "2026-06-01"}
        out = await staff.get(f"{towns.here}/bookings.csv", params=span)
        far = await staff.get(f"{towns.here}/bookings.csv", params={"first": "2026-06-01", "last": "2029-06-01"})
    assert far.status_code == 409
    assert "'=HYPERLINK(1)" in out.text
    assert "秘密" not in out.text
    columns = out.text.removeprefix("\ufeff").splitlines()[0].split(",")
    rows = read_sheet(out.text, columns, ())
    assert [(row["starts"], row["state"], row["reason"]) for row in rows] == [
        ("10:00", "confirmed", ""),
        ("12:00", "confirmed", ""),
        ("14:00", "cancelled", "船が出ません"),
    ]
    assert rows[0]["places"] == "大会議室"
