"""The morning page's facts over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from session_manager.backup_stamp import note_backup
from session_manager.booking_records import Booking, NewBooking, NewPlace, Wanted
from session_manager.notices import Letter
from session_manager.pricing import Holder
from session_manager.schedule import Wall, local_time
from session_manager.store import NewSite
from session_manager.web.settings import WebSettings
from tests.session_manager.hall import PASSWORD, SECRET, WORKER, Hall, Web, open_web
from tests.session_manager.test_web_people import Towns


async def test_the_morning_says_what_waits_and_what_is_broken(web: Web) -> None:
    towns = Towns(web)
    store, home = web.store, towns.iki.municipality_id
    house = store.add_facility("港の家", "Asia/Tokyo", home)
    room = store.add_place(NewPlace(house.facility_id, "room", "会議室", capacity=8, needs_approval=True), 0)
    board = store.add_board(room.place_id, "ボード2", web.at[0] - 5000)
    store.board_by_token(board.device_token, web.at[0] - 3600)
    time = Wall(datetime(2026, 5, 29, 14), datetime(2026, 5, 29, 16), "Asia/Tokyo")
    store.book(NewBooking("打合せ", "plain", time, (Wanted(room.place_id),), Holder("x")), web.at[0])
    store.post(Letter.vouch("r1", "会").to("a@b.example", "ja", home), web.at[0])
    [letter] = store.claim_notices(web.at[0])
    store.notice_failed(letter.notice_id, "550", web.at[0], for_good=True)
    web.runtime.health = replace(web.runtime.health, record="gap")
    async with towns.office() as office:
        answer = await office.get(f"{towns.here}/today")
        told = answer.json()
        assert {line["what"] for line in told["morning"]["lines"]} == {
            "board_lost", "approvals", "letters", "not_recording"
        }  # fmt: skip
        assert told["morning"]["green"] == ["reports"]
        assert [(one["title"], one["state"], one["places"]) for one in told["bookings"]] == [
            ("打合せ", "requested", ["会議室"])
        ]
        same = await office.get(f"{towns.here}/today", headers={"If-None-Match": answer.headers["etag"]})
        assert (same.status_code, same.content) == (304, b"")
    async with towns.office("fukuoka-office") as other:
        assert (await other.get(f"{towns.here}/today")).status_code == 404
        theirs = (await other.get(f"/api/municipalities/{towns.fukuoka.municipality_id}/today")).json()
        assert [line["what"] for line in theirs["morning"]["lines"]] == ["not_recording"]
        assert theirs["bookings"] == []


async def test_sessions_without_a_booking_are_on_today_s_list_for_those_they_concern(web: Web) -> None:
    towns = Towns(web)
    store, home, now = web.store, towns.iki.municipality_id, web.at[0]
    house = store.add_facility("港の家", "Asia/Tokyo", home)
    room = store.add_place(NewPlace(house.facility_id, "room", "会議室", capacity=8), 0)
    site = [NewSite("会議室", room.place_id, ("ja",))]
    alone = store.add_session("港の会", now + 60, now + 3600, "Asia/Tokyo", site)
    store.add_session("明後日の会", now + 2 * 86_400, now + 2 * 86_400 + 60, "Asia/Tokyo", site)
    secret = store.add_session("内密の会", now + 120, now + 3600, "Asia/Tokyo", site, confidential=True)
    begin = local_time(int(now) + 6 * 3600, "Asia/Tokyo").replace(minute=0, second=0)
    time = Wall(begin, begin + timedelta(hours=1), "Asia/Tokyo")
    booked = store.book(NewBooking("対話", "dialogue", time, (Wanted(room.place_id),), Holder("x")), now)
    assert isinstance(booked, Booking)
    assert booked.session_id
    async with towns.office() as office, towns.office("fukuoka-office") as other:
        told = (await office.get(f"{towns.here}/today")).json()
        assert [one["session_id"] for one in told["sessions"]] == [alone.session_id, secret.session_id]
        assert (told["sessions"][0]["title"], told["sessions"][0]["places"]) == ("港の会", ["会議室"])
        assert [one["session_id"] for one in told["bookings"]] == [booked.session_id]
        theirs = (await other.get(f"/api/municipalities/{towns.fukuoka.municipality_id}/today")).json()
        assert theirs["sessions"] == []
    store.bind_account(store.add_account("desk", PASSWORD, "staff").account_id, home)
    async with towns.office("desk") as desk:
        told = (await desk.get(f"{towns.here}/today")).json()
        assert [one["session_id"] for one in told["sessions"]] == [alone.session_id]


async def test_the_disk_is_that_of_the_hub_s_own_folder(hall: Hall, tmp_path: Path) -> None:
    towns = Towns(open_web(hall, WebSettings(SECRET, WORKER, data=tmp_path)))
    async with towns.office() as office:
        assert (await office.get(f"{towns.here}/today")).status_code == 200


async def test_the_morning_asks_for_a_backup_until_there_is_a_young_one(hall: Hall, tmp_path: Path) -> None:
    web = open_web(hall, WebSettings(SECRET, WORKER, data=tmp_path))
    towns = Towns(web)

    async def said(office: httpx.AsyncClient) -> list[tuple[str, str, object]]:
        told = (await office.get(f"{towns.here}/today")).json()["morning"]
        assert ("hub" in told["green"]) is not any(one["subject"] == "hub" for one in told["lines"])
        mine = [one for one in told["lines"] if "backup" in one["what"]]
        return [(one["level"], one["what"], one["values"].get("days")) for one in mine]

    async with towns.office() as office:
        assert await said(office) == [("attention", "no_backup", None)]
        note_backup(tmp_path, web.at[0])
        assert await said(office) == []
        note_backup(tmp_path, web.at[0] - 7.5 * 86_400)
        assert await said(office) == [("attention", "old_backup", 7)]


async def test_what_boards_and_people_at_the_doors_say_is_told(web: Web) -> None:
    towns = Towns(web)
    store, home = web.store, towns.iki.municipality_id
    house = store.add_facility("港の家", "Asia/Tokyo", home)
    room = store.add_room(house.facility_id, "会議室")
    board = store.add_board(room.room_id, "ボード2", web.at[0] - 5000)
    store.board_by_token(board.device_token, web.at[0])
    store.board_has(board.board.board_id, {"microphone": False, "speaker": True, "camera": None}, web.at[0] - 60)
    panel = store.add_panel(home, room.room_id, "入口", web.at[0]).panel
    store.report_fault(panel, "sound", "panel", web.at[0])
    async with towns.office() as office, towns.office("fukuoka-office") as other:
        lines = (await office.get(f"{towns.here}/today")).json()["morning"]["lines"]
        assert [line["what"] for line in lines] == ["no_microphone", "report_sound"]
        assert lines[0]["values"] == {"board": "ボード2", "room": "会議室", "at": web.at[0] - 60}
        theirs = (await other.get(f"/api/municipalities/{towns.fukuoka.municipality_id}/today")).json()
        assert theirs["morning"]["lines"] == []
