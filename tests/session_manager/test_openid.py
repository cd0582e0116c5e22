"""Signing in at another house, against a provider on a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import OctKey, RSAKey

from session_manager.doors import safe_path
from session_manager.openid import OpenIdProvider
from session_manager.people import Person
from session_manager.web.settings import WebSettings
from tests.session_manager.hall import NOW, SECRET, WORKER, Hall, Web, open_web
from tests.session_manager.provider import Provider, running_provider


@dataclass
class House:
    web: Web
    provider: Provider
    person: Person

    async def sign_in(self, next_path: str = "/") -> tuple[int, str, bool]:
        """Status, where it leads, and whether the browser is signed in afterwards."""
        async with self.web.browser() as browser:
            out = await browser.get("/openid/city/start", params={"next": next_path})
            assert out.status_code == 303, out.text
            back = await browser.get(self.provider.authorize(out.headers["location"]))
            me = (await browser.get("/api/me")).json()
            return back.status_code, back.headers.get("location", ""), me["person_id"] == self.person.person_id


@pytest.fixture
async def house(hall: Hall) -> AsyncIterator[House]:
    home = hall.store.add_home("壱岐市", "Asia/Tokyo", NOW).municipality_id
    person = hall.store.register_person(home, "海", NOW, mail="a@iki.example")
    async with running_provider(NOW) as provider:
        known = OpenIdProvider("city", provider.url, "shimawa", home)
        yield House(open_web(hall, WebSettings(SECRET, WORKER, openid=(known,))), provider, person)


async def test_a_person_signs_in_and_is_known_again_by_subject(house: House) -> None:
    assert await house.sign_in("/live") == (303, "/live", True)
    house.provider.claims = {"email": "changed@elsewhere.example"}
    assert await house.sign_in() == (303, "/", True)


FALSE_CLAIMS: list[dict[str, Any]] = [
    {"iss": "https://elsewhere.example"},
    {"aud": "another-client"},
    {"aud": ["shimawa", "another"]},
    {"aud": ["shimawa", "another"], "azp": "another"},
    {"exp": int(NOW) - 61},
    {"exp": None},
    {"iat": int(NOW) + 120},
    {"nonce": "of-another-try"},
    {"nonce": None},
    {"sub": ""},
    {"sub": None},
    {"email_verified": False},
    {"email_verified": "true"},
    {"email": "unknown@iki.example"},
]


async def test_a_statement_that_does_not_hold_opens_nothing(house: House) -> None:
    for claims in FALSE_CLAIMS:
        house.provider.claims = claims
        status, _, inside = await house.sign_in()
        assert status in {401, 403}, claims
        assert not inside


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ({"alg": "RS256", "kid": "1"}, RSAKey.generate_key(2048, auto_kid=True)),
        ({"alg": "HS256", "kid": "1"}, OctKey.import_key("a shared secret that is long enough")),
    ],
)
async def test_only_the_providers_own_signature_counts(house: House, header: dict[str, Any], key: Any) -> None:
    house.provider.header, house.provider.signing = header, key
    status, _, inside = await house.sign_in()
    assert (status, inside) == (401, False)


async def test_an_answer_counts_once_in_its_own_browser_and_in_time(house: House) -> None:
    async with house.web.browser() as browser, house.web.browser() as another:
        out = await browser.get("/openid/city/start")
        back = house.provider.authorize(out.headers["location"])
        assert (await another.get(back)).status_code == 401
        assert (await browser.get(back.replace("state=", "state=x"))).status_code == 401
        assert (await browser.get(back)).status_code == 303
        browser.cookies.set("shimawa_openid", out.cookies["shimawa_openid"], domain="hub.local")
        assert (await browser.get(back)).status_code == 401
        out = await another.get("/openid/city/start")
        house.web.at[0] += 601
        assert (await another.get(house.provider.authorize(out.headers["location"]))).status_code == 401


async def test_a_provider_that_describes_itself_as_another_is_refused(house: House) -> None:
    house.provider.issuer_said = "https://elsewhere.example"
    async with house.web.browser() as browser:
        answer = await browser.get("/openid/city/start")
        assert (answer.status_code, answer.json()["code"]) == (409, "sign_in_failed")
        assert (await browser.get("/openid/nobody/start")).status_code == 404


EVIL = (
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n//evil.example",
    "javascript:alert(1)",
    "evil.example",
    " //evil.example",
    "",
)


async def test_no_text_leads_to_another_site(house: House) -> None:
    for evil in EVIL:
        assert safe_path(evil) == "/", evil
    assert (await house.sign_in(EVIL[1]))[:2] == (303, "/")
    assert (await house.sign_in(EVIL[4]))[:2] == (303, "/")


async def test_the_code_goes_out_bound_to_this_try(house: House) -> None:
    async with house.web.browser() as browser:
        tries = [(await browser.get("/openid/city/start")).headers["location"] for _ in range(2)]
    first, second = (parse_qs(urlsplit(one).query) for one in tries)
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]
        assert len(first[name][0]) >= 43
