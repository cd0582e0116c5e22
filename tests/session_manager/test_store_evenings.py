"""Evenings in the store: the question, the tables, the door, the harvest and what becomes public of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from session_manager.consent import Level
from session_manager.errors import NotFound, NotPossible
from session_manager.evening_records import NewItem, SeatedTable
from session_manager.store import Store
from tests.session_manager.lab import Lab

LINK = "https://hub.example"
DAY = 86_400


@pytest.fixture
def lab(store: Store) -> Lab:
    return Lab(store)


def item(lab: Lab, words: str, number: int | None, *, kind: str = "quote", yes: bool = True) -> str:
    person = None if number is None else lab.people[number]
    made = lab.store.add_item(lab.date().booking_id, NewItem(kind, words, person, None, yes), "t", lab.begins() + 60)  # type: ignore[arg-type]
    return made.item_id


def over(lab: Lab) -> float:
    return float(lab.begins() + 3 * 3600)


def published(lab: Lab) -> list[str]:
    lab.store.publish_report(lab.date().booking_id, LINK, "t", over(lab))
    [report] = lab.store.public_reports()
    return [f"{one.words}/{one.name}" for one in report.paragraphs]


def test_a_question_is_checked_by_two_others_and_anew_when_it_changes(lab: Lab) -> None:
    evening, (_, owner, first, second, *_) = lab.date().booking_id, lab.people
    asked = lab.store.set_question(evening, "港はだれのものか", "船が減る", "昔は三便", owner)
    assert (asked.version, asked.checked) == (1, False)
    with pytest.raises(NotPossible, match="their own question"):
        lab.store.check_question(evening, owner, 1, 0)
    lab.store.check_question(evening, first, 1, 0)
    assert not lab.store.check_question(evening, first, 1, 0).checked
    assert lab.store.check_question(evening, second, 1, 0).checked
    assert lab.store.set_question(evening, "港はだれのものか", "船が減る", "昔は三便", owner).checked
    assert not lab.store.set_question(evening, "港はいつ開くか", "", "", owner).checked
    with pytest.raises(NotPossible, match="changed meanwhile"):
        lab.store.check_question(evening, first, 1, 0)


def test_tables_are_proposed_of_who_is_here_and_moved_by_hand(lab: Lab) -> None:
    evening = lab.date().booking_id
    before = lab.store.propose_tables(evening, 3, "a", [lab.people[5]])
    assert sorted(name for table in before for name in table.people) == sorted(lab.people)
    assert [lab.people[5] in table.people for table in before] == [table.board for table in before] == [True, False]
    lab.come(0, 1, 2, 3)
    here = lab.store.propose_tables(evening, 2, "a")
    assert sorted(name for table in here for name in table.people) == sorted(lab.people[:4])
    moved = [SeatedTable((*here[0].people, here[1].people[0]), False), SeatedTable(here[1].people[1:], False)]
    lab.store.set_tables(evening, moved)
    assert lab.store.evening(evening).tables == tuple(moved)
    for wrong in ([moved[0], moved[0]], [SeatedTable(("nobody",), False)]):
        with pytest.raises(NotPossible):
            lab.store.set_tables(evening, wrong)


def test_the_next_evening_knows_who_is_new_and_who_sat_together(lab: Lab) -> None:
    lab.come(0, 1, 2, 3)
    first = lab.store.propose_tables(lab.date().booking_id, 2, "a")
    guests = {one.person_id: one.new for one in lab.store.evening(lab.date(1).booking_id).guests}
    assert [guests[one] for one in lab.people] == [False] * 4 + [True] * 2
    lab.come(0, 1, 2, 3, position=1)
    second = lab.store.propose_tables(lab.date(1).booking_id, 2, "a")
    assert not {frozenset(table.people) for table in first} & {frozenset(table.people) for table in second}


def test_the_room_keeps_the_least_that_anybody_present_agreed_to(lab: Lab) -> None:
    evening = lab.date().booking_id
    assert lab.store.room_consent(evening).level == Level.TURNS
    lab.come(1, 2)
    assert (lab.store.room_consent(evening).level, lab.store.room_consent(evening).present) == (Level.TURNS, 2)
    lab.come(3, level=1)
    assert lab.store.room_consent(evening).level == Level.PRESENCE
    lab.come(3, level=2)
    assert lab.store.room_consent(evening).level == Level.TURNS
    lab.come(4, level=0)
    assert lab.store.go_out(evening, lab.people[4], lab.begins()).level == Level.TURNS
    session = str(lab.date().session_id)
    assert [one.level for one in lab.store.own_words(session, lab.people[3])] == [Level.PRESENCE, Level.TURNS]
    with pytest.raises(NotPossible, match="more than the evening proposes"):
        lab.come(1, level=5)
    lab.store.not_here(evening, lab.people[3])
    assert lab.store.own_words(session, lab.people[3]) == []


def test_the_door_opens_two_hours_before_and_only_for_the_group(lab: Lab) -> None:
    values = (lab.people[1], "in_person", Level.TURNS, False, "t")
    evening = lab.date().booking_id
    for at, sentence in ((lab.begins() - 7201, "not open yet"), (lab.begins() + 5 * 3600, "over")):
        with pytest.raises(NotPossible, match=sentence):
            lab.store.come_in(evening, *values, at)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        lab.store.come_in(evening, "nobody", "in_person", Level.TURNS, False, "t", lab.begins())


def test_who_wishes_to_be_counted_only_is_a_number_afterwards(lab: Lab) -> None:
    lab.come(1, 2)
    lab.come(3, level=0)
    session = str(lab.date().session_id)
    assert lab.store.forget_nameless(over(lab)) == 0
    for before, after in (("planned", "live"), ("live", "ending"), ("ending", "ended")):
        lab.store.set_state(session, before, after, lab.begins())  # type: ignore[arg-type]
    assert lab.store.forget_nameless(over(lab)) == 1
    assert lab.store.forget_nameless(over(lab)) == 0
    [counted] = lab.store.series_attendance(lab.series.series_id)
    assert (counted.in_person, counted.nameless) == (3, 1)
    with lab.store._database.read() as connection:
        for table in ("attendances", "consents"):
            found = connection.execute(
                text(f"select count(*) from {table} where person_id = :who"), {"who": lab.people[3]}
            )
            assert found.scalar_one() == 0


def test_only_what_its_speaker_agreed_to_is_public(lab: Lab) -> None:
    lab.come(1, 2, 3)
    lab.come(4, level=1)
    lab.come(5, listens=True)
    item(lab, "港に灯りを", 1)
    item(lab, "まだ言えない", 2, yes=False)
    item(lab, "参加者4がつくる", 3, kind="action")
    item(lab, "わたしの話", 4)
    item(lab, "聞いていただけ", 5)
    item(lab, "だれかの声", None)
    assert published(lab) == ["参加者がつくる/参加者3", "港に灯りを/参加者1"]
    assert lab.store.evening_report(lab.date().booking_id, over(lab)).held_back == 4


@pytest.mark.parametrize(
    "take_back",
    [
        lambda lab, one: lab.store.answer_item(lab.date().booking_id, one, False, "t", 0),
        lambda lab, one: lab.store.reword_item(lab.date().booking_id, one, "ちがう言葉"),
        lambda lab, one: lab.store.drop_item(lab.date().booking_id, one),
        lambda lab, one: lab.come(1, level=1),
        lambda lab, one: lab.store.withdraw_report(lab.date().booking_id, 0),
    ],
)
def test_what_is_taken_back_is_gone_from_the_public_page_at_once(
    lab: Lab, take_back: Callable[[Lab, str], object]
) -> None:
    lab.come(1)
    one = item(lab, "港に灯りを", 1)
    assert published(lab) == ["港に灯りを/参加者1"]
    take_back(lab, one)
    assert "港に灯りを" not in str([report.paragraphs for report in lab.store.public_reports()])


@pytest.mark.parametrize(("referral_only", "confidential"), [(True, False), (False, True)])
def test_a_closed_circle_names_nobody(store: Store, referral_only: bool, confidential: bool) -> None:
    lab = Lab(store, referral_only=referral_only, confidential=confidential)
    if confidential:
        with pytest.raises(NotPossible, match="nothing is kept"):
            lab.store.set_level(lab.date().booking_id, Level.TURNS, Level.TURNS)
        lab.come(1, level=0)
        item(lab, "参加者1の秘密", 1)
        assert published(lab) == []
        return
    lab.come(1, 2)
    item(lab, "参加者2と港をひらく", 1)
    assert published(lab) == ["参加者と港をひらく/"]
    with pytest.raises(NotPossible, match="may not be named"):
        lab.store.edit_report(lab.date().booking_id, "参加者1の会", "", [], over(lab))


def test_drafts_come_the_next_morning_and_once_and_the_letters_go_to_whom_they_concern(lab: Lab) -> None:
    lab.come(1)
    item(lab, "港に灯りを", 1)
    evening, midnight = lab.date().booking_id, lab.begins() + 5.5 * 3600
    assert lab.store.draft_reports(LINK, midnight + 6.9 * 3600) == 0
    assert lab.store.draft_reports(LINK, midnight + 7.1 * 3600) == 1
    assert lab.store.draft_reports(LINK, midnight + 8 * 3600) == 0
    mails = lambda start: [one.recipient for one in lab.store.outbox("default") if one.cause.startswith(start)]  # noqa: E731
    assert mails("report:draft") == ["p0@lab.example"]
    lab.store.publish_report(evening, LINK, "t", midnight + 9 * 3600)
    lab.store.publish_report(evening, LINK, "t", midnight + 9 * 3600)
    assert sorted(mails("report:out")) == [f"p{number}@lab.example" for number in range(6)]
    assert lab.store.public_report(lab.store.public_reports()[0].slug).title == "対話の夕べ"


def test_open_actions_are_asked_about_at_the_next_evening(lab: Lab) -> None:
    first = item(lab, "地図をつくる", 1, kind="action")
    item(lab, "声", 1)
    assert [one.words for one in lab.store.evening(lab.date(1).booking_id).open_actions] == ["地図をつくる"]
    assert lab.store.evening(lab.date(0).booking_id).open_actions == ()
    lab.store.finish_item(lab.date().booking_id, first, True, over(lab))
    assert lab.store.evening(lab.date(1).booking_id).open_actions == ()


def test_items_of_another_evening_are_not_found(lab: Lab) -> None:
    one = item(lab, "港に灯りを", 1)
    for change in (
        lambda: lab.store.reword_item(lab.date(1).booking_id, one, "x"),
        lambda: lab.store.drop_item(lab.date(1).booking_id, one),
        lambda: lab.store.answer_item(lab.date(1).booking_id, one, True, "t", 0),
    ):
        with pytest.raises(NotFound):
            change()


def test_nothing_is_reported_before_it_has_begun(lab: Lab) -> None:
    with pytest.raises(NotPossible, match="before the evening has begun"):
        lab.store.publish_report(lab.date().booking_id, LINK, "t", lab.begins() - DAY)
