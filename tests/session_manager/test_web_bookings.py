"""The day by HTTP: places, rules, bookings, series; refusals that help; what belongs to another town does not exist."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text

from tests.session_manager.hall import NOW, Hall, Web

TOWN = "/api/municipalities/default"
TEN, ELEVEN, NOON = "2026-06-01T10:00", "2026-06-01T11:00", "2026-06-01T12:00"


@pytest.fixture
async def office(web: Web) -> AsyncIterator[httpx.AsyncClient]:
    async with web.signed_in() as browser:
        yield browser


def wish(hall: Hall, starts: str = TEN, ends: str = ELEVEN, **more: object) -> dict[str, object]:
    places = [{"place_id": hall.boards[0].room_id}]
    return {"title": "打合せ", "starts": starts, "ends": ends, "places": places, **more}


async def booked(browser: httpx.AsyncClient, form: dict[str, object]) -> dict[str, object]:
    answer = await browser.post(f"{TOWN}/bookings", json=form)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_room_is_quoted_booked_listed_moved_and_cancelled(web: Web, office: httpx.AsyncClient) -> None:
    quote = (await office.post(f"{TOWN}/bookings/quote", json=wish(web.hall))).json()
    assert (quote["problems"], quote["yen"]) == ([], 0)
    made = await booked(office, wish(web.hall))
    assert (made["state"], made["zone"], made["starts"]) == ("confirmed", "Asia/Tokyo", "2026-06-01T10:00:00")
    here = f"{TOWN}/bookings/{made['booking_id']}"
    assert (await office.get(here)).json() == made
    week = {"first": "2026-06-01", "last": "2026-06-07"}
    assert (await office.get(f"{TOWN}/bookings", params=week)).json() == [made]
    moved = await office.patch(here, json={"starts": NOON, "ends": "2026-06-01T13:00"})
    assert moved.json()["starts_at"] == int(made["starts_at"]) + 7200  # type: ignore[call-overload]
    gone = await office.post(f"{here}/cancel", json={"reason": "欠航"})
    assert (gone.json()["state"], gone.json()["reason"]) == ("cancelled", "欠航")
    assert (await office.get(f"{TOWN}/bookings", params=week)).json() == []


async def test_a_clash_is_a_sentence_with_what_would_do(web: Web, office: httpx.AsyncClient) -> None:
    await booked(office, wish(web.hall))
    answer = await office.post(f"{TOWN}/bookings", json=wish(web.hall, "2026-06-01T10:30", NOON))
    body = answer.json()
    assert (answer.status_code, body["code"], body["message"]) == (409, "refused", "Somebody else has it then.")
    assert next(one["kind"] for one in body["quote"]["suggestions"]) == "shift"
    waiting = await booked(office, wish(web.hall, "2026-06-01T10:30", NOON, wait=True))
    assert waiting["state"] == "waiting"


async def test_a_change_is_quoted_as_it_would_be_judged_without_its_own_hold(
    web: Web, office: httpx.AsyncClient
) -> None:
    made, late = await booked(office, wish(web.hall)), ("2026-06-01T11:30", "2026-06-01T12:30")
    await booked(office, wish(web.hall, *late))
    before, but = web.store.booking(str(made["booking_id"])), {"but": made["booking_id"]}

    async def quoted(starts: str, ends: str, **more: object) -> dict[str, object]:
        answer = await office.post(f"{TOWN}/bookings/quote", json=wish(web.hall, starts, ends, **more))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    longer = ("2026-06-01T10:30", "2026-06-01T11:30")
    assert (await quoted(*longer))["problems"] == ["Somebody else has it then."]
    assert (await quoted(*longer, **but))["problems"] == []
    clash = await quoted("2026-06-01T11:00", NOON, **but)
    assert (clash["problems"], bool(clash["suggestions"])) == (["Somebody else has it then."], True)
    assert (await quoted(TEN, ELEVEN, title="別の名前", **but))["problems"] == []
    assert web.store.booking(str(made["booking_id"])) == before
    nothing = await office.post(f"{TOWN}/bookings/quote", json=wish(web.hall, but="nothing"))
    assert nothing.status_code == 404


async def test_a_booked_evening_is_in_the_boards_day(web: Web, office: httpx.AsyncClient) -> None:
    made = await booked(office, wish(web.hall, kind="dialogue", title="対話の夕べ"))
    web.at[0] = NOW + 2 * 86_400
    async with web.browser() as board:
        board.headers["Authorization"] = f"Bearer {web.hall.device_tokens[0]}"
        day = (await board.get("/api/board/day")).json()
    assert (made["session_id"], "対話の夕べ") in [(one["session_id"], one["title"]) for one in day["sessions"]]


async def test_people_check_in_stay_longer_and_end(web: Web, office: httpx.AsyncClient) -> None:
    made = await booked(office, wish(web.hall))
    here = f"{TOWN}/bookings/{made['booking_id']}"
    early = await office.post(f"{here}/check-in")
    assert (early.status_code, "too early" in early.json()["message"]) == (409, True)
    web.at[0] = float(str(made["starts_at"])) - 600
    async with web.signed_in() as again:
        assert (await again.post(f"{here}/check-in")).json()["state"] == "in_use"
        longer = await again.post(f"{here}/extend", json={"minutes": 30})
        assert longer.json()["ends"] == "2026-06-01T11:30:00"
        web.at[0] += 1200
        assert (await again.post(f"{here}/end")).json()["state"] == "done"


async def test_a_request_is_approved_or_declined_by_the_office(web: Web, office: httpx.AsyncClient) -> None:
    room = web.hall.boards[0].room_id
    place = next(one for one in (await office.get(f"{TOWN}/places")).json() if one["place_id"] == room)
    place_id = place.pop("place_id")
    changed = await office.put(f"{TOWN}/places/{place_id}", json={**place, "needs_approval": True})
    assert changed.status_code == 200
    first, second = await booked(office, wish(web.hall)), await booked(office, wish(web.hall))
    rivals = await office.get(f"{TOWN}/bookings/{first['booking_id']}/rivals")
    assert [one["booking_id"] for one in rivals.json()] == [second["booking_id"]]
    assert (await office.post(f"{TOWN}/bookings/{first['booking_id']}/approve")).json()["state"] == "confirmed"
    late = await office.post(f"{TOWN}/bookings/{second['booking_id']}/approve")
    assert (late.status_code, "waiting list" in late.json()["message"]) == (409, True)


async def test_a_series_is_shown_whole_before_it_is_saved_and_changed_in_part(
    web: Web, office: httpx.AsyncClient
) -> None:
    await booked(office, wish(web.hall, "2026-06-15T10:00", "2026-06-15T11:00"))
    form = wish(web.hall, rule="FREQ=WEEKLY;COUNT=4")
    shown = (await office.post(f"{TOWN}/series/quote", json=form)).json()
    assert [not one["quote"]["problems"] for one in shown] == [True, True, False, True]
    refused = await office.post(f"{TOWN}/series", json=form)
    assert (refused.status_code, "date 3 of 4" in refused.json()["message"]) == (409, True)
    made = (await office.post(f"{TOWN}/series", json={**form, "skip": [2]})).json()
    assert [one["state"] for one in made["dates"]] == ["confirmed", "confirmed", "wanted", "confirmed"]
    here = f"{TOWN}/series/{made['series_id']}"
    assert (await office.post(f"{TOWN}/bookings/{made['dates'][2]['booking_id']}/readd")).status_code == 409
    moved = await office.patch(f"{here}/dates/1", json={"scope": "this_and_later", "clock": "15:30"})
    assert [one["starts"][11:16] for one in moved.json()["dates"]] == ["10:00", "15:30", "15:30", "15:30"]
    gone = await office.post(f"{here}/dates/0/cancel", json={"scope": "all"})
    assert {one["state"] for one in gone.json()["dates"]} == {"cancelled"}
    assert (await office.get(here)).json() == gone.json()


async def test_a_course_of_irregular_dates_has_a_mode_for_each(web: Web, office: httpx.AsyncClient) -> None:
    dates = [
        {"starts": "2026-06-06T10:30", "ends": "2026-06-06T17:00"},
        {"starts": "2026-06-09T18:00", "ends": "2026-06-09T21:00", "mode": "online"},
    ]
    made = await office.post(f"{TOWN}/series", json=wish(web.hall, dates=dates, kind="seminar"))
    assert [(one["mode"], len(one["places"])) for one in made.json()["dates"]] == [("in_person", 1), ("online", 0)]
    bad = await office.post(f"{TOWN}/series", json=wish(web.hall, rule="FREQ=WEEKLY"))
    assert (bad.status_code, bad.json()["message"].startswith("A series needs an end")) == (409, True)


async def test_hours_days_rules_and_passes_are_set_by_the_administrator(web: Web, office: httpx.AsyncClient) -> None:
    facility = (await office.get("/api/facilities")).json()[0]["facility_id"]
    week = [[{"opens": 600, "closes": 720}]] * 5 + [[], []]
    opening = f"{TOWN}/facilities/{facility}/opening"
    assert (await office.put(opening, json={"week": week})).status_code == 200
    assert (await office.get(opening)).json()["week"] == week
    span = {"first": "2026-05-04", "last": "2026-05-10"}
    days = (await office.get(f"{TOWN}/facilities/{facility}/days", params=span)).json()
    assert [one["note"] for one in days[:3]] == ["みどりの日", "こどもの日", "振替休日"]
    assert [len(one["hours"]) for one in days] == [0, 0, 0, 1, 1, 0, 0]
    place = next(one for one in (await office.get(f"{TOWN}/places")).json() if one["facility_id"] == facility)
    free = await office.get(
        f"{TOWN}/places/{place['place_id']}/free", params={"starts": "2026-06-01T00:00", "ends": NOON}
    )
    assert [(one["starts"], one["ends"]) for one in free.json()["free"]] == [(f"{TEN}:00", f"{NOON}:00")]
    rules = {"prices": [{"yen_per_hour": 500}], "limits": {"": {"longest_s": 3600}}}
    assert (await office.put(f"{TOWN}/rules", json=rules)).json()["prices"][0]["yen_per_hour"] == 500
    assert (await office.get(f"{TOWN}/rules")).json()["limits"][""]["longest_s"] == 3600
    code = (await office.post(f"{TOWN}/guest-passes", json={})).json()["code"]
    form = wish(web.hall, places=[{"place_id": place["place_id"]}], pass_code=code)
    assert (await booked(office, form))["price_reason"] == "Free with a guest pass."
    silly = await office.put(f"{TOWN}/rules", json={"prices": [{"yen_per_hour": 10**30}]})
    assert silly.status_code == 409


async def test_what_is_another_towns_is_as_what_does_not_exist(web: Web, office: httpx.AsyncClient) -> None:
    with web.store._database.write() as connection:
        connection.execute(text("INSERT INTO municipalities VALUES ('okazaki', '岡崎', 'Asia/Tokyo', 0)"))
    made = await booked(office, wish(web.hall))
    other = "/api/municipalities/okazaki"
    for method, tail, body in (
        ("GET", "", None),
        ("PATCH", "", {"title": "x"}),
        ("POST", "/cancel", {}),
        ("POST", "/check-in", None),
    ):
        answer = await office.request(method, f"{other}/bookings/{made['booking_id']}{tail}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await office.post(f"{other}/bookings", json=wish(web.hall))).status_code == 404
    assert (await office.get(f"{other}/places")).json() == []
    assert (await office.get("/api/municipalities/nowhere/places")).status_code == 404


async def test_a_confidential_booking_tells_the_staff_only_that_the_room_is_taken(
    web: Web, office: httpx.AsyncClient
) -> None:
    made = await booked(office, wish(web.hall, confidential=True, kind="dialogue"))
    here = f"{TOWN}/bookings/{made['booking_id']}"
    async with web.signed_in("staff") as staff:
        assert (await staff.get(here)).status_code == 404
        assert (await staff.post(f"{here}/cancel", json={})).status_code == 404
        span = {"first": "2026-06-01", "last": "2026-06-01"}
        (seen,) = (await staff.get(f"{TOWN}/bookings", params=span)).json()
        assert (seen["title"], seen["starts"], seen["session_id"]) == ("―", made["starts"], None)
        assert (await staff.post(f"{TOWN}/bookings", json=wish(web.hall, confidential=True))).status_code == 403
        assert (await staff.put(f"{TOWN}/rules", json={})).status_code == 403


@pytest.mark.parametrize(
    "more",
    [
        {"starts": "2026-06-01T10:00+09:00"},
        {"starts": "2026-06-01T10:00:30"},
        {"starts": "0001-01-01T00:00"},
        {"title": "a\u202eb"},
        {"people": 0},
        {"kind": "party"},
        {"link": "javascript:alert(1)"},
        {"places": [{"place_id": "../x"}]},
        {"unknown": 1},
    ],
)
async def test_nonsense_is_refused_with_its_field(web: Web, office: httpx.AsyncClient, more: dict[str, object]) -> None:
    answer = await office.post(f"{TOWN}/bookings", json=wish(web.hall, **more))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"ends": TEN}, "end after it starts"),
        ({"zone": "Mars/Base"}, "time zone"),
        ({"zone": "Europe/Berlin", "starts": "2027-03-28T02:30", "ends": "2027-03-28T04:00"}, "does not exist"),
        ({"places": []}, "Choose a place"),
        ({"starts": "2026-05-01T10:00", "ends": "2026-05-01T11:00"}, "past"),
    ],
)
async def test_what_cannot_be_is_refused_with_a_sentence(
    web: Web, office: httpx.AsyncClient, more: dict[str, object], sentence: str
) -> None:
    answer = await office.post(f"{TOWN}/bookings", json=wish(web.hall, **more))
    assert answer.status_code == 409
    assert sentence in answer.json()["message"]


async def test_a_change_in_a_municipality_that_does_not_exist_is_not_found(web: Web, office: httpx.AsyncClient) -> None:
    answer = await office.post("/api/municipalities/nowhere/bookings", json=wish(web.hall))
    assert answer.status_code == 404, answer.text
