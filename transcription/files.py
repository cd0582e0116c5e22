"""A sound file through the same listener and engine as a live stream: blocks in, lines out. Blocking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transcription.ear import Ear
from transcription.engines import Recogniser
from transcription.errors import NotSound
from transcription.grid import RATE
from transcription.lines import TranscriptLine
from transcription.listener import Fact, Listener, Spoken
from transcription.recognition import RecognitionRequest, recognise_each
from transcription.scheduler import Scheduler
from transcription.windows import batch_key

BLOCK_S = 2.0


@dataclass(frozen=True, slots=True)
class SoundFile:
    """`blocks`: mono float32 at `rate`, about two seconds each. `length_s` is 0 when the file does not say."""

    rate: int
    length_s: float
    blocks: Iterator[NDArray[np.float32]]


def transcribe(
    path: Path,
    recogniser: Recogniser,
    languages: tuple[str, ...],
    glossary: str = "",
    heard: Callable[[float, float], None] = lambda _done_s, _of_s: None,
) -> Iterator[TranscriptLine]:
    """Lines as they are decided; suppressed text is left out. `heard`: progress in seconds. Raises NotSound."""
    sound = open_sound(path)
    ear = Ear(0, recogniser.new_activity(), sound.rate)
    listener = Listener(0, 0, languages, glossary)
    samples = 0
    for block in sound.blocks:
        samples += len(block)
        requests = listener.hear(ear.sound(block))
        yield from _lines(path.stem, _recognise(recogniser, listener, requests))
        heard(samples / sound.rate, sound.length_s)
    requests = listener.hear(ear.finish()) + listener.finish(round(samples / sound.rate * RATE))
    yield from _lines(path.stem, _recognise(recogniser, listener, requests))


def _recognise(recogniser: Recogniser, listener: Listener, requests: list[RecognitionRequest]) -> list[Fact]:
    scheduler = Scheduler(batch_key)
    for request in requests:
        scheduler.add_final(request, 0.0)
    facts: list[Fact] = []
    while batch := scheduler.next_batch(0.0):
        for request, answer in zip(batch, recognise_each(recogniser.engine, batch), strict=True):
            facts += listener.answer(request, answer)
        scheduler.served(batch, 0.0, 0.0)
    return facts


def _lines(site: str, facts: list[Fact]) -> Iterator[TranscriptLine]:
    for fact in facts:
        if isinstance(fact, Spoken) and fact.suppressed is None:
            yield TranscriptLine(
                fact.start_sample / RATE, fact.end_sample / RATE, site, "", fact.text, fact.language, fact.confidence
            )


def open_sound(path: Path) -> SoundFile:
    """Anything libsndfile or FFmpeg reads. Raises NotSound, with a sentence."""
    if not path.is_file():
        raise NotSound(f"There is no file {path}.")
    return _by_sndfile(path) or _by_ffmpeg(path)


def _by_sndfile(path: Path) -> SoundFile | None:
    import soundfile

    try:
        file = soundfile.SoundFile(str(path))
    except (soundfile.LibsndfileError, RuntimeError, TypeError):
        return None
    rate = int(file.samplerate)

    def blocks() -> Iterator[NDArray[np.float32]]:
        with file:
            for block in file.blocks(round(BLOCK_S * rate), dtype="float32", always_2d=True):
                yield block.mean(axis=1)

    return SoundFile(rate, file.frames / rate, blocks())


def _by_ffmpeg(path: Path) -> SoundFile:
    import av

    try:
        container = av.open(str(path))
        stream = container.streams.audio[0]
    except (av.FFmpegError, IndexError, OSError) as error:
        raise NotSound(f"{path} is not a sound file, or of a kind that cannot be read here.") from error
    resampler: Any = av.AudioResampler("flt", "mono", RATE)

    def blocks() -> Iterator[NDArray[np.float32]]:
        with container:
            try:
                for frame in container.decode(stream):
                    yield from (out.to_ndarray().reshape(-1) for out in resampler.resample(frame))
                yield from (out.to_ndarray().reshape(-1) for out in resampler.resample(None))
            except av.FFmpegError as error:
                raise NotSound(f"{path} is damaged: its sound could not be read to the end.") from error

    return SoundFile(RATE, float(container.duration or 0) / 1_000_000, blocks())
