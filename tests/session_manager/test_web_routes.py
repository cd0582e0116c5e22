"""No page and no route without a permission, and who gets what from each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts
from starlette.routing import BaseRoute, Mount

from session_manager.access import EVERYBODY, RULES, Action
from session_manager.web.context import Permit
from tests.session_manager.hall import NOW, Web

OPEN: dict[str, str] = {
    "/healthz": "says only that the hub answers",
    "/signal": "the hello brings a join token, which is judged",
    "/api/login": "a name and its password, slowed",
    "/api/login/link": "one answer whoever has that address, slowed",
    "/api/login/link/enter": "a code out of a letter, slowed",
    "/api/login/organisation": "a code of a partner, slowed",
    "/api/class/enter": "a code from the class's board, slowed",
    "/calendar/{secret}.ics": "256 bits in the address, as calendar programs need it, slowed",
    "/openid/{provider}/start": "leads to the other house, keeps nothing but its own try",
    "/openid/{provider}/return": "judges what the other house signed",
    "/api/me": "says who asks, to themselves",
    "/api/openapi.json": "the interface, the same for all",
    "/api/boards/enrol": "gives a code that opens nothing until an administrator types it, slowed",
    "/api/boards/enrol/token": "256 bits of a board that waits, slowed",
    "/api/join": "an invitation's code, slowed",
    "/api/join/look": "an invitation's code, slowed",
    "/api/join/again": "a seat's key, slowed",
    "/api/live/enter": "an invitation's code, slowed",
    "/api/panel/open": "a panel's key, slowed",
    "/api/check-in": "a code from a door, good for two minutes, slowed",
    "/api/check-in/look": "a code from a door, good for two minutes, slowed",
    "/panel": "a frame and no facts",
    "/check-in": "a frame and no facts",
    "/join": "a form and no facts",
    "/reports": "what was published",
    "/reports/feed.atom": "what was published",
    "/reports/{slug}": "what was published",
    "/live": "a form and no facts",
    "/login": "a form and no facts",
}
"""What a stranger may call, and why: doors that judge a secret themselves, and pages that say nothing."""


def routes(web: Web) -> Iterator[BaseRoute]:
    """Also those that came by `include_router`."""
    for found in iter_route_contexts(web.app.routes):
        yield found.original_route


def actions(dependant: Dependant) -> set[Action]:
    found = {dependant.call.action} if isinstance(dependant.call, Permit) else set()
    return found.union(*(actions(inner) for inner in dependant.dependencies))


def test_every_route_names_its_action(web: Web) -> None:
    nameless, open_to_all = [], set()
    for route in routes(web):
        if isinstance(route, Mount) and route.path == "/static":
            continue
        assert isinstance(route, APIRoute | APIWebSocketRoute), route
        named = actions(route.dependant)
        if len(named) != 1:
            nameless.append(route.path)
        elif RULES[next(iter(named))] == EVERYBODY:
            open_to_all.add(route.path)
    assert nameless == []
    assert open_to_all == set(OPEN)


def calls(web: Web) -> list[tuple[str, str]]:
    """Method and address of every closed HTTP route, with a session that exists."""
    found = []
    for route in routes(web):
        if isinstance(route, APIRoute) and route.path not in OPEN:
            path = route.path.replace("{session_id}", web.hall.session_id).replace("{extension}", "txt")
            found += [(method, path) for method in sorted(route.methods or ())]
    assert len(found) > 15
    return found


async def test_a_stranger_is_asked_to_sign_in_everywhere(web: Web) -> None:
    async with web.browser() as browser:
        for method, path in calls(web):
            answer = await browser.request(method, path)
            assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), path
            assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("cookie", ["shimawa_login", "shimawa_view"])
async def test_an_expired_cookie_is_a_stranger(web: Web, cookie: str) -> None:
    opened = web.signed_in() if cookie == "shimawa_login" else web.viewing(web.hall.session_id)
    async with opened as browser:
        assert (await browser.get(f"/api/sessions/{web.hall.session_id}")).status_code == 200
        web.at[0] += 13 * 3600
        for method, path in calls(web):
            assert (await browser.request(method, path)).status_code == 401, path


async def test_for_a_viewer_another_session_is_as_one_that_does_not_exist(web: Web) -> None:
    other = web.hall.plan([]).session_id
    async with web.viewing(web.hall.session_id) as browser:
        for tail in ("", "/lines", "/coverage", "/transcript.txt", "/transcript.json", "/events"):
            answers = [await browser.get(f"/api/sessions/{one}{tail}") for one in (other, "doesnotexist")]
            assert [one.status_code for one in answers] in ([404, 404], [401, 401]), tail
            assert answers[0].content == answers[1].content
        for tail in ("/start", "/end", "/invitations"):
            answer = await browser.post(f"/api/sessions/{web.hall.session_id}{tail}", json={})
            assert answer.status_code == 403, tail


async def test_a_viewer_reads_their_session_and_nothing_of_the_office(web: Web) -> None:
    async with web.viewing(web.hall.session_id) as browser:
        for tail in ("", "/lines", "/coverage", "/transcript.vtt"):
            assert (await browser.get(f"/api/sessions/{web.hall.session_id}{tail}")).status_code == 200, tail
        for path in ("/api/sessions", "/api/facilities", "/api/rooms", "/api/boards"):
            assert (await browser.get(path)).status_code == 403, path


async def test_two_live_pages_in_one_browser_do_not_disturb_each_other(web: Web) -> None:
    other = web.hall.plan([]).session_id
    async with web.viewing(web.hall.session_id) as browser:
        code = web.store.add_invitation(other, "observer", NOW + 60, None).code
        await browser.post("/api/live/enter", json={"code": code})
        for session_id in (other, web.hall.session_id):
            assert (await browser.get(f"/api/sessions/{session_id}")).status_code == 200


async def test_staff_may_run_sessions_and_not_change_places(web: Web) -> None:
    async with web.signed_in("staff") as browser:
        assert (await browser.get("/api/boards")).status_code == 200
        answer = await browser.post("/api/facilities", json={"name": "新しい施設"})
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
        assert (await browser.post(f"/api/sessions/{web.hall.session_id}/start")).status_code == 200


async def test_a_confidential_session_is_for_administrators_and_its_own_viewers(web: Web) -> None:
    secret = web.hall.plan([], confidential=True).session_id
    async with web.signed_in("staff") as staff:
        assert (await staff.get(f"/api/sessions/{secret}")).status_code == 404
        assert (await staff.post(f"/api/sessions/{secret}/start")).status_code == 404
        assert secret not in [one["session_id"] for one in (await staff.get("/api/sessions")).json()]
    async with web.signed_in() as administrator:
        assert (await administrator.get(f"/api/sessions/{secret}")).status_code == 200
        assert secret in [one["session_id"] for one in (await administrator.get("/api/sessions")).json()]
    async with web.viewing(secret) as viewer:
        assert (await viewer.get(f"/api/sessions/{secret}/lines")).status_code == 200
        assert (await viewer.get(f"/api/sessions/{secret}/transcript.txt")).status_code == 404


async def test_the_interface_is_described(web: Web) -> None:
    async with web.browser() as browser:
        described = (await browser.get("/api/openapi.json")).json()
    assert described["info"]["title"] == "Shimawa hub"
    operations = [op for path in described["paths"].values() for op in path.values()]
    assert all(op["tags"] and op["summary"] for op in operations)
    assert "/api/sessions/{session_id}/transcript.{extension}" in described["paths"]


async def test_a_person_who_opens_a_page_without_access_is_led_to_a_door(web: Web) -> None:
    page = f"/live/{web.hall.session_id}"
    async with web.browser() as stranger:
        stranger.headers["Accept"] = "text/html"
        led = await stranger.get(page)
        assert (led.status_code, led.headers["location"]) == (303, f"/login?next={page}")
        missing = await stranger.get("/nowhere")
        assert (missing.status_code, missing.headers["content-type"]) == (404, "text/html; charset=utf-8")
    async with web.viewing(web.hall.session_id) as reader:
        reader.headers["Accept"] = "text/html"
        assert (await reader.get(page)).status_code == 200
        web.at[0] += 13 * 3600
        led = await reader.get(page)
        assert (led.status_code, led.headers["location"]) == (303, "/live")


async def test_programs_get_sentences_and_not_pages(web: Web) -> None:
    async with web.browser() as browser:
        for path, status in (("/api/nowhere", 404), ("/api/login", 405), ("/nowhere", 404)):
            answer = await browser.get(path)
            assert answer.status_code == status
            assert set(answer.json()) == {"code", "message"}
