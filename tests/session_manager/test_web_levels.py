"""Levels that both sides agree to, and addresses of calendars, as the pages ask for them."""

from __future__ import annotations

import pytest

from session_manager.booking_records import NewPlace
from session_manager.membership import Level
from tests.session_manager.hall import NOW, Web
from tests.session_manager.test_web_people import Towns


@pytest.fixture
def towns(web: Web) -> Towns:
    return Towns(web)


async def test_a_person_sees_what_is_proposed_and_agrees_for_their_house(towns: Towns) -> None:
    store, home, me = towns.web.store, towns.iki.municipality_id, towns.person.person_id
    store.set_ladder(home, [Level(1, "知る"), Level(2, "つながる")])
    house = store.add_organisation(home, "福岡システム", NOW).organisation_id
    store.affiliate(home, me, house, NOW)
    membership = store.add_membership(home, NOW, organisation_id=house).membership_id
    store.add_membership(home, NOW, person_id=towns.register(towns.iki, "c@iki.example").person_id)
    step = store.propose_step(home, membership, 1, "説明会に来た", NOW).step_id
    store.confirm_step(home, step, "city", "office", NOW)
    async with towns.signed_in(towns.person) as browser:
        [mine] = (await browser.get(f"{towns.here}/me/levels")).json()
        assert (mine["organisation"], mine["level"], mine["step"]["step_id"]) == ("福岡システム", 0, step)
        assert [one["name"] for one in mine["ladder"]] == ["知る", "つながる"]
        assert (await browser.post(f"{towns.here}/steps/{step}/confirm", json={"side": "party"})).status_code == 200
        [mine] = (await browser.get(f"{towns.here}/me/levels")).json()
        assert (mine["level"], mine["step"]) == (1, None)
        elsewhere = f"/api/municipalities/{towns.fukuoka.municipality_id}/me/levels"
        assert (await browser.get(elsewhere)).status_code == 404


async def test_the_office_sees_the_addresses_of_rooms_and_nobody_s_own(towns: Towns) -> None:
    store, home = towns.web.store, towns.iki.municipality_id
    facility = store.add_facility("港の館", "Asia/Tokyo", home).facility_id
    room = store.add_place(NewPlace(facility, "room", "会議室"), NOW).place_id
    store.add_feed(home, "person", towns.person.person_id, NOW)
    async with towns.office() as office:
        made = (await office.post(f"{towns.here}/rooms/{room}/feeds")).json()
        await office.post(f"{towns.here}/feeds")
        found = (await office.get(f"{towns.here}/feeds")).json()
        assert [(one["kind"], one["subject_id"]) for one in found] == [("room", room), ("public", home)]
        assert made["address"].rsplit("/", 1)[1].removesuffix(".ics") not in str(found)
    async with towns.signed_in(towns.person) as browser:
        assert (await browser.get(f"{towns.here}/feeds")).status_code == 404
