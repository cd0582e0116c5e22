"""Classes by the API: a timetable, boards looked at, names touched, the school told, sheets counted; and whose."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from httpx import AsyncClient

from session_manager.bell import Bell
from session_manager.store.classes import ABSENT_AFTER_S, ATTENDANCE_S, MOST_SHEETS
from tests.session_manager.door import ZONE, Door, hang, standing_at
from tests.session_manager.hall import NOW, Web

HOME = "/api/municipalities/default"
LOCAL = datetime.fromtimestamp(NOW, ZoneInfo(ZONE)).replace(second=0, tzinfo=None)
STARTS = LOCAL + timedelta(minutes=9)


@dataclass
class School:
    web: Web
    near: Door
    far: Door
    group: str
    pupils: list[str]
    teacher: str

    def form(self, rows: str = "", **more: object) -> dict[str, object]:
        day = "月火水木金土日"[STARTS.weekday()]
        ends = STARTS + timedelta(minutes=50)
        text = "subject,day,period,starts,ends,far\n" + (rows or f"物理,{day},3,{STARTS:%H:%M},{ends:%H:%M},\n")
        return {
            "group_id": self.group,
            "place_id": self.near.room_id,
            "far_place_id": self.far.room_id,
            "first": f"{LOCAL:%Y-%m-%d}",
            "last": f"{LOCAL + timedelta(days=20):%Y-%m-%d}",
            "school_mail": "school@iki.example",
            "text": text,
            **more,
        }

    async def lessons(self, browser: AsyncClient) -> list[dict[str, object]]:
        found: list[dict[str, object]] = (await browser.get(f"{HOME}/classes")).json()
        return found


@pytest.fixture
def school(web: Web) -> School:
    store = web.store
    near, far = hang(store, facility="壱岐高校"), hang(store, facility="遠隔授業センター")
    group = store.add_group("default", "二年一組", NOW).group_id
    pupils = [store.register_person("default", f"参加者 {n}", NOW).person_id for n in "一二三"]
    for pupil in pupils:
        store.put_in_group("default", group, pupil, "guest", NOW)
    teacher = store.register_person("default", "先生", NOW).person_id
    store.put_in_group("default", group, teacher, "teacher", NOW)
    return School(web, near, far, group, pupils, teacher)


async def taken(school: School, office: AsyncClient) -> str:
    """The identifier of today's lesson's booking."""
    answer = await office.post(f"{HOME}/timetables", json=school.form())
    assert answer.status_code == 201, answer.text
    assert [one["dates"] for one in answer.json()] == [3]
    [lesson] = await school.lessons(office)
    return str(lesson["booking_id"])


async def test_looking_saves_nothing_and_says_what_is_wrong_in_each_row(school: School) -> None:
    day = "月火水木金土日"[STARTS.weekday()]
    times = f"{STARTS:%H:%M},{STARTS + timedelta(minutes=50):%H:%M}"
    rows = f"物理,{day},3,{times},\n化学,祝,3,{times},\n生物,{day},,,,\n地学,{day},,{times},火星\n"
    async with school.web.signed_in() as office:
        answer = (await office.post(f"{HOME}/timetables/look", json=school.form(rows))).json()
        assert [(one["row"], len(one["problems"]), one["dates"]) for one in answer] == [
            (2, 0, 3),
            (3, 1, 0),
            (4, 1, 0),
            (5, 1, 0),
        ]
        assert await school.lessons(office) == []
        off = [{"first": f"{LOCAL + timedelta(days=3):%Y-%m-%d}", "last": f"{LOCAL + timedelta(days=9):%Y-%m-%d}"}]
        [one] = (await office.post(f"{HOME}/timetables/look", json=school.form(off=off))).json()
        assert (one["dates"], len(one["left_out"])) == (2, 1)
        for bad in ({"text": "nonsense\n"}, {"format": "ics", "text": "x"}, {"last": "2020-01-01"}):
            refused = await office.post(f"{HOME}/timetables/look", json={**school.form(), **bad})
            assert refused.status_code == 409, bad


async def test_a_room_that_is_taken_costs_that_day_only_and_it_can_be_added_later(school: School) -> None:
    other = school.far.book(9 + 7 * 24 * 60, 30)
    async with school.web.signed_in() as office:
        [row] = (await office.post(f"{HOME}/timetables", json=school.form())).json()
        assert (row["dates"], row["taken"]) == (2, [f"{STARTS + timedelta(days=7):%Y-%m-%d}"])
        found = school.web.store.series(row["series_id"])
    assert [one.state for one in found.dates] == ["confirmed", "wanted", "confirmed"]
    assert {place.place_id for place in found.dates[0].places} == {school.near.room_id, school.far.room_id}
    assert found.dates[0].session_id is not None
    assert school.web.store.booking(other.booking_id).state == "confirmed"


async def test_a_calendar_is_read_like_a_table(school: School) -> None:
    text = "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//x//y//",
            "BEGIN:VEVENT",
            "UID:a@school.example",
            f"DTSTART;TZID=Asia/Tokyo:{STARTS:%Y%m%dT%H%M%S}",
            f"DTEND;TZID=Asia/Tokyo:{STARTS + timedelta(minutes=50):%Y%m%dT%H%M%S}",
            "RRULE:FREQ=WEEKLY;COUNT=30",
            "SUMMARY:物理",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
    )
    async with school.web.signed_in() as office:
        [row] = (await office.post(f"{HOME}/timetables", json=school.form(format="ics", text=text))).json()
    assert (row["subject"], row["dates"], row["problems"]) == ("物理", 3, [])


async def test_boards_are_looked_at_ten_minutes_before_and_again(school: School) -> None:
    web, store = school.web, school.web.store
    token = store.add_board(school.near.room_id, "ボード", NOW).device_token
    bell = Bell(store, lambda: web.at[0])
    async with web.signed_in() as office, standing_at(web, school.near.key) as tablet, web.browser() as board:
        board.headers["Authorization"] = f"Bearer {token}"
        web.at[0] -= 120
        booking_id = await taken(school, office)
        await bell.look()
        session = store.booking(booking_id).session_id or ""
        assert (await office.get(f"/api/sessions/{session}/check")).json() is None
        web.at[0] = NOW
        await board.post("/api/board/devices", json={"microphone": False, "camera": True})
        await bell.look()
        near, far = (await office.get(f"/api/sessions/{session}/check")).json()["findings"]
        assert (near["site"], near["state"], far["state"]) == ("壱岐高校", "microphone", "none")
        soon = {one["session_id"]: one for one in (await office.get(f"{HOME}/prechecks")).json()}
        assert soon[session]["title"] == "物理"
        assert soon[session]["check"]["findings"] == [near, far]
        other = store.add_home("福岡市", ZONE, NOW).municipality_id
        assert store.prechecks(other, web.at[0]) == []
        web.at[0] += 31
        await board.post("/api/board/devices", json={"microphone": True})
        await bell.look()
        day = (await tablet.get("/api/panel/day")).json()
        [lesson] = [one["lesson"] for one in day["bookings"]]
        assert [one["state"] for one in lesson["check"]["findings"]] == ["ready", "none"]


async def test_a_lesson_from_the_first_name_to_the_last_sheet(school: School) -> None:
    web, store = school.web, school.web.store
    async with web.signed_in() as office, standing_at(web, school.near.key) as tablet:
        booking_id = await taken(school, office)
        here = f"/api/panel/bookings/{booking_id}"
        early = (await tablet.get("/api/panel/day")).json()["bookings"][0]["lesson"]
        assert [one["came"] for one in early["pupils"]] == [False] * 3
        assert (await tablet.post(f"{here}/sheet", json={"answers": [1, 1, 1]})).status_code == 404
        for _ in range(2):
            assert (await tablet.post(f"{here}/start", json={})).status_code == 204
        assert store.booking(booking_id).state == "in_use"
        for pupil in school.pupils[:2]:
            for _ in range(2):
                assert (await tablet.post(f"{here}/came", json={"person_id": pupil})).status_code == 204
        assert (await tablet.post(f"{here}/came", json={"person_id": school.teacher})).status_code == 204
        stranger = store.register_person("default", "よその人", NOW).person_id
        assert (await tablet.post(f"{here}/came", json={"person_id": stranger})).status_code == 404
        back = {"person_id": school.pupils[0], "came": False}
        await tablet.post(f"{here}/came", json=back)
        assert (await tablet.post(f"{here}/end", json={})).status_code == 409
        web.at[0] += 600
        for _ in range(3):
            assert (await tablet.post(f"{here}/absent", json={})).json() == {"count": 2}
        letters = [one for one in store.outbox("default") if one.recipient == "school@iki.example"]
        assert len(letters) == 1
        assert (await tablet.post(f"{here}/finish", json={})).json() == {"count": 2}
        after = await tablet.get("/api/panel/day")
        assert after.status_code == 200
        assert not any(name in after.text for name in ("参加者", "先生"))
        for count in range(1, 4):
            handed = await tablet.post(f"{here}/sheet", json={"answers": [1, 2, 3]})
            assert (handed.status_code, handed.json()) == (201, {"count": count})
        assert (await tablet.post(f"{here}/sheet", json={"answers": [1, 2, 4]})).status_code == 422
        [lesson] = await school.lessons(office)
        assert lesson["sheet"] == [[3, 0, 0], [0, 3, 0], [0, 0, 3]]
        web.at[0] += 3600
        assert (await tablet.post(f"{here}/sheet", json={"answers": [1, 1, 1]})).status_code == 404


async def test_a_lesson_ended_before_its_hour_leaves_a_door_that_still_answers(school: School) -> None:
    web = school.web
    async with web.signed_in() as office, standing_at(web, school.near.key) as tablet:
        booking_id = await taken(school, office)
        here = f"/api/panel/bookings/{booking_id}"
        await tablet.post(f"{here}/start", json={})
        assert (await tablet.post(f"{here}/finish", json={})).status_code == 200
        [booking] = (await tablet.get("/api/panel/day")).json()["bookings"]
        assert (booking["lesson"]["state"], booking["lesson"]["pupils"]) == ("ended", [])
        assert (await tablet.post(f"{here}/sheet", json={"answers": [1, 1, 1]})).status_code == 201


async def test_ten_minutes_into_a_lesson_the_school_hears_by_itself_once(school: School) -> None:
    web, store = school.web, school.web.store
    bell = Bell(store, lambda: web.at[0])
    async with web.signed_in() as office:
        booking_id = await taken(school, office)
        booking = store.booking(booking_id)
        await office.post(f"/api/sessions/{booking.session_id}/class/start")
        web.at[0] = booking.starts_at + ABSENT_AFTER_S - 1
        await bell.look()
        assert bell.lists == 0
        web.at[0] += 2
        for _ in range(3):
            await bell.look()
    assert bell.lists == 1
    store.came(str(booking.session_id), school.pupils[0], True, web.at[0])
    web.at[0] += ATTENDANCE_S + 1
    await bell.look()
    with pytest.raises(Exception, match="ten minutes before"):
        store.came(str(booking.session_id), school.pupils[0], True, web.at[0])


async def test_a_teacher_sees_and_runs_the_own_class_and_no_other(school: School) -> None:
    web, store = school.web, school.web.store
    other = store.register_person("default", "別の先生", NOW).person_id
    elsewhere = store.add_group("default", "三年", NOW).group_id
    store.put_in_group("default", elsewhere, other, "teacher", NOW)
    async with web.signed_in() as office:
        booking_id = await taken(school, office)
    session = store.booking(booking_id).session_id
    from session_manager.web.security import csrf_token
    from tests.session_manager.hall import SECRET

    for person, sees in ((school.teacher, 1), (other, 0), (school.pupils[0], None)):
        async with web.browser() as browser:
            login = store.open_person_login(person, NOW, 3600)
            browser.cookies.set("shimawa_login", login)
            browser.headers["X-CSRF-Token"] = csrf_token(SECRET, login)
            answer = await browser.get(f"{HOME}/classes")
            assert (answer.status_code, len(answer.json())) == (200, sees) if sees is not None else 403
            started = await browser.post(f"/api/sessions/{session}/class/start")
            assert (started.status_code == 204) == bool(sees), person
            assert (await browser.post(f"{HOME}/timetables/look", json=school.form())).status_code == 403


async def test_sheets_are_counted_up_to_a_bound(school: School) -> None:
    async with school.web.signed_in() as office:
        session = str(school.web.store.booking(await taken(school, office)).session_id)
    for _ in range(MOST_SHEETS):
        school.web.store.hand_in(session, (1, 1, 1), NOW)
    with pytest.raises(Exception, match="No more sheets"):
        school.web.store.hand_in(session, (1, 1, 1), NOW)
