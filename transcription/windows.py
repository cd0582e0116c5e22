"""How long a window the recogniser sees. Pure.

Whisper was trained on 30 s and faster-whisper always pads to it; a window cut to the utterance costs a fraction.
Measured with the fixture model (decision 0007): no accuracy lost from 5 s up, encoder time in proportion. A model of
other origin can be told to keep 30 s (`--full-windows`); suspicious answers are decoded again at 30 s in any case.
"""

from __future__ import annotations

from collections.abc import Hashable

from transcription.recognition import RecognitionRequest

FULL_S = 30.0
WINDOWS_S = (5.0, 10.0, 15.0, 20.0, FULL_S)
MARGIN_S = 1.0
"""Silence behind the sound: a window that ends with the speech makes Whisper loop (whisper.cpp issue 1117)."""


def window_for(audio_s: float, windows_s: tuple[float, ...] = WINDOWS_S) -> float:
    return next((window for window in windows_s if audio_s + MARGIN_S <= window), windows_s[-1])


def batch_key(request: RecognitionRequest) -> Hashable:
    """Requests with equal keys can share one call: same lane, same window, prompts of one length."""
    return (request.kind == "partial", window_for(request.audio_s), request.glossary)
