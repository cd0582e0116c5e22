"""Every address of the hub is tried by everybody who has no business there.

The table is the application itself: a route that somebody adds is tried by this test the same minute, filled with what
the tried town really has. Nobody gets in, nothing breaks, and no answer holds a name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from tests.session_manager.bodies import Bodies, Sent
from tests.session_manager.hall import Web
from tests.session_manager.test_web_routes import OPEN, routes
from tests.session_manager.two_towns import Headers, Town, World

REFUSED = {401, 403, 404}
NEIGHBOURS = {"administrator", "staff", "facilitator", "teacher", "guest", "board", "viewer", "panel"}
FREE_WORDS = {"provider": "google", "extension": "txt", "position": "0", "source": "x", "month": "2026-06"}
"""Path parameters that name nothing of a town."""


@dataclass(frozen=True)
class Door:
    method: str
    path: str

    @property
    def names(self) -> list[str]:
        return re.findall(r"{(\w+)(?::\w+)?}", self.path)

    def of(self, town: Town) -> str:
        path = self.path
        for name in self.names:
            path = re.sub(rf"{{{name}(?::\w+)?}}", {**FREE_WORDS, **town.ids}.get(name, "x"), path)
        return path

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def doors(web: Web) -> list[Door]:
    """All but the open ones; the one that ends the login comes last."""
    found = [
        Door(method, route.path)
        for route in routes(web)
        if isinstance(route, APIRoute) and route.path not in OPEN
        for method in sorted(route.methods or ())
    ]
    assert len(found) > 100
    return sorted(found, key=lambda door: door.path == "/api/logout")


async def kinds(world: World, callers: Mapping[str, Headers]) -> set[str]:
    """As whom the hub takes them."""
    return {(await world.ask("GET", "/api/me", headers)).json()["kind"] for headers in callers.values()}


@pytest.fixture
def world(web: Web) -> World:
    return World.over(web)


def bodies_of(world: World) -> Bodies:
    return Bodies(world.web.described())


def test_every_part_of_an_address_is_something_that_the_towns_have(world: World) -> None:
    """Else the tries below knock at doors that are not there. New kinds of things belong into `two_towns.settle`."""
    known = {**FREE_WORDS, **world.iki.ids}
    assert {name for door in doors(world.web) for name in door.names} - set(known) == set()
    for name, value in world.iki.ids.items():
        assert value != world.naha.ids[name] or name in FREE_WORDS


async def test_a_stranger_gets_nowhere(world: World) -> None:
    bodies = bodies_of(world)
    for door in doors(world.web):
        body = bodies.of(door.method, door.path, world.iki.ids)
        for sent in ({}, body.json):
            answer = await world.ask(door.method, door.of(world.iki), {}, params=body.query, json=sent)
            assert answer.status_code == 401, (str(door), answer.status_code, answer.text)
            assert world.leaked(answer) == [], door


async def test_a_key_that_is_over_opens_nothing(world: World) -> None:
    callers = world.too_late()
    assert await kinds(world, callers) == {"stranger"}
    bodies = bodies_of(world)
    for door in doors(world.web):
        body = bodies.of(door.method, door.path, world.iki.ids)
        for who, headers in callers.items():
            answer = await world.ask(door.method, door.of(world.iki), headers, params=body.query, json=body.json)
            assert answer.status_code == 401, (who, str(door), answer.status_code, answer.text)
            assert world.leaked(answer) == [], (who, str(door))


async def test_nobody_reaches_into_another_town(world: World) -> None:
    """What is the other town's does not exist, whatever is sent along, and no answer knows its names."""
    callers = world.neighbours()
    bodies = bodies_of(world)
    for door in doors(world.web):
        if door.path == "/api/logout":
            assert await kinds(world, callers) == NEIGHBOURS
            continue
        body = bodies.of(door.method, door.path, world.iki.ids)
        theirs = bool(set(door.names) & set(world.iki.ids))
        for who, headers in callers.items():
            answer = await world.ask(door.method, door.of(world.iki), headers, params=body.query, json=body.json)
            told = (who, str(door), answer.status_code, answer.text[:300])
            assert answer.status_code < 500, told
            assert world.leaked(answer) == [], told
            if theirs:
                assert answer.status_code in REFUSED, told


async def test_in_ones_own_town_things_of_the_other_are_not_taken(world: World) -> None:
    """One's own address with one foreign identifier in it, at every place where an identifier can stand: in the path,
    the query or the body. The same with one's own identifier must be understood, else the try proves nothing."""
    office = world.login(world.naha, "account_id")
    bodies = bodies_of(world)
    mine, theirs = world.naha.ids, world.iki.ids
    tried = 0
    for door in doors(world.web)[:-1]:
        for name, foreign, own in _crossed(door, bodies, mine, theirs):
            path, sent = foreign
            answer = await world.ask(door.method, path, office, params=sent.query, json=sent.json)
            told = (str(door), name, answer.status_code, answer.text[:300], sent)
            assert answer.status_code < 500, told
            assert world.leaked(answer) == [], told
            assert not answer.is_success or _nothing(answer), told
            if own is not None:
                control = await world.ask(door.method, door.of(world.naha), office, params=own.query, json=own.json)
                assert control.status_code != 422, (str(door), name, control.text, own)
            tried += 1
    assert tried > 60


def _crossed(
    door: Door, bodies: Bodies, mine: dict[str, str], theirs: dict[str, str]
) -> Iterator[tuple[str, tuple[str, Sent], Sent | None]]:
    """What is foreign, the request with it, and for the control what is sent with one's own instead."""
    for name in door.names:
        if name in theirs and name not in {"municipality_id", "position"}:
            path = door.of(Town("", "", {**mine, name: theirs[name]}))
            yield f"path {name}", (path, bodies.of(door.method, door.path, mine)), None
    for name in bodies.identifiers(door.method, door.path):
        foreign = bodies.of(door.method, door.path, {**mine, name: theirs[name]}, only=name)
        path = door.of(Town("", "", mine))
        yield f"sent {name}", (path, foreign), bodies.of(door.method, door.path, mine, only=name)


def _nothing(answer: Any) -> bool:
    """An empty list: a filter by something that is not here."""
    try:
        return bool(answer.json() in ([], {}))
    except json.JSONDecodeError:
        return answer.content == b""


async def test_a_page_of_another_town_is_a_door_or_nothing(world: World) -> None:
    """The same addresses as a person's browser opens them."""
    for door in doors(world.web):
        if door.method == "GET" and not door.path.startswith("/api/"):
            for who, headers in {"a stranger": {}, **world.neighbours()}.items():
                answer = await world.ask("GET", door.of(world.iki), {**headers, "Accept": "text/html"})
                told = (who, str(door), answer.status_code)
                assert answer.status_code < 500, told
                assert world.leaked(answer) == [], told
                if who == "a stranger":
                    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login"), told


def test_a_closed_socket_stays_closed(world: World) -> None:
    client = TestClient(world.web.app, "http://hub")
    tried = 0
    for route in routes(world.web):
        if isinstance(route, APIWebSocketRoute) and route.path not in OPEN:
            callers = {"a stranger": {}, **world.neighbours(), **world.too_late()}
            for who, headers in callers.items():
                with pytest.raises(WebSocketDisconnect), client.websocket_connect(route.path, headers=dict(headers)):
                    pytest.fail(f"{who} got into {route.path}")
                tried += 1
    assert tried > 10


async def test_a_calendar_address_that_was_taken_back_is_as_one_that_never_was(world: World) -> None:
    address = f"/calendar/{world.iki.keys['feed']}.ics"
    open_answer = await world.ask("GET", address, {})
    assert open_answer.status_code == 200
    assert world.iki.mark in open_answer.text
    world.web.store.revoke_feed(world.iki.ids["municipality_id"], world.iki.ids["feed_id"], world.web.at[0])
    for tried in (address, f"/calendar/{'x' * 43}.ics"):
        answer = await world.ask("GET", tried, {})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert world.leaked(answer) == []


async def test_open_doors_say_nothing_without_their_secret(world: World) -> None:
    bodies = bodies_of(world)
    for path, reason in OPEN.items():
        for route in routes(world.web):
            if isinstance(route, APIRoute) and route.path == path:
                for method in sorted(route.methods or ()):
                    door = Door(method, path)
                    stranger = Town("", "", {**world.iki.ids, "secret": "x" * 43})
                    body = bodies.of(method, path, world.iki.ids)
                    answer = await world.ask(method, door.of(stranger), {}, params=body.query, json=body.json)
                    assert answer.status_code < 500, (path, reason, answer.text)
                    assert world.leaked(answer) == [], path


def test_the_mounted_files_are_ours_alone(world: World) -> None:
    """No folder of the hub but `/static` is served."""
    assert [one.path for one in routes(world.web) if isinstance(one, Mount)] == ["/static"]
