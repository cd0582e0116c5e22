"""Evenings by HTTP: who may do what in them, one's own words, and series that facilitators make for their own group."""

from __future__ import annotations

import httpx
import pytest

from session_manager.consent import NOT_AGREED, Level
from session_manager.enrolment import NewCircle
from session_manager.errors import NotFound
from tests.session_manager.hall import NOW, Web
from tests.session_manager.lab import TOWN, Lab

HERE = f"/api/municipalities/{TOWN}"


@pytest.fixture
def lab(web: Web) -> Lab:
    return Lab(web.store)


async def test_members_check_say_their_word_and_answer_for_themselves_only(web: Web, lab: Lab) -> None:
    async with web.browser() as browser:
        card = {"words": "港はだれのものか", "owner_id": lab.people[3]}
        assert (await lab.ask(browser, 1, "PUT", "/question", card)).status_code == 403
        assert (await lab.ask(browser, 0, "PUT", "/question", card)).json()["version"] == 1
        assert (await lab.ask(browser, 1, "POST", "/question/check", {"version": 1})).json()["checked_by"] == [
            lab.people[1]
        ]
        assert (await lab.ask(browser, 3, "POST", "/question/check", {"version": 1})).status_code == 409
        web.at[0] = lab.begins() - 600.0
        said = await lab.ask(browser, 1, "POST", "/consent", {"level": 1, "how": "online"})
        assert said.json() == {"agreed": 2, "level": 1, "present": 1}
        assert [one["level"] for one in (await lab.ask(browser, 1, "GET", "/consent/mine")).json()] == [1]
        assert (await lab.ask(browser, 2, "GET", "/consent/mine")).json() == []
        assert (await lab.ask(browser, 1, "POST", "/door", {"person_id": lab.people[2], "level": 2})).status_code == 403
        live = await lab.ask(browser, 2, "GET", f"/api/sessions/{lab.date().session_id}/consent")
        assert live.json()["level"] == 1
        item = {"kind": "quote", "words": "灯りを", "person_id": lab.people[1], "said_yes": True}
        made = (await lab.ask(browser, 0, "POST", "/items", item)).json()
        answer = {"item_id": made["item_id"], "yes": False}
        assert (await lab.ask(browser, 2, "POST", "/items/mine", answer)).status_code == 403
        assert (await lab.ask(browser, 1, "POST", "/items/mine", answer)).json()["yes_at"] is None
        assert (await lab.ask(browser, 1, "GET", "/report")).status_code == 403


async def test_no_answer_tells_what_another_person_said_at_the_door(web: Web, lab: Lab) -> None:
    lab.come(1, level=0)
    lab.come(2, listens=True)
    async with web.browser() as browser:
        for path in ("", "/door"):
            answer = (await lab.ask(browser, 0, "GET", path)).json()
            people = answer.get("guests") or answer["people"]
            assert not {"level", "listens"} & {key for one in people for key in one}


async def test_a_facilitator_makes_a_series_for_the_own_group_and_holds_it(web: Web, lab: Lab) -> None:
    lab.store.cancel_series(lab.series.series_id, 0, "all", "", "t", NOW)
    form = {
        "title": "夏の会",
        "kind": "dialogue",
        "starts": "2026-06-10T18:30",
        "ends": "2026-06-10T20:30",
        "places": [{"place_id": room} for room in lab.rooms],
        "rule": "FREQ=MONTHLY;BYDAY=-1WE;COUNT=3",
    }
    address = f"{HERE}/groups/{lab.group_id}/series"
    async with web.browser() as browser:
        assert (await lab.ask(browser, 1, "POST", address, form)).status_code == 403
        assert (await lab.ask(browser, 0, "POST", f"{HERE}/series", form)).status_code == 404
        shown = (await lab.ask(browser, 0, "POST", f"{address}/quote", form)).json()
        assert [one["quote"]["time"]["starts"][:10] for one in shown] == ["2026-06-24", "2026-07-29", "2026-08-26"]
        made = (await lab.ask(browser, 0, "POST", address, form)).json()
        assert {one["holder"] for one in made["dates"]} == {f"group:{lab.group_id}"}
        mine = (await lab.ask(browser, 0, "GET", f"{HERE}/series")).json()
        assert made["series_id"] in [one["series_id"] for one in mine]
        switch = {"scope": "one", "mode": "online"}
        its = f"{HERE}/series/{made['series_id']}/dates/1"
        [preview] = (await lab.ask(browser, 0, "POST", f"{its}/preview", switch)).json()
        assert (preview["mode"], preview["quote"]["problems"]) == ("online", [])
        changed = (await lab.ask(browser, 0, "PATCH", its, switch)).json()
        assert [one["mode"] for one in changed["dates"]] == ["in_person", "online", "in_person"]
        fifth = await lab.ask(browser, 0, "POST", address, {**form, "rule": "FREQ=MONTHLY;BYDAY=5WE;COUNT=3"})
        assert (fifth.status_code, "fifth" in fifth.json()["message"]) == (409, True)


async def test_people_apply_get_a_place_and_with_it_the_evening(web: Web, lab: Lab) -> None:
    its = lab.series.series_id
    lab.store.set_circle(its, NewCircle(lab.group_id, 6, "order", int(NOW) + 9_000_000), NOW)
    for number in (6, 7):
        person = lab.store.register_person(TOWN, f"申込者{number}", NOW).person_id
        lab.people.append(person)
    async with web.browser() as browser:
        assert (await lab.ask(browser, 6, "GET", "")).status_code == 404
        assert (await lab.ask(browser, 6, "POST", f"{HERE}/series/{its}/apply")).json()["state"] == "placed"
        assert (await lab.ask(browser, 7, "POST", f"{HERE}/series/{its}/apply")).json()["state"] == "waiting"
        assert (await lab.ask(browser, 6, "GET", "")).status_code == 200
        assert (await lab.ask(browser, 6, "POST", f"{HERE}/series/{its}/give-up")).json()["state"] == "declined"
        assert (await lab.ask(browser, 6, "GET", "")).status_code == 404
        assert (await lab.ask(browser, 7, "GET", "")).status_code == 200
        people = (await lab.ask(browser, 0, "GET", f"{HERE}/series/{its}/people")).json()
        assert [one["state"] for one in people["applications"]] == ["declined", "placed"]
        assert (await lab.ask(browser, 7, "GET", f"{HERE}/series/{its}/people")).status_code == 403


async def test_an_evening_of_another_town_is_as_one_that_does_not_exist(web: Web, lab: Lab) -> None:
    home = web.store.add_home("岡崎", "Asia/Tokyo", NOW).municipality_id
    async with web.signed_in() as office:
        there = lab.evening().replace(f"/{TOWN}/", f"/{home}/")
        nowhere = f"/api/municipalities/{home}/evenings/nowhere"
        answers = [await office.get(one) for one in (there, nowhere)]
        assert [one.status_code for one in answers] == [404, 404]
        assert answers[0].content == answers[1].content
    with pytest.raises(NotFound):
        web.store.booking_of(web.hall.session_id)


async def test_a_word_below_captions_takes_a_running_evening_off_the_record_until_the_room_allows_it_again(
    web: Web, lab: Lab
) -> None:
    session_id = str(lab.date().session_id)
    record = f"/api/sessions/{session_id}/record"
    web.at[0] = lab.begins() + 60.0
    web.store.set_level(lab.date().booking_id, Level.TRANSCRIPT, Level.TURNS)

    def come(number: int, level: int) -> dict[str, object]:
        return {"person_id": lab.people[number], "level": level, "how": "in_person"}

    async def now(browser: httpx.AsyncClient) -> object:
        return (await lab.ask(browser, 0, "GET", f"/api/sessions/{session_id}")).json()["record"]

    async with web.browser() as browser:
        assert (await lab.ask(browser, 0, "POST", "/door", come(1, 1))).status_code == 200
        assert not web.runtime.off
        await web.runtime.start_session(session_id)
        assert (await lab.ask(browser, 0, "POST", "/door", come(1, 4))).json()["level"] == 4
        assert await now(browser) == "on"
        assert (await lab.ask(browser, 2, "POST", "/consent", {"level": 2, "how": "online"})).json()["level"] == 2
        assert await now(browser) == "off"
        refused = await lab.ask(browser, 0, "POST", record, {"on": True})
        assert (refused.status_code, refused.json()["message"]) == (409, NOT_AGREED)
        assert (await lab.ask(browser, 2, "POST", "/consent", {"level": 3, "how": "online"})).json()["level"] == 3
        assert await now(browser) == "off"
        assert (await lab.ask(browser, 0, "POST", record, {"on": True})).json()["record"] == "on"
        level = {"level": 1, "publish_from": 2}
        assert (await lab.ask(browser, 0, "PUT", "/level", level)).json()["level"] == 1
        assert await now(browser) == "off"
