"""A new board shows a code, an administrator types it, the board fetches its key; nobody else gets one."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from room_agent.config import TOKEN_FILE, load
from room_agent.enrol import enrol, large
from room_agent.errors import CannotStart
from session_manager.store.enrolments import LIFETIME_S, MOST_OPEN
from tests.session_manager.hall import NOW, Web
from tests.session_manager.site import running_site
from tests.session_manager.test_web_people import Towns

ROOM = "会議室"


def room_of(towns: Towns) -> str:
    facility = towns.web.store.add_facility("港の家", "Asia/Tokyo", towns.iki.municipality_id)
    return towns.web.store.add_room(facility.facility_id, ROOM).room_id


async def test_a_board_gets_its_key_when_its_code_was_typed(web: Web) -> None:
    towns = Towns(web)
    room_id = room_of(towns)
    async with web.browser() as board, towns.office() as office:
        asked = (await board.post("/api/boards/enrol")).json()
        poll = {"device_code": asked["device_code"]}
        assert (await board.post("/api/boards/enrol/token", json=poll)).json()["state"] == "waiting"
        typed = {"code": asked["user_code"].lower().replace("-", " "), "room_id": room_id, "name": "ボード3"}
        made = await office.post(f"{towns.here}/boards", json=typed)
        assert (made.status_code, made.json()["room_id"]) == (201, room_id)
        answer = (await board.post("/api/boards/enrol/token", json=poll)).json()
        assert (answer["state"], answer["name"]) == ("enrolled", "ボード3")
        day = await board.get("/api/board/day", headers={"Authorization": f"Bearer {answer['device_token']}"})
        assert day.status_code == 200
        again = (await board.post("/api/boards/enrol/token", json=poll)).json()
        assert again["device_token"] != answer["device_token"]
        old = await board.get("/api/board/day", headers={"Authorization": f"Bearer {answer['device_token']}"})
        assert old.status_code == 401
        assert (await office.post(f"{towns.here}/boards", json=typed)).status_code == 404
        web.at[0] += LIFETIME_S + 1
        assert (await board.post("/api/boards/enrol/token", json=poll)).status_code == 404


async def test_a_code_opens_only_the_own_municipality_s_rooms_and_only_for_administrators(web: Web) -> None:
    towns = Towns(web)
    room_id = room_of(towns)
    web.store.grant(towns.iki.municipality_id, towns.person.person_id, "staff", NOW)
    there = f"/api/municipalities/{towns.fukuoka.municipality_id}/boards"
    async with web.browser() as board, towns.office("fukuoka-office") as other, towns.signed_in(towns.person) as staff:
        code = (await board.post("/api/boards/enrol")).json()["user_code"]
        typed = {"code": code, "room_id": room_id, "name": "x"}
        assert (await other.post(f"{towns.here}/boards", json=typed)).status_code == 404
        assert (await other.post(there, json=typed)).status_code == 404
        assert (await staff.post(f"{towns.here}/boards", json=typed)).status_code == 403
        assert not [one for one in web.store.boards() if one.name == "x"]


async def test_codes_cannot_be_guessed_or_piled_up(web: Web) -> None:
    towns = Towns(web)
    room_id = room_of(towns)
    async with web.browser() as board, towns.office() as office:
        answers = [await board.post("/api/boards/enrol") for _ in range(30)]
        assert {one.status_code for one in answers} == {201, 429}
        typed = {"code": "AAAA-AAAA", "room_id": room_id, "name": "x"}
        tries = [(await office.post(f"{towns.here}/boards", json=typed)).status_code for _ in range(30)]
        assert set(tries) == {404, 429}
    for number in range(MOST_OPEN):
        async with web.browser(address=f"198.51.{number // 250}.{number % 250}") as board:
            last = await board.post("/api/boards/enrol")
    assert last.status_code == 409


async def test_the_board_s_own_command_shows_the_code_and_keeps_the_key(tmp_path: Path) -> None:
    shown: list[str] = []
    async with running_site(tmp_path) as site:
        facility = site.store.add_facility("壱岐", "Asia/Tokyo")
        room = site.store.add_room(facility.facility_id, ROOM)
        answer = asyncio.create_task(
            asyncio.to_thread(enrol, site.url, tmp_path / "board", shown.append, lambda _: administrator())
        )

        def administrator() -> None:
            """Reads the screen and types."""
            from session_manager.web.routes_enrol import _digest
            from tests.session_manager.site import SECRET

            code = shown[0].strip().splitlines()[-1]
            site.store.take_in_board("default", _digest(SECRET, code), room.room_id, "ボード1", site.live.now or NOW)

        async with asyncio.timeout(30):
            assert await answer == "ボード1"
        kept = tmp_path / "board" / TOKEN_FILE
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert site.store.board_by_token(kept.read_text().strip(), NOW) is not None
        settings = load(None, {}, {("state",): tmp_path / "board", ("hub",): site.url})
        assert settings.token == kept.read_text().strip()


def test_a_hub_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CannotStart):
        enrol("http://127.0.0.1:9", tmp_path, lambda _: None)


def test_the_code_can_be_read_from_afar() -> None:
    assert "Ａ　Ｂ" in large("AB2C-DEFG")
