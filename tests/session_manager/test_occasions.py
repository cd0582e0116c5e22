"""The table of what is owed: every way of a booking is in it, and every letter it names has words."""

from __future__ import annotations

import pytest

from session_manager.booking import MOVES
from session_manager.letter_texts import BOOKING_TEXTS
from session_manager.occasions import OCCASIONS, SILENT, last_per_reader, owed


def test_every_letter_that_is_owed_has_words() -> None:
    assert {one.template for row in OCCASIONS for one in row.owes} <= set(BOOKING_TEXTS)


@pytest.mark.parametrize(("before", "event", "after"), [(one, event, to) for (one, event), to in MOVES.items()])
def test_every_way_of_a_booking_is_told_to_its_holder_or_known_to_need_no_letter(
    before: str, event: str, after: str
) -> None:
    told = {one.reader for one in owed(event, before, after)}
    wanted_again = before == "wanted" and event in {"expire", "cancel"}
    assert ("holder" in told) != (event in SILENT or wanted_again)


def test_whoever_was_invited_hears_that_it_is_off_and_whoever_was_not_does_not() -> None:
    assert {one.reader for one in owed("cancel", "confirmed", "cancelled")} == {"holder", "guests"}
    assert {one.reader for one in owed("cancel", "offered", "cancelled")} == {"holder"}
    assert {one.reader for one in owed("decline", "requested", "declined")} == {"holder"}


def test_of_several_events_at_once_the_last_that_owes_something_is_told() -> None:
    found = last_per_reader([owed("changed", "", "confirmed"), owed("boats_stopped", "", "confirmed"), ()])
    assert {(one.reader, one.template) for one in found} == {("holder", "boats_stopped"), ("guests", "boats_stopped")}


def test_a_name_that_nobody_wrote_down_owes_nothing() -> None:
    assert owed("painted_blue", "confirmed", "confirmed") == ()
