"""Places, sessions, seats and invitations."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from session_manager.errors import NotFound, NotPossible
from session_manager.records import SessionState
from session_manager.store import EARLY_S, NewSite, Store
from tests.session_manager.hall import NOW, Hall


def test_a_board_is_known_by_its_token_and_was_seen_then(hall: Hall) -> None:
    board = hall.store.board_by_token(hall.device_tokens[0], NOW + 5)
    assert board is not None
    assert (board.board_id, board.last_seen_at) == (hall.boards[0].board_id, NOW + 5)
    assert hall.store.boards()[0].last_seen_at in {NOW + 5, None}
    assert hall.store.board_by_token("another", NOW) is None


def test_a_device_token_has_256_bits_and_is_never_the_same(hall: Hall) -> None:
    assert len(set(hall.device_tokens)) == 2
    assert all(len(token) == 43 for token in hall.device_tokens)


@pytest.mark.parametrize("zone", ["Asia/Atlantis", "", "../etc/passwd", "/etc/passwd"])
def test_a_time_zone_that_nobody_knows_is_refused(store: Store, zone: str) -> None:
    with pytest.raises(NotPossible, match="time zone"):
        store.add_facility("壱岐", zone)
    with pytest.raises(NotPossible, match="time zone"):
        store.add_session("t", NOW, NOW + 1, zone, [])


def test_what_stands_on_nothing_is_refused(store: Store) -> None:
    with pytest.raises(NotFound, match="facility"):
        store.add_room("none", "A")
    with pytest.raises(NotFound, match="room"):
        store.add_board("none", "B", NOW)
    with pytest.raises(NotFound, match="room"):
        store.add_session("t", NOW, NOW + 1, "Asia/Tokyo", [NewSite("壱岐", "none")])
    assert store.sessions() == []


def test_a_session_ends_after_it_starts_and_has_each_room_once(hall: Hall) -> None:
    with pytest.raises(NotPossible, match="after it starts"):
        hall.store.add_session("t", NOW, NOW, "Asia/Tokyo", [])
    room = hall.boards[0].room_id
    with pytest.raises(NotPossible, match="once"):
        hall.plan([NewSite("壱岐", room), NewSite("もう一つ", room)])
    assert len(hall.store.sessions()) == 1


def test_a_session_keeps_its_sites_in_order_and_a_seat_for_each_board(hall: Hall) -> None:
    session = hall.store.session(hall.session_id)
    assert [(site.name, site.position, site.languages) for site in session.sites] == [
        ("壱岐", 0, ("ja",)),
        ("福岡", 1, ("ja",)),
    ]
    seats = hall.store.seats(hall.session_id)
    assert [(seat.site_id, seat.board_id, seat.role) for seat in seats] == [
        (site.site_id, board.board_id, "board") for site, board in zip(session.sites, hall.boards, strict=True)
    ]


def test_sessions_are_listed_by_start_and_by_state(hall: Hall) -> None:
    early = hall.plan([], starts_at=NOW - 100)
    assert hall.store.sessions() == [early, hall.session]
    hall.store.set_state(early.session_id, "planned", "live", NOW)
    assert [one.session_id for one in hall.store.sessions("live")] == [early.session_id]


def test_states_are_compared_and_swapped_and_stamped(hall: Hall) -> None:
    store = hall.store
    assert store.set_state(hall.session_id, "planned", "live", NOW + 1).started_at == NOW + 1
    with pytest.raises(NotPossible, match="is live, not planned"):
        store.set_state(hall.session_id, "planned", "live", NOW + 2)
    assert store.set_state(hall.session_id, "live", "ending", NOW + 3).ended_at is None
    ended = store.set_state(hall.session_id, "ending", "ended", NOW + 4)
    assert (ended.state, ended.started_at, ended.ended_at) == ("ended", NOW + 1, NOW + 4)


@pytest.mark.parametrize("wanted", ["planned", "live", "ending"])
def test_the_store_knows_no_way_out_of_ended(hall: Hall, wanted: SessionState) -> None:
    with pytest.raises(NotPossible):
        hall.store.set_state(hall.session_id, "ended", wanted, NOW)


def test_of_many_who_start_a_session_one_does(hall: Hall) -> None:
    def start(_: int) -> bool:
        try:
            hall.store.set_state(hall.session_id, "planned", "live", NOW)
        except NotPossible:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(start, range(16))) == 1


@pytest.mark.parametrize(
    ("at", "due"),
    [
        (NOW - EARLY_S - 1, False),
        (NOW - EARLY_S, True),
        (NOW, True),
        (NOW + 7199, True),
        (NOW + 7200, False),
    ],
    ids=["too early", "ten minutes before", "at the start", "just before the end", "at the end"],
)
def test_a_planned_session_is_due_from_ten_minutes_before_until_its_end(hall: Hall, at: float, due: bool) -> None:
    found = hall.store.due_session(hall.boards[0].board_id, at)
    assert (found is not None) == due
    if found is not None:
        assert found == (hall.session, hall.seat(0))


def test_a_live_session_is_due_before_any_other_and_beyond_its_time(hall: Hall) -> None:
    hall.store.set_state(hall.session_id, "planned", "live", NOW)
    hall.plan([NewSite("壱岐", hall.boards[0].room_id)], starts_at=NOW + 8000)
    found = hall.store.due_session(hall.boards[0].board_id, NOW + 8000)
    assert found is not None
    assert found.session.session_id == hall.session_id
    for old, new in (("live", "ending"), ("ending", "ended")):
        hall.store.set_state(hall.session_id, old, new, NOW)  # type: ignore[arg-type]
    found = hall.store.due_session(hall.boards[0].board_id, NOW + 8000)
    assert found is not None
    assert found.session.session_id != hall.session_id


def test_a_board_enrolled_later_gets_one_seat_when_it_calls(hall: Hall) -> None:
    late = hall.store.add_board(hall.boards[0].room_id, "新しいボード", NOW).board
    first = hall.store.due_session(late.board_id, NOW)
    assert first is not None
    assert first.seat.board_id == late.board_id
    assert first.seat.site_id == hall.session.sites[0].site_id
    assert hall.store.due_session(late.board_id, NOW) == first


def test_a_board_of_no_site_has_nothing_due_and_an_unknown_one_is_not_found(hall: Hall) -> None:
    room = hall.store.add_room(hall.store.facilities()[0].facility_id, "別室")
    other = hall.store.add_board(room.room_id, "別のボード", NOW).board
    assert hall.store.due_session(other.board_id, NOW) is None
    with pytest.raises(NotFound):
        hall.store.due_session("none", NOW)


def test_each_person_has_a_site_of_their_own_behind_the_rooms(hall: Hall) -> None:
    seats = [hall.store.add_person(hall.session_id, name, "participant", ["en"], NOW) for name in ("花子", "花子")]
    sites = hall.store.session(hall.session_id).sites
    assert [(site.name, site.room_id, site.position, site.languages) for site in sites[2:]] == [
        ("花子", None, 2, ("en",)),
        ("花子", None, 3, ("en",)),
    ]
    assert [seat.site_id for seat in seats] == [site.site_id for site in sites[2:]]


def test_many_people_join_at_once(hall: Hall) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(
            pool.map(
                lambda n: hall.store.add_person(hall.session_id, f"参加者{n}", "participant", ["ja"], NOW), range(40)
            )
        )
    positions = [site.position for site in hall.store.session(hall.session_id).sites]
    assert positions == list(range(42))


def test_nobody_joins_a_session_that_is_over(hall: Hall) -> None:
    seat = hall.store.add_person(hall.session_id, "花子", "participant", ["ja"], NOW)
    key = hall.store.new_seat_key(seat.seat_id, NOW)
    hall.store.set_state(hall.session_id, "planned", "live", NOW)
    assert hall.store.seat_by_key(key, NOW) == seat
    hall.store.set_state(hall.session_id, "live", "ending", NOW)
    assert hall.store.seat_by_key(key, NOW) is None
    with pytest.raises(NotPossible, match="over"):
        hall.store.add_person(hall.session_id, "太郎", "participant", ["ja"], NOW)


def test_the_newest_seat_key_is_the_only_one(hall: Hall) -> None:
    seat = hall.store.add_person(hall.session_id, "花子", "participant", ["ja"], NOW)
    old, new = (hall.store.new_seat_key(seat.seat_id, NOW) for _ in range(2))
    assert hall.store.seat_by_key(old, NOW) is None
    assert hall.store.seat_by_key(new, NOW) == seat
    with pytest.raises(NotFound):
        hall.store.new_seat_key("none", NOW)


def test_looking_at_an_invitation_does_not_use_it_up(hall: Hall) -> None:
    made = hall.store.add_invitation(hall.session_id, "participant", NOW + 60, 1)
    assert hall.store.look_invitation(made.code, NOW) == made.invitation
    assert hall.store.look_invitation(made.code, NOW) == made.invitation
    used = hall.store.redeem_invitation(made.code, NOW)
    assert used is not None
    assert used.uses_left == 0
    assert hall.store.look_invitation(made.code, NOW) is None


def test_an_invitation_without_a_limit_ends_with_its_time(hall: Hall) -> None:
    made = hall.store.add_invitation(hall.session_id, "observer", NOW + 60, None)
    assert all(hall.store.redeem_invitation(made.code, NOW + 59) == made.invitation for _ in range(3))
    assert hall.store.redeem_invitation(made.code, NOW + 60) is None
    assert hall.store.look_invitation(made.code + "x", NOW) is None


def test_fifty_people_with_one_code_for_one_are_one(hall: Hall) -> None:
    code = hall.store.add_invitation(hall.session_id, "participant", NOW + 60, 1).code
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(lambda _: hall.store.redeem_invitation(code, NOW), range(50)))
    assert sum(one is not None for one in outcomes) == 1


def test_a_view_opens_one_session_for_its_time(hall: Hall) -> None:
    cookie = hall.store.open_view(hall.session_id, NOW, 60)
    assert hall.store.view(cookie, NOW + 59) == hall.session_id
    assert hall.store.view(cookie, NOW + 60) is None
    assert hall.store.view("another", NOW) is None
    with pytest.raises(NotFound):
        hall.store.open_view("none", NOW, 60)


def test_identifiers_are_safe_everywhere(hall: Hall) -> None:
    made = [hall.session_id, *(site.site_id for site in hall.session.sites), *(b.board_id for b in hall.boards)]
    assert all(one.isalnum() and one == one.lower() and len(one) == 16 for one in made)
    assert len(set(made)) == len(made)
