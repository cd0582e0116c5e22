"""No boat sails, over HTTP: the office's switch and each person's own choice."""

from __future__ import annotations

from datetime import datetime

from session_manager.booking_records import Booking, NewBooking, NewPlace, Wanted
from session_manager.pricing import Holder
from session_manager.schedule import Wall
from tests.session_manager.hall import Web
from tests.session_manager.test_web_people import Towns

TODAY = datetime(2026, 5, 29, 14)
"""NOW is the morning of that day in Tokyo."""


def booked(towns: Towns, person_id: str, *, confidential: bool = False) -> Booking:
    store = towns.web.store
    house = store.add_facility("港の家", "Asia/Tokyo", towns.iki.municipality_id)
    room = store.add_place(NewPlace(house.facility_id, "room", "会議室", capacity=8), 0)
    time = Wall(TODAY, TODAY.replace(hour=16), "Asia/Tokyo")
    wish = NewBooking(
        "打合せ", "plain", time, (Wanted(room.place_id),), Holder(person_id), person_id, confidential=confidential
    )
    made = store.book(wish, towns.web.at[0])
    assert isinstance(made, Booking)
    store.set_person_across(towns.iki.municipality_id, person_id, True)
    return made


async def test_two_requests_send_everybody_remote_and_two_bring_them_back(web: Web) -> None:
    towns = Towns(web)
    made = booked(towns, towns.person.person_id)
    async with towns.office() as office:
        before = (await office.get(f"{towns.here}/sailing")).json()
        assert [one["booking_id"] for one in before["affected"]] == [made.booking_id]
        assert before["sailing"] is None
        after = (await office.post(f"{towns.here}/sailing/stop", json={"choice": "remote"})).json()
        assert after["affected"] == []
        assert web.store.booking(made.booking_id).mode == "online"
        back = (await office.post(f"{towns.here}/sailing/resume")).json()
        assert [one["outcome"] for one in back["sailing"]["bookings"]] == ["back"]
        assert (await office.post(f"{towns.here}/sailing/stop", json={"choice": "swim"})).status_code == 422


async def test_who_was_asked_chooses_for_themselves_and_for_nobody_else(web: Web) -> None:
    towns = Towns(web)
    made = booked(towns, towns.person.person_id)
    mine = f"{towns.here}/me/bookings/{made.booking_id}/sailing"
    other = towns.register(towns.iki, "c@iki.example")
    async with towns.office() as office, towns.signed_in(towns.person) as me, towns.signed_in(other) as neighbour:
        assert (await me.post(mine, json={"choice": "remote"})).status_code == 409
        await office.post(f"{towns.here}/sailing/stop", json={"choice": "ask"})
        assert (await neighbour.post(mine, json={"choice": "remote"})).status_code == 404
        assert (await office.post(mine, json={"choice": "remote"})).status_code == 404
        answer = await me.post(mine, json={"choice": "tomorrow"})
        assert (answer.status_code, answer.json()["starts"]) == (200, "2026-05-30T14:00:00")
        assert (await neighbour.post(f"{towns.here}/sailing/stop", json={"choice": "ask"})).status_code == 403


async def test_a_confidential_title_is_for_administrators(web: Web) -> None:
    towns = Towns(web)
    booked(towns, towns.person.person_id, confidential=True)
    web.store.grant(towns.iki.municipality_id, towns.person.person_id, "staff", web.at[0])
    async with towns.office() as office, towns.signed_in(towns.person) as staff:
        assert (await office.get(f"{towns.here}/sailing")).json()["affected"][0]["title"] == "打合せ"
        assert (await staff.get(f"{towns.here}/sailing")).json()["affected"][0]["title"] == "―"
        stopped = await staff.post(f"{towns.here}/sailing/stop", json={"choice": "remote"})
        assert stopped.json()["sailing"]["bookings"][0]["title"] == "―"
