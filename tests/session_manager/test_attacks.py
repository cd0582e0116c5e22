"""Each known way to misuse such a hub, tried. What can be tried at every address is tried at every address."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import unicodedata
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from fastapi.routing import APIRoute
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import text

from session_manager.doors import safe_path
from session_manager.store import Store
from session_manager.store.tables import metadata
from session_manager.web.security import CSRF_COOKIE, LOGIN_COOKIE, csrf_token
from tests.session_manager.bodies import Bodies
from tests.session_manager.hall import NOW, SECRET, Web
from tests.session_manager.test_route_matrix import Door, doors
from tests.session_manager.test_web_routes import OPEN, routes
from tests.session_manager.two_towns import Town, World, actions, bearer_headers, settle

HERE = "http://hub.example"


@pytest.fixture
def world(web: Web) -> World:
    return World.over(web)


def office_of(world: World) -> dict[str, str]:
    store, town = world.web.store, world.iki
    secret = store.add_token("x", actions(), NOW, NOW + 9e6, account_id=town.ids["account_id"]).secret
    return dict(bearer_headers(secret))


# Open redirect: nobody is led from an address of ours to another site.


@given(
    st.text(st.sampled_from("/\\.:@?#%0aevil\t\r\n　＠。＼ ;h"), max_size=12).map("/".__add__) | st.text(max_size=30)
)
@example("//evil.example")
@example("/\\evil.example")
@example("/\t/evil.example")
@example("https:evil.example")
@example("javascript:alert(1)")
@example("/%09/evil.example")
@example("/..//evil.example")
def test_wherever_somebody_wants_to_go_on_to_it_is_a_page_of_ours(wanted: str) -> None:
    path = safe_path(wanted)
    assert path.startswith("/")
    tidied = "".join(letter for letter in path if letter not in "\t\r\n").replace("\\", "/")
    assert urlsplit(urljoin(f"{HERE}/login", tidied)).netloc == "hub.example"
    assert not any(unicodedata.category(letter)[0] == "C" for letter in path)


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example", "/%2f%2fevil.example", "/https://evil.example"])
async def test_an_address_that_looks_like_another_site_leads_nowhere(world: World, path: str) -> None:
    for method in ("GET", "HEAD"):
        answer = await world.ask(method, f"http://hub{path}", {"Accept": "text/html"})
        away = urlsplit(urljoin("http://hub/", answer.headers.get("location", "/")))
        assert away.netloc == "hub", answer.headers["location"]


async def test_no_answer_anywhere_leads_to_another_site(world: World) -> None:
    """Every page and route with every word that is used for going on."""
    evil = dict.fromkeys(("next", "to", "return", "url", "redirect", "page", "lang"), "//evil.example/")
    for who in ({}, world.login(world.iki, "account_id")):
        for door in doors(world.web)[:-1]:
            if door.method == "GET" and not door.path.endswith("/events"):
                headers = {**who, "Accept": "text/html"}
                answer = await world.ask("GET", door.of(world.iki), headers, params=evil)
                led = urlsplit(urljoin("http://hub/", answer.headers.get("location", "/")))
                assert led.netloc == "hub", (str(door), answer.headers["location"])


async def test_a_letter_leads_to_the_hub_whatever_host_its_asker_names(world: World) -> None:
    mail = f"a@{world.iki.letters}.example"
    store = world.web.store
    for letter in store.claim_notices(NOW, 50):
        store.notice_sent(letter.notice_id, NOW)
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    assert (await world.ask("POST", "/api/login/link", headers, json={"mail": mail})).status_code == 202
    letters = store.claim_notices(NOW, 50)
    assert len(letters) == 1
    assert "evil.example" not in letters[0].body
    assert "http://hub/login#" in letters[0].body


# The hub as somebody's hand: see test_fetch.py for how an address is judged; here it is the route that asks.


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "http://127.0.0.1:8420/api/status",
        "http://localhost/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0/",
        "https://calendar.example@127.0.0.1/",
        "gopher://127.0.0.1:25/_HELO",
        "https://hub/calendar.ics",
    ],
)
async def test_no_calendar_is_fetched_from_inside(world: World, url: str) -> None:
    path = f"/api/municipalities/{world.iki.ids['municipality_id']}/calendars/x/fetch"
    answer = await world.ask("POST", path, office_of(world), json={"url": url})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")


# Spreadsheets: a cell is never a formula.

FORMULAS = ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1")


@pytest.mark.parametrize("formula", FORMULAS)
async def test_no_name_becomes_a_formula_in_any_sheet(web: Web, formula: str) -> None:
    world = World.over(web)
    town = settle(web.store, formula, "formula")
    office = world.login(town, "account_id")
    sheets = 0
    bodies = Bodies(web.described())
    for door in doors(web):
        if door.method == "GET" and door.path.endswith(".csv"):
            query = bodies.of("GET", door.path, town.ids).query
            answer = await world.ask("GET", door.of(town), office, params=query)
            assert answer.status_code == 200, (str(door), answer.text)
            assert answer.headers["content-type"].startswith("text/csv")
            assert "attachment" in answer.headers["content-disposition"]
            for row in csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")):
                for cell in row:
                    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")), (door, cell)
            sheets += 1
    assert sheets


# Guessing: every door that judges a secret slows down, and says the same of every wrong one.

NOT_GUESSED = {
    "/healthz": "judges nothing",
    "/signal": "tokens of 256 bits; signaling counts tries by address",
    "/api/me": "judges what every route judges: 256 bits",
    "/api/openapi.json": "judges nothing",
    "/reports/{slug}": "what was published and is listed at /reports, for everybody",
    "/api/boards/enrol": "gives out a code, judges nothing; slowed by address",
    "/api/login/link": "asks for a letter, judges nothing; slowed by address and by mail address",
}


async def test_every_open_door_that_judges_a_secret_slows_guessing_down(world: World) -> None:
    bodies = Bodies(world.web.described())
    tried = []
    for path in OPEN:
        for route in routes(world.web):
            secret = "POST" in getattr(route, "methods", ()) or "{" in getattr(route, "path", "")
            if not isinstance(route, APIRoute) or route.path != path or path in NOT_GUESSED or not secret:
                continue
            tried.append(path)
            method = next(iter(sorted(route.methods or ())))
            answers = await _guess(world, bodies, method, path)
            assert answers[-1][0] == 429, f"{path} can be tried {len(answers)} times"
            assert len({one for one in answers if one[0] != 429}) <= 1, (path, answers[:3])
    assert len(tried) >= 8


async def _guess(world: World, bodies: Bodies, method: str, path: str) -> list[tuple[int, bytes]]:
    """All from one address, until it is slowed or it has been far too often."""
    answers: list[tuple[int, bytes]] = []
    async with world.web.browser(address=next(world.addresses)) as browser:
        for number in range(400):
            ids = {**world.iki.ids, "secret": f"guess{number:040}"}
            sent = bodies.of(method, path, ids)
            body = _guessed(sent.json, number)
            door = Door(method, path).of(Town("", "", ids))
            answer = await browser.request(method, door, json=body, params=sent.query)
            answers.append((answer.status_code, b"" if answer.status_code == 429 else answer.content))
            if answer.status_code == 429:
                return answers
    return answers


def _guessed(value: Any, number: int) -> Any:
    secret = {"code", "seat_key", "password", "key", "name", "secret", "organisation_code", "token"}
    return {name: f"guess{number:08}" if name in secret else one for name, one in value.items()}


async def test_what_was_right_once_is_as_wrong_as_what_never_was(world: World) -> None:
    """Used, taken back, over or unknown: one answer, so that a guess tells nothing."""
    store, town, home = world.web.store, world.iki, world.iki.ids["municipality_id"]
    over = store.add_invitation(town.ids["session_id"], "participant", NOW - 1, None).code
    used = store.add_invitation(town.ids["session_id"], "participant", NOW + 99, 1).code
    store.redeem_invitation(used, NOW)
    store.revoke_feed(home, town.ids["feed_id"], NOW)
    for path, bodies in {
        "/api/join/look": [{"code": one} for one in (over, used, "x" * 43)],
        "/api/live/enter": [{"code": one} for one in (over, used, "x" * 43)],
    }.items():
        answers = [await world.ask("POST", path, {}, json=body) for body in bodies]
        assert len({(one.status_code, one.content) for one in answers}) == 1, path
        assert answers[0].status_code in {401, 404}
    feeds = [await world.ask("GET", f"/calendar/{one}.ics", {}) for one in (town.keys["feed"], "x" * 43, "x")]
    assert len({(one.status_code, one.content) for one in feeds}) == 1


# Changes from another site's page, and by what should only read.


async def test_no_change_is_made_without_the_token_of_this_login(world: World) -> None:
    for who in ("account_id", "person_id"):
        headers = {**world.login(world.iki, who)}
        del headers["X-CSRF-Token"]
        for door in doors(world.web)[:-1]:
            if door.method != "GET":
                for token in ({}, {"X-CSRF-Token": csrf_token(SECRET, "another login")}):
                    answer = await world.ask(door.method, door.of(world.iki), {**headers, **token}, json={})
                    assert answer.status_code == 403, (who, str(door), answer.status_code)


async def test_another_sites_page_changes_nothing_at_any_address(world: World) -> None:
    """Also at the open doors: nobody is signed in as somebody else unawares."""
    office = world.login(world.iki, "account_id")
    for door in [*doors(world.web), *(Door("POST", path) for path in OPEN)]:
        if door.method != "GET":
            for sign in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
                answer = await world.ask(door.method, door.of(world.iki), {**office, **sign}, json={})
                assert answer.status_code == 403, (str(door), answer.status_code)


async def test_reading_changes_nothing(world: World) -> None:
    """A picture's address on another site's page is fetched with the reader's cookies."""
    office = world.login(world.iki, "account_id")
    bodies = Bodies(world.web.described())
    before = _facts(world.web.store)
    for door in doors(world.web):
        if door.method == "GET" and not door.path.endswith("/events"):
            query = bodies.of("GET", door.path, world.iki.ids).query
            await world.ask("GET", door.of(world.iki), office, params=query)
            assert _facts(world.web.store) == before, door


def _facts(store: Store) -> dict[str, list[Any]]:
    """All that is kept, but for the notes of who looked at what is confidential."""
    with store._database.read() as connection:
        return {
            name: [tuple(row) for row in connection.execute(text(f"SELECT * FROM {name}"))]
            for name in metadata.tables
            if name not in {"audit", "audit_entries", "boards"}
        }


# Too much, too deep, and letters that are none.


async def test_no_address_takes_a_flood(world: World) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    office, bodies = office_of(world), Bodies(world.web.described())
    for door in [*doors(world.web), *(Door("POST", path) for path in OPEN)]:
        if door.method in {"POST", "PUT", "PATCH"}:
            headers = {**office, "Content-Length": "4000000", "Content-Type": "application/json"}
            told = await world.ask(door.method, door.of(world.iki), headers, content=b"{}")
            assert told.status_code == 413, (str(door), told.status_code)
            flooded = await world.ask(
                door.method, door.of(world.iki), {**office, "Content-Type": "application/json"}, content=endless()
            )
            assert flooded.status_code < 500, (str(door), flooded.text)
            assert not flooded.is_success or not bodies.takes(door.method, door.path), str(door)


STRANGE = (
    "\ud800",
    "\x00",
    "\u202e",
    "\U0010ffff",
    "a" * 5000,
    "\ufeff",
    "'; drop table people; --",
    "％00",
    "{{7*7}}",
)


async def test_no_letter_breaks_anything(world: World) -> None:
    """In every text of every form, and in every part of every address that is not an identifier."""
    bodies = Bodies(world.web.described())
    office = office_of(world)
    for door in [*doors(world.web)[:-1], *(Door("POST", path) for path in OPEN if path.startswith("/api"))]:
        body = bodies.of(door.method, door.path, world.iki.ids)
        if door.method == "GET" or not isinstance(body.json, dict):
            continue
        for strange in STRANGE:
            sent = json.dumps(_spoilt(body.json, strange))
            headers = {**office, "Content-Type": "application/json"}
            answer = await world.ask(door.method, door.of(world.iki), headers, content=sent, params=body.query)
            assert answer.status_code < 500, (str(door), ascii(strange), answer.text)
    for strange in ("%00", "%ED%A0%80", "%F0%9F%98%80", "..%2f..%2fetc%2fpasswd", "%2e%2e", "a" * 3000):
        for door in doors(world.web)[:-1]:
            if door.names and door.method == "GET":
                path = re.sub(r"{[^}]+}", strange, door.path)
                answer = await world.ask("GET", path, office)
                assert answer.status_code < 500, (str(door), strange, answer.text)


def _spoilt(value: Any, strange: str) -> Any:
    if isinstance(value, dict):
        return {name: _spoilt(one, strange) for name, one in value.items()}
    if isinstance(value, list):
        return [_spoilt(one, strange) for one in value]
    return strange if isinstance(value, str) and not re.fullmatch(r"[a-z0-9]{16}|[\dT:+-]+", value) else value


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 50_000, b"1e999999", b"\xff\xfe", b'{"name":' + b"9" * 9000]
)
async def test_what_is_no_json_is_refused(world: World, body: bytes) -> None:
    office = {**office_of(world), "Content-Type": "application/json"}
    path = f"/api/municipalities/{world.iki.ids['municipality_id']}/people"
    answer = await world.ask("POST", path, office, content=body)
    assert answer.status_code in {400, 413, 422}, answer.text


async def test_a_small_packed_body_does_not_become_a_large_one(world: World) -> None:
    """Nothing is unpacked on the way in."""
    packed = gzip.compress(b" " * 50_000_000)
    path = f"/api/municipalities/{world.iki.ids['municipality_id']}/calendars/x"
    answer = await world.ask("POST", path, {**office_of(world), "Content-Encoding": "gzip"}, content=packed)
    assert answer.status_code in {400, 409, 415, 422}


async def test_a_login_of_another_installation_is_worth_nothing(world: World) -> None:
    """A cookie that was never given out, with a proof made by another installation's secret."""
    headers = {
        "Cookie": f"{LOGIN_COOKIE}=abc; {CSRF_COOKIE}={csrf_token(b'9' * 32, 'abc')}",
        "X-CSRF-Token": csrf_token(b"9" * 32, "abc"),
    }
    answer = await world.ask("POST", f"/api/municipalities/{world.iki.ids['municipality_id']}/people", headers, json={})
    assert answer.status_code == 401
