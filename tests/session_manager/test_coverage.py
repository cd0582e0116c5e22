"""The account of every second: laws over any streams, lines, holes and gaps, and the cases that have names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.coverage import TOLERATED_S, StreamKey, compute, figure
from session_manager.records import CoverageSpan, Gap, Line, Session, Site, SpanKind, Stream, TrackCoverage

RATE = 48_000
NOW = 1_780_000_000.0
SITES = tuple(Site(f"site{n}", "session", name, f"room{n}", ("ja",), n) for n, name in enumerate(("壱岐", "福岡")))
SESSION = Session("session", "対話", "ending", NOW, NOW + 7200, "Asia/Tokyo", NOW, None, False, SITES)


def stream(epoch: int = 0, *, origin_at: float | None = NOW, seconds: float = 10.0, **changes: object) -> Stream:
    facts: dict[str, object] = {
        "track_id": "track",
        "site_id": "site0",
        "kind": "audio",
        "opened_at": NOW - 0.5,
        "watermark_sample": round(seconds * RATE),
        "closed_at": None,
        "close_cause": None,
        "decided": False,
    }
    facts |= changes
    fixed = {"session_id": "session", "seat_id": "seat", "name": "mic", "source": "room_mic"}
    return Stream(epoch=epoch, origin_at=origin_at, end_sample=round(seconds * RATE), **fixed, **facts)  # type: ignore[arg-type]


def line(start_s: float, end_s: float, *, epoch: int = 0, suppressed: str | None = None) -> Line:
    return Line(
        line_id=f"line{epoch}-{start_s}",
        session_id="session",
        track_id="track",
        epoch=epoch,
        site_id="site0",
        site_name="壱岐",
        speaker="",
        revision=1,
        start_sample=round(start_s * RATE),
        end_sample=round(end_s * RATE),
        started_at=NOW + start_s,
        ended_at=NOW + end_s,
        text="こんにちは",
        language="ja",
        confidence=0.9,
        suppressed=suppressed,
        event_number=1,
    )


def account(
    streams: Iterable[Stream],
    lines: Iterable[Line] = (),
    gaps: Iterable[Gap] = (),
    missing: Mapping[StreamKey, Iterable[tuple[int, int]]] | None = None,
) -> list[tuple[str, float, float, str | None]]:
    """The spans of the only track, in seconds from NOW."""
    (track,) = compute(SESSION, list(streams), list(lines), list(gaps), missing or {})
    return [(str(s.kind), round(s.started_at - NOW, 4), round(s.ended_at - NOW, 4), s.cause) for s in track.spans]


def hole(start_s: float, end_s: float, epoch: int = 0) -> dict[StreamKey, list[tuple[int, int]]]:
    return {("track", epoch): [(round(start_s * RATE), round(end_s * RATE))]}


def test_what_is_no_line_before_the_watermark_is_silence_and_after_it_pending() -> None:
    one = stream(watermark_sample=8 * RATE)
    assert account([one], [line(1, 3), line(4, 5)]) == [
        ("silence", 0, 1, None),
        ("line", 1, 3, None),
        ("silence", 3, 4, None),
        ("line", 4, 5, None),
        ("silence", 5, 8, None),
        ("pending", 8, 10, None),
    ]


def test_a_stream_whose_last_word_is_out_has_nothing_pending() -> None:
    assert account([stream(watermark_sample=0, decided=True)]) == [("silence", 0, 10, None)]


def test_a_suppressed_line_names_its_reason_and_gives_way_to_a_real_one() -> None:
    assert account([stream()], [line(2, 6), line(1, 4, suppressed="loop")]) == [
        ("silence", 0, 1, None),
        ("suppressed", 1, 2, "loop"),
        ("line", 2, 6, None),
        ("silence", 6, 10, None),
    ]


def test_a_hole_in_the_log_is_a_gap_also_within_a_line() -> None:
    assert account([stream()], [line(1, 5)], missing=hole(2, 3)) == [
        ("silence", 0, 1, None),
        ("line", 1, 2, None),
        ("gap", 2, 3, "network"),
        ("line", 3, 5, None),
        ("silence", 5, 10, None),
    ]


def test_what_waits_to_be_heard_is_pending_although_the_watermark_has_passed_it() -> None:
    (track,) = compute(SESSION, [stream()], [line(1, 4)], [], {}, unheard=hole(3, 6))
    found = [(str(span.kind), span.started_at - NOW, span.ended_at - NOW) for span in track.spans]
    assert found == [("silence", 0, 1), ("line", 1, 3), ("pending", 3, 6), ("silence", 6, 10)]
    assert figure([track]) == pytest.approx(0.7)


@pytest.mark.parametrize(("length", "gap"), [(TOLERATED_S, False), (TOLERATED_S + 0.02, True)])
def test_a_hole_of_three_packets_is_concealed_and_a_longer_one_is_a_gap(length: float, gap: bool) -> None:
    spans = account([stream()], missing=hole(4, 4 + length))
    assert any(kind == "gap" for kind, *_ in spans) == gap


def test_a_hole_beyond_the_watermark_is_a_gap_too() -> None:
    assert account([stream(watermark_sample=0)], missing=hole(0, 4)) == [
        ("gap", 0, 4, "network"),
        ("pending", 4, 10, None),
    ]


def test_a_recorded_gap_says_why() -> None:
    gap = Gap("session", "track", 0, NOW + 2, NOW + 4, "disk_full")
    assert account([stream()], gaps=[gap], missing=hole(2, 4)) == [
        ("silence", 0, 2, None),
        ("gap", 2, 4, "disk_full"),
        ("silence", 4, 10, None),
    ]


def test_a_gap_of_another_epoch_or_track_is_not_ours_and_one_without_epoch_is_everybodys() -> None:
    others = [
        Gap("session", "track", 1, NOW + 2, NOW + 4, "disk_full"),
        Gap("session", "other", None, NOW, NOW + 9, "io"),
    ]
    assert account([stream()], gaps=others) == [("silence", 0, 10, None)]
    assert ("gap", 2, 4, "io") in account([stream()], gaps=[Gap("session", "track", None, NOW + 2, NOW + 4, "io")])


def test_between_two_epochs_there_is_a_gap() -> None:
    assert account([stream(1, origin_at=NOW + 15, seconds=5), stream()]) == [
        ("silence", 0, 10, None),
        ("gap", 10, 15, "reconnect"),
        ("silence", 15, 20, None),
    ]


def test_epochs_that_touch_within_three_packets_are_one_silence() -> None:
    assert account([stream(), stream(1, origin_at=NOW + 10.05, seconds=5)]) == [("silence", 0, 15.05, None)]


def test_what_two_epochs_claim_both_is_counted_once() -> None:
    assert account([stream(), stream(1, origin_at=NOW + 8, seconds=4)], [line(1, 3, epoch=1)]) == [
        ("silence", 0, 10, None),
        ("line", 10, 11, None),
        ("silence", 11, 12, None),
    ]


def test_an_epoch_that_brought_nothing_is_part_of_the_gap() -> None:
    empty = stream(1, origin_at=None, seconds=0, opened_at=NOW + 12)
    assert account([stream(), empty, stream(2, origin_at=NOW + 14, seconds=1)]) == [
        ("silence", 0, 10, None),
        ("gap", 10, 14, "reconnect"),
        ("silence", 14, 15, None),
    ]


def test_a_track_that_never_brought_a_sample_is_one_gap() -> None:
    assert account([stream(origin_at=None, seconds=0, closed_at=NOW + 4.5)]) == [("gap", -0.5, 4.5, "network")]
    assert account([stream(origin_at=None, seconds=0)]) == []


def test_video_is_not_counted_and_tracks_are_in_the_order_of_their_sites() -> None:
    streams = [
        stream(track_id="b", site_id="site1"),
        stream(track_id="camera", kind="video"),
        stream(track_id="a", site_id="site0"),
    ]
    found = compute(SESSION, streams, [], [], {})
    assert [(track.track_id, track.site_name) for track in found] == [("a", "壱岐"), ("b", "福岡")]


def test_the_figure_is_the_share_that_is_accounted_for() -> None:
    spans = (CoverageSpan(SpanKind.LINE, 0, 6), CoverageSpan(SpanKind.GAP, 6, 8), CoverageSpan(SpanKind.PENDING, 8, 10))
    assert figure([TrackCoverage("t", "s", "壱岐", spans)]) == pytest.approx(0.6)
    assert figure([TrackCoverage("t", "s", "壱岐", spans[:1])]) == 1.0
    assert figure([]) == 1.0


samples = st.integers(0, 30 * RATE)
intervals = st.tuples(samples, samples).map(lambda pair: (min(pair), max(pair)))


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Stream], list[Line], list[Gap], dict[StreamKey, list[tuple[int, int]]]]:
    streams, lines, missing = [], [], {}
    for epoch in range(draw(st.integers(1, 4))):
        origin = NOW + draw(st.floats(0, 60, allow_nan=False))
        end = draw(samples) / RATE
        known = draw(st.one_of(st.none(), st.just(origin)))
        one = stream(epoch, origin_at=known, seconds=end, watermark_sample=draw(samples), decided=draw(st.booleans()))
        streams.append(one)
        for start, stop in draw(st.lists(intervals, max_size=5)):
            lines.append(line(start / RATE, stop / RATE, epoch=epoch, suppressed=draw(st.sampled_from([None, "loop"]))))
        missing["track", epoch] = draw(st.lists(intervals, max_size=4))
    gaps = [
        Gap("session", "track", draw(st.one_of(st.none(), st.integers(0, 3))), NOW + start, NOW + start + length, "io")
        for start, length in draw(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 20)), max_size=3))
    ]
    return streams, lines, gaps, missing


@given(histories())
def test_spans_tile_the_whole_track_and_neighbours_differ(
    history: tuple[list[Stream], list[Line], list[Gap], dict[StreamKey, list[tuple[int, int]]]],
) -> None:
    streams, lines, gaps, missing = history
    (track,) = compute(SESSION, streams, lines, gaps, missing)
    with_sound = [one for one in streams if one.end_sample]
    if not with_sound:
        return
    assert all(span.started_at < span.ended_at for span in track.spans)
    assert all(left.ended_at == right.started_at for left, right in pairwise(track.spans))
    assert all((left.kind, left.cause) != (right.kind, right.cause) for left, right in pairwise(track.spans))
    starts = [one.opened_at if one.origin_at is None else one.origin_at for one in with_sound]
    ends = [start + one.end_sample / RATE for start, one in zip(starts, with_sound, strict=True)]
    assert track.spans[0].started_at == starts[0]
    assert track.spans[-1].ended_at == pytest.approx(max(ends), rel=0, abs=1e-4)
    assert 0.0 <= figure([track]) <= 1.0


@given(histories())
def test_the_order_in_which_facts_come_does_not_matter(
    history: tuple[list[Stream], list[Line], list[Gap], dict[StreamKey, list[tuple[int, int]]]],
) -> None:
    streams, lines, gaps, missing = history
    backwards = {key: spans[::-1] for key, spans in reversed(missing.items())}
    assert compute(SESSION, streams, lines, gaps, missing) == compute(
        SESSION, streams[::-1], lines[::-1], gaps[::-1], backwards
    )


@given(st.lists(intervals, max_size=6), st.lists(intervals, max_size=6))
def test_the_seconds_of_each_kind_are_those_of_a_count_by_sample(
    said: list[tuple[int, int]], lost: list[tuple[int, int]]
) -> None:
    """Against a slow second opinion, one mark per 10 ms."""
    step = RATE // 100
    said = [(a // step * step, b // step * step) for a, b in said]
    lost = [(a // step * step, b // step * step) for a, b in lost]
    slow = ["silence"] * 3000
    for kind, spans, least in (("line", said, 0), ("gap", lost, TOLERATED_S * RATE)):
        for start, end in spans:
            if end - start > least:
                slow[start // step : end // step] = [kind] * ((end - start) // step)
    lines = [line(start / RATE, end / RATE) for start, end in said]
    (track,) = compute(SESSION, [stream(seconds=30)], lines, [], {("track", 0): lost})
    for kind in ("silence", "line", "gap"):
        seconds = sum(span.ended_at - span.started_at for span in track.spans if span.kind == kind)
        assert seconds == pytest.approx(slow.count(kind) / 100, abs=1e-3)
