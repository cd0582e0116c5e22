"""Pages of series and evenings: light, readable, escaped, for who may see them; and what is public, also as a feed."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from session_manager.caretaker import Caretaker
from session_manager.evening_records import NewItem
from session_manager.mornings import Mornings
from session_manager.web.app import create_app
from session_manager.web.settings import WebSettings
from tests.session_manager.hall import SECRET, open_store
from tests.session_manager.lab import TOWN, Lab
from tests.session_manager.site import Live, Site
from tests.session_manager.test_pages import NASTY, assert_light_and_whole, give

ATOM = "{http://www.w3.org/2005/Atom}"


@dataclass
class World:
    site: Site
    lab: Lab
    client: TestClient
    slug: str

    def addresses(self) -> dict[str, str]:
        evening = self.lab.date().booking_id
        return {
            "list": "/series",
            "one": f"/series/{self.lab.series.series_id}",
            "evening": f"/evening/{evening}",
            "door": f"/door/{evening}",
            "reports": "/reports",
            "report": f"/reports/{self.slug}",
        }

    def as_person(self, number: int) -> None:
        self.client.cookies.clear()
        self.client.headers.update(self.lab.cookies(number))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = open_store(tmp_path)
    live = Live(store)
    site = Site(store, live)
    site.url = "http://hub.test"
    lab = Lab(store)
    evening, after = lab.date().booking_id, lab.begins() + 3 * 3600
    lab.come(1)
    store.add_item(evening, NewItem("quote", f"港に灯りを{NASTY}", lab.people[1], None, True), "t", after)
    report = store.publish_report(evening, site.url, "t", after)
    app = create_app(store, live, WebSettings(secret=SECRET, worker_token="w" * 32))
    with TestClient(app, site.url, headers={"Accept": "text/html", "Accept-Language": "ja"}) as client:
        yield World(site, lab, client, report.slug)
    store.close()


def test_a_first_visit_to_each_page_is_light_and_loads_nothing_from_elsewhere(world: World) -> None:
    give(world.client, *world.site.office_cookies())
    for name, address in world.addresses().items():
        assert world.client.get(address).status_code == 200, name
        assert_light_and_whole(world.client, address, links_to="/reports/")


@pytest.mark.parametrize(
    ("number", "open_pages"),
    [(0, {"list", "one", "evening", "door"}), (1, {"evening"}), (None, set())],
    ids=["facilitator", "member", "stranger"],
)
def test_who_opens_which_page(world: World, number: int | None, open_pages: set[str]) -> None:
    if number is not None:
        world.as_person(number)
    for name, address in world.addresses().items():
        answer = world.client.get(address, follow_redirects=False)
        wanted = name in open_pages or name in {"reports", "report"}
        assert (answer.status_code == 200) is wanted, (name, answer.status_code)


def test_a_facilitator_of_another_group_sees_nothing_of_this_one(world: World) -> None:
    store = world.site.store
    other = store.register_person(TOWN, "別の世話人", 0.0).person_id
    group = store.add_group(TOWN, "別の会", 0.0).group_id
    store.put_in_group(TOWN, group, other, "facilitator", 0.0)
    world.lab.people.append(other)
    world.as_person(len(world.lab.people) - 1)
    here = f"/api/municipalities/{TOWN}"
    assert world.client.get(f"{here}/series").json() == []
    for path in (world.lab.evening(), f"{here}/series/{world.lab.series.series_id}", world.addresses()["evening"]):
        assert world.client.get(path).status_code == 404, path
    answer = world.client.post(f"{here}/groups/{world.lab.group_id}/series", json={})
    assert answer.status_code == 404


def test_an_evening_is_found_by_its_session_too(world: World) -> None:
    give(world.client, *world.site.office_cookies())
    led = world.client.get(f"/evening/{world.lab.date().session_id}", follow_redirects=False)
    assert (led.status_code, led.headers["location"]) == (303, f"/evening/{world.lab.date().booking_id}")
    assert world.client.get("/evening/nowhere").status_code == 404


def test_the_feed_is_atom_and_what_people_typed_is_text_in_it(world: World) -> None:
    answer = world.client.get("/reports/feed.atom")
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = ET.fromstring(answer.content)
    assert feed.tag == f"{ATOM}feed"
    for name in ("id", "title", "updated"):
        assert feed.findtext(f"{ATOM}{name}")
    [entry] = feed.findall(f"{ATOM}entry")
    link = entry.find(f"{ATOM}link")
    assert link is not None
    assert link.get("href") == f"http://hub.test/reports/{world.slug}"
    assert f"港に灯りを{NASTY}" in str(entry.findtext(f"{ATOM}content"))
    page = world.client.get(f"/reports/{world.slug}").text
    assert "<img src=x" not in page
    assert "alert(1)&gt;" in page


def test_an_empty_feed_is_one_and_what_was_withdrawn_is_not_there(world: World) -> None:
    world.lab.store.withdraw_report(world.lab.date().booking_id, 0)
    feed = ET.fromstring(world.client.get("/reports/feed.atom").content)
    assert feed.findall(f"{ATOM}entry") == []
    assert world.client.get(f"/reports/{world.slug}").status_code == 404
    assert "公開した報告はまだありません" in world.client.get("/reports").text


async def test_the_hub_drafts_reports_and_forgets_names_while_it_looks_after_the_day(world: World) -> None:
    store, lab = world.site.store, world.lab
    evening, morning = lab.date(1).booking_id, float(lab.begins(1) + 24 * 3600)
    lab.come(2, position=1)
    lab.come(3, position=1, level=0)
    store.add_item(evening, NewItem("quote", "また来る", lab.people[2], None, True), "t", lab.begins(1))
    for before, after in (("planned", "live"), ("live", "ending"), ("ending", "ended")):
        store.set_state(str(lab.date(1).session_id), before, after, lab.begins(1))  # type: ignore[arg-type]
    await Caretaker(Mornings(store, "https://hub.example"), lambda: morning).look()
    assert store.evening(evening).nameless == 1
    assert [one.recipient for one in store.outbox(TOWN) if one.cause.startswith("report:draft")] == ["p0@lab.example"]
