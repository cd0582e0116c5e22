"""What the server sends for each page: light, readable, in the visitor's language, escaped, for who may see it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from session_manager.fakes import ScriptedRuntime
from session_manager.web import i18n
from session_manager.web.app import create_app
from session_manager.web.settings import WebSettings
from tests.session_manager.hall import open_store
from tests.session_manager.site import SECRET, Live, Site

FIRST_LOAD_BYTES = 100_000
NASTY = "<img src=x onerror=alert(1)>\"'&</script>"
CSS = (i18n.STATIC / "app.css").read_text(encoding="utf-8")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    store = open_store(tmp_path)
    live = Live(store)
    yield Site(store, live)
    store.close()


@pytest.fixture
def client(site: Site) -> Iterator[TestClient]:
    runtime: ScriptedRuntime = site.live
    app = create_app(site.store, runtime, WebSettings(secret=SECRET, worker_token="w" * 32))
    with TestClient(app, "http://hub.test", headers={"Accept": "text/html", "Accept-Language": "ja"}) as client:
        yield client


def give(client: TestClient, *cookies: dict[str, str]) -> None:
    for cookie in cookies:
        client.cookies.set(cookie["name"], cookie["value"])


def addresses(site: Site, client: TestClient) -> dict[str, str]:
    """Every page, with what it takes to see it in the client's cookies."""
    site.url = "http://hub.test"
    give(client, *site.office_cookies())
    session = site.session(state="live")
    return {
        "join": "/join",
        "login": "/login",
        "entrance": "/live",
        "live": f"/live/{session.session_id}",
        "transcript": f"/sessions/{session.session_id}/transcript",
        "sessions": "/sessions",
        "week": "/week",
        "book": "/book",
        "approvals": "/approvals",
        "today": "/today",
        "people": "/people",
        "setup": "/setup",
        "month": "/month",
        "courses": "/courses",
        "panel": "/panel",
        "check_in": "/check-in",
        "class": "/class",
        "error": "/nowhere",
    }


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.loaded: set[str] = set()
        self.inline: list[str] = []
        self.ids: list[str] = []
        self.labels: set[str | None] = set()
        self.fields: list[dict[str, str | None]] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "link" or tag == "script":
            self.loaded |= {value for value in (values.get("href"), values.get("src")) if value}
        if tag == "use":
            self.loaded.add((values["href"] or "").partition("#")[0])
        self._script = tag == "script" and values.get("type") not in ("application/json",) and not values.get("src")
        self.inline += [name for name in values if name == "style" or name.startswith("on")]
        self.inline += ["style"] if tag == "style" else []
        if values.get("id"):
            self.ids.append(values["id"] or "")
        if tag == "label":
            self.labels.add(values.get("for"))
        if tag in ("input", "select") and values.get("type") != "radio":
            self.fields.append(values)

    def handle_data(self, data: str) -> None:
        if self._script and data.strip():
            self.inline.append(data)


def read(html: str) -> Links:
    links = Links()
    links.feed(html)
    return links


def assert_light_and_whole(client: TestClient, address: str, *, links_to: str = "/static/") -> None:
    """Loads little and only of ours, nothing stands inline, every field has a name. `links_to`: not loaded."""
    answer = client.get(address)
    links = read(answer.text)
    assert not links.inline
    loaded = {one for one in links.loaded if one.startswith("/static/") or not one.startswith(links_to)}
    assert all(one.startswith("/static/") for one in loaded), loaded
    parts = {one: len(client.get(one).read()) for one in loaded}
    assert len(answer.content) + sum(parts.values()) < FIRST_LOAD_BYTES, parts
    assert len(links.ids) == len(set(links.ids))
    assert all(field.get("id") in links.labels or field.get("aria-label") for field in links.fields)


@pytest.mark.parametrize(
    "name",
    [
        "join",
        "login",
        "entrance",
        "live",
        "transcript",
        "sessions",
        "error",
        "today",
        "people",
        "setup",
        "month",
        "courses",
        "week",
        "book",
        "approvals",
        "panel",
        "check_in",
        "class",
    ],
)
def test_a_first_visit_is_light_and_loads_nothing_from_elsewhere(name: str, site: Site, client: TestClient) -> None:
    assert_light_and_whole(client, addresses(site, client)[name])


def test_joining_is_light_too(client: TestClient) -> None:
    """With everything that the session loads while the name is typed, as it goes over the line."""
    later = set(i18n.modules("join.js", later=True)) | {"app.css", "icons.svg", "icon.svg"}
    page = len(client.get("/join").content)
    sent = sum(int(client.get(f"/static/{name}").headers["content-length"]) for name in later)
    assert page + sent < FIRST_LOAD_BYTES / 2


def test_modules_are_announced_before_they_are_needed(client: TestClient) -> None:
    html = client.get("/join").text
    for module in i18n.modules("join.js"):
        assert f'<link rel="modulepreload" href="/static/{module}">' in html


@pytest.mark.parametrize("path", sorted(i18n.STATIC.iterdir()), ids=lambda path: path.name)
def test_static_files_name_no_other_host(path: Path) -> None:
    found = re.findall(r"https?://[^\s\"'`)]+", path.read_text(encoding="utf-8"))
    assert set(found) <= {"http://www.w3.org/2000/svg"}


def test_the_language_is_asked_for_kept_and_changed(client: TestClient) -> None:
    assert '<html lang="ja">' in client.get("/join").text
    assert '<html lang="en">' in client.get("/join", headers={"Accept-Language": "en-US,en;q=0.9"}).text
    changed = client.get("/join?lang=en")
    assert '<html lang="en">' in changed.text
    assert '<html lang="en">' in client.get("/join").text
    assert '<html lang="ja">' in client.get("/join?lang=ja").text
    assert "shimawa_lang" not in client.get("/join?lang=<b>").headers.get("set-cookie", "")


def test_what_people_typed_never_becomes_markup(site: Site, client: TestClient) -> None:
    site.url = "http://hub.test"
    session = site.session(title=NASTY, names=(NASTY,))
    give(client, *site.office_cookies())
    for address in (f"/live/{session.session_id}", f"/sessions/{session.session_id}/transcript"):
        html = client.get(address).text
        assert "<img" not in html
        assert "alert(1)&gt;" in html
        data = re.search(r'id="page-data">(.*?)</script>', html, re.DOTALL)
        assert data is not None
        assert json.loads(data[1])["page"]["sites"][0]["name"] == NASTY


def test_pages_are_only_for_those_who_may_see_them(site: Site, client: TestClient) -> None:
    site.url = "http://hub.test"
    mine, other = site.session(), site.session()
    for address in ("/", f"/live/{mine.session_id}", f"/sessions/{mine.session_id}/transcript"):
        turned = client.get(address, follow_redirects=False)
        assert (turned.status_code, turned.headers["location"].partition("?")[0]) == (303, "/login")
    give(client, site.view_cookie(mine))
    assert client.get(f"/live/{mine.session_id}").status_code == 200
    assert client.get(f"/sessions/{mine.session_id}/transcript").status_code == 200
    turned = client.get(f"/live/{other.session_id}")
    assert other.title not in turned.text
    assert client.get("/sessions").status_code == 403


def test_who_may_not_export_is_not_offered_it(site: Site, client: TestClient) -> None:
    site.url = "http://hub.test"
    open_one, closed = site.session(), site.session(confidential=True)
    give(client, site.view_cookie(open_one), site.view_cookie(closed))
    assert "transcript.vtt" in client.get(f"/sessions/{open_one.session_id}/transcript").text
    assert "transcript.vtt" not in client.get(f"/sessions/{closed.session_id}/transcript").text


def test_every_offered_export_can_be_had(site: Site, client: TestClient) -> None:
    site.url = "http://hub.test"
    session = site.session()
    give(client, site.view_cookie(session))
    offered = re.findall(r'href="(/api/[^"]+)"', client.get(f"/sessions/{session.session_id}/transcript").text)
    assert len(offered) == 5
    for address in offered:
        answer = client.get(address.replace("&amp;", "&"))
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("language", "sentence"), [("ja", "そのページはありません。"), ("en", "There is no such page.")]
)
def test_an_address_that_is_not_there_is_said_in_a_sentence(language: str, sentence: str, client: TestClient) -> None:
    answer = client.get("/nowhere", headers={"Accept-Language": language})
    assert answer.status_code == 404
    assert sentence in answer.text


def test_boards_are_added_by_administrators_only(site: Site, client: TestClient) -> None:
    site.url = "http://hub.test"
    give(client, *site.office_cookies("staff"))
    assert "board-form" not in client.get("/sessions").text
    give(client, *site.office_cookies())
    assert "board-form" in client.get("/sessions").text


# ---- colour -------------------------------------------------------------------------------------------------------


def token(name: str) -> str:
    found = re.search(rf"--{name}: (#[0-9a-f]{{6}});", CSS)
    assert found is not None, name
    return found[1]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        ("ink", "paper", 7.0),
        ("ink", "raised", 7.0),
        ("on-night", "night", 7.0),
        ("on-night-quiet", "night", 4.5),
        ("quiet", "paper", 4.5),  # partial captions are 24 px and more: AAA for large text
        ("indigo", "paper", 4.5),
        ("indigo", "raised", 4.5),
        ("red", "raised", 4.5),
        ("sea", "paper", 3.0),
        ("sun", "paper", 3.0),
        *((f"site-{number}", "paper", 4.5) for number in range(1, 9)),
    ],
)
def test_colours_can_be_read(front: str, back: str, least: float) -> None:
    assert contrast(token(front), token(back)) >= least


def test_motion_stops_for_who_asked() -> None:
    assert "prefers-reduced-motion: reduce" in CSS
    assert all(int(ms) <= 150 for ms in re.findall(r"(\d+)ms", CSS))
