"""Who gets a place: never more than there are, nobody is forgotten, the order is the one that was promised."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from session_manager.enrolment import Applicant, Selection, line, settled

STATES = st.sampled_from(["applied", "placed", "waiting", "declined", "withdrawn"])
APPLICANTS = st.lists(STATES, max_size=20).map(
    lambda states: [Applicant(f"p{at}", state, at) for at, state in enumerate(states)]  # type: ignore[arg-type]
)
SELECTIONS = st.sampled_from(["order", "lot", "hand"])


@given(SELECTIONS, st.text(max_size=4), st.integers(1, 12), APPLICANTS, st.booleans())
def test_no_more_places_are_given_than_there_are_and_none_is_taken_back(
    selection: Selection, seed: str, capacity: int, applicants: list[Applicant], drawn: bool
) -> None:
    moves = settled(selection, seed, capacity, applicants, drawn=drawn)
    before = {one.person_id: one.state for one in applicants}
    assert len({move.person_id for move in moves}) == len(moves)
    assert all(before[move.person_id] in {"applied", "waiting"} and move.to != before[move.person_id] for move in moves)
    placed = sum(state == "placed" for state in before.values())
    new = sum(move.to == "placed" for move in moves)
    assert new <= max(0, capacity - placed)
    if selection == "order" or (selection == "lot" and drawn):
        open_ones = sum(state in {"applied", "waiting"} for state in before.values())
        assert new == min(open_ones, max(0, capacity - placed))
        after = before | {move.person_id: move.to for move in moves}
        assert "applied" not in after.values()
    else:
        assert moves == []


@given(st.text(max_size=4), st.integers(1, 12), APPLICANTS)
def test_whoever_comes_first_in_line_has_a_place_before_whoever_comes_later(
    seed: str, capacity: int, applicants: list[Applicant]
) -> None:
    for selection in ("order", "lot"):
        given_places = {
            one.person_id for one in settled(selection, seed, capacity, applicants, drawn=True) if one.to == "placed"
        }
        waiting = [one for one in applicants if one.state in {"applied", "waiting"}]
        in_line = [one.person_id for one in line(selection, seed, waiting)]
        assert set(in_line[: len(given_places)]) == given_places


def test_when_somebody_declines_the_next_moves_up() -> None:
    three = [Applicant("a", "placed", 0), Applicant("b", "waiting", 1), Applicant("c", "waiting", 2)]
    assert settled("order", "", 1, three, drawn=False) == []
    gone = [Applicant("a", "declined", 0), *three[1:]]
    assert [(one.person_id, one.to) for one in settled("order", "", 1, gone, drawn=False)] == [("b", "placed")]


def test_a_lot_can_be_checked_by_anybody_who_knows_its_seed() -> None:
    many = [Applicant(name, "applied", at) for at, name in enumerate("abcdefgh")]
    assert line("lot", "2027", many) == line("lot", "2027", many[::-1])
    assert line("lot", "2027", many) != line("lot", "2028", many)
