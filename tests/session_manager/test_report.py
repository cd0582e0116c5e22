"""What becomes public: nothing without its speaker's yes, nothing of who said less, no name of a closed circle."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from session_manager.report import Circle, Item, as_text, named_in, paragraphs, publishable, unnamed

NAMES = {"p1": "山田 花子", "p2": "佐藤", "p3": "Ｓｍｉｔｈ John", "p4": "山田 太郎"}
PEOPLE = st.sampled_from([*NAMES, None])
ITEMS = st.lists(
    st.builds(
        Item,
        st.uuids().map(str),
        st.sampled_from(["question", "action", "quote"]),
        st.lists(
            st.sampled_from(["港を", "開く", " ", "佐藤さんと", "山田太郎が", "SMITH", "smith ", "花子"]), max_size=6
        ).map("".join),
        PEOPLE,
        st.booleans(),
        st.sampled_from([None, "2027-03-10"]),
    ),
    max_size=8,
    unique_by=lambda item: item.item_id,
)
CIRCLES = st.builds(Circle, st.just(NAMES), st.frozensets(st.sampled_from(list(NAMES))), st.booleans())


@given(ITEMS, CIRCLES, st.sampled_from(["ja", "en"]))
def test_nothing_appears_without_the_yes_of_its_speaker(items: list[Item], circle: Circle, language: str) -> None:
    shown = paragraphs(items, circle, language=language)
    by_id = {one.item_id: one for one in items}
    for one in shown:
        item = by_id[one.item_id]
        assert item.yes
        assert item.person_id in circle.cleared
    assert {one.item_id for one in shown} == {one.item_id for one in items if publishable(one, circle)}


@given(ITEMS, CIRCLES, st.sampled_from(["ja", "en"]))
def test_no_name_of_who_did_not_agree_is_read_anywhere(items: list[Item], circle: Circle, language: str) -> None:
    text = as_text("", "", paragraphs(items, circle, language=language))
    plain = unicodedata.normalize("NFKC", text).casefold()
    assert named_in(text, circle) == []
    hidden = NAMES.values() if circle.closed else [name for one, name in NAMES.items() if one not in circle.cleared]
    shown = set() if circle.closed else {NAMES[one] for one in circle.cleared}
    for name in hidden:
        if name not in shown:
            assert unicodedata.normalize("NFKC", name).casefold() not in plain


@given(ITEMS, CIRCLES)
def test_a_yes_taken_back_is_gone_at_the_next_look(items: list[Item], circle: Circle) -> None:
    for taken in items:
        rest = [one if one != taken else Item(**{**_values(one), "yes": False}) for one in items]
        assert taken.item_id not in {one.item_id for one in paragraphs(rest, circle)}


@given(ITEMS, CIRCLES)
def test_what_the_facilitator_leaves_out_is_left_out(items: list[Item], circle: Circle) -> None:
    left_out = {one.item_id for one in items[::2]}
    assert not left_out & {one.item_id for one in paragraphs(items, circle, left_out)}


def test_in_a_closed_circle_words_stay_and_names_go() -> None:
    item = Item("i", "action", "佐藤さんが港の案内をつくる", "p2", True, "2027-03-10")
    [open_one] = paragraphs([item], Circle(NAMES, frozenset({"p2"})))
    assert (open_one.words, open_one.name, open_one.due_on) == (item.words, "佐藤", "2027-03-10")
    [closed] = paragraphs([item], Circle(NAMES, frozenset({"p2"}), closed=True))
    assert (closed.words, closed.name) == ("参加者さんが港の案内をつくる", "")


def test_a_name_that_somebody_cleared_bears_too_stays() -> None:
    two = {"a": "佐藤", "b": "佐藤"}
    assert unnamed("佐藤さん", Circle(two, frozenset({"a"}))) == "佐藤さん"
    assert unnamed("ＳＭＩＴＨ", Circle(NAMES, frozenset()), "en") == "a participant"


def _values(item: Item) -> dict[str, object]:
    return {name: getattr(item, name) for name in Item.__dataclass_fields__}
