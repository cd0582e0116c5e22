"""What a board asks and brings over HTTPS: only its own, within bounds, and again without harm."""

from __future__ import annotations

import itertools
from dataclasses import replace

import httpx
import pytest

from session_manager.errors import NoRoom
from session_manager.records import DiskTold, SiteRisk
from session_manager.web.ratelimit import Rule
from tests.session_manager.hall import NOW, Web
from transcription.audio_log import Packet, pack_packets

PACKETS = [Packet(n, n * 960, bytes([0b11111_0_00]) + b"\x00" * 10) for n in range(5)]


def board(web: Web, number: int = 0) -> httpx.AsyncClient:
    browser = web.browser()
    browser.headers["Authorization"] = f"Bearer {web.hall.device_tokens[number]}"
    return browser


def told(web: Web, **other: object) -> dict[str, object]:
    facts = {"session_id": web.hall.session_id, "name": "mic", "epoch": 1, "first_sequence": 0, "next_sequence": 5}
    return {**facts, "end_sample": 4800, "origin_at": NOW, "closed": True, **other}


async def test_a_board_hears_of_its_sessions_around_now(web: Web) -> None:
    later = web.hall.plan([], starts_at=NOW + 3600)
    async with board(web) as here:
        day = (await here.get("/api/board/day")).json()
    assert day["server_time"] == NOW
    assert [one["session_id"] for one in day["sessions"]] == [web.hall.session_id]
    assert day["sessions"][0]["site"]["name"] == "壱岐"
    assert later.session_id not in str(day)
    web.at[0] = NOW + 7200 + 12 * 3600 + 1
    async with board(web) as here:
        assert (await here.get("/api/board/day")).json()["sessions"] == []


async def test_numbers_are_given_as_half_open_pairs(web: Web) -> None:
    async with board(web) as here:
        answer = await here.post("/api/board/spool/have", json={"streams": [told(web)]})
    said = answer.json()
    assert (said.pop("came_at"), said.pop("server_time")) == (NOW, NOW)
    assert said == {
        "streams": [{"session_id": web.hall.session_id, "name": "mic", "epoch": 1, "wanted": [[0, 5]], "stored": []}],
        "unknown": [],
    }
    assert web.runtime.spools[0][0] == web.hall.boards[0].board_id


async def test_the_hub_stamps_a_boards_question_before_it_looks_up_who_asks(web: Web) -> None:
    """Or the time that takes counts as the way here, and the board puts its sound so much too late."""
    ticks = itertools.count(NOW)
    web.app.state.context = replace(web.app.state.context, clock=lambda: next(ticks))
    async with board(web) as here:
        answer = (await here.post("/api/board/spool/have", json={"streams": []})).json()
    assert answer["came_at"] == NOW
    assert answer["server_time"] == next(ticks) - 1.0 > NOW


async def test_what_a_board_has_lost_is_told(web: Web) -> None:
    async with board(web) as here:
        answer = await here.post("/api/board/spool/have", json={"streams": [told(web, missing=[[0, 1], [3, 5]])]})
    assert answer.status_code == 200
    assert web.runtime.spools[0][1][0].missing == ((0, 1), (3, 5))


async def test_a_board_may_say_where_its_sound_lies_on_the_hubs_clock(web: Web) -> None:
    where = {"placed_at": NOW - 3600.25, "within_s": 0.01}
    async with board(web) as here:
        assert (await here.post("/api/board/spool/have", json={"streams": [told(web, **where)]})).status_code == 200
        assert (await here.post("/api/board/spool/have", json={"streams": [told(web)]})).status_code == 200
        wrong = [told(web, placed_at=NOW, within_s=-1.0)]
        assert (await here.post("/api/board/spool/have", json={"streams": wrong})).status_code == 422
    assert [said[1][0].placed for said in web.runtime.spools] == [(NOW - 3600.25, 0.01), None]


async def test_how_a_boards_disk_stands_is_told_and_shown_with_its_session(web: Web) -> None:
    disk = {"level": "full", "at_risk_s": 2.5, "room_s": None, "lost_s": 0.0}
    async with board(web) as here:
        assert (await here.post("/api/board/spool/have", json={"streams": [], "disk": disk})).status_code == 200
        wrong = await here.post("/api/board/spool/have", json={"streams": [], "disk": {"level": "burning"}})
    assert wrong.status_code == 422
    assert web.runtime.disks == [(web.hall.boards[0].board_id, DiskTold("full", 2.5, None, 0.0))]
    web.runtime.risks = [SiteRisk("s", "壱岐", "full", 2.5, None, 0.0)]
    web.store.set_state(web.hall.session_id, "planned", "live", NOW)
    async with web.signed_in() as office:
        one = (await office.get(f"/api/sessions/{web.hall.session_id}")).json()
        every = (await office.get("/api/sessions")).json()
    assert one["at_risk"] == [
        {"site_id": "s", "site_name": "壱岐", "disk": "full", "at_risk_s": 2.5, "room_s": None, "lost_s": 0.0}
    ]
    assert every == [one]


async def test_packets_are_brought_as_they_were_packed(web: Web) -> None:
    query = {"session_id": web.hall.session_id, "name": "mic", "epoch": "1"}
    async with board(web) as here:
        answer = await here.post("/api/board/spool/packets", params=query, content=pack_packets(PACKETS))
    assert answer.json() == {"stored": 5, "duplicates": 0}
    assert web.runtime.brought == PACKETS


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [(b"torn", 409, "not_possible"), (b"\x00" * (256 * 1024 + 1), 413, "too_large")],
)
async def test_what_is_no_upload_is_refused(web: Web, body: bytes, status: int, code: str) -> None:
    query = {"session_id": web.hall.session_id, "name": "mic", "epoch": "1"}
    async with board(web) as here:
        answer = await here.post("/api/board/spool/packets", params=query, content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    "wrong",
    [{"first_sequence": 6}, {"epoch": -1}, {"epoch": 2**63}, {"origin_at": float("1e12")}, {"name": "../mic"}]
    + [
        {"missing": pairs}
        for pairs in ([[3, 3]], [[2, 4], [3, 5]], [[4, 6]], [[0, 1, 2]], [[n, n + 1] for n in range(0, 402, 2)])
    ],
)
async def test_a_word_that_cannot_be_is_refused(web: Web, wrong: dict[str, object]) -> None:
    async with board(web) as here:
        answer = await here.post("/api/board/spool/have", json={"streams": [told(web, **wrong)]})
    assert answer.status_code == 422
    assert web.runtime.spools == []


async def test_only_a_board_may_ask(web: Web) -> None:
    async with web.signed_in() as office, web.browser() as stranger:
        for path in ("/api/board/spool/have", "/api/board/spool/packets"):
            assert (await office.post(path, json={"streams": []})).status_code == 403
            assert (await stranger.post(path, json={"streams": []})).status_code == 401
        assert (await stranger.get("/api/board/day")).status_code == 401


async def test_a_full_disk_asks_the_board_to_wait(web: Web) -> None:
    web.runtime.no_room = True
    query = {"session_id": web.hall.session_id, "name": "mic", "epoch": "1"}
    async with board(web) as here:
        answer = await here.post("/api/board/spool/packets", params=query, content=pack_packets(PACKETS))
    assert (answer.status_code, answer.json()["code"]) == (507, NoRoom.code)


async def test_a_board_that_asks_too_often_is_slowed(web: Web) -> None:
    async with board(web) as here:
        answers = [await here.get("/api/board/day") for _ in range(201)]
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["Retry-After"]) >= 1
    async with board(web, 1) as beside:
        assert (await beside.get("/api/board/day")).status_code == 200


async def test_tokens_that_nobody_gave_out_share_the_measure_of_their_address(web: Web) -> None:
    async with web.browser() as guesser:
        limiter = web.app.state.context.limiter
        while not limiter.take(Rule.SPOOL_ADDRESS, "192.0.2.1", NOW):
            pass
        answer = await guesser.get("/api/board/day", headers={"Authorization": "Bearer guessed"})
    assert answer.status_code == 429
