"""Table plans: everybody once, even sizes, those from afar together, and as mixed as can be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from session_manager.tables import Guest, cost, neighbours, propose, shuffled, sizes

GUESTS = st.lists(
    st.builds(
        Guest,
        st.text("abcdefgh", min_size=1, max_size=3),
        st.sampled_from(["", "観光", "教育", "漁業"]),
        st.sampled_from(["", "役場", "高校"]),
        st.sampled_from(["", "island", "mainland"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=40,
    unique_by=lambda guest: guest.person_id,
)
SEED = st.text(max_size=5)


@given(GUESTS, st.integers(2, 8), SEED)
def test_everybody_sits_once_at_tables_that_differ_by_one_at_most(
    guests: list[Guest], per_table: int, seed: str
) -> None:
    tables = propose(guests, per_table, seed)
    assert sorted(name for table in tables for name in table.people) == sorted(one.person_id for one in guests)
    found = [len(table.people) for table in tables]
    assert found == sizes(len(guests), per_table)
    assert all(0 < size <= per_table for size in found)
    assert not found or max(found) - min(found) <= 1


@given(GUESTS, st.integers(2, 8), SEED)
def test_people_from_afar_sit_together_where_a_board_is(guests: list[Guest], per_table: int, seed: str) -> None:
    tables = propose(guests, per_table, seed)
    remote = {one.person_id for one in guests if one.remote}
    with_remote = [table for table in tables if remote & set(table.people)]
    assert with_remote == [table for table in tables if table.board]
    assert with_remote == tables[: len(with_remote)]
    fewest, seats = 0, 0
    while seats < len(remote):
        seats += len(tables[fewest].people)
        fewest += 1
    assert len(with_remote) == fewest


@given(GUESTS, st.integers(2, 8), SEED)
def test_the_same_seed_gives_the_same_tables_in_whatever_order_people_are_named(
    guests: list[Guest], per_table: int, seed: str
) -> None:
    assert propose(guests, per_table, seed) == propose(guests[::-1], per_table, seed)


@given(GUESTS, st.integers(2, 8), SEED)
def test_the_proposal_mixes_no_worse_than_the_shuffle_it_began_with(
    guests: list[Guest], per_table: int, seed: str
) -> None:
    by_id = {one.person_id: one for one in guests}
    order = shuffled(list(by_id), seed)
    line = [name for name in order if by_id[name].remote] + [name for name in order if not by_id[name].remote]
    begun, at = [], 0
    for size in sizes(len(line), per_table):
        begun.append(line[at : at + size])
        at += size
    assert cost([table.people for table in propose(guests, per_table, seed)], by_id, {}) <= cost(begun, by_id, {})


def test_sectors_houses_and_sides_are_spread() -> None:
    guests = [Guest(f"{side}{n}", f"sector{n}", f"house{n}", side) for side in ("island", "mainland") for n in range(4)]
    for table in propose(guests, 4, "1"):
        sides = [name[:-1] for name in table.people]
        assert sorted(sides) == ["island", "island", "mainland", "mainland"]
        assert len({name[-1] for name in table.people}) == 4


def test_neighbours_of_the_last_evening_sit_apart() -> None:
    guests = [Guest(str(n)) for n in range(9)]
    first = [list(table.people) for table in propose(guests, 3, "first")]
    met = neighbours([first])
    assert sum(met.values()) == 9
    again = [list(table.people) for table in propose(guests, 3, "second", met)]
    assert sum(neighbours([again]).get(pair, 0) for pair in met) == 0


@given(st.lists(st.text(max_size=4), unique=True), SEED)
def test_a_shuffle_loses_nobody_and_does_not_depend_on_the_order_of_asking(names: list[str], seed: str) -> None:
    assert sorted(shuffled(names, seed)) == sorted(names)
    assert shuffled(names, seed) == shuffled(names[::-1], seed)
