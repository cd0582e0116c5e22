"""What one can apply for, where one stands, and that nobody is told of what is not for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.courses import Course, turn_of
from session_manager.enrolment import Applicant, NewCircle, Selection
from session_manager.errors import NotFound
from session_manager.store import Store
from tests.session_manager.hall import NOW, Web
from tests.session_manager.lab import TOWN, Lab

LATER = int(NOW) + 9_000_000


@given(st.sampled_from(["order", "lot"]), st.integers(1, 12), st.text(max_size=8))
def test_everybody_who_waits_has_another_turn_and_the_turns_have_no_hole(
    selection: Selection, count: int, seed: str
) -> None:
    line = [Applicant(f"p{n}", "waiting" if n % 3 else "placed", n) for n in range(count)]
    turns = [turn_of(one.person_id, selection, seed, line) for one in line if one.state == "waiting"]
    assert sorted(turn or 0 for turn in turns) == list(range(1, len(turns) + 1))
    assert turn_of("p0", selection, seed, line) is None


def test_where_a_host_chooses_there_is_no_line() -> None:
    assert turn_of("p", "hand", "", [Applicant("p", "waiting", 1)]) is None


@pytest.fixture
def lab(store: Store) -> Lab:
    return Lab(store, guests=2)


def seen(lab: Lab, person_id: str | None, now: float = NOW) -> list[Course]:
    return lab.store.courses(TOWN, person_id, now)


def newcomer(lab: Lab, name: str = "申込者") -> str:
    return lab.store.register_person(TOWN, name, NOW).person_id


def test_what_is_open_is_seen_with_the_places_left_and_ones_own_turn(lab: Lab) -> None:
    its = lab.series.series_id
    first, second, third = (newcomer(lab, f"申込者{n}") for n in range(3))
    assert seen(lab, first) == []
    lab.store.set_circle(its, NewCircle(lab.group_id, 2, "order", LATER), NOW)
    [before] = seen(lab, first)
    assert (before.series_id, before.left, before.open, before.mine, len(before.dates)) == (its, 1, True, None, 12)
    assert before.dates[0].where == "港の館 ホール、本土の館 ホール"
    for person in (first, second, third):
        lab.store.apply(its, person, NOW)
    stands = [(one.mine, one.turn, one.left) for one in (seen(lab, who)[0] for who in (first, second, third))]
    assert stands == [("placed", None, 0), ("waiting", 1, 0), ("waiting", 2, 0)]
    lab.store.give_up(its, first, NOW)
    assert [(seen(lab, who)[0].mine, seen(lab, who)[0].turn) for who in (first, second, third)] == [
        ("declined", None),
        ("placed", None),
        ("waiting", 1),
    ]
    assert [seen(lab, who)[0].mine for who in lab.people] == ["member", "member"]


def test_after_the_closing_day_only_those_who_are_in_it_see_it_and_after_the_last_date_nobody(lab: Lab) -> None:
    its, inside, outside = lab.series.series_id, newcomer(lab), newcomer(lab, "ほかの人")
    lab.store.set_circle(its, NewCircle(lab.group_id, 9, "hand", LATER), NOW)
    lab.store.apply(its, inside, NOW)
    later = float(LATER)
    assert [(one.mine, one.open) for one in seen(lab, inside, later)] == [("applied", False)]
    assert seen(lab, outside, later) == []
    assert seen(lab, inside, lab.begins(11) + 9999.0) == []


@pytest.mark.parametrize("kind", ["referral_only", "confidential"])
def test_nobody_outside_is_told_of_a_closed_circle(store: Store, kind: str) -> None:
    lab = Lab(store, guests=1, referral_only=kind == "referral_only", confidential=kind == "confidential")
    lab.store.set_circle(lab.series.series_id, NewCircle(lab.group_id, 9, "order", LATER), NOW)
    assert seen(lab, newcomer(lab)) == []
    assert seen(lab, None) == []
    assert [one.mine for one in seen(lab, lab.people[0])] == ["member"]


async def test_who_only_knows_a_confidential_series_by_its_identifier_gets_no_place(web: Web) -> None:
    lab = Lab(web.store, guests=1, confidential=True)
    its = lab.series.series_id
    lab.store.set_circle(its, NewCircle(lab.group_id, 9, "order", LATER), NOW)
    outside = newcomer(lab)
    with pytest.raises(NotFound):
        lab.store.apply(its, outside, NOW, by_host=False)
    assert lab.store.applications(its) == []
    async with web.browser() as browser:
        lab.people.append(outside)
        answer = await lab.ask(browser, len(lab.people) - 1, "POST", f"/api/municipalities/{TOWN}/series/{its}/apply")
        assert answer.status_code == 404
    assert lab.store.apply(its, outside, NOW).state == "placed"


async def test_the_answer_is_for_the_own_town_and_names_nobody(web: Web) -> None:
    lab = Lab(web.store)
    lab.store.set_circle(lab.series.series_id, NewCircle(lab.group_id, 9, "order", LATER), NOW)
    async with web.browser() as browser:
        answer = await lab.ask(browser, 1, "GET", f"/api/municipalities/{TOWN}/me/courses")
        assert [one["mine"] for one in answer.json()] == ["member"]
        assert "参加者" not in answer.text
        assert (await lab.ask(browser, 1, "GET", "/api/municipalities/elsewhere/me/courses")).status_code == 404
        assert (await browser.get(f"/api/municipalities/{TOWN}/me/courses")).status_code == 401
