from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.media.statistics import Histogram


@given(st.lists(st.floats(0.01, 400), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99, 1.0]))
def test_a_percentile_is_at_most_a_fifth_too_high_and_never_too_low(values: list[float], share: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    ordered = sorted(values)
    true = next(value for place, value in enumerate(ordered, 1) if place >= share * len(ordered))
    assert true <= histogram.percentile(share) * (1 + 1e-9)
    assert histogram.percentile(share) <= true * 1.2
    assert histogram.summary()["count"] == len(values)


def test_nothing_added_is_nothing() -> None:
    assert Histogram().percentile(0.99) == 0.0
