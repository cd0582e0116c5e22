"""Voice activity: Silero v6 (the ONNX file that faster-whisper carries) with its state kept for a stream's whole life.

faster-whisper's own helper starts from nothing on each call and is made for whole files; here the recurrent state and
the 64 samples before each window go on from call to call.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from transcription.errors import ModelMissing
from transcription.grid import WINDOW_16K

CONTEXT = 64
_STATE = 128


class VoiceActivity(Protocol):
    """Probability of speech for each window; remembers what it heard."""

    def hear(self, windows: NDArray[np.float32]) -> list[float]:
        """`windows`: [n, 512] float32 at 16 kHz, following on the windows heard before."""
        ...

    def reset(self) -> None: ...


class SileroModel:
    """The weights, shared by all streams of a process. Raises ModelMissing."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = 1
        options.intra_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(_bundled_weights()), providers=["CPUExecutionProvider"], sess_options=options
        )

    def run(
        self, windows: NDArray[np.float32], h: NDArray[np.float32], c: NDArray[np.float32]
    ) -> tuple[Any, NDArray[np.float32], NDArray[np.float32]]:
        probabilities, h, c = self._session.run(None, {"input": windows, "h": h, "c": c})
        return probabilities, h, c


class SileroVoiceActivity:
    def __init__(self, model: SileroModel) -> None:
        self._model = model
        self.reset()

    def reset(self) -> None:
        self._h = np.zeros((1, 1, _STATE), np.float32)
        self._c = np.zeros((1, 1, _STATE), np.float32)
        self._context = np.zeros(CONTEXT, np.float32)

    def hear(self, windows: NDArray[np.float32]) -> list[float]:
        if not len(windows):
            return []
        before = np.vstack([self._context, windows[:-1, -CONTEXT:]])
        probabilities, self._h, self._c = self._model.run(np.hstack([before, windows]), self._h, self._c)
        self._context = windows[-1, -CONTEXT:].copy()
        return [float(p) for p in np.asarray(probabilities).reshape(-1)]


class LevelVoiceActivity:
    """For tests and tones: whatever is louder than `threshold_db` is speech."""

    def __init__(self, threshold_db: float = -45.0) -> None:
        self._threshold = threshold_db

    def reset(self) -> None: ...

    def hear(self, windows: NDArray[np.float32]) -> list[float]:
        return [1.0 if level_db(window) > self._threshold else 0.0 for window in windows]


def level_db(window: NDArray[np.float32]) -> float:
    """RMS level in dB of full scale, not below -96."""
    power = float(np.mean(np.square(window))) if len(window) else 0.0
    return max(-96.0, 10.0 * float(np.log10(power + 1e-12)))


def _bundled_weights() -> Path:
    found = find_spec("faster_whisper")
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder) / "assets" / "silero_vad_v6.onnx"
        if path.is_file():
            return path
    raise ModelMissing(
        "The voice-activity weights (silero_vad_v6.onnx) are not installed: install the package faster-whisper 1.2.1."
    )


__all__ = [
    "CONTEXT", "WINDOW_16K", "LevelVoiceActivity", "SileroModel", "SileroVoiceActivity", "VoiceActivity", "level_db",
]  # fmt: skip
