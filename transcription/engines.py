"""From settings to an engine and the voice activity that belongs to it. Heavy libraries load only here, when chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from transcription.recognition import Engine
from transcription.settings import EngineName
from transcription.vad import LevelVoiceActivity, SileroModel, SileroVoiceActivity, VoiceActivity
from transcription.windows import FULL_S, WINDOWS_S


@dataclass(frozen=True, slots=True)
class Recogniser:
    """`new_activity`: fresh voice activity for one stream."""

    engine: Engine
    new_activity: Callable[[], VoiceActivity]


def load_recogniser(
    engine: EngineName,
    model: str,
    device: str = "auto",
    compute: str = "auto",
    threads: int = 0,
    full_windows: bool = False,
) -> Recogniser:
    """Blocks while weights load. Raises ModelMissing."""
    if engine == "tone":
        from transcription.tones import ToneEngine

        return Recogniser(ToneEngine(), LevelVoiceActivity)
    from transcription.whisper import WhisperEngine, WhisperSettings

    windows = (FULL_S,) if full_windows else WINDOWS_S
    weights = SileroModel()
    whisper = WhisperEngine(WhisperSettings(model, device, compute, threads, windows_s=windows))
    return Recogniser(whisper, lambda: SileroVoiceActivity(weights))
