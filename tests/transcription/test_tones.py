"""Tones: text to sound and back, through Opus too."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transcription.sounds import noise, silence
from transcription.ear import Ear, Frame
from transcription.fakes import opus_packets
from transcription.tones import ALPHABET, read_tones, tones
from transcription.vad import LevelVoiceActivity

texts = st.text(alphabet=ALPHABET, max_size=12)


@given(texts)
@settings(max_examples=30)
def test_tones_read_back_as_their_text(text: str) -> None:
    assert read_tones(tones(text, 16_000)) == text


@given(texts)
@settings(max_examples=10)
def test_tones_survive_opus_and_the_ear(text: str) -> None:
    packets = opus_packets(np.concatenate([silence(0.3), tones(text), silence(0.3)]))
    ear = Ear(0, LevelVoiceActivity())
    heard = ear.hear((p.sequence, p.sample, p.payload) for p in packets) + ear.finish(len(packets) * 960)
    assert read_tones(np.concatenate([frame.audio for frame in heard if isinstance(frame, Frame)])) == text


def test_noise_is_no_tone() -> None:
    assert read_tones(noise(1.0, 0.1)[::3]) == ""
