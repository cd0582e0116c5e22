"""People, groups and doors over HTTP; the edge of a municipality; guessing, links, tokens, the audit log."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from session_manager.access import EVERYBODY, RULES
from session_manager.people import Municipality, Person
from tests.session_manager.hall import NOW, PASSWORD, Web
from tests.session_manager.test_web_routes import actions


class Towns:
    """Two municipalities, an administrator's account and a person in each."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.iki, self.fukuoka = (web.store.add_home(name, "Asia/Tokyo", NOW) for name in ("壱岐市", "福岡市"))
        self.person = self.register(self.iki, "a@iki.example")
        self.other = self.register(self.fukuoka, "b@fukuoka.example")
        for name, home in (("iki-office", self.iki), ("fukuoka-office", self.fukuoka)):
            account = web.store.add_account(name, PASSWORD, "administrator")
            web.store.bind_account(account.account_id, home.municipality_id)

    def register(self, home: Municipality, mail: str) -> Person:
        return self.web.store.register_person(home.municipality_id, mail, NOW, mail=mail, language="en")

    @property
    def here(self) -> str:
        return f"/api/municipalities/{self.iki.municipality_id}"

    @contextlib.asynccontextmanager
    async def office(self, name: str = "iki-office") -> AsyncIterator[httpx.AsyncClient]:
        async with self.web.browser() as browser:
            assert (await browser.post("/api/login", json={"name": name, "password": PASSWORD})).status_code == 200
            browser.headers["X-CSRF-Token"] = browser.cookies["shimawa_csrf"]
            yield browser

    @contextlib.asynccontextmanager
    async def signed_in(self, person: Person) -> AsyncIterator[httpx.AsyncClient]:
        async with self.web.browser() as browser:
            asked = await browser.post("/api/login/link", json={"mail": person.mail})
            assert asked.status_code == 202
            code = self.code()
            assert (await browser.post("/api/login/link/enter", json={"code": code})).status_code == 204
            browser.headers["X-CSRF-Token"] = browser.cookies["shimawa_csrf"]
            yield browser

    def code(self) -> str:
        """Out of the newest letter."""
        letters = self.web.store.claim_notices(self.web.at[0], 50)
        for letter in letters:
            self.web.store.notice_sent(letter.notice_id, self.web.at[0])
        return next(line for line in letters[-1].body.split() if "#" in line).partition("#")[2]


@pytest.fixture
def towns(web: Web) -> Towns:
    return Towns(web)


def bounded(web: Web, towns: Towns) -> list[tuple[str, str]]:
    """Every closed route about something, filled with what belongs to the first municipality."""
    room = web.store.rooms()[0].room_id
    values = {
        "municipality_id": towns.iki.municipality_id,
        "person_id": towns.person.person_id,
        "session_id": web.hall.session_id,
        "home_id": towns.iki.municipality_id,
        "room_id": room,
    }
    found = []
    for context in iter_route_contexts(web.app.routes):
        route = context.original_route
        if (
            isinstance(route, APIRoute)
            and "{" in route.path
            and RULES[next(iter(actions(route.dependant)))] != EVERYBODY
        ):
            path = route.path
            for part in path.split("{")[1:]:
                name = part.partition("}")[0]
                path = path.replace(f"{{{name}}}", values.get(name, "txt" if name == "extension" else "x"))
            found += [(method, path) for method in sorted(route.methods or ()) if method != "HEAD"]
    return found


async def test_no_route_opens_to_another_municipality(web: Web, towns: Towns) -> None:
    """Whatever belongs to somebody else does not exist; the body sent makes no difference."""
    calls = bounded(web, towns)
    assert len(calls) > 60
    async with towns.office("fukuoka-office") as office, towns.signed_in(towns.other) as person:
        for method, path in calls:
            for browser in (office, person):
                answer = await browser.request(method, path, json={})
                assert answer.status_code in {403, 404}, (method, path, answer.status_code, answer.text)
    tries = [entry for entry in web.store.audit() if entry.outcome == "refused"]
    assert tries


async def test_every_closed_route_takes_an_expired_login_for_a_stranger(web: Web, towns: Towns) -> None:
    async with towns.office() as office, towns.signed_in(towns.person) as person:
        web.at[0] += 13 * 3600
        for method, path in bounded(web, towns):
            for browser in (office, person):
                answer = await browser.request(method, path, json={})
                assert answer.status_code == 401, (method, path)


async def test_an_office_has_its_own_people_only(towns: Towns) -> None:
    async with towns.office() as office:
        made = await office.post(f"{towns.here}/people", json={"name": "海", "mail": "c@iki.example"})
        assert made.status_code == 201
        listed = {one["name"] for one in (await office.get(f"{towns.here}/people")).json()}
        assert listed == {"海", "a@iki.example"}
        assert [one["name"] for one in (await office.get("/api/municipalities")).json()] == ["壱岐市"]
        assert (await office.get("/api/facilities")).json() == []
        assert (await office.get("/api/sessions")).json() == []
        assert (await office.post("/api/municipalities", json={"name": "x"})).status_code == 404


async def test_a_member_sees_oneself_and_nobody_else(towns: Towns) -> None:
    second = towns.register(towns.iki, "d@iki.example")
    async with towns.signed_in(towns.person) as browser:
        assert (await browser.get(f"{towns.here}/people/{towns.person.person_id}")).status_code == 200
        assert (await browser.get(f"{towns.here}/people/{second.person_id}")).status_code == 404
        assert (await browser.get(f"{towns.here}/people")).status_code == 404
        assert (await browser.post(f"{towns.here}/people", json={"name": "x"})).status_code == 403


async def test_a_sign_in_link_works_once_and_not_for_long(web: Web, towns: Towns) -> None:
    async with web.browser() as browser:
        for late in (0, 901):
            await browser.post("/api/login/link", json={"mail": "A@IKI.example"})
            code = towns.code()
            web.at[0] += late
            first = await browser.post("/api/login/link/enter", json={"code": code})
            again = await browser.post("/api/login/link/enter", json={"code": code})
            assert (first.status_code, again.status_code) == ((401 if late else 204), 401)


async def test_nobody_learns_who_is_registered(web: Web, towns: Towns) -> None:
    async with web.browser() as browser:
        known = await browser.post("/api/login/link", json={"mail": "a@iki.example"})
        unknown = await browser.post("/api/login/link", json={"mail": "nobody@iki.example"})
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert len(web.store.outbox(None)) == 1


async def test_guessing_links_and_class_codes_is_slowed(web: Web) -> None:
    async with web.browser() as browser:
        links = [(await browser.post("/api/login/link/enter", json={"code": str(n)})).status_code for n in range(30)]
        classes = [
            (await browser.post("/api/class/enter", json={"code": str(n), "display_name": "x"})).status_code
            for n in range(70)
        ]
    assert links[0] == 401
    assert links[-1] == 429
    assert classes[-1] == 429
    statuses = []
    for number in range(400):
        async with web.browser(address=f"198.51.{number // 250}.{number % 250}") as browser:
            form = {"code": "x", "display_name": "x"}
            statuses.append((await browser.post("/api/class/enter", json=form)).status_code)
    assert statuses[-1] == 429


async def test_pupils_enter_their_class_and_nothing_else(web: Web, towns: Towns) -> None:
    mine = web.store.add_group(towns.iki.municipality_id, "物理", NOW)
    other = web.store.add_group(towns.iki.municipality_id, "数学", NOW)
    web.store.bind_session(web.hall.session_id, towns.iki.municipality_id, mine.group_id)
    async with towns.office() as office:
        made = (await office.post(f"{towns.here}/groups/{mine.group_id}/class-codes", json={"uses": 1})).json()
        async with web.browser() as pupil:
            form = {"code": made["code"].lower().replace("-", " "), "display_name": "なみ"}
            assert (await pupil.post("/api/class/enter", json=form)).status_code == 204
            assert (await pupil.get(f"{towns.here}/groups/{mine.group_id}")).status_code == 200
            assert (await pupil.get(f"{towns.here}/groups/{other.group_id}")).status_code == 404
            assert (await pupil.get(f"/api/sessions/{web.hall.session_id}")).status_code == 200
            assert (await pupil.get(f"{towns.here}/people")).status_code == 403
            async with web.browser() as late:
                assert (await late.post("/api/class/enter", json=form)).status_code == 401
            code_id = made["class_code"]["class_code_id"]
            ended = await office.delete(f"{towns.here}/groups/{mine.group_id}/class-codes/{code_id}")
            assert ended.status_code == 204
            assert (await pupil.get(f"{towns.here}/groups/{mine.group_id}")).status_code == 401


async def test_a_referral_only_group_from_request_to_leaving(web: Web, towns: Towns) -> None:
    host, friend = towns.register(towns.iki, "host@iki.example"), towns.register(towns.iki, "new@iki.example")
    async with towns.office() as office:
        form = {"name": "研究会", "referral_only": True}
        group = (await office.post(f"{towns.here}/groups", json=form)).json()["group_id"]
        here = f"{towns.here}/groups/{group}"
        for person, role in ((host, "facilitator"), (towns.person, "member")):
            put = await office.post(f"{here}/members", json={"person_id": person.person_id, "role": role})
            assert put.status_code == (204 if role == "facilitator" else 409)
    web.store.ask_to_join(towns.iki.municipality_id, group, towns.person.person_id, host.person_id, "", NOW)
    async with towns.signed_in(host) as browser:
        (asked,) = (await browser.get(f"{here}/referrals")).json()
        done = await browser.post(f"{here}/requests/{asked['request_id']}/vouch")
        assert done.json()["state"] == "joined"
    async with towns.signed_in(friend) as browser:
        assert (await browser.get(here)).status_code == 404
        assert (await browser.post(f"{here}/requests", json={})).status_code == 409
        ask = await browser.post(f"{here}/requests", json={"referrer_id": towns.person.person_id})
        request_id = ask.json()["request_id"]
        assert (await browser.post(f"{here}/requests/{request_id}/vouch")).status_code == 404
    async with towns.signed_in(host) as browser:
        assert (await browser.post(f"{here}/requests/{request_id}/vouch")).status_code == 403
        decided = await browser.post(f"{here}/requests/{request_id}/decide", json={"accept": True})
        assert decided.status_code == 409
    async with towns.signed_in(towns.person) as browser:
        assert (await browser.post(f"{here}/requests/{request_id}/vouch")).status_code == 200
        tree = {one["person_id"]: one["referrer_id"] for one in (await browser.get(f"{here}/members")).json()}
        assert tree[friend.person_id] == towns.person.person_id
        assert tree[towns.person.person_id] == host.person_id
        assert (await browser.post(f"{here}/leave")).status_code == 204
        assert (await browser.get(here)).status_code == 404


async def test_both_sides_confirm_a_step(web: Web, towns: Towns) -> None:
    async with towns.office() as office:
        ladder = {"levels": [{"name": "知る"}, {"name": "組む", "benefits": ["telework_free"]}]}
        assert (await office.put(f"{towns.here}/ladder", json=ladder)).status_code == 200
        firm = (await office.post(f"{towns.here}/organisations", json={"name": "島の会社"})).json()["organisation_id"]
        staff = {"person_id": towns.person.person_id}
        await office.post(f"{towns.here}/organisations/{firm}/staff", json=staff)
        its = (await office.post(f"{towns.here}/memberships", json={"organisation_id": firm})).json()["membership_id"]
        for level in (1, 2):
            step = (await office.post(f"{towns.here}/memberships/{its}/steps", json={"to_level": level})).json()
            confirm = f"{towns.here}/steps/{step['step_id']}/confirm"
            assert (await office.post(confirm, json={"side": "party"})).status_code == 403
            assert (await office.post(confirm, json={"side": "city"})).json()["taken_at"] is None
            async with towns.signed_in(towns.register(towns.iki, f"else{level}@iki.example")) as stranger:
                assert (await stranger.post(confirm, json={"side": "party"})).status_code == 403
            async with towns.signed_in(towns.person) as browser:
                assert (await browser.post(confirm, json={"side": "city"})).status_code == 403
                assert (await browser.post(confirm, json={"side": "party"})).json()["taken_at"] == NOW
        shorter = await office.put(f"{towns.here}/ladder", json={"levels": [{"name": "知る"}]})
        assert shorter.status_code == 409
    from datetime import date

    assert web.store.benefits(towns.iki.municipality_id, towns.person.person_id, date(2026, 6, 1)) == {"telework_free"}


async def test_a_token_has_no_more_rights_than_are_written_on_it(web: Web, towns: Towns) -> None:
    async with towns.office() as office:
        form = {"name": "script", "actions": ["read_people", "run_installation"], "days": 1}
        made = (await office.post("/api/tokens", json=form)).json()
        async with web.browser() as program:
            program.headers["Authorization"] = f"Bearer {made['secret']}"
            assert (await program.get(f"{towns.here}/people")).status_code == 200
            assert (await program.post(f"{towns.here}/people", json={"name": "x"})).status_code == 404
            assert (await program.post("/api/municipalities", json={"name": "x"})).status_code == 404
            elsewhere = f"/api/municipalities/{towns.fukuoka.municipality_id}/people"
            assert (await program.get(elsewhere)).status_code == 404
            assert (await program.post("/api/tokens", json=form)).status_code == 404
            assert (await office.delete(f"/api/tokens/{made['identifier']}")).status_code == 204
            assert (await program.get(f"{towns.here}/people")).status_code == 401


async def test_the_audit_log_says_who_did_what_and_no_secret(towns: Towns) -> None:
    async with towns.office() as office:
        await office.post(f"{towns.here}/people", json={"name": "ひみつの名前", "mail": "secret@iki.example"})
        entries: list[dict[str, Any]] = (await office.get(f"{towns.here}/audit")).json()
    assert entries[0]["action"] == "change_people"
    assert entries[0]["target"] == f"POST {towns.here}/people"
    assert (entries[0]["role"], entries[0]["outcome"]) == ("administrator", "allowed")
    assert "ひみつ" not in str(entries)
    assert "secret@" not in str(entries)


async def test_reading_something_confidential_is_noted(web: Web, towns: Towns) -> None:
    secret = web.hall.plan([], confidential=True)
    async with web.signed_in() as browser:
        assert (await browser.get(f"/api/sessions/{secret.session_id}")).status_code == 200
    assert secret.session_id in web.store.audit()[0].target


async def test_a_role_that_is_taken_back_ends_in_open_logins(web: Web, towns: Towns) -> None:
    given = web.store.grant(towns.iki.municipality_id, towns.person.person_id, "staff", NOW)
    async with towns.signed_in(towns.person) as browser:
        assert (await browser.get(f"{towns.here}/people")).status_code == 200
        web.store.revoke(towns.iki.municipality_id, given.grant_id)
        assert (await browser.get(f"{towns.here}/people")).status_code == 404


async def test_people_come_and_go_by_csv_all_or_none(towns: Towns) -> None:
    sheet = "name,mail,organisation\n=HYPERLINK(1),e@iki.example,島の会社\n海,f@iki.example,島の会社\n"
    async with towns.office() as office:
        taken = await office.post(f"{towns.here}/people.csv", content=sheet.encode())
        assert taken.status_code == 201
        out = (await office.get(f"{towns.here}/people.csv")).content.decode("utf-8-sig")
        assert "'=HYPERLINK(1),e@iki.example,ja,島の会社" in out
        for bad in ("name,mail\nx,g@iki.example\ny,e@iki.example\n", "name,mail\nx,g@iki.example\ny,none\n"):
            assert (await office.post(f"{towns.here}/people.csv", content=bad.encode())).status_code == 409
        assert "g@iki.example" not in (await office.get(f"{towns.here}/people.csv")).text
        assert len((await office.get(f"{towns.here}/organisations")).json()) == 1


async def test_forgetting_a_person_closes_every_door(web: Web, towns: Towns) -> None:
    async with towns.office() as office, towns.signed_in(towns.person) as browser:
        assert (await office.delete(f"{towns.here}/people/{towns.person.person_id}")).status_code == 204
        assert (await browser.get(f"{towns.here}/people/{towns.person.person_id}")).status_code == 401
    assert "a@iki.example" not in str(web.store.people(towns.iki.municipality_id))
