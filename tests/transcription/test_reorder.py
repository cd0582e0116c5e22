"""Reorder: packets in order, holes explicit, nothing twice."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from transcription.reorder import Hole, Piece, Reorder, Sound

STEP = 960


def packet(number: int, sample: int | None = None) -> Sound:
    return Sound(number * STEP if sample is None else sample, number, STEP, bytes([number % 256]))


def pushed(packets: list[Sound], from_sample: int = 0) -> list[Piece]:
    reorder = Reorder(from_sample)
    return [piece for one in packets for piece in reorder.push(one)] + reorder.give_up_waiting()


@given(st.integers(0, 60), st.randoms(use_true_random=False), st.integers(0, 4))
def test_any_small_disorder_and_repeats_come_out_in_order_once(count: int, chance: random.Random, spread: int) -> None:
    packets = [packet(number) for number in range(count)]
    mixed = sorted([*packets, *packets[::3]], key=lambda one: one.sequence + chance.uniform(0, spread))
    assert pushed(mixed) == packets


@given(st.sets(st.integers(0, 80)), st.integers(0, 20))
def test_pieces_touch_each_other_and_cover_everything(numbers: set[int], begin: int) -> None:
    reorder = Reorder(begin * STEP)
    pieces = [piece for number in sorted(numbers) for piece in reorder.push(packet(number))] + reorder.end(100 * STEP)
    position = min(begin, *numbers) * STEP if numbers else begin * STEP
    for piece in pieces:
        assert piece.sample == position
        position += piece.length
    assert position == 100 * STEP
    assert {piece.sequence for piece in pieces if isinstance(piece, Sound)} == numbers


def test_a_lost_packet_is_waited_for_until_300_ms_of_newer_audio_came() -> None:
    reorder = Reorder(0)
    assert reorder.push(packet(0)) == [packet(0)]
    for number in range(2, 16):
        assert reorder.push(packet(number)) == []
    pieces = reorder.push(packet(16))
    assert pieces[0] == Hole(STEP, STEP, lost=True)
    assert pieces[1:] == [packet(number) for number in range(2, 17)]


def test_a_late_packet_fills_its_place_while_it_is_waited_for() -> None:
    assert pushed([packet(0), packet(2), packet(1)]) == [packet(0), packet(1), packet(2)]


def test_a_packet_after_its_hole_was_given_up_is_counted_and_dropped() -> None:
    reorder = Reorder(0)
    for number in [0, *range(2, 20)]:
        reorder.push(packet(number))
    assert reorder.push(packet(1)) == []
    assert reorder.late == 1
    assert reorder.lost_holes == 1


def test_a_pause_of_the_sender_is_no_loss_and_nobody_waits() -> None:
    reorder = Reorder(0)
    reorder.push(packet(0))
    assert reorder.push(packet(1, 50 * STEP)) == [Hole(STEP, 49 * STEP, lost=False), packet(1, 50 * STEP)]


def test_context_before_the_start_comes_through() -> None:
    assert pushed([packet(3), packet(4)], from_sample=4 * STEP) == [packet(3), packet(4)]


def test_the_end_lets_out_what_waits_and_fills_up_with_silence() -> None:
    reorder = Reorder(0)
    reorder.push(packet(0))
    reorder.push(packet(2))
    assert reorder.end(5 * STEP) == [
        Hole(STEP, STEP, lost=True),
        packet(2),
        Hole(3 * STEP, 2 * STEP, lost=False),
    ]
