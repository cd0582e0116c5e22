"""Repair in the store: marks, revisions in one transaction, what boards hold, and when a session is complete."""

from __future__ import annotations

from dataclasses import replace

from session_manager.records import Spool, Stream
from session_manager.repair import GIVE_UP_S, RETRACTED, Heard, Samples
from session_manager.store import Committed, Store
from tests.session_manager.hall import NOW, Hall

S = 48_000


def say(hall: Hall, stream: Stream, start_s: int, end_s: int, text: str, suppressed: str | None = None) -> str:
    said = hall.store.commit_line(
        stream.track_id, stream.epoch, start_s * S, end_s * S, text, "ja", 0.9, suppressed, None, end_s * S, NOW
    )
    assert isinstance(said, Committed)
    return said.line.line_id


def heard(start_s: int, end_s: int, text: str, suppressed: str | None = None) -> Heard:
    return Heard(start_s * S, end_s * S, text, "ja", 0.8, suppressed)


def mend(hall: Hall, stream: Stream, region: tuple[int, int], *said: Heard, taken: tuple[int, ...] = ()) -> list[str]:
    where = Samples(region[0] * S, region[1] * S)
    return [
        one.line.text
        for one in hall.store.repair(stream.track_id, stream.epoch, where, said, taken, NOW + 10)
        if one.event_number is not None
    ]


def texts(store: Store, hall: Hall) -> list[tuple[str, int, bool]]:
    return [(one.text, one.revision, one.repaired) for one in store.lines(hall.session_id)]


def test_lines_change_are_taken_back_and_come_with_their_events_in_one_step(hall: Hall) -> None:
    stream = hall.stream()
    say(hall, stream, 1, 3, "はじめ")
    say(hall, stream, 10, 12, "とち")
    gone = say(hall, stream, 14, 15, "ん")
    say(hall, stream, 30, 32, "おわり")
    before = hall.store.last_event(hall.session_id)
    mend(hall, stream, (5, 25), heard(10, 13, "とちゅうです"), heard(17, 19, "つづき"))
    assert texts(hall.store, hall) == [
        ("はじめ", 1, False),
        ("とちゅうです", 2, True),
        ("つづき", 1, True),
        ("おわり", 1, False),
    ]
    told = [one.data for one in hall.store.events(hall.session_id, before, 10)]
    assert [(one["text"], one["revision"], one["repaired"]) for one in told] == [
        ("とちゅうです", 2, True),
        ("", 2, True),
        ("つづき", 1, True),
    ]
    assert [one.suppressed for one in hall.store.revisions(gone)] == [None, RETRACTED]
    assert gone not in {one.line_id for one in hall.store.lines(hall.session_id, include_suppressed=True)}
    assert hall.store.stream(stream.track_id, stream.epoch).watermark_sample == 32 * S


def test_doing_it_again_tells_nobody_anything(hall: Hall) -> None:
    stream = hall.stream()
    say(hall, stream, 10, 12, "とち")
    said = (heard(10, 13, "とちゅうです"), heard(14, 15, "ん", "no_speech"))
    assert mend(hall, stream, (5, 25), *said) == ["とちゅうです"]
    assert mend(hall, stream, (5, 25), *said) == []
    assert hall.store.stream(stream.track_id, stream.epoch).watermark_sample == 25 * S


def test_text_that_was_not_believed_before_appears_and_the_other_way_round(hall: Hall) -> None:
    stream = hall.stream()
    say(hall, stream, 10, 12, "ん", "no_speech")
    say(hall, stream, 20, 22, "ご視聴ありがとうございました")
    told = mend(hall, stream, (5, 25), heard(10, 12, "はい"), heard(20, 22, "ご視聴ありがとうございました", "phrase"))
    assert told == ["はい", "ご視聴ありがとうございました"]
    assert [one[0] for one in texts(hall.store, hall)] == ["はい"]


def test_marks_stay_until_what_was_heard_there_is_stored(hall: Hall) -> None:
    stream = hall.stream()
    key = (stream.track_id, stream.epoch)
    hall.store.touch(*key, [(10 * S, 20 * S), (100 * S, 110 * S)])
    taken = tuple(mark.touched_id for mark in hall.store.touched(*key))
    hall.store.touch(*key, [(12 * S, 13 * S)])  # more came while the rest was being heard
    assert [one.track_id for one in hall.store.touched_streams()] == [stream.track_id]
    mend(hall, stream, (5, 15), taken=taken)
    marks = [(mark.start_sample // S, mark.end_sample // S) for mark in hall.store.touched(*key)]
    assert marks == [(12, 13), (15, 20), (100, 110)]
    mend(hall, stream, (5, 120), taken=taken)
    assert [(mark.start_sample // S, mark.end_sample // S) for mark in hall.store.touched(*key)] == [(12, 13)]


def test_a_board_reaches_only_streams_of_its_own_seat(hall: Hall) -> None:
    here, there = (board.board_id for board in hall.boards)
    stream = hall.store.spool_stream(here, hall.session_id, "mic", 7, NOW)
    assert stream is not None
    assert hall.store.spool_stream(here, hall.session_id, "mic", 7, NOW + 5) == stream
    assert hall.store.board_stream(here, hall.session_id, "mic", 7) == stream
    assert hall.store.board_stream(there, hall.session_id, "mic", 7) is None
    assert hall.store.board_stream(here, hall.session_id, "mic", 8) is None
    other = hall.plan([])
    assert hall.store.spool_stream(here, other.session_id, "mic", 7, NOW) is None
    assert hall.store.spool_stream(here, "nowhere", "mic", 7, NOW) is None


def test_an_epoch_that_comes_after_a_later_one_and_after_the_end_has_its_stream(hall: Hall) -> None:
    live = hall.stream(epoch=5)
    end(hall)
    late = hall.store.spool_stream(hall.boards[0].board_id, hall.session_id, "mic", 3, NOW)
    assert late is not None
    assert (late.track_id, late.epoch) == (live.track_id, 3)


def end(hall: Hall) -> None:
    for before, after in (("planned", "live"), ("live", "ending"), ("ending", "ended")):
        hall.store.set_state(hall.session_id, before, after, NOW)  # type: ignore[arg-type]


def test_a_session_is_complete_when_every_board_has_brought_everything(hall: Hall) -> None:
    store = hall.store
    spools = []
    for number in range(2):
        stream = hall.stream(number)
        store.note_end(stream.track_id, stream.epoch, 10 * S)
        store.set_decided(stream.track_id, stream.epoch)
        spools.append(Spool(stream.track_id, stream.epoch, 0, 500, 10 * S, True, 0.0, NOW))
    assert not store.complete_if_so(hall.session_id, NOW)
    end(hall)
    assert store.incomplete_sessions() == [hall.session_id]
    store.note_spool(spools[0])
    assert not store.complete_if_so(hall.session_id, NOW)
    store.note_spool(replace(spools[1], coming_s=2.5))
    assert [(one.site_name, one.seconds) for one in store.coming(hall.session_id)] == [("福岡", 2.5)]
    assert not store.complete_if_so(hall.session_id, NOW)
    store.note_spool(spools[1])
    assert store.complete_if_so(hall.session_id, NOW + 1)
    assert store.session(hall.session_id).completed_at == NOW + 1
    assert store.incomplete_sessions() == []
    store.touch(spools[0].track_id, spools[0].epoch, [(0, S)])
    assert store.session(hall.session_id).completed_at is None


def test_what_a_board_said_last_is_kept_whole(hall: Hall) -> None:
    stream = hall.stream()
    spool = Spool(stream.track_id, stream.epoch, 0, 500, 10 * S, False, 8.0, NOW, ((10, 20), (40, 41)))
    hall.store.note_spool(spool)
    assert hall.store.spool(stream.track_id, stream.epoch) == spool
    hall.store.note_spool(replace(spool, missing=()))
    assert hall.store.spools(hall.session_id) == [replace(spool, missing=())]


def test_a_board_that_never_comes_back_is_waited_for_seven_days(hall: Hall) -> None:
    stream = hall.stream()
    spool = Spool(stream.track_id, stream.epoch, 0, 500, 10 * S, False, 8.0, NOW)
    hall.store.note_spool(spool)
    end(hall)
    assert not hall.store.complete_if_so(hall.session_id, NOW + GIVE_UP_S - 1)
    assert hall.store.complete_if_so(hall.session_id, NOW + GIVE_UP_S)
    assert hall.store.coming(hall.session_id) == []
