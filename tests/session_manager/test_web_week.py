"""The week, the approvals and a booking's story by HTTP: one answer each, and what is hidden from whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from session_manager.booking_records import NewPlace
from session_manager.pricing import Holder
from tests.session_manager.hall import NOW, Web
from tests.session_manager.house import House, at, build

TOWN = "/api/municipalities/default"
MONDAY = {"first": "2026-06-01"}


@pytest.fixture
def house(web: Web) -> House:
    with web.store._database.write() as connection:  # the hall's own houses would only be in the way
        connection.exec_driver_sql("UPDATE facilities SET name = '鰐' || name")
    return build(web.store)


@pytest.fixture
async def office(web: Web) -> AsyncIterator[httpx.AsyncClient]:
    async with web.signed_in() as browser:
        yield browser


async def test_a_week_is_one_answer_and_hardly_anything_when_nothing_is_new(
    web: Web, office: httpx.AsyncClient, house: House
) -> None:
    made = house.book(at(1), title="港の会")
    answer = await office.get(f"{TOWN}/week", params=MONDAY)
    week = answer.json()
    assert week["titles"] == ["", "港の会"]
    assert week["booked"] == [
        [made.booking_id, 600, 660, "c", 1, [p["id"] for p in week["places"]].index(house.big.place_id)]
    ]
    assert [one["day"] for one in week["days"]] == [f"2026-06-0{day}" for day in range(1, 8)]
    tag = {"If-None-Match": answer.headers["etag"]}
    again = await office.get(f"{TOWN}/week", params=MONDAY, headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    house.store.cancel(made.booking_id, "", "office", NOW)
    fresh = await office.get(f"{TOWN}/week", params=MONDAY, headers=tag)
    assert (fresh.status_code, fresh.json()["booked"]) == (200, [])


async def test_a_day_a_facility_and_the_present_week_can_be_asked_for(
    web: Web, office: httpx.AsyncClient, house: House
) -> None:
    now = (await office.get(f"{TOWN}/week")).json()
    assert (now["first"], len(now["days"])) == ("2026-05-29", 7)
    day = (await office.get(f"{TOWN}/week", params={"days": 1})).json()
    assert day["first"] == "2026-05-29"
    other = next(one for one in now["facilities"] if one["name"] == "鰐福岡")
    chosen = (await office.get(f"{TOWN}/week", params={"facility_id": other["facility_id"]})).json()
    assert [one["name"] for one in chosen["places"]] == ["会議室"]
    assert chosen["places"][0]["boards"] == 1
    assert (await office.get(f"{TOWN}/week", params={"facility_id": "nowhere"})).status_code == 404
    assert (await office.get(f"{TOWN}/week", params={"first": "0001-01-01"})).status_code == 409
    assert (await office.get(f"{TOWN}/week", params={"days": 400})).status_code == 422


async def test_what_ended_early_is_free_again_and_what_was_cancelled_is_gone(
    web: Web, office: httpx.AsyncClient, house: House
) -> None:
    made = house.book(at(1))
    house.store.check_in(made.booking_id, "office", made.starts_at)
    house.store.end_booking(made.booking_id, "office", made.starts_at + 1200)
    house.store.cancel(house.book(at(3)).booking_id, "", "office", NOW)
    booked = (await office.get(f"{TOWN}/week", params=MONDAY)).json()["booked"]
    assert [one[1:4] for one in booked] == [[600, 620, "d"]]


async def test_staff_see_that_something_confidential_is_there(
    web: Web, office: httpx.AsyncClient, house: House
) -> None:
    house.book(at(1), title="秘密の相談", confidential=True)
    async with web.signed_in("staff") as staff:
        answer = await staff.get(f"{TOWN}/week", params=MONDAY)
        assert (answer.json()["booked"][0][0], "秘密" in answer.text) == ("", False)
    assert "秘密" in (await office.get(f"{TOWN}/week", params=MONDAY)).text


async def test_requests_stand_beside_their_rivals_with_what_a_yes_would_displace(
    web: Web, office: httpx.AsyncClient, house: House
) -> None:
    person = web.store.register_person("default", "参加者1", NOW)
    hall = web.store.add_place(NewPlace(house.facility_id, "room", "ホール", capacity=99, needs_approval=True), NOW)
    wishes = [
        house.book(at(hours), hall, title=title, holder=Holder(holder))
        for hours, title, holder in ((1.0, "一", person.person_id), (1.5, "二", "office"), (5.0, "三", "office"))
    ]
    first, second, third = (one.booking_id for one in wishes)
    asked = (await office.get(f"{TOWN}/approvals")).json()["asked"]
    assert [one["booking"]["booking_id"] for one in asked] == [first, second, third]
    assert [(one["rivals"], one["displaces"], one["taken"]) for one in asked] == [
        ([second], [second], []),
        ([first], [first], []),
        ([], [], []),
    ]
    assert [one["holder_name"] for one in asked] == ["参加者1", "", ""]
    assert asked[0]["booking"]["expires_at"] == NOW + 3 * 86_400
    assert (await office.post(f"{TOWN}/bookings/{first}/approve")).status_code == 200
    (left,) = (await office.get(f"{TOWN}/approvals")).json()["asked"]
    assert left["booking"]["booking_id"] == third


async def test_an_asked_change_and_what_expired_are_shown(web: Web, office: httpx.AsyncClient, house: House) -> None:
    hall = web.store.add_place(NewPlace(house.facility_id, "room", "ホール", capacity=99, needs_approval=True), NOW)
    made = house.book(at(1), hall)
    web.store.approve(made.booking_id, "office", NOW)
    moved = await office.patch(
        f"{TOWN}/bookings/{made.booking_id}", json={"starts": "2026-06-01T14:00", "ends": "2026-06-01T15:00"}
    )
    assert moved.json()["proposal"]
    late = house.book(at(8), hall)
    (asked, _) = (await office.get(f"{TOWN}/approvals")).json()["asked"]
    assert (asked["change"], asked["time"]["starts"], asked["booking"]["starts"]) == (
        True,
        "2026-06-01T14:00:00",
        "2026-06-01T10:00:00",
    )
    web.store.tick(NOW + 3 * 86_400)
    over = (await office.get(f"{TOWN}/approvals")).json()["over"]
    assert [(one["booking_id"], one["state"]) for one in over] == [(late.booking_id, "expired")]


async def test_a_request_that_cannot_be_granted_any_more_says_what_holds_its_place(
    web: Web, office: httpx.AsyncClient, house: House
) -> None:
    hall = web.store.add_place(NewPlace(house.facility_id, "room", "ホール", capacity=99, needs_approval=True), NOW)
    house.book(at(1), hall)
    web.store.change_place(replace(hall, needs_approval=False))
    house.book(at(1.5), hall)
    (asked,) = (await office.get(f"{TOWN}/approvals")).json()["asked"]
    assert asked["taken"] == [hall.place_id]


async def test_the_story_of_a_booking_names_who_did_what(web: Web, office: httpx.AsyncClient, house: House) -> None:
    made = house.book(at(1))
    here = f"{TOWN}/bookings/{made.booking_id}"
    await office.patch(here, json={"title": "港の会"})
    await office.post(f"{here}/cancel", json={"reason": "欠航"})
    story = (await office.get(f"{here}/story")).json()
    assert [one["what"] for one in story["events"]] == ["made", "changed", "cancel"]
    assert [story["names"].get(one["by"]) for one in story["events"]] == [None, "administrator", "administrator"]
    async with web.signed_in("staff") as staff:
        secret = house.book(at(3), confidential=True)
        assert (await staff.get(f"{TOWN}/bookings/{secret.booking_id}/story")).status_code == 404
