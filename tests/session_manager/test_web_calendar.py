"""Calendar addresses, free/busy, uploads, answers."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest

from session_manager.booking_records import NewPlace
from session_manager.ical import Attendee, parse, write
from session_manager.people import Municipality
from session_manager.pricing import Holder
from session_manager.store import NewSite
from tests.session_manager.hall import NOW, Web
from tests.session_manager.house import House, at
from tests.session_manager.test_ical import EVENING, OUTLOOK
from tests.session_manager.test_web_people import Towns

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def towns(web: Web) -> Towns:
    return Towns(web)


async def test_a_feed_shows_what_is_ones_own_until_it_is_revoked(
    web: Web, towns: Towns, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    home = towns.iki.municipality_id
    group = web.store.add_group(home, "物理", NOW).group_id
    web.store.put_in_group(home, group, towns.person.person_id, "member", NOW)
    mine = web.hall.plan([NewSite("壱岐", None)])
    web.store.bind_session(mine.session_id, home, group)
    async with towns.signed_in(towns.person) as browser, web.browser() as program:
        here = f"{towns.here}/people/{towns.person.person_id}/feeds"
        made = (await browser.post(here)).json()
        path = made["address"].removeprefix("http://hub")
        got = await program.get(path)
        assert got.headers["content-type"] == "text/calendar; charset=utf-8"
        assert [one.uid for one in parse(got.content).entries] == [f"{mine.session_id}@shimawa.invalid"]
        assert (await program.post(path)).status_code == 405
        assert (await program.get(path.replace("/calendar/", "/calendar/x"))).status_code == 404
        web.store.leave_group(home, group, towns.person.person_id, NOW)
        assert parse((await program.get(path)).content).entries == ()
        assert (await browser.delete(f"{here}/{made['feed_id']}")).status_code == 204
        assert (await program.get(path)).status_code == 404
    secret = path.split("/")[-1].removesuffix(".ics")
    assert len(secret) >= 43
    assert secret not in "".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("httpx")
    )
    assert all(secret not in entry.target for entry in web.store.audit())


async def test_a_rooms_calendar_hides_what_is_confidential(web: Web, towns: Towns) -> None:
    room = web.store.rooms()[0]
    home = next(one.municipality_id for one in web.store.facilities() if one.facility_id == room.facility_id)
    web.hall.plan([NewSite("壱岐", room.room_id)], starts_at=NOW + 9000, confidential=True)
    async with web.signed_in() as office, web.browser() as program:
        here = f"/api/municipalities/{home}"
        made = (await office.post(f"{here}/rooms/{room.room_id}/feeds")).json()
        titles = {one.title for one in parse((await program.get(made["address"])).content).entries}
        busy = (await office.get(f"{here}/rooms/{room.room_id}/busy.ics")).text
        assert (await office.post(f"{towns.here}/rooms/{room.room_id}/feeds")).status_code == 404
    assert titles == {"対話の夕べ", "予約済 / Reserved"}
    assert busy.count("FBTYPE=BUSY;") == 2
    assert "FBTYPE=BUSY-UNAVAILABLE;" in busy
    assert "対話" not in busy


async def test_an_ics_file_is_read_and_replaces_what_was_there(towns: Towns) -> None:
    async with towns.office() as office:
        for _ in range(2):
            taken = await office.post(f"{towns.here}/calendars/ferry", content=OUTLOOK.encode())
            assert taken.json() == {"entries": 1, "skipped": 0}
        (entry,) = (await office.get(f"{towns.here}/calendars")).json()
        assert (entry["title"], entry["start"]) == ("打合せ", "2026-11-20T10:00:00")
        assert (await office.post(f"{towns.here}/calendars/ferry", content=b"no")).status_code == 409
        form = {"url": "http://169.254.169.254/latest"}
        assert (await office.post(f"{towns.here}/calendars/ferry/fetch", json=form)).status_code == 403


async def test_an_answer_counts_for_its_sender_and_the_newest_stands(web: Web, towns: Towns) -> None:
    house = build_in(web, towns.iki)
    booking = house.book(at(1), holder=Holder(towns.person.person_id))
    uid = f"{booking.booking_id}@shimawa.invalid"

    def letter(status: str, stamped_at: float, sender: str = "A@iki.example", about: str = uid) -> bytes:
        who = (Attendee("a@iki.example", "海", status=status), Attendee("room@iki.example", "", "ROOM", "DECLINED"))
        text = write([replace(EVENING, uid=about, rule="", attendees=who, stamped_at=stamped_at)], "REPLY")
        head = f"From: x <{sender}>\r\nContent-Type: text/calendar; method=REPLY; charset=utf-8\r\n\r\n"
        return head.encode() + text.encode()

    async with towns.office() as office, towns.office("fukuoka-office") as other:
        for content, taken in (
            (letter("ACCEPTED", 100.0), {"a@iki.example": "ACCEPTED"}),
            (letter("DECLINED", 90.0), {}),
            (letter("DECLINED", 110.0, "b@iki.example"), {}),
            (letter("DELEGATED", 115.0), {}),
            (letter("ACCEPTED", 130.0, about="x@elsewhere.example"), {}),
            (letter("TENTATIVE", 120.0), {"a@iki.example": "TENTATIVE"}),
        ):
            answer = await office.post(f"{towns.here}/answers", content=content)
            assert answer.json() == taken
        assert (await office.post(f"{towns.here}/answers", content=b"From: a@b\r\n\r\nhello")).status_code == 409
        away = towns.here.replace(towns.iki.municipality_id, towns.fukuoka.municipality_id)
        assert (await other.post(f"{away}/answers", content=letter("DECLINED", 200.0))).json() == {}
        (seen,) = (await office.get(f"{towns.here}/bookings/{booking.booking_id}/answers")).json()
        assert (seen["person_id"], seen["status"], seen["answered_at"]) == (towns.person.person_id, "TENTATIVE", 120.0)
        assert (await other.get(f"{away}/bookings/{booking.booking_id}/answers")).status_code == 404


async def test_the_public_calendar_holds_only_what_was_marked_open(web: Web, towns: Towns) -> None:
    house = build_in(web, towns.iki)
    opened, _, secret = (house.book(at(hour), title=f"夕べ {hour}", confidential=hour == 5) for hour in (1, 3, 5))
    session = web.hall.plan([NewSite("壱岐", None)])
    web.store.bind_session(session.session_id, towns.iki.municipality_id)
    async with towns.office() as office, web.browser() as program:
        address = (await office.post(f"{towns.here}/feeds")).json()["address"]

        async def titles() -> set[str]:
            return {one.title for one in parse((await program.get(address)).content).entries}

        assert await titles() == set()
        for booking in (opened, secret):
            here = f"{towns.here}/bookings/{booking.booking_id}/open"
            assert (await office.put(here, json={"open": True})).status_code == 204
        assert (await office.put(f"/api/sessions/{session.session_id}/open", json={"open": True})).status_code == 204
        assert await titles() == {"夕べ 1", "対話の夕べ"}
        here = f"{towns.here}/bookings/{opened.booking_id}/open"
        assert (await office.put(here, json={"open": False})).status_code == 204
        assert await titles() == {"対話の夕べ"}


async def test_ones_own_calendar_holds_what_one_booked_and_what_ones_groups_are_invited_to(
    web: Web, towns: Towns
) -> None:
    house = build_in(web, towns.iki)
    home, me = towns.iki.municipality_id, towns.person.person_id
    group = web.store.add_group(home, "研究会", NOW, referral_only=True).group_id
    web.store.put_in_group(home, group, me, "member", NOW)
    mine = house.book(at(1), holder=Holder(me), title="わたしの")
    asked = house.book(
        at(2), house.place("room", "集会室", needs_approval=True), holder=Holder(me), title="申込み", people=1
    )
    others = house.book(at(3), title="ほかの人の")
    theirs = house.book(at(4), title="研究会の夜")
    hidden = house.book(at(6), holder=Holder(me), title="秘密", confidential=True)
    async with towns.office() as office, towns.signed_in(towns.person) as browser, web.browser() as program:
        made = await office.post(f"{towns.here}/bookings/{theirs.booking_id}/audience", json={"group_id": group})
        assert made.status_code == 204
        groups = (await office.get(f"{towns.here}/bookings/{theirs.booking_id}/audience")).json()
        assert groups == {"group_ids": [group]}
        address = (await browser.post(f"{towns.here}/people/{me}/feeds")).json()["address"]
        found = {one.uid.partition("@")[0]: one for one in parse((await program.get(address)).content).entries}
        room = (await office.post(f"{towns.here}/rooms/{house.big.place_id}/feeds")).json()["address"]
        walls = [one.title for one in parse((await program.get(room)).content).entries]
        busy = (await office.get(f"{towns.here}/rooms/{asked.places[0].place_id}/busy.ics")).text
    assert set(found) == {one.booking_id for one in (mine, asked, theirs, hidden)}
    assert others.booking_id not in found
    assert found[asked.booking_id].status == "TENTATIVE"
    assert found[hidden.booking_id].title == "予約済 / Reserved"
    assert sorted(walls) == sorted(["わたしの", "ほかの人の", "予約済 / Reserved", "予約済 / Reserved"])
    assert "FBTYPE=BUSY-TENTATIVE;" in busy


async def test_the_offices_address_and_a_houses_notes_are_kept(web: Web, towns: Towns) -> None:
    house = build_in(web, towns.iki)
    form = {"mail": "office@iki.example", "language": "ja"}
    notes = {"ja": {"boats": "始発は 7:10", "door": "", "network": ""}, "en": {"boats": "", "door": "", "network": ""}}
    async with towns.office() as office:
        assert (await office.put(f"{towns.here}/office-mail", json=form)).status_code == 204
        assert (await office.get(f"{towns.here}/office-mail")).json() == form
        assert (await office.put(f"{towns.here}/office-mail", json={"mail": "x\n@y"})).status_code == 422
        here = f"{towns.here}/facilities/{house.facility_id}/notes"
        assert (await office.put(here, json=notes)).status_code == 204
        assert (await office.get(here)).json() == notes
        for spoilt in ("a\nb", "a\x00", "\ud800"):
            asked = await office.put(here, content=json.dumps({"ja": {"boats": spoilt}}), headers=JSON)
            assert asked.status_code == 422
        elsewhere = web.store.facilities()[0].facility_id
        assert (await office.get(f"{towns.here}/facilities/{elsewhere}/notes")).status_code == 404


def build_in(web: Web, home: Municipality) -> House:
    """A facility of that municipality with two rooms."""
    facility = web.store.add_facility("芦辺", "Asia/Tokyo", home.municipality_id)
    rooms = [
        web.store.add_place(NewPlace(facility.facility_id, "room", name, capacity=20), NOW)
        for name in ("大会議室", "小会議室")
    ]
    return House(web.store, facility.facility_id, rooms[0], rooms[1])
