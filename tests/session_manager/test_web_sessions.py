"""Accounts, places, sessions and transcripts over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from session_manager.records import CoverageSpan, SpanKind, TrackCoverage
from tests.session_manager.hall import NOW, PASSWORD, Web
from tests.session_manager.test_store_lines import said


def plan(web: Web, **changes: Any) -> dict[str, Any]:
    form: dict[str, Any] = {
        "title": "朝の会",
        "starts_at": "2026-06-01T09:00:00+09:00",
        "ends_at": "2026-06-01T11:00:00+09:00",
        "sites": [{"room_id": web.hall.boards[0].room_id}],
    }
    return form | changes


async def test_who_signed_in_is_known_by_name_and_role(web: Web) -> None:
    web.store.add_account("小田", PASSWORD, "staff")
    async with web.browser() as browser:
        assert (await browser.get("/api/me")).json()["kind"] == "stranger"
        answer = await browser.post("/api/login", json={"name": "小田", "password": PASSWORD})
        assert (answer.json()["name"], answer.json()["role"]) == ("小田", "staff")
        assert (await browser.get("/api/me")).json()["kind"] == "staff"
        assert (await browser.get("/api/status")).json()["captions"] == "on"


async def test_a_place_is_made_from_the_facility_to_the_board(web: Web) -> None:
    async with web.signed_in() as browser:
        facility = (await browser.post("/api/facilities", json={"name": "勝本小学校"})).json()
        assert facility["timezone"] == "Asia/Tokyo"
        room = (
            await browser.post("/api/rooms", json={"facility_id": facility["facility_id"], "name": "図書室"})
        ).json()
        answer = await browser.post("/api/boards", json={"room_id": room["room_id"], "name": "ボード"})
        assert answer.status_code == 201
        token = answer.json()["device_token"]
        listed = (await browser.get("/api/boards")).json()
    assert answer.json()["board"] in listed
    assert token not in str(listed)
    board = web.store.board_by_token(token, NOW)
    assert board is not None
    assert board.room_id == room["room_id"]


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/api/facilities", {"name": "壱岐"}, 409),
        ("/api/facilities", {"name": "x", "timezone": "Nowhere/Else"}, 409),
        ("/api/rooms", {"facility_id": "none", "name": "x"}, 404),
        ("/api/boards", {"room_id": "none", "name": "x"}, 404),
        ("/api/boards", {"room_id": "../none", "name": "x"}, 422),
        ("/api/facilities", {}, 422),
    ],
)
async def test_what_cannot_be_made_is_a_sentence(web: Web, path: str, form: dict[str, str], status: int) -> None:
    async with web.signed_in() as browser:
        answer = await browser.post(path, json=form)
    assert answer.status_code == status
    assert set(answer.json()) == {"code", "message"}


async def test_a_session_is_planned_with_its_boards_seats(web: Web) -> None:
    async with web.signed_in("staff") as browser:
        answer = await browser.post("/api/sessions", json=plan(web))
        assert answer.status_code == 201
        made = answer.json()
        assert (await browser.get(f"/api/sessions/{made['session_id']}")).json() == made
        assert made["session_id"] in [one["session_id"] for one in (await browser.get("/api/sessions")).json()]
    assert (made["state"], made["timezone"], made["sites"][0]["name"]) == ("planned", "Asia/Tokyo", "壱岐")
    assert made["ends_at"] - made["starts_at"] == 7200
    assert [seat.board_id for seat in web.store.seats(made["session_id"])] == [web.hall.boards[0].board_id]


async def test_a_local_time_is_of_the_facilitys_zone(web: Web) -> None:
    async with web.signed_in() as browser:
        local = await browser.post(
            "/api/sessions", json=plan(web, starts_at="2026-06-01T09:00", ends_at="2026-06-01T11:00")
        )
        exact = await browser.post("/api/sessions", json=plan(web))
    assert local.json()["starts_at"] == exact.json()["starts_at"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"ends_at": "2026-06-01T09:00:00+09:00"}, 409),
        ({"sites": [{"room_id": "none"}]}, 404),
        ({"sites": [{}]}, 409),
        ({"sites": []}, 422),
        ({"timezone": "Mars/Olympus"}, 409),
        ({"title": " "}, 422),
        ({"starts_at": "yesterday"}, 422),
        ({"timezone": "Europe/Berlin", "starts_at": "2026-03-29T02:30", "ends_at": "2026-03-29T05:00"}, 409),
        ({"unknown": 1}, 422),
    ],
    ids=["no time", "no room", "nameless", "no site", "no zone", "no title", "no date", "skipped hour", "unknown"],
)
async def test_a_plan_that_cannot_be_is_refused_with_a_sentence(web: Web, changes: dict[str, Any], status: int) -> None:
    async with web.signed_in() as browser:
        answer = await browser.post("/api/sessions", json=plan(web, **changes))
    assert (answer.status_code, set(answer.json())) == (status, {"code", "message"})
    assert len(web.store.sessions()) == 1


async def test_only_an_administrator_plans_in_confidence(web: Web) -> None:
    async with web.signed_in("staff") as staff, web.signed_in() as administrator:
        assert (await staff.post("/api/sessions", json=plan(web, confidential=True))).status_code == 403
        assert (await administrator.post("/api/sessions", json=plan(web, confidential=True))).json()["confidential"]


async def test_a_session_starts_once_and_ends_once(web: Web) -> None:
    path = f"/api/sessions/{web.hall.session_id}"
    async with web.signed_in() as browser:
        assert (await browser.post(f"{path}/end")).status_code == 409
        assert [(await browser.post(f"{path}/start")).json()["state"] for _ in range(2)] == ["live", "live"]
        assert (await browser.post(f"{path}/end")).json()["state"] == "ended"
        answer = await browser.post(f"{path}/start")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_possible")


@pytest.mark.parametrize(("role", "page"), [("participant", "join"), ("lobby", "join"), ("observer", "live")])
async def test_an_invitation_is_a_link_with_its_code_behind_the_hash(web: Web, role: str, page: str) -> None:
    path = f"/api/sessions/{web.hall.session_id}/invitations"
    async with web.signed_in() as browser:
        answer = await browser.post(path, json={"role": role, "uses": 3})
    address, code = answer.json()["link"].split("#")
    assert address == f"http://hub/{page}"
    found = web.store.look_invitation(code, NOW)
    assert found is not None
    assert (found.role, found.uses_left, found.expires_at) == (role, 3, NOW + 7200 + 3600)
    assert answer.json()["invitation"]["invitation_id"] == found.invitation_id


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"role": "king"}, 422),
        ({"uses": 0}, 422),
        ({"expires_at": "2001-01-01T00:00:00Z"}, 409),
        ({"role": "board"}, 422),
    ],
)
async def test_an_invitation_that_opens_nothing_is_not_made(web: Web, form: dict[str, Any], status: int) -> None:
    async with web.signed_in() as browser:
        answer = await browser.post(f"/api/sessions/{web.hall.session_id}/invitations", json=form)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("extension", "media"),
    [
        ("txt", "text/plain"),
        ("md", "text/markdown"),
        ("vtt", "text/vtt"),
        ("srt", "application/x-subrip"),
        ("json", "application/json"),
    ],
)
async def test_a_transcript_is_had_in_every_format(web: Web, extension: str, media: str) -> None:
    said(web.hall, web.hall.stream())
    path = f"/api/sessions/{web.hall.session_id}/transcript.{extension}"
    async with web.viewing(web.hall.session_id) as browser:
        shown = await browser.get(path)
        saved = await browser.get(path, params={"download": "true", "language": "en"})
    assert shown.headers["content-type"].startswith(media)
    assert "こんにちは" in shown.text
    assert "content-disposition" not in shown.headers
    assert saved.headers["content-disposition"].endswith(f'.{extension}"')


async def test_another_format_is_not_found(web: Web) -> None:
    async with web.viewing(web.hall.session_id) as browser:
        answer = await browser.get(f"/api/sessions/{web.hall.session_id}/transcript.exe")
    assert (answer.status_code, "vtt" in answer.json()["message"]) == (404, True)


async def test_lines_and_coverage_are_given_as_they_are_kept(web: Web) -> None:
    stream = web.hall.stream()
    said(web.hall, stream)
    said(web.hall, stream, start_sample=50_000, end_sample=60_000, watermark_from=48_000, suppressed="loop")
    site = web.hall.session.sites[0]
    spans = (CoverageSpan(SpanKind.LINE, NOW, NOW + 1), CoverageSpan(SpanKind.GAP, NOW + 1, NOW + 2, "network"))
    path = f"/api/sessions/{web.hall.session_id}"
    async with web.viewing(web.hall.session_id) as browser:
        assert [one["text"] for one in (await browser.get(f"{path}/lines")).json()] == ["こんにちは"]
        assert (await browser.get(f"{path}/coverage")).json() == {
            "figure": None,
            "tracks": [],
            "coming": [],
            "complete": False,
        }
        web.store.save_coverage(web.hall.session_id, [TrackCoverage(stream.track_id, site.site_id, site.name, spans)])
        found = (await browser.get(f"{path}/coverage")).json()
    assert found["figure"] == 0.5
    assert found["tracks"][0]["spans"][1] == {
        "kind": "gap",
        "started_at": NOW + 1,
        "ended_at": NOW + 2,
        "cause": "network",
    }
