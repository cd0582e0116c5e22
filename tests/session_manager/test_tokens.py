"""Join tokens: whole or worthless."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.errors import StartFailed
from session_manager.tokens import MAX_CHARACTERS, SECRET_FILE, Bad, Claims, Expired, issue, load_secret, verify

SECRET = bytes(range(32))
NOW = 1_780_000_000.0
CLAIMS = Claims("session", "seat", "participant", NOW + 120)
TOKEN = issue(SECRET, CLAIMS)

identifiers = st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=1, max_size=16)


@given(identifiers, identifiers, st.sampled_from(["board", "participant"]), st.floats(0, 4e9))
def test_what_was_signed_is_what_comes_back(session_id: str, seat_id: str, role: str, expires_at: float) -> None:
    claims = Claims(session_id, seat_id, role, expires_at)
    token = issue(SECRET, claims)
    assert verify(SECRET, token, expires_at - 1) == claims
    assert verify(SECRET, token, expires_at) == Expired(expires_at)
    assert len(token) < MAX_CHARACTERS


@given(st.integers(0, len(TOKEN) - 1), st.characters(codec="ascii"))
def test_one_other_character_anywhere_makes_it_worthless(at: int, letter: str) -> None:
    changed = TOKEN[:at] + letter + TOKEN[at + 1 :]
    assert verify(SECRET, changed, NOW) == (CLAIMS if changed == TOKEN else Bad())


@given(st.text())
def test_no_text_makes_it_raise(text: str) -> None:
    assert verify(SECRET, text, NOW) == Bad()
    assert verify(SECRET, f"{text}.{TOKEN}", NOW) == Bad()
    assert verify(SECRET, f"{TOKEN}{text}", NOW) == (CLAIMS if not text else Bad())


def test_another_secret_or_purpose_or_a_very_long_text_is_nothing() -> None:
    assert verify(bytes(32), TOKEN, NOW) == Bad()
    assert verify(SECRET, issue(SECRET, CLAIMS, audience="something else"), NOW) == Bad()
    assert verify(SECRET, "x" * 1_000_000, NOW) == Bad()


def test_claims_of_another_shape_are_bad_even_when_signed() -> None:
    odd = issue(SECRET, replace(CLAIMS, role="r"))
    assert verify(SECRET, odd, NOW) == replace(CLAIMS, role="r")
    for version in ("s0", "s2", ""):
        body = f"{version}.{TOKEN.split('.')[1]}"
        assert verify(SECRET, f"{body}.{TOKEN.split('.')[2]}", NOW) == Bad()


def test_the_secret_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: load_secret(folder), range(16)))
    assert len(made) == 1
    assert stat.S_IMODE((folder / SECRET_FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [SECRET_FILE]


def test_a_damaged_secret_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / SECRET_FILE).write_bytes(b"short")
    with pytest.raises(StartFailed, match="damaged"):
        load_secret(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StartFailed, match="folder"):
        load_secret(tmp_path / "file")
