"""A log as samples."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from tests.transcription.opus_packets import encode, speech
from transcription.audio_log import AudioLog, Packet, StreamLog


def spoken(tmp_path: Path, lost: set[int] | None = None) -> tuple[StreamLog, int]:
    log = AudioLog(tmp_path).stream("t", 1)
    packets = encode(speech())
    for number, payload in enumerate(packets):
        if number not in (lost or ()):
            log.append(Packet(number, number * 960, payload))
    log.close()
    return log, len(packets) * 960


def test_a_span_sounds_as_it_does_in_the_whole(tmp_path: Path) -> None:
    log, length = spoken(tmp_path)
    whole = log.pcm(0, length)
    assert whole.dtype == np.float32
    assert np.corrcoef(whole[312:], speech()[: length - 312])[0, 1] > 0.8
    choose = random.Random(1)
    for _ in range(20):
        start = choose.randrange(length - 9_600)
        part = log.pcm(start, start + choose.randrange(1, 9_600))
        assert np.abs(part - whole[start : start + len(part)]).max() < 0.01


def test_a_hole_is_silence_of_its_length_and_the_rest_stays_in_its_place(tmp_path: Path) -> None:
    log, length = spoken(tmp_path, lost=set(range(40, 60)))
    whole = log.pcm(0, length)
    assert not whole[40 * 960 : 60 * 960].any()
    assert np.corrcoef(whole[65 * 960 + 312 :], speech()[65 * 960 : length - 312])[0, 1] > 0.8
    for start in range(60, 70):
        part = log.pcm(start * 960, 80 * 960)
        assert np.array_equal(part, whole[start * 960 : 80 * 960]), "a hole is where decoding begins anew"


def test_what_lies_outside_the_log_is_silence(tmp_path: Path) -> None:
    log, length = spoken(tmp_path)
    sound = log.pcm(length - 960, length + 960)
    assert len(sound) == 1920
    assert not sound[960:].any()
    assert len(log.pcm(10, 10)) == 0
    assert not AudioLog(tmp_path).stream("empty", 1).pcm(0, 960).any()


def test_another_rate_has_the_same_length_in_seconds(tmp_path: Path) -> None:
    log, length = spoken(tmp_path)
    sound = log.pcm(0, length, 16_000)
    assert len(sound) == length // 3
    with_48 = log.pcm(0, length)[::3]
    assert np.corrcoef(sound, with_48)[0, 1] > 0.9
    assert len(log.pcm(0, 1_000, 16_000)) == 333
