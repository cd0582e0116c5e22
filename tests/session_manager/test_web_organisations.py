"""The door for partners' staff: a code of their organisation, known devices, and what the office sees and ends."""

from __future__ import annotations

from datetime import date

import httpx
import pytest

from session_manager.web.ratelimit import Rule
from tests.session_manager.hall import NOW, Web

TOWN = "/api/municipalities/default"
ENTER = "/api/login/organisation"
DAY_S = 86_400.0


@pytest.fixture
def firm(web: Web) -> str:
    """With an agreement from April to June."""
    made = web.store.add_organisation("default", "壱岐商会", NOW).organisation_id
    web.store.add_agreement("default", made, "提携協定", date(2026, 4, 1), date(2026, 6, 30))
    return made


async def issued(web: Web, firm: str, **more: int) -> str:
    async with web.signed_in() as office:
        answer = await office.post(f"{TOWN}/organisations/{firm}/code", json=more)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["code"])


async def entered(browser: httpx.AsyncClient, code: str, name: str = "参加者1") -> int:
    answer = await browser.post(ENTER, json={"code": code, "name": name})
    if answer.status_code == 204:
        browser.headers["X-CSRF-Token"] = browser.cookies["shimawa_csrf"]
    return answer.status_code


async def test_with_the_code_one_is_in_as_staff_of_the_partner(web: Web, firm: str) -> None:
    code = await issued(web, firm)
    assert len(code.replace("-", "")) == 10
    async with web.browser() as browser:
        assert await entered(browser, code.lower().replace("-", " ")) == 204
        me = (await browser.get("/api/me")).json()
        roles = [one.role for one in web.store.grants("default", me["person_id"])]
        assert (me["kind"], roles, me["municipality_id"]) == ("member", ["partner_staff"], "default")
        profile = (await browser.get(f"{TOWN}/me/profile")).json()
        assert (profile["name"], profile["organisation"], profile["user_class"]) == ("参加者1", "壱岐商会", "partner")
        web.at[0] += 100 * DAY_S
        assert (await browser.get("/api/me")).json()["kind"] == "member"
        assert (await browser.get(f"{TOWN}/me/profile")).json()["user_class"] == "citizen"


async def test_the_same_name_on_the_same_device_is_the_same_person(web: Web, firm: str) -> None:
    code = await issued(web, firm, uses=3)
    async with web.browser() as phone, web.browser() as other:
        people = []
        told = [(phone, "参加者1"), (phone, "参加者1 "), (phone, "参加者2"), (other, "参加者1"), (phone, "参加者1")]
        for browser, name in told:
            assert await entered(browser, code, name) == 204
            people.append((await browser.get("/api/me")).json()["person_id"])
        assert people[0] == people[1] == people[4]
        assert len(set(people)) == 3
        assert await entered(other, code, "参加者3") == 401
        assert await entered(phone, code, "参加者2") == 204


async def test_every_wrong_code_has_the_same_answer(web: Web, firm: str) -> None:
    store = web.store
    lapsed = store.add_organisation("default", "旧友", NOW).organisation_id
    store.add_agreement("default", lapsed, "協定", date(2026, 4, 1), date(2026, 5, 30))
    over = await issued(web, lapsed, days=300)
    used = await issued(web, firm, uses=1)
    async with web.browser() as browser:
        assert await entered(browser, used) == 204
    replaced = await issued(web, firm)
    await issued(web, firm)
    web.at[0] += 5 * DAY_S
    answers = []
    for code in ("AAAAA-AAAAA", over, used, replaced, "'; --"):
        async with web.browser() as browser:
            answer = await browser.post(ENTER, json={"code": code, "name": "参加者1"})
            answers.append((answer.status_code, answer.text, answer.headers.get("set-cookie")))
    assert len(set(answers)) == 1
    assert answers[0][0] == 401


async def test_no_agreement_no_code(web: Web) -> None:
    firm = web.store.add_organisation("default", "まだの会社", NOW).organisation_id
    async with web.signed_in() as office:
        answer = await office.post(f"{TOWN}/organisations/{firm}/code", json={})
    assert (answer.status_code, "no agreement in force" in answer.json()["message"]) == (409, True)


async def test_the_office_sees_who_is_in_and_ends_it_at_once(web: Web, firm: str) -> None:
    code = await issued(web, firm, uses=2)
    here = f"{TOWN}/organisations/{firm}"
    async with web.browser() as browser, web.signed_in() as office:
        assert await entered(browser, code) == 204
        shown = (await office.get(f"{here}/code")).json()
        assert (shown["uses_left"], "code" in shown, code in str(shown)) == (1, False, False)
        [login] = (await office.get(f"{here}/logins")).json()
        assert (login["name"], login["open"]) == ("参加者1", True)
        assert (await office.delete(f"{here}/code")).status_code == 204
        assert (await office.get(f"{here}/code")).json() is None
        assert (await browser.get("/api/me")).json()["kind"] == "member"
        assert (await office.delete(f"{here}/logins/{login['login_id']}")).status_code == 204
        assert (await browser.get("/api/me")).json()["kind"] == "stranger"
        assert (await office.get(f"{here}/logins")).json() == []
    fresh = await issued(web, firm)
    async with web.browser() as again:
        again.cookies.update(browser.cookies)
        assert await entered(again, fresh) == 204
        assert (await again.get("/api/me")).json()["person_id"] != login["person_id"]


async def test_a_login_of_another_organisation_is_not_ended_by_this_address(web: Web, firm: str) -> None:
    other = web.store.add_organisation("default", "よそ", NOW).organisation_id
    code = await issued(web, firm)
    async with web.browser() as browser, web.signed_in() as office:
        await entered(browser, code)
        [login] = (await office.get(f"{TOWN}/organisations/{firm}/logins")).json()
        wrong = await office.delete(f"{TOWN}/organisations/{other}/logins/{login['login_id']}")
        assert wrong.status_code == 404
        assert (await browser.get("/api/me")).json()["kind"] == "member"


async def test_guessing_codes_is_slowed_by_address_and_in_the_whole_hub(web: Web) -> None:
    async def tries(address: str, count: int) -> list[int]:
        async with web.browser(address=address) as browser:
            return [await entered(browser, f"GUESS{number:05}") for number in range(count)]

    first = await tries("192.0.2.9", Rule.ORGANISATION_ADDRESS.value.burst + 1)
    assert (set(first[:-1]), first[-1]) == ({401}, 429)
    many = [await tries(f"198.51.100.{number}", 10) for number in range(11)]
    assert many[-1][-1] == 429


async def test_a_class_code_does_not_open_this_door_nor_this_code_a_class(web: Web, firm: str) -> None:
    code = await issued(web, firm)
    group = web.store.add_group("default", "物理", NOW).group_id
    async with web.signed_in() as office:
        made = await office.post(f"{TOWN}/groups/{group}/class-codes", json={})
    async with web.browser() as browser:
        assert await entered(browser, made.json()["code"]) == 401
        answer = await browser.post("/api/class/enter", json={"code": code, "display_name": "生徒"})
        assert answer.status_code == 401
