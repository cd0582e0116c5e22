"""The pages of people who book for themselves, and the ways in: light, in both languages, for whom they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from session_manager.openid import OpenIdProvider
from session_manager.web.app import create_app
from session_manager.web.security import LOGIN_COOKIE
from session_manager.web.settings import WebSettings
from tests.session_manager.hall import open_store
from tests.session_manager.site import SECRET, Live
from tests.session_manager.test_pages import assert_light_and_whole

HOUSE = OpenIdProvider("city", "https://id.example", "client", "default")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    store = open_store(tmp_path)
    settings = WebSettings(secret=SECRET, worker_token="w" * 32, openid=(HOUSE,))
    app = create_app(store, Live(store), settings, clock=lambda: 1_780_000_000.0)
    person = store.register_person("default", "参加者1", 1_780_000_000.0)
    with TestClient(app, "http://hub.test", headers={"Accept": "text/html", "Accept-Language": "ja"}) as client:
        client.cookies.set(LOGIN_COOKIE, store.open_person_login(person.person_id, 1_780_000_000.0, 3600))
        yield client
    store.close()


@pytest.mark.parametrize("path", ["/home", "/mine", "/courses", "/login"])
def test_a_first_visit_is_light_and_whole(path: str, client: TestClient) -> None:
    assert client.get(path).status_code == 200
    assert_light_and_whole(client, path)


def test_a_citizen_comes_home_first(client: TestClient) -> None:
    answer = client.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/home")
    assert 'href="/mine"' in client.get("/home").text


def test_other_houses_are_a_way_in_where_there_are_any(client: TestClient) -> None:
    """And the way on is a page of ours, whatever stands in the address."""
    page = client.get("/login?next=/mine").text
    assert 'href="/openid/city/start?next=/mine"' in page
    assert "evil" not in client.get("/login?next=https://evil.example/").text.partition('class="ways"')[2]
