"""The doors: invitations, seats, boards, the live page's entrance."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from session_manager import tokens
from session_manager.ports import HubStatus
from tests.session_manager.hall import NOW, SECRET, Web


def code_for(web: Web, role: str = "participant", uses: int | None = None) -> str:
    return web.store.add_invitation(web.hall.session_id, role, NOW + 600, uses).code  # type: ignore[arg-type]


def joining(code: str, name: str = "花子", language: str = "ja") -> dict[str, str]:
    return {"code": code, "display_name": name, "language": language}


async def test_a_code_says_what_it_opens_before_anybody_joins(web: Web) -> None:
    web.runtime.health = HubStatus("gap", "The disk is full.", "delayed", "Captions are late.", 1, 0)
    code = code_for(web, uses=1)
    async with web.browser() as browser:
        for _ in range(3):
            seen = (await browser.post("/api/join/look", json={"code": code})).json()
    assert (seen["title"], seen["role"], seen["session"]["state"]) == ("対話の夕べ", "participant", "planned")
    assert seen["records"] == ["audio", "text"]
    assert (seen["record"], seen["record_message"]) == ("gap", "The disk is full.")
    assert (seen["captions"], seen["captions_message"]) == ("delayed", "Captions are late.")


async def test_a_person_who_joins_has_a_seat_a_token_and_a_way_back(web: Web) -> None:
    async with web.browser() as browser:
        answer = await browser.post("/api/join", json=joining(code_for(web), "  花子 ", "en"))
        assert answer.status_code == 201
        joined = answer.json()
        again = (await browser.post("/api/join/again", json={"seat_key": joined["seat_key"]})).json()
    seat = web.store.seat(joined["seat_id"])
    assert (seat.display_name, seat.role, joined["signaling"]) == ("花子", "participant", "/signal")
    assert web.hall.store.session(seat.session_id).sites[-1].languages == ("en",)
    for given in (joined["token"], again["token"]):
        claims = tokens.verify(SECRET, given, NOW + 119)
        assert claims == tokens.Claims(seat.session_id, seat.seat_id, "participant", NOW + 120)
    assert isinstance(tokens.verify(SECRET, joined["token"], NOW + 120), tokens.Expired)
    assert len(web.store.seats(seat.session_id)) == 3


@pytest.mark.parametrize("role", ["participant", "facilitator", "lobby"])
async def test_the_seat_has_the_role_of_its_invitation(web: Web, role: str) -> None:
    async with web.browser() as browser:
        joined = (await browser.post("/api/join", json=joining(code_for(web, role)))).json()
    claims = tokens.verify(SECRET, joined["token"], NOW)
    assert isinstance(claims, tokens.Claims)
    assert claims.role == role == joined["role"]


async def test_an_observers_code_opens_the_live_page_and_no_seat(web: Web) -> None:
    code = code_for(web, "observer", uses=1)
    async with web.browser() as browser:
        refused = await browser.post("/api/join", json=joining(code))
        assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
        assert len(web.store.seats(web.hall.session_id)) == 2
        assert (await browser.get(f"/api/sessions/{web.hall.session_id}")).status_code == 401
        entered = await browser.post("/api/live/enter", json={"code": code})
        assert entered.json() == {"session_id": web.hall.session_id, "title": "対話の夕べ"}
        assert (await browser.get(f"/api/sessions/{web.hall.session_id}")).status_code == 200


async def test_a_browser_that_is_in_does_not_use_the_invitation_up_again(web: Web) -> None:
    code = code_for(web, "observer", uses=2)
    async with web.browser() as first, web.browser() as second, web.browser() as third:
        for _ in range(3):
            assert (await first.post("/api/live/enter", json={"code": code})).status_code == 200
        assert (await second.post("/api/live/enter", json={"code": code})).status_code == 200
        assert (await third.post("/api/live/enter", json={"code": code})).status_code == 404


async def test_a_participants_code_does_not_open_the_live_page_and_is_not_used_up_by_trying(web: Web) -> None:
    code = code_for(web, uses=1)
    async with web.browser() as browser:
        assert (await browser.post("/api/live/enter", json={"code": code})).status_code == 403
        assert (await browser.post("/api/join", json=joining(code))).status_code == 201


@pytest.mark.parametrize("path", ["/api/join/look", "/api/live/enter", "/api/join"])
async def test_a_code_that_is_wrong_old_or_used_up_is_one_answer(web: Web, path: str) -> None:
    old = web.store.add_invitation(web.hall.session_id, "observer", NOW, None).code
    used = web.store.add_invitation(web.hall.session_id, "observer", NOW + 60, 1).code
    assert web.store.redeem_invitation(used, NOW)
    async with web.browser() as browser:
        answers = [
            await browser.post(path, json=joining(code) if path == "/api/join" else {"code": code})
            for code in ("wrong", old, used)
        ]
    assert {(one.status_code, one.content) for one in answers} == {(404, answers[0].content)}


async def test_a_code_for_one_lets_one_of_fifty_in(web: Web) -> None:
    code = code_for(web, uses=1)
    async with web.browser() as browser:
        answers = await asyncio.gather(
            *(browser.post("/api/join", json=joining(code, f"参加者{n}")) for n in range(50))
        )
    assert sorted(one.status_code for one in answers) == [201] + [404] * 49
    assert len(web.store.seats(web.hall.session_id)) == 3


async def test_a_session_that_is_over_is_said_so_and_its_code_kept(web: Web) -> None:
    code = code_for(web, uses=1)
    async with web.browser() as browser:
        key = (await browser.post("/api/join", json=joining(code_for(web)))).json()["seat_key"]
        await web.runtime.start_session(web.hall.session_id)
        await web.runtime.end_session(web.hall.session_id)
        answer = await browser.post("/api/join", json=joining(code))
        assert (answer.status_code, answer.json()["code"]) == (409, "not_possible")
        assert "over" in answer.json()["message"]
        assert (await browser.post("/api/join/again", json={"seat_key": key})).status_code == 404
    assert web.store.look_invitation(code, NOW) is not None


@pytest.mark.parametrize("name", ["", "   ", "あ" * 81, "a\nb", "a\u202eb", "\x1b[31m", "a\u200bb"])
async def test_a_name_is_one_plain_line(web: Web, name: str) -> None:
    async with web.browser() as browser:
        answer = await browser.post("/api/join", json=joining(code_for(web), name))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")


async def test_an_unknown_seat_key_is_not_found(web: Web) -> None:
    async with web.browser() as browser:
        assert (await browser.post("/api/join/again", json={"seat_key": "nothing"})).status_code == 404


# ---- boards ----------------------------------------------------------------------------------------------------------


async def board_join(web: Web, token: str) -> httpx.Response:
    async with web.browser() as browser:
        return await browser.post("/api/board/join", headers={"Authorization": f"Bearer {token}"})


async def test_a_board_is_told_its_session_its_site_and_a_token(web: Web) -> None:
    answer = await board_join(web, web.hall.device_tokens[1])
    found = answer.json()
    assert answer.status_code == 200
    assert found["session"] == {
        "session_id": web.hall.session_id,
        "title": "対話の夕べ",
        "starts_at": NOW,
        "ends_at": NOW + 7200,
        "timezone": "Asia/Tokyo",
        "state": "planned",
    }
    site = web.hall.session.sites[1]
    assert found["site"] == {"site_id": site.site_id, "name": "福岡", "languages": ["ja"]}
    assert found["signaling"] == "/signal"
    claims = tokens.verify(SECRET, found["token"], NOW)
    assert isinstance(claims, tokens.Claims)
    assert (claims.seat_id, claims.role) == (web.hall.seat(1).seat_id, "board")


async def test_a_board_with_nothing_due_is_told_when_to_ask_again(web: Web) -> None:
    web.at[0] = NOW + 9000
    answer = await board_join(web, web.hall.device_tokens[0])
    assert (answer.status_code, answer.headers["retry-after"], answer.content) == (204, "15", b"")
    assert web.store.boards()[0].last_seen_at == NOW + 9000 or web.store.boards()[1].last_seen_at == NOW + 9000


@pytest.mark.parametrize("token", ["wrong", "worker-token-of-this-hu"])
async def test_a_board_nobody_knows_is_refused(web: Web, token: str) -> None:
    assert (await board_join(web, token)).status_code == 401


async def test_the_workers_token_is_not_a_boards(web: Web) -> None:
    assert (await board_join(web, web.hall.device_tokens[0])).status_code == 200
    assert (await board_join(web, "worker-token-of-this-hub")).status_code == 403


async def test_a_boards_token_opens_nothing_else(web: Web) -> None:
    async with web.browser() as browser:
        browser.headers["Authorization"] = f"Bearer {web.hall.device_tokens[0]}"
        for path in ("/api/sessions", "/api/boards", f"/api/sessions/{web.hall.session_id}/lines", "/api/status"):
            assert (await browser.get(path)).status_code == 403, path


async def test_a_token_in_the_address_is_not_looked_at(web: Web) -> None:
    async with web.browser() as browser:
        answer = await browser.post(f"/api/board/join?token={web.hall.device_tokens[0]}")
    assert answer.status_code == 401
