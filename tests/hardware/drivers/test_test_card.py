"""The test card: readable, moving, different for each site, current for a slow reader."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hardware.clock import SteppedClock
from hardware.drivers.test_card import TestCard, TestCardCamera, card_colour, card_id, text_mask, wall_clock
from hardware.errors import DeviceLost


@pytest.mark.parametrize(("name", "shown"), [("Iki-01", "IKI01"), ("壱岐 A", "A"), ("fukuoka mainland", "FUKUOKAMAI")])
def test_the_id_keeps_what_the_font_has(name: str, shown: str) -> None:
    assert card_id(name) == shown


def test_names_without_latin_letters_get_numbers_that_differ() -> None:
    names = ["壱岐テレワークセンター", "福岡本土オフィス", "勝本小学校"]
    assert len({card_id(name) for name in names}) == len({card_colour(name) for name in names}) == 3
    assert all(card_id(name).isdigit() for name in names)


def test_every_letter_of_the_font_has_its_own_shape() -> None:
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ:.- "
    assert len({text_mask(letter, 1).tobytes() for letter in letters}) == len(letters)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (640, 360), (161, 91), (320, 1080), (16, 16)])
def test_a_card_can_be_drawn_at_any_size(width: int, height: int) -> None:
    picture = TestCard("Iki", width, height).draw("12:34:56.7", 0.99)
    assert picture.shape == (height, width, 3)
    assert picture.dtype == np.uint8


def test_the_clock_and_the_bar_move() -> None:
    card = TestCard("Iki", 640, 360)
    assert (card.draw("12:34:56.7", 0.2) != card.draw("12:34:56.8", 0.2)).any()
    assert (card.draw("12:34:56.7", 0.2) != card.draw("12:34:56.7", 0.3)).any()


def test_the_wall_clock_shows_tenths() -> None:
    assert wall_clock(1_700_000_000.25)[-4:] == "20.2"


async def test_the_camera_keeps_its_rate() -> None:
    clock = SteppedClock()
    camera = TestCardCamera("Iki", 64, 36, 15, clock=clock, wall=clock.now)
    at = [(await camera.read()).captured_at for _ in range(31)]
    assert at[-1] - at[0] == pytest.approx(2.0)


async def test_a_slow_reader_sees_fewer_pictures_and_none_twice() -> None:
    clock = SteppedClock()
    camera = TestCardCamera("Iki", 64, 36, 10, clock=clock, wall=clock.now)
    seen = []
    for _ in range(5):
        seen.append((await camera.read()).captured_at)
        clock.step(0.35)
    assert all(b - a > 0.349 for a, b in itertools.pairwise(seen))


async def test_a_closed_camera_is_lost() -> None:
    camera = TestCardCamera("Iki", 64, 36, 15, clock=SteppedClock())
    camera.close()
    with pytest.raises(DeviceLost):
        await camera.read()
