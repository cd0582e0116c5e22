"""The office's directory: a partner in one form, looked up, left, and who brought whom."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.booking_records import Rules
from session_manager.directories import NewPartner, tree
from session_manager.errors import NotFound, NotPossible
from session_manager.membership import Level
from session_manager.people import GroupMember
from session_manager.pricing import PriceRule
from session_manager.store import Store
from tests.session_manager.hall import NOW, Web
from tests.session_manager.test_web_people import Towns

HOME = "default"
PARTNER = NewPartner(
    "福岡システム", 1, date(2026, 4, 1), date(2027, 3, 31), 3, "partner@example.jp", "情報", across_sea=True
)


def test_a_partner_is_there_with_everything_the_same_minute(store: Store) -> None:
    store.set_ladder(HOME, [Level(1, "知る"), Level(2, "つながる")])
    store.set_rules(HOME, Rules(prices=(PriceRule(yen_per_hour=200),)))
    made = store.add_partner(HOME, PARTNER, "office", NOW)
    assert made.membership is not None
    assert made.membership.level == 1
    [step] = made.steps
    assert step.taken_at is not None
    assert (step.city_by, step.party_by) == ("office", f"agreement:{made.agreements[0].agreement_id}")
    assert made.agreements[0].seats == 3
    [contact] = made.staff
    assert contact.mail == "partner@example.jp"
    held = store.holding(HOME, contact.person_id, date(2026, 6, 1), NOW)
    assert held.holder.user_class == "partner"
    assert store.rules(HOME).prices[0] == PriceRule(user_class="partner", yen_per_hour=0)
    with pytest.raises(NotPossible):
        store.add_partner(HOME, PARTNER, "office", NOW)
    assert len(store.people(HOME)) == 1


def test_the_level_is_one_of_the_ladder_and_the_days_are_in_order(store: Store) -> None:
    with pytest.raises(NotPossible):
        store.add_partner(HOME, PARTNER, "office", NOW)
    wrong = NewPartner("x", 0, date(2026, 4, 2), date(2026, 4, 1), None, "a@b.example", "", across_sea=False)
    with pytest.raises(NotPossible):
        store.add_partner(HOME, wrong, "office", NOW)
    assert store.organisations(HOME) == []


def test_search_finds_parts_of_names_and_no_wild_cards(store: Store) -> None:
    store.add_organisation(HOME, "福岡100%システム", NOW)
    store.add_organisation(HOME, "壱岐漁協", NOW, sector="水産")
    store.register_person(HOME, "参加者1", NOW, mail="p@iki.example")
    assert [one.organisation.name for one in store.directory(HOME, "水産", NOW).organisations] == ["壱岐漁協"]
    assert [one.organisation.name for one in store.directory(HOME, "%", NOW).organisations] == ["福岡100%システム"]
    assert store.directory(HOME, "iki.ex", NOW).people_in_all == 1
    assert store.directory(HOME, "", NOW).organisations_in_all == 2


def test_who_leaves_has_no_benefit_no_role_and_no_login(store: Store) -> None:
    store.set_ladder(HOME, [Level(1, "知る")])
    made = store.add_partner(HOME, PARTNER, "office", NOW)
    person_id, house_id = made.staff[0].person_id, made.organisation.organisation_id
    store.grant(HOME, person_id, "partner_staff", NOW)
    store.leave_organisation(HOME, person_id, house_id)
    assert store.holding(HOME, person_id, date(2026, 6, 1), NOW).holder.user_class == "citizen"
    assert store.grants(HOME, person_id) == []
    with pytest.raises(NotFound):
        store.leave_organisation(HOME, person_id, house_id)


async def test_a_file_is_shown_before_anything_is_taken(web: Web) -> None:
    towns = Towns(web)
    rows = ["name,mail,language,organisation", "参加者1,a@iki.example,ja,", "参加者2,n@iki.example,ja,団体"]
    rows.append("参加者3,x,,")
    text = "\n".join(rows)
    async with towns.office() as office:
        answer = await office.post(f"{towns.here}/people.csv/preview", content=text.encode())
        shown = answer.json()
        assert [bool(one["problem"]) for one in shown] == [True, False, True]
        assert shown[1]["new_house"]
        assert len(web.store.people(towns.iki.municipality_id)) == 1


async def test_another_town_s_partner_is_not_there(web: Web) -> None:
    towns = Towns(web)
    form = {"name": "会社", "starts_on": "2026-04-01", "mail": "c@iki.example"}
    async with towns.office() as office, towns.office("fukuoka-office") as other:
        made = (await office.post(f"{towns.here}/partners", json=form)).json()
        house_id = made["organisation"]["organisation_id"]
        there = f"/api/municipalities/{towns.fukuoka.municipality_id}"
        assert (await office.get(f"{towns.here}/organisations/{house_id}")).status_code == 200
        assert (await other.get(f"{there}/organisations/{house_id}")).status_code == 404
        across = await other.put(f"{there}/organisations/{house_id}/across", json={"across_sea": True})
        assert across.status_code == 404
        assert (await other.get(f"{there}/people/{made['staff'][0]['person_id']}/all")).status_code == 404
        assert (await other.get(f"{there}/directory")).json()["organisations"] == []


@given(st.lists(st.integers(-1, 9), max_size=10))
def test_everybody_stands_in_the_tree_once_below_who_brought_them(referrers: list[int]) -> None:
    members = tuple(
        GroupMember("g", str(number), "", "member", str(by) if 0 <= by < number else None, float(number))
        for number, by in enumerate(referrers)
    )
    found = tree(members)
    assert sorted(one.person_id for _, one in found) == sorted(one.person_id for one in members)
    depth = {one.person_id: at for at, one in found}
    for one in members:
        assert depth[one.person_id] == (depth[one.referrer_id] + 1 if one.referrer_id else 0)
