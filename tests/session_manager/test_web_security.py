"""Cookies, cross-site changes, sizes, headers, guessing."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest

from session_manager.web.security import POLICY
from session_manager.web.settings import WebSettings
from tests.session_manager.hall import NOW, PASSWORD, SECRET, WORKER, Hall, Web, open_web

FACILITY = {"name": "新しい施設"}


async def test_a_change_needs_the_token_of_this_login(web: Web) -> None:
    async with web.signed_in() as browser, web.signed_in() as another:
        theirs = another.headers["X-CSRF-Token"]
        assert theirs != browser.headers["X-CSRF-Token"]
        for token in ("", "0" * 64, theirs):
            answer = await browser.post("/api/facilities", json=FACILITY, headers={"X-CSRF-Token": token})
            assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted"), token
        del browser.headers["X-CSRF-Token"]
        assert (await browser.post("/api/facilities", json=FACILITY)).status_code == 403
        assert (await browser.get("/api/facilities")).status_code == 200


async def test_a_planted_csrf_cookie_is_worth_nothing(web: Web) -> None:
    async with web.signed_in() as browser:
        browser.cookies.set("shimawa_csrf", "planted", domain="hub.local")
        answer = await browser.post("/api/facilities", json=FACILITY, headers={"X-CSRF-Token": "planted"})
        assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://hub.elsewhere.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_another_sites_page_changes_nothing_not_even_a_login(web: Web, headers: dict[str, str]) -> None:
    async with web.signed_in() as browser:
        assert (await browser.post("/api/facilities", json=FACILITY, headers=headers)).status_code == 403
        login = {"name": "administrator", "password": PASSWORD}
        assert (await browser.post("/api/login", json=login, headers=headers)).status_code == 403
    assert len(web.store.facilities()) == 2


async def test_our_own_pages_pass_directly_and_behind_a_proxy(hall: Hall) -> None:
    web = open_web(hall, WebSettings(SECRET, WORKER, public_url="https://shimawa.example"))
    async with web.signed_in() as browser:
        for number, origin in enumerate(("http://hub", "https://shimawa.example")):
            headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
            answer = await browser.post("/api/facilities", json={"name": f"施設{number}"}, headers=headers)
            assert answer.status_code == 201


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(hall: Hall) -> None:
    web = open_web(hall, WebSettings(SECRET, WORKER, secure_cookies=True))
    web.store.add_account("oda", PASSWORD, "staff")
    async with web.browser() as browser:
        answer = await browser.post("/api/login", json={"name": "oda", "password": PASSWORD})
    login, csrf = answer.headers.get_list("set-cookie")
    for part in ("HttpOnly", "SameSite=lax", "Secure", "Path=/", "Max-Age=43200"):
        assert part in login
    assert "HttpOnly" not in csrf
    assert answer.headers["strict-transport-security"]
    assert "password" not in answer.text


async def test_a_session_fixed_by_somebody_else_ends_at_sign_in(web: Web) -> None:
    async with web.signed_in() as browser:
        before = browser.cookies["shimawa_login"]
        await browser.post("/api/login", json={"name": "administrator", "password": PASSWORD})
        assert browser.cookies["shimawa_login"] != before
    assert web.store.login(before, NOW) is None


async def test_signing_out_ends_the_login_at_the_hub_too(web: Web) -> None:
    async with web.signed_in() as browser:
        cookie = browser.cookies["shimawa_login"]
        assert (await browser.post("/api/logout")).status_code == 204
        assert "shimawa_login" not in browser.cookies
        browser.cookies.set("shimawa_login", cookie, domain="hub.local")
        assert (await browser.get("/api/sessions")).status_code == 401


async def test_every_answer_has_the_strict_headers(web: Web) -> None:
    async with web.browser() as browser:
        for path in ("/healthz", "/api/sessions", "/nowhere", "/join"):
            headers = (await browser.get(path)).headers
            assert headers["content-security-policy"] == POLICY
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["cache-control"] == "no-store"
    assert "unsafe" not in POLICY
    assert "default-src 'none'" in POLICY
    assert "*" not in POLICY


async def test_guessing_a_password_is_slowed_by_name_and_by_address(web: Web) -> None:
    web.store.add_account("oda", PASSWORD, "staff")
    async with web.browser() as browser:
        statuses = [
            (await browser.post("/api/login", json={"name": "ODA", "password": "x"})).status_code for _ in range(9)
        ]
        assert statuses == [401] * 8 + [429]
        answer = await browser.post("/api/login", json={"name": "oda", "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (429, "too_fast")
        web.at[0] += int(answer.headers["retry-after"])
        assert (await browser.post("/api/login", json={"name": "oda", "password": PASSWORD})).status_code == 200
    async with web.browser(address="198.51.100.9") as browser:
        statuses = [
            (await browser.post("/api/login", json={"name": f"n{n}", "password": "x"})).status_code for n in range(21)
        ]
        assert statuses == [401] * 20 + [429]


async def test_wrong_name_and_wrong_password_are_one_answer(web: Web) -> None:
    web.store.add_account("oda", PASSWORD, "staff")
    async with web.browser() as browser:
        answers = [
            await browser.post("/api/login", json={"name": name, "password": "x" * 12}) for name in ("oda", "nobody")
        ]
    assert answers[0].status_code == answers[1].status_code == 401
    assert answers[0].content == answers[1].content


async def test_trying_codes_is_slowed(web: Web) -> None:
    async with web.browser() as browser:
        statuses = [(await browser.post("/api/join/look", json={"code": f"guess{n}"})).status_code for n in range(121)]
    assert statuses == [404] * 120 + [429]


async def test_a_board_that_hammers_is_slowed_before_the_store_is_asked(web: Web) -> None:
    async with web.browser() as browser:
        browser.headers["Authorization"] = "Bearer wrong"
        statuses = [(await browser.post("/api/board/join")).status_code for _ in range(61)]
    assert statuses == [401] * 60 + [429]


async def test_too_much_is_refused_with_and_without_a_length(web: Web) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    async with web.browser() as browser:
        answers = [
            await browser.post("/api/login", content=b" " * 1_048_577),
            await browser.post("/api/login", content=endless()),
            await browser.post("/api/login", content=b"", headers={"Content-Length": "-1"}),
        ]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"name": 1}', b'{"name":"a","password":"b","x":1}', b"\xff"])
async def test_a_bad_body_is_a_sentence_without_what_was_sent(web: Web, content: bytes) -> None:
    async with web.browser() as browser:
        answer = await browser.post(
            "/api/login", content=content, headers={"Content-Type": "application/json", "Accept": "application/json"}
        )
    assert answer.status_code in {400, 422}
    assert set(answer.json()) == {"code", "message"}


async def test_a_refused_value_is_not_repeated(web: Web) -> None:
    async with web.browser() as browser:
        answer = await browser.post("/api/login", json={"name": "oda", "password": "hush" * 300})
    assert answer.status_code == 422
    assert "password" in answer.text
    assert "hush" not in answer.text


async def test_only_named_hosts_are_served_when_there_are_names(hall: Hall) -> None:
    web = open_web(hall, WebSettings(SECRET, WORKER, allowed_hosts=("hub",)))
    async with web.browser() as browser:
        assert (await browser.get("/healthz")).status_code == 200
        assert (await browser.get("/healthz", headers={"Host": "evil.example"})).status_code == 400


@pytest.mark.parametrize("path", ["//elsewhere.example/", "/%2F%2Felsewhere.example", "/live/x%0d%0aSet-Cookie:a=b"])
async def test_no_address_makes_the_hub_lead_elsewhere(web: Web, path: str) -> None:
    async with web.browser() as browser:
        answer = await browser.get(f"http://hub{path}", headers={"Accept": "text/html"})
    assert answer.status_code in {303, 404}
    assert answer.headers.get("location", "/login?").startswith("/login?")
    assert "set-cookie" not in answer.headers


async def test_nothing_private_is_logged(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "session_manager")
    code = web.store.add_invitation(web.hall.session_id, "participant", NOW + 60, None).code
    async with web.signed_in() as browser:
        await browser.post("/api/join", json={"code": code, "display_name": "花子", "language": "ja"})
        await browser.post("/api/join/again", json={"seat_key": "x" * 40})
        await browser.get("/api/sessions/none")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("session_manager")]
    assert not [text for text in ours if "花子" in text or code in text or PASSWORD in text]
