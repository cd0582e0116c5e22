"""The office's first morning: an empty hub says where to begin."""

from __future__ import annotations

from session_manager.booking_records import NewPlace
from tests.session_manager.hall import NOW, Web
from tests.session_manager.test_web_people import Towns

JAPANESE = {"Accept-Language": "ja"}


async def test_an_empty_house_says_where_to_begin_and_one_with_rooms_does_not(web: Web) -> None:
    towns = Towns(web)
    async with towns.office() as office:
        assert "はじめに、施設と部屋を加えてください。" in (await office.get("/today", headers=JAPANESE)).text
        facility = web.store.add_facility("港の館", "Asia/Tokyo", towns.iki.municipality_id).facility_id
        web.store.add_place(NewPlace(facility, "room", "会議室"), NOW)
        assert "はじめに" not in (await office.get("/today", headers=JAPANESE)).text


async def test_who_is_signed_in_is_not_told_to_sign_in(web: Web) -> None:
    towns = Towns(web)
    async with towns.signed_in(towns.person) as browser:
        refused = await browser.get("/setup", headers={**JAPANESE, "Accept": "text/html"})
    assert refused.status_code == 403
    assert "いまログインしている名前では" in refused.text
    assert "ログインしてください" not in refused.text
