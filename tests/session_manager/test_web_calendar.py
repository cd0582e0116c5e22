"""Calendar addresses, free/busy, uploads, answers."""

from __future__ import annotations

import logging

import pytest

from session_manager.ical import Attendee, parse, write
from session_manager.store import NewSite
from tests.session_manager.hall import NOW, Web
from tests.session_manager.test_ical import EVENING, OUTLOOK
from tests.session_manager.test_web_people import Towns


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
    assert busy.count("FREEBUSY;") == 2
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
    from dataclasses import replace

    def letter(status: str, stamped_at: float, sender: str = "a@iki.example") -> bytes:
        who = (Attendee("a@iki.example", "海", status=status), Attendee("room@iki.example", "", "ROOM", "DECLINED"))
        text = write([replace(EVENING, attendees=who, stamped_at=stamped_at)], "REPLY")
        head = f"From: x <{sender}>\r\nContent-Type: text/calendar; method=REPLY; charset=utf-8\r\n\r\n"
        return head.encode() + text.encode()

    async with towns.office() as office:
        for content, taken in (
            (letter("ACCEPTED", 100.0), {"a@iki.example": "ACCEPTED"}),
            (letter("DECLINED", 90.0), {}),
            (letter("DECLINED", 110.0, "b@iki.example"), {}),
            (letter("TENTATIVE", 120.0), {"a@iki.example": "TENTATIVE"}),
        ):
            answer = await office.post(f"{towns.here}/answers", content=content)
            assert answer.json() == taken
        assert (await office.post(f"{towns.here}/answers", content=b"From: a@b\r\n\r\nhello")).status_code == 409
    assert web.store.answers(EVENING.uid) == {"a@iki.example": "TENTATIVE"}
