"""What is asked of a recogniser and what it answers; the one interface every engine has."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from transcription.errors import RecognitionError
from transcription.grid import MODEL_RATE

log = logging.getLogger(__name__)

Samples16k = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class RecognitionRequest:
    """One span of one stream. `audio`: 16 kHz mono float32 of [start_sample, end_sample) (48 kHz positions).

    `early` is a final begun before the silence was long enough to be sure; it is used if nothing more is said.

    `languages`: one is fixed, several let the engine choose among them; `preferred` is what the stream spoke last.
    """

    stream: int
    kind: Literal["final", "early", "partial"]
    start_sample: int
    end_sample: int
    audio: Samples16k
    languages: tuple[str, ...]
    preferred: str = ""
    glossary: str = ""
    voiced_s: float = 0.0
    snr_db: float = 99.0

    @property
    def audio_s(self) -> float:
        return len(self.audio) / MODEL_RATE


@dataclass(frozen=True, slots=True)
class Recognition:
    """`avg_logprob` per token; `no_speech` 0 to 1; `compression`: UTF-8 bytes over zlib bytes of the text."""

    text: str
    language: str
    avg_logprob: float = 0.0
    no_speech: float = 0.0
    compression: float = 1.0
    truncated: bool = False
    window_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Failed:
    """This one request could not be recognised, however it was tried; its audio is still in the log."""

    reason: str


Answer = Recognition | Failed


class Engine(Protocol):
    """Blocking; called in a thread, never on an event loop. Raises RecognitionError."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def languages(self) -> frozenset[str]:
        """Codes it knows; empty when it takes any. A request for others is answered in one it knows."""
        ...

    def recognise(self, batch: Sequence[RecognitionRequest]) -> Sequence[Recognition]: ...


def recognise_each(engine: Engine, batch: Sequence[RecognitionRequest]) -> list[Answer]:
    """One answer per request, in order. When a batch fails each is tried alone, so one cannot take the others along."""
    try:
        return list(engine.recognise(batch))
    except RecognitionError as error:
        if len(batch) == 1:
            log.warning("stream %s at %s not recognised: %s", batch[0].stream, batch[0].start_sample, error)
            return [Failed(str(error))]
        log.warning("batch of %s failed, trying each alone: %s", len(batch), error)
    return [answer for request in batch for answer in recognise_each(engine, [request])]
