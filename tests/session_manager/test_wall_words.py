"""Words that people agreed to for the wall only are gone when the session is over, everywhere."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from session_manager.consent import KEEPS_WORDS_FROM, Level, Stay, Word, wall_only
from session_manager.records import Stream
from session_manager.store import Store
from tests.session_manager.lab import Lab

TIMES = st.integers(0, 20).map(float)
WORDS = st.builds(Word, st.just("a"), st.sampled_from(Level), st.booleans())
STAYS = st.builds(
    lambda came, stays, said: Stay(
        came, None if stays is None else came + stays, tuple(sorted(said, key=lambda w: w[0]))
    ),
    TIMES,
    st.none() | TIMES,
    st.lists(st.tuples(TIMES, WORDS), min_size=1, max_size=3),
)


@given(st.sampled_from(Level), st.lists(STAYS, max_size=4), TIMES)
def test_a_word_is_kept_exactly_when_everybody_there_allows_it_then(
    agreed: Level, stays: list[Stay], at: float
) -> None:
    spans = wall_only(agreed, stays)
    there = [word for stay in stays if (word := stay.word_at(at)) is not None]
    least = min([agreed, *(word.allows for word in there)])
    assert any(since <= at < until for since, until in spans) == (bool(there) and least < KEEPS_WORDS_FROM)


def test_nobody_promised_anything_so_nothing_is_taken() -> None:
    assert wall_only(Level.CAPTIONS, []) == []
    assert wall_only(Level.CAPTIONS, [Stay(5.0, None, ((5.0, Word("a", Level.CAPTIONS)),))]) == [(5.0, math.inf)]


def said(lab: Lab, words: list[tuple[float, str]]) -> str:
    """`words`: seconds after the beginning, and what was said then; the session is over afterwards."""
    session, begins = str(lab.date().session_id), float(lab.begins())
    store = lab.store
    store.set_state(session, "planned", "live", begins)
    seat = store.add_person(session, "壱岐", "participant", ["ja"], begins)
    stream = store.open_stream(session, seat, "mic", "audio", "person_mic", None, begins)
    assert isinstance(stream, Stream)
    store.set_origin(stream.track_id, stream.epoch, begins)
    for at, words_then in words:
        values = (int(at * 48_000), int(at * 48_000) + 48_000, words_then, "ja", 0.9, None, None, 0)
        store.commit_line(stream.track_id, stream.epoch, *values, begins + at + 1)
    for before, after in (("live", "ending"), ("ending", "ended")):
        store.set_state(session, before, after, begins + 3600)  # type: ignore[arg-type]
    return session


def anywhere(store: Store, words: str) -> bool:
    """In any column of lines or events."""
    with store._database.read() as connection:
        rows = [*connection.execute(text("select * from lines")), *connection.execute(text("select * from events"))]
    return any(words in json.dumps([str(one) for one in row], ensure_ascii=False) for row in rows)


def test_words_for_the_wall_are_gone_after_the_end_and_the_others_stay(store: Store) -> None:
    lab = Lab(store)
    store.set_level(lab.date().booking_id, Level.TRANSCRIPT, Level.TURNS)
    lab.come(1, level=Level.TRANSCRIPT)
    values = (lab.people[2], "in_person", Level.CAPTIONS, False, "t", lab.begins() + 100)
    store.come_in(lab.date().booking_id, *values)  # type: ignore[arg-type]
    store.go_out(lab.date().booking_id, lab.people[2], lab.begins() + 200)
    session = said(lab, [(10, "みんなに残す"), (150, "壁にだけ出す"), (300, "また残す")])
    assert anywhere(store, "壁にだけ出す")
    assert store.forget_wall_words(lab.begins() + 3601) == 1
    assert not anywhere(store, "壁にだけ出す")
    assert [one.text for one in store.lines(session)] == ["みんなに残す", "また残す"]
    assert [one.suppressed for one in store.lines(session, include_suppressed=True)] == [None, "consent", None]
    assert store.forget_wall_words(lab.begins() + 3602) == 0


def test_while_it_goes_on_the_words_are_there(store: Store) -> None:
    lab = Lab(store)
    lab.come(1)
    store.set_state(str(lab.date().session_id), "planned", "live", lab.begins())
    assert store.forget_wall_words(lab.begins() + 60) == 0
