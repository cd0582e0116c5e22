import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.retry import STEADY_S, STEPS_S, Backoff

CHANCES = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("failures", "low", "high"),
    [(0, 0.0, 0.0), (1, 0.3, 1.0), (2, 0.5, 2.0), (3, 1.0, 3.0), (99, 1.0, 3.0)],
)
def test_each_failure_widens_the_wait_up_to_a_cap(failures: int, low: float, high: float) -> None:
    backoff = Backoff(failures)
    assert backoff.wait_s(0.0) == low
    assert backoff.wait_s(0.999999) == pytest.approx(high, rel=1e-3)


@given(st.integers(0, 1000), CHANCES)
def test_no_wait_is_longer_than_the_cap(failures: int, chance: float) -> None:
    assert 0 <= Backoff(failures).wait_s(chance) <= STEPS_S[-1][1]


@given(st.integers(0, 20), CHANCES, st.integers(0, 600_000))
def test_the_hub_is_never_asked_earlier_than_it_said(failures: int, chance: float, retry_after_ms: int) -> None:
    wait_s = Backoff(failures).wait_s(chance, retry_after_ms)
    assert retry_after_ms / 1000 <= wait_s <= retry_after_ms / 1000 * 1.5


def test_the_first_try_after_a_loss_is_at_once_and_each_wait_widens_the_next() -> None:
    backoff = Backoff()
    waits = []
    for _ in range(4):
        waits.append(backoff.wait_s(0.0))
        backoff = backoff.ended_after(0.1).waited()
    assert waits == [0.0, 0.3, 0.5, 1.0]


def test_a_steady_connection_starts_the_row_anew_and_a_short_one_does_not() -> None:
    assert Backoff(4).ended_after(STEADY_S) == Backoff()
    assert Backoff(4).ended_after(STEADY_S - 0.1) == Backoff(4)
