"""Accounts, logins and passwords."""

from __future__ import annotations

import pytest

from session_manager.errors import NotFound, NotPossible
from session_manager.passwords import Passwords
from session_manager.store import Store
from tests.session_manager.hall import NOW, PASSWORD, QUICK
from tests.session_manager.kinds import everything


def test_the_right_password_opens_and_a_wrong_one_does_not(store: Store) -> None:
    account = store.add_account("Oda", PASSWORD, "administrator")
    assert store.verify("Oda", PASSWORD) == account
    assert store.verify("Oda", PASSWORD + "!") is None
    assert store.verify("nobody", PASSWORD) is None


@pytest.mark.parametrize("name", ["ODA", " oda ", "ｏｄａ"])
def test_a_name_is_the_same_in_any_case_and_width(store: Store, name: str) -> None:
    store.add_account("Oda", PASSWORD, "staff")
    assert store.account(name) is not None
    with pytest.raises(NotPossible, match="name already"):
        store.add_account(name, PASSWORD, "staff")


def test_a_password_typed_in_full_width_is_the_same(store: Store) -> None:
    store.add_account("Oda", "ｐａｓｓｗｏｒｄ１２３", "staff")
    assert store.verify("Oda", "password123") is not None


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
def test_a_password_that_is_too_short_or_too_long_is_refused(store: Store, password: str) -> None:
    with pytest.raises(NotPossible, match="characters"):
        store.add_account("Oda", password, "staff")


@pytest.mark.parametrize(("name", "role"), [("Oda", "king"), ("  ", "staff")])
def test_an_account_needs_a_name_and_a_known_role(store: Store, name: str, role: str) -> None:
    with pytest.raises(NotPossible):
        store.add_account(name, PASSWORD, role)


def test_an_unknown_name_costs_the_same_work_as_a_known_one() -> None:
    """Counted, not timed: the hasher is asked once in both cases."""
    passwords = Passwords(1, 64, 1)
    stored = passwords.hash(PASSWORD)
    asked: list[str] = []

    class Counting(type(passwords._hasher)):  # type: ignore[misc]
        def verify(self, hash: str, password: str) -> bool:
            asked.append(hash)
            return bool(super().verify(hash, password))

    passwords._hasher = Counting(time_cost=1, memory_cost=64, parallelism=1)
    assert passwords.matches(stored, PASSWORD)
    assert not passwords.matches(None, PASSWORD)
    assert not passwords.matches(None, "the account that does not exist")
    assert len(asked) == 3


def test_a_damaged_hash_matches_nothing() -> None:
    assert not QUICK.matches("not a hash", PASSWORD)


def test_a_new_hasher_is_argon2id_with_the_parameters_of_the_rfc() -> None:
    assert Passwords().hash(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_login_lasts_until_it_expires_or_is_closed(store: Store) -> None:
    account = store.add_account("Oda", PASSWORD, "staff")
    cookie = store.open_login(account.account_id, NOW, 60)
    assert store.login(cookie, NOW + 59) == account
    assert store.login(cookie, NOW + 60) is None
    store.close_login(cookie)
    assert store.login(cookie, NOW) is None


def test_a_new_password_signs_every_browser_out(store: Store) -> None:
    account = store.add_account("Oda", PASSWORD, "staff")
    cookie = store.open_login(account.account_id, NOW, 60)
    store.change_password("oda", "another long one")
    assert store.login(cookie, NOW) is None
    assert store.verify("Oda", PASSWORD) is None
    assert store.verify("Oda", "another long one") == account


def test_what_is_not_there_is_said(store: Store) -> None:
    with pytest.raises(NotFound):
        store.change_password("nobody", PASSWORD)
    with pytest.raises(NotFound):
        store.open_login("nobody", NOW, 60)


def test_no_secret_is_in_the_database(store: Store) -> None:
    account = store.add_account("Oda", PASSWORD, "staff")
    room = store.add_room(store.add_facility("壱岐", "Asia/Tokyo").facility_id, "A")
    session = store.add_session("t", NOW, NOW + 1, "Asia/Tokyo", [])
    seat = store.add_person(session.session_id, "花子", "participant", ["ja"], NOW)
    secrets = [
        PASSWORD,
        store.open_login(account.account_id, NOW, 60),
        store.add_board(room.room_id, "B", NOW).device_token,
        store.add_invitation(session.session_id, "participant", NOW + 60, None).code,
        store.new_seat_key(seat.seat_id, NOW),
        store.open_view(session.session_id, NOW, 60),
    ]
    whole = everything(store)
    assert "花子" in whole
    assert not [secret for secret in secrets if secret in whole]
