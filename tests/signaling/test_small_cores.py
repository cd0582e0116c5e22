"""Rates, resume tokens and generations: three cores too small for a file each."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from signaling.generations import STANDING, Generations
from signaling.rates import Rate, Rates
from signaling.resume import ResumeTokens

# ---- rates ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 2), min_size=1, max_size=100), st.floats(1, 10), st.floats(0.1, 10))
def test_no_more_is_taken_than_the_burst_and_the_pace_allow(waits: list[float], burst: float, per_s: float) -> None:
    rates = Rates({}, Rate(burst, per_s))
    now, taken = 0.0, 0
    for wait in waits:
        now += wait
        taken += rates.take("key", now) == 0
    assert taken <= burst + now * per_s + 1e-6


@given(st.integers(1, 30), st.floats(0.1, 10))
def test_after_the_wait_that_was_named_there_is_one_more(extra: int, per_s: float) -> None:
    rates = Rates({}, Rate(3, per_s))
    wait_ms = max(rates.take("key", 0.0) for _ in range(3 + extra))
    assert wait_ms > 0
    assert rates.take("key", wait_ms / 1000 + 0.001) == 0


def test_keys_do_not_share_and_the_table_knows_its_own() -> None:
    rates = Rates({"rare": Rate(1, 1)}, Rate(2, 1))
    assert [rates.take("rare", 0.0) == 0 for _ in range(2)] == [True, False]
    assert [rates.take("other", 0.0) == 0 for _ in range(3)] == [True, True, False]


def test_asking_whether_it_is_exhausted_takes_nothing() -> None:
    rates = Rates({}, Rate(1, 1))
    assert [rates.exhausted("a", 0.0) for _ in range(3)] == [0, 0, 0]
    rates.take("a", 0.0)
    assert rates.exhausted("a", 0.0) == 1_000


def test_the_number_of_buckets_is_bounded() -> None:
    rates = Rates({}, Rate(1, 1), keys=3)
    for number in range(100):
        rates.take(str(number), 0.0)
    assert len(rates._buckets) == 3


# ---- resume tokens -------------------------------------------------------------------------------------------------


def test_a_token_brings_back_its_peer_and_a_made_up_one_nobody() -> None:
    tokens = ResumeTokens()
    token = tokens.issue("p1")
    assert tokens.owner(token) == "p1"
    assert tokens.owner(token + "x") is None
    assert tokens.owner("\ud800") is None


def test_a_token_has_256_random_bits_and_is_stored_only_as_a_digest() -> None:
    tokens = ResumeTokens()
    issued = {tokens.issue(f"p{number}") for number in range(100)}
    assert len(issued) == 100
    assert all(len(token) == 43 for token in issued)
    assert not any(token in repr(vars(tokens)) for token in issued)


@given(st.lists(st.sampled_from(["resume with current", "resume with redeemed", "heard"]), max_size=30))
def test_at_most_two_tokens_of_a_peer_are_good_and_one_once_it_was_heard(steps: list[str]) -> None:
    numbers = itertools.count()
    tokens = ResumeTokens(lambda: f"t{next(numbers)}")
    current, redeemed = tokens.issue("p"), None
    every = [current]
    for step in steps:
        if step == "heard":
            tokens.heard("p")
            redeemed = None
        else:
            used = redeemed if step == "resume with redeemed" and redeemed else current
            assert tokens.owner(used) == "p"
            current, redeemed = tokens.issue("p", used), used
            every.append(current)
        good = {token for token in every if tokens.owner(token)}
        assert good == {current} | ({redeemed} if redeemed else set())
    tokens.forget("p")
    assert not any(tokens.owner(token) for token in every)
    assert not tokens._owners


# ---- generations ---------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from(["begin", "up", "ended", "crowd"]), st.integers(0, 12)), max_size=60))
def test_each_generation_is_closed_at_most_once_and_the_latest_only_by_name(steps: list[tuple[str, int]]) -> None:
    generations = Generations()
    begun: list[int] = []
    closed: list[int] = []
    for step, number in steps:
        match step:
            case "begin":
                newer = not begun or number > max(begun)
                assert generations.begin(number) is newer
                begun += [number] if newer else []
            case "up":
                older = generations.up(number)
                assert all(other < number for other in older)
                closed += older
            case "ended":
                closed += [number] if generations.ended(number) else []
            case _:
                gone = generations.crowd()
                assert not begun or max(begun) not in gone
                closed += gone
    assert len(closed) == len(set(closed))
    assert set(closed) <= set(begun)
    assert all(generations.counts(number) is (number == max(begun) and number not in closed) for number in begun)


def test_only_so_many_generations_stand_side_by_side() -> None:
    generations = Generations()
    for number in range(STANDING + 2):
        generations.begin(number)
    assert generations.crowd() == (0, 1)
    assert generations.crowd() == ()
