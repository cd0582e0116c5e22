"""Scheduler: finals first, in order, fair, never dropped; partials give way."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transcription.recognition import RecognitionRequest
from transcription.scheduler import Scheduler, SchedulerRules
from transcription.windows import batch_key, window_for


def request(
    stream: int, start: int, kind: str = "final", seconds: float = 2.0, glossary: str = ""
) -> RecognitionRequest:
    audio = np.zeros(round(seconds * 16_000), np.float32)
    return RecognitionRequest(stream, kind, start, start + 1, audio, ("ja",), glossary=glossary)  # type: ignore[arg-type]


def scheduler(**rules: float) -> Scheduler:
    return Scheduler(batch_key, SchedulerRules(**rules))  # type: ignore[arg-type]


def served(one: Scheduler, now: float = 0.0) -> list[RecognitionRequest]:
    batch = one.next_batch(now)
    one.served(batch, now, now)
    return batch


steps = st.lists(
    st.tuples(st.sampled_from(["final", "partial", "serve"]), st.integers(0, 3), st.sampled_from([2.0, 8.0, 18.0])),
    max_size=60,
)


@given(steps)
def test_every_final_is_served_once_and_in_the_order_of_its_stream(script: list[tuple[str, int, float]]) -> None:
    one, asked, got = scheduler(), list[RecognitionRequest](), list[RecognitionRequest]()
    for number, (what, stream, seconds) in enumerate(script):
        if what == "final":
            asked.append(request(stream, number, seconds=seconds))
            one.add_final(asked[-1], float(number))
        elif what == "partial":
            one.offer_partial(request(stream, number, "partial", seconds), float(number))
        else:
            got += served(one, float(number))
    while batch := served(one, 1_000.0):
        got += batch
    finals = [each for each in got if each.kind == "final"]
    assert sorted(map(id, finals)) == sorted(map(id, asked))
    for stream in range(4):
        starts = [each.start_sample for each in finals if each.stream == stream]
        assert starts == sorted(starts)


@given(steps)
def test_a_batch_is_of_one_kind_one_window_and_one_prompt_length(script: list[tuple[str, int, float]]) -> None:
    one = scheduler()
    for number, (what, stream, seconds) in enumerate(script):
        if what == "partial":
            one.offer_partial(request(stream, number, "partial", seconds), 0.0)
        else:
            one.add_final(request(stream, number, seconds=seconds, glossary="壱岐" if stream == 3 else ""), 0.0)
    while batch := served(one):
        assert len({batch_key(each) for each in batch}) == 1
        assert len(batch) <= SchedulerRules().max_batch


def test_finals_go_before_partials() -> None:
    one = scheduler()
    one.offer_partial(request(1, 0, "partial"), 0.0)
    one.add_final(request(2, 0), 0.0)
    assert [each.kind for each in served(one)] == ["final"]
    assert [each.kind for each in served(one)] == ["partial"]


def test_a_stream_with_a_backlog_does_not_keep_others_waiting() -> None:
    one = scheduler(max_batch=1)
    for number in range(10):
        one.add_final(request(1, number), 0.0)
    served(one)
    one.add_final(request(2, 0), 1.0)
    assert {each.stream for each in served(one) + served(one)} == {1, 2}


def test_fairness_is_in_seconds_of_audio_not_in_utterances() -> None:
    one = scheduler(max_batch=1)
    for number in range(4):
        one.add_final(request(1, number, seconds=16.0), 0.0)
    for number in range(16):
        one.add_final(request(2, number, seconds=4.0), 0.0)
    order = [served(one)[0].stream for _ in range(10)]
    assert 7 <= order.count(2) <= 9


def test_the_newest_partial_of_a_stream_wins() -> None:
    one = scheduler()
    newest = request(1, 0, "partial", 3.0)
    one.offer_partial(request(1, 0, "partial"), 0.0)
    one.offer_partial(newest, 1.0)
    assert served(one) == [newest]
    assert served(one) == []
    assert one.partials_replaced == 1


def test_a_final_takes_away_the_partial_of_its_utterance() -> None:
    one = scheduler()
    one.offer_partial(request(1, 0, "partial"), 0.0)
    one.add_final(request(1, 0), 0.0)
    assert [each.kind for each in served(one)] == ["final"]
    assert served(one) == []


def test_an_early_final_in_the_recogniser_is_not_asked_for_twice() -> None:
    one = scheduler()
    early = request(1, 0, "early")
    one.offer_partial(early, 0.0)
    assert one.next_batch(0.0) == [early]
    one.add_final(early, 0.1)
    assert one.next_batch(0.1) == []
    one.served([early], 0.0, 0.2)
    assert one.next_batch(0.3) == []


def test_an_early_final_that_still_waits_becomes_a_final() -> None:
    one = scheduler()
    early = request(1, 0, "early")
    one.offer_partial(early, 0.0)
    one.add_final(early, 0.1)
    assert served(one) == [early]
    assert served(one) == []


def test_partials_come_at_their_interval_and_an_empty_one_is_tried_again_sooner() -> None:
    one = scheduler(interval_s=1.0)
    assert one.partial_due(1, 10.0)
    one.offer_partial(request(1, 0, "partial"), 10.0)
    assert not one.partial_due(1, 10.9)
    assert one.partial_due(1, 11.0)
    one.partial_was_empty(1, 10.2)
    assert not one.partial_due(1, 10.3)
    assert one.partial_due(1, 10.5)


def busy(one: Scheduler, share: float, seconds: int, begin: float) -> float:
    for second in range(seconds):
        now = begin + second
        one.served([], now, now + share)
        one.observe(now + 1.0)
    return begin + seconds


def test_under_load_partials_thin_out_then_stop_and_come_back_slowly() -> None:
    one = scheduler()
    now = busy(one, 0.3, 20, 0.0)
    assert one.partials == "on"
    now = busy(one, 0.8, 20, now)
    assert one.partials == "thinned"
    now = busy(one, 1.0, 30, now)
    assert one.partials == "off"
    assert not one.partial_due(1, now + 100)
    now = busy(one, 0.0, 3, now)
    assert one.partials == "off"
    busy(one, 0.0, 40, now)
    assert one.partials == "on"


def test_a_backlog_of_finals_stops_partials_at_once() -> None:
    one = scheduler()
    one.add_final(request(1, 0), 0.0)
    one.observe(5.5)
    assert one.partials == "off"
    assert one.lag_s(5.5) == 5.5


def test_windows_are_the_shortest_with_room_for_the_tail() -> None:
    assert [window_for(seconds) for seconds in (0.5, 4.0, 4.1, 9.0, 14.0, 19.0, 20.0, 40.0)] == [
        5.0, 5.0, 10.0, 10.0, 15.0, 20.0, 30.0, 30.0,
    ]  # fmt: skip


def test_what_is_heard_again_waits_for_everything_else_one_at_a_time() -> None:
    one = scheduler()
    one.be_patient(9)
    for number in range(3):
        one.add_final(request(9, number), 0.0)
    one.add_final(request(1, 0), 0.0)
    one.offer_partial(request(2, 0, "partial"), 0.0)
    assert one.lag_s(5.0) == 5.0
    order = [[(each.stream, each.kind) for each in served(one)] for _ in range(4)]
    assert order == [[(1, "final")], [(2, "partial")], [(9, "final")], [(9, "final")]]
    assert one.lag_s(5.0) == 0.0


def test_what_is_heard_again_is_no_load() -> None:
    one = scheduler()
    one.be_patient(9)
    one.add_final(request(9, 0), 0.0)
    batch = one.next_batch(0.0)
    one.served(batch, 0.0, 10.0)
    assert one.load == 0.0
