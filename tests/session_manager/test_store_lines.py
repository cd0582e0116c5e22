"""Streams, lines, events, gaps and coverage."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from session_manager.errors import NotFound, NotPossible
from session_manager.records import CoverageSpan, Gap, SpanKind, Stream, TrackCoverage
from session_manager.store import AlreadyThere, Committed, StaleEpoch, WatermarkMoved
from signaling.messages import LineCommitted
from tests.session_manager.hall import NOW, Hall, open_store

Outcome = Committed | AlreadyThere | WatermarkMoved


def said(hall: Hall, stream: Stream, **changes: Any) -> Outcome:
    facts: dict[str, Any] = {
        "start_sample": 0,
        "end_sample": 48_000,
        "text": "こんにちは",
        "language": "ja",
        "confidence": 0.9,
        "suppressed": None,
        "watermark_from": 0,
        "watermark_to": 48_000,
        "now": NOW + 2,
    }
    return hall.store.commit_line(stream.track_id, stream.epoch, **(facts | changes))


def current(hall: Hall, stream: Stream) -> Stream:
    return next(
        one
        for one in hall.store.streams(stream.session_id)
        if (one.track_id, one.epoch) == (stream.track_id, stream.epoch)
    )


# ---- streams ---------------------------------------------------------------------------------------------------------


def test_a_seat_and_a_name_are_one_track_and_each_restart_is_an_epoch(hall: Hall) -> None:
    first, second = hall.stream(), hall.stream(now=NOW + 5)
    other = hall.stream(1)
    assert first.track_id == second.track_id != other.track_id
    assert [first.epoch, second.epoch, other.epoch] == [0, 1, 0]
    assert [one.epoch for one in hall.store.streams(hall.session_id) if one.track_id == first.track_id] == [0, 1]


def test_the_same_epoch_again_goes_on_and_a_lower_one_is_stale(hall: Hall) -> None:
    stream = hall.stream(epoch=7)
    hall.store.set_origin(stream.track_id, 7, NOW + 1)
    hall.store.note_end(stream.track_id, 7, 96_000)
    hall.store.advance_watermark(stream.track_id, 7, 48_000)
    hall.store.close_stream(stream.track_id, 7, NOW + 3, "lost")
    hall.store.set_decided(stream.track_id, 7)
    again = hall.stream(epoch=7, now=NOW + 9)
    assert (again.opened_at, again.origin_at, again.end_sample, again.watermark_sample) == (
        NOW,
        NOW + 1,
        96_000,
        48_000,
    )
    assert (again.closed_at, again.close_cause, again.decided) == (None, None, False)
    stale = hall.store.open_stream(hall.session_id, hall.seat(), "mic", "audio", "room_mic", 6, NOW)
    assert stale == StaleEpoch(stream.track_id, 7)
    assert hall.stream(epoch=None).epoch == 8


def test_a_track_keeps_its_kind(hall: Hall) -> None:
    hall.stream()
    with pytest.raises(NotPossible, match="kind"):
        hall.store.open_stream(hall.session_id, hall.seat(), "mic", "video", "room_cam", None, NOW)


def test_nothing_is_published_in_a_session_that_is_over(hall: Hall) -> None:
    seat = hall.seat()
    hall.store.set_state(hall.session_id, "planned", "live", NOW)
    hall.store.set_state(hall.session_id, "live", "ending", NOW)
    with pytest.raises(NotPossible, match="over"):
        hall.store.open_stream(hall.session_id, seat, "mic", "audio", "room_mic", None, NOW)
    with pytest.raises(NotFound):
        hall.store.open_stream("none", seat, "mic", "audio", "room_mic", None, NOW)


def test_ends_and_watermarks_never_go_back_and_the_first_origin_and_end_stay(hall: Hall) -> None:
    stream = hall.stream()
    key = (stream.track_id, stream.epoch)
    for sample in (100, 50, 300, 299):
        hall.store.note_end(*key, sample)
        hall.store.advance_watermark(*key, sample)
    for at in (NOW + 1, NOW + 2):
        hall.store.set_origin(*key, at)
        hall.store.close_stream(*key, at, f"cause-{at}")
    now = current(hall, stream)
    assert (now.end_sample, now.watermark_sample, now.origin_at, now.closed_at) == (300, 300, NOW + 1, NOW + 1)
    assert now.close_cause == f"cause-{NOW + 1}"


def test_a_surer_origin_holds_until_a_line_lies_by_the_one_before(hall: Hall) -> None:
    stream = hall.stream()
    hall.store.set_origin(stream.track_id, 0, NOW + 1)
    hall.store.move_origin(stream.track_id, 0, NOW + 0.5)
    said(hall, stream, start_sample=24_000, end_sample=48_000, watermark_to=60_000)
    hall.store.move_origin(stream.track_id, 0, NOW)
    assert current(hall, stream).origin_at == NOW + 0.5
    assert hall.store.lines(hall.session_id)[0].started_at == NOW + 1.0


def test_an_origin_that_nobody_knew_may_be_said_by_moving_it(hall: Hall) -> None:
    stream = hall.stream()
    hall.store.move_origin(stream.track_id, 0, NOW + 0.5)
    assert current(hall, stream).origin_at == NOW + 0.5


@pytest.mark.parametrize(
    "act",
    [
        lambda store: store.set_origin("none", 0, NOW),
        lambda store: store.move_origin("none", 0, NOW),
        lambda store: store.note_end("none", 0, 1),
        lambda store: store.close_stream("none", 0, NOW, "left"),
        lambda store: store.set_decided("none", 0),
        lambda store: store.advance_watermark("none", 0, 1),
        lambda store: store.commit_line("none", 0, 0, 1, "", "ja", 1.0, None, None, 1, NOW),
        lambda store: store.record_gap("none", "none", None, NOW, NOW, "network"),
        lambda store: store.append_event("none", "levels", {}, NOW),
        lambda store: store.last_event("none"),
        lambda store: store.save_coverage("none", []),
        lambda store: store.add_invitation("none", "lobby", NOW, None),
        lambda store: store.seat("none"),
        lambda store: store.session("none"),
        lambda store: store.set_state("none", "planned", "live", NOW),
    ],
)
def test_what_is_not_there_is_not_found(hall: Hall, act: Callable[[Any], object]) -> None:
    with pytest.raises(NotFound):
        act(hall.store)


# ---- lines -----------------------------------------------------------------------------------------------------------


def test_a_line_its_watermark_and_its_event_are_one_step(hall: Hall) -> None:
    stream = hall.stream()
    hall.store.set_origin(stream.track_id, 0, NOW + 1)
    outcome = said(hall, stream, start_sample=24_000, end_sample=48_000, watermark_to=60_000)
    assert isinstance(outcome, Committed)
    line = outcome.line
    assert (line.started_at, line.ended_at) == (NOW + 1.5, NOW + 2)
    assert (line.site_name, line.speaker, line.revision, line.event_number) == ("壱岐", "", 1, 1)
    assert hall.store.lines(hall.session_id) == [line]
    assert current(hall, stream).watermark_sample == 60_000
    (event,) = hall.store.events(hall.session_id, 0, 10)
    assert (event.number, event.kind) == (1, "line.committed")
    body = LineCommitted.model_validate(event.data)
    assert (body.line_id, body.text, body.site_name, body.started_at) == (line.line_id, "こんにちは", "壱岐", NOW + 1.5)


def test_a_person_is_the_speaker_of_their_own_line(hall: Hall) -> None:
    seat = hall.store.add_person(hall.session_id, "花子", "participant", ["ja"], NOW)
    stream = hall.store.open_stream(hall.session_id, seat, "mic", "audio", "person_mic", None, NOW)
    assert isinstance(stream, Stream)
    outcome = said(hall, stream)
    assert isinstance(outcome, Committed)
    assert (outcome.line.speaker, outcome.line.site_name) == ("花子", "花子")


def test_the_same_utterance_again_changes_nothing(hall: Hall) -> None:
    stream = hall.stream()
    first = said(hall, stream)
    assert isinstance(first, Committed)
    again = said(hall, stream, text="別の聞き取り", watermark_from=48_000, watermark_to=96_000)
    assert again == AlreadyThere(first.line)
    assert hall.store.lines(hall.session_id) == [first.line]
    assert current(hall, stream).watermark_sample == 48_000
    assert hall.store.last_event(hall.session_id) == 1


@pytest.mark.parametrize(
    ("watermark_from", "watermark_to"),
    [(10, 96_000), (96_000, 96_001), (48_000, 47_999)],
    ids=["late", "ahead", "back"],
)
def test_a_watermark_that_is_not_where_it_was_refuses_the_line(
    hall: Hall, watermark_from: int, watermark_to: int
) -> None:
    stream = hall.stream()
    said(hall, stream)
    outcome = said(
        hall, stream, start_sample=50_000, end_sample=60_000, watermark_from=watermark_from, watermark_to=watermark_to
    )
    assert outcome == WatermarkMoved(48_000)
    assert len(hall.store.lines(hall.session_id)) == hall.store.last_event(hall.session_id) == 1


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (10, 9)])
def test_a_line_that_runs_backwards_is_refused(hall: Hall, start: int, end: int) -> None:
    stream = hall.stream()
    with pytest.raises(NotPossible, match="before it starts"):
        said(hall, stream, start_sample=start, end_sample=end)
    assert current(hall, stream).watermark_sample == 0


def test_a_repair_behind_the_watermark_leaves_it_where_it_is(hall: Hall) -> None:
    stream = hall.stream()
    said(hall, stream, start_sample=40_000)
    assert isinstance(said(hall, stream, start_sample=10, watermark_from=None, watermark_to=20), Committed)
    assert current(hall, stream).watermark_sample == 48_000


def test_a_suppressed_line_is_kept_and_told_to_nobody(hall: Hall) -> None:
    stream = hall.stream()
    outcome = said(hall, stream, suppressed="loop")
    assert isinstance(outcome, Committed)
    assert (outcome.event_number, outcome.line.event_number) == (None, 0)
    assert hall.store.lines(hall.session_id) == []
    assert hall.store.lines(hall.session_id, include_suppressed=True) == [outcome.line]
    assert hall.store.events(hall.session_id, 0, 10) == []
    assert current(hall, stream).watermark_sample == 48_000


def test_lines_are_in_the_order_of_speaking_over_all_sites(hall: Hall) -> None:
    iki, fukuoka = hall.stream(0), hall.stream(1)
    said(hall, iki, text="二", start_sample=48_000, end_sample=90_000)
    said(hall, fukuoka, text="三", start_sample=60_000, end_sample=80_000)
    said(hall, fukuoka, text="一", start_sample=0, watermark_from=48_000)
    assert [line.text for line in hall.store.lines(hall.session_id)] == ["一", "二", "三"]


def test_two_workers_with_the_same_utterance_store_it_once(hall: Hall) -> None:
    stream = hall.stream()
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda n: said(hall, stream, text=f"聞き取り{n}"), range(24)))
    assert sum(isinstance(one, Committed) for one in outcomes) == 1
    assert all(isinstance(one, Committed | AlreadyThere) for one in outcomes)
    assert len(hall.store.lines(hall.session_id)) == hall.store.last_event(hall.session_id) == 1


def test_two_workers_that_cut_the_sound_differently_store_one_cut(hall: Hall) -> None:
    stream = hall.stream()
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda n: said(hall, stream, start_sample=n, watermark_to=48_000 + n), range(24)))
    assert sum(isinstance(one, Committed) for one in outcomes) == 1
    assert len(hall.store.lines(hall.session_id)) == 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 400_000), st.sampled_from([None, "loop"]), st.booleans()),
        max_size=12,
    )
)
def test_any_mix_of_commits_never_moves_a_watermark_back_and_numbers_without_holes(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, str | None, bool]]
) -> None:
    store = open_store(tmp_path_factory.mktemp("law"))
    hall = Hall(store)
    stream = hall.stream()
    marks = [0]
    for start, to, suppressed, blind in steps:
        mark_from = None if blind else marks[-1]
        said(
            hall,
            stream,
            start_sample=start,
            end_sample=max(start, to),
            suppressed=suppressed,
            watermark_from=mark_from,
            watermark_to=to,
        )
        marks.append(current(hall, stream).watermark_sample)
    told = [line.event_number for line in store.lines(hall.session_id)]
    keys = [line.start_sample for line in store.lines(hall.session_id, include_suppressed=True)]
    numbers = [event.number for event in store.events(hall.session_id, 0, 100)]
    store.close()
    assert marks == sorted(marks)
    assert numbers == list(range(1, len(numbers) + 1)) == sorted(told)
    assert len(keys) == len(set(keys))


def test_a_line_survives_the_process(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    hall = Hall(store)
    outcome = said(hall, hall.stream())
    assert isinstance(outcome, Committed)
    again = open_store(tmp_path)  # the first one is not closed: as after kill -9
    assert again.lines(hall.session_id) == [outcome.line]
    again.close()
    store.close()


# ---- events, gaps, coverage ------------------------------------------------------------------------------------------


def test_events_are_numbered_per_session_and_given_in_pieces(hall: Hall) -> None:
    other = hall.plan([])
    for n in range(5):
        hall.store.append_event(hall.session_id, "session.changed", {"n": n}, NOW)
    assert hall.store.append_event(other.session_id, "session.changed", {}, NOW).number == 1
    page = hall.store.events(hall.session_id, 1, 3)
    assert [(event.number, event.data) for event in page] == [(2, {"n": 1}), (3, {"n": 2}), (4, {"n": 3})]
    assert hall.store.last_event(hall.session_id) == 5


def test_many_writers_number_events_without_holes_or_doubles(hall: Hall) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = list(
            pool.map(lambda n: hall.store.append_event(hall.session_id, "levels", {"n": n}, NOW).number, range(60))
        )
    assert sorted(made, key=lambda number: number or 0) == list(range(1, 61))


def test_a_gap_that_grows_is_one_gap(hall: Hall) -> None:
    stream = hall.stream()
    gap = (hall.session_id, stream.track_id, 0, NOW)
    for ended_at in (NOW + 1, NOW + 5, NOW + 3):
        hall.store.record_gap(*gap, ended_at, "disk_full")
    hall.store.record_gap(hall.session_id, stream.track_id, None, NOW, NOW + 1, "disk_full")
    assert hall.store.gaps(hall.session_id) == [
        Gap(hall.session_id, stream.track_id, 0, NOW, NOW + 5, "disk_full"),
        Gap(hall.session_id, stream.track_id, None, NOW, NOW + 1, "disk_full"),
    ]


def test_coverage_comes_back_as_it_was_and_is_replaced_whole(hall: Hall) -> None:
    stream = hall.stream()
    spans = (
        CoverageSpan(SpanKind.LINE, NOW, NOW + 1.25),
        CoverageSpan(SpanKind.GAP, NOW + 1.25, NOW + 2, "network"),
    )
    site = hall.session.sites[0]
    track = TrackCoverage(stream.track_id, site.site_id, site.name, spans)
    assert hall.store.coverage(hall.session_id) == []
    for _ in range(2):
        hall.store.save_coverage(hall.session_id, [track])
    assert hall.store.coverage(hall.session_id) == [track]
    hall.store.save_coverage(hall.session_id, [])
    assert hall.store.coverage(hall.session_id) == []
