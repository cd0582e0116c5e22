"""`python -m transcription.trial --model M`: what one talking track costs with this model here; one line of JSON.

The shipped samples are heard as a live track is (Opus, ear, listener, scheduler, engine; `feed_session.py`), only by
a clock of samples: partial text each second, the first try at a pause, the final line. What is timed is the work, so
it does not matter how fast it goes. No word of what was recognised is printed. Exit code 2: the model cannot be used,
with a sentence on standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soxr

from transcription.audio_log import Packet
from transcription.ear import Ear
from transcription.engines import Recogniser, load_recogniser
from transcription.errors import ModelMissing, TranscriptionError
from transcription.fakes import opus_packets
from transcription.files import open_sound
from transcription.grid import RATE
from transcription.listener import Fact, Listener, Spoken
from transcription.memory import give_back_large_blocks
from transcription.recognition import RecognitionRequest, recognise_each
from transcription.scheduler import Scheduler
from transcription.windows import batch_key

SAMPLES = Path(__file__).parent / "fixture" / "samples"
TALK = ("ja_several.wav", "en_several.wav")
SHORT = "ja_1.wav"
NOISE = "noise.wav"
LANGUAGES = ("ja", "en")
PACKET = RATE // 50
GATHERED = 3
"""Packets heard together, as a worker gathers them (`feed_session.GATHER_S`)."""
SILENCE_S = 1.0
"""Behind each file, so that its last sentence ends."""
ENOUGH_S = 60.0
"""So much work shows how slow a model is: the rest of the sound is left."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Seconds of work for `talk_s` seconds of talk: `hearing_s` before the model, `lines_s` for first tries and final
    lines, `partials_s` for partial text. `lines`: sentences believed; `in_noise`: of them where nobody spoke."""

    load_s: float
    size: int
    peak_bytes: int
    talk_s: float
    hearing_s: float
    lines_s: float
    partials_s: float
    lines: int
    in_noise: int


class Track:
    """One stream through the live path. `clock`: seconds that only count."""

    def __init__(self, recogniser: Recogniser, clock: Callable[[], float]) -> None:
        self._engine, self._new_activity, self._clock = recogniser.engine, recogniser.new_activity, clock
        self.hearing_s = self.lines_s = self.partials_s = self.talk_s = 0.0
        self.lines = 0

    @property
    def work_s(self) -> float:
        return self.hearing_s + self.lines_s + self.partials_s

    def hear(self, path: Path, enough_s: float) -> None:
        packets = _packets(path)
        ear, listener, scheduler = Ear(0, self._new_activity()), Listener(0, 0, LANGUAGES), Scheduler(batch_key)
        end_sample = 0
        for at in range(0, len(packets), GATHERED):
            together = packets[at : at + GATHERED]
            end_sample = together[-1].sample + PACKET
            self._listen(ear, listener, scheduler, together, end_sample / RATE)
            if self.work_s > enough_s:
                break
        for request in listener.finish(end_sample):
            scheduler.add_final(request, end_sample / RATE)
        self._serve(listener, scheduler, end_sample / RATE)
        self.talk_s += end_sample / RATE

    def _listen(
        self, ear: Ear, listener: Listener, scheduler: Scheduler, packets: Sequence[Packet], now: float
    ) -> None:
        began = self._clock()
        requests = listener.hear(ear.hear([(one.sequence, one.sample, one.payload) for one in packets]))
        self.hearing_s += self._clock() - began
        for request in requests:
            scheduler.add_final(request, now)
        view = listener.early() or (listener.partial() if scheduler.partial_due(0, now) else None)
        if view is not None:
            scheduler.offer_partial(view, now)
        self._serve(listener, scheduler, now)

    def _serve(self, listener: Listener, scheduler: Scheduler, now: float) -> None:
        while batch := scheduler.next_batch(now):
            began = self._clock()
            answers = recognise_each(self._engine, batch)
            took = self._clock() - began
            scheduler.served(batch, now, now)
            for request, answer in zip(batch, answers, strict=True):
                self._count(request, took / len(batch))
                if request.kind != "partial":
                    self._believed(listener.answer(request, answer))
                elif listener.heard_partial(request, answer) is None:
                    scheduler.partial_was_empty(0, now)
        self._believed(listener.facts())

    def _believed(self, facts: Sequence[Fact]) -> None:
        self.lines += sum(isinstance(fact, Spoken) and fact.suppressed is None for fact in facts)

    def _count(self, request: RecognitionRequest, took_s: float) -> None:
        if request.kind == "partial":
            self.partials_s += took_s
        else:
            self.lines_s += took_s


def _packets(path: Path) -> list[Packet]:
    """As a board sends it: Opus at 48 kHz, 20 ms each, silence behind the last word."""
    sound = open_sound(path)
    whole = np.concatenate([*sound.blocks, np.zeros(round(SILENCE_S * sound.rate), np.float32)])
    return opus_packets(soxr.resample(whole, sound.rate, RATE).astype(np.float32))


def measure(model: str, device: str, compute: str, clock: Callable[[], float] = time.perf_counter) -> Trial:
    """Blocks for seconds to minutes. Raises TranscriptionError."""
    began = clock()
    recogniser = load_recogniser("whisper", model, device, compute)
    load_s = clock() - began
    talk, noise = try_out(recogniser, clock)
    cost = (talk.talk_s, talk.hearing_s, talk.lines_s, talk.partials_s)
    return Trial(load_s, weights_of(model), peak_bytes(), *cost, talk.lines, noise.lines)


def try_out(recogniser: Recogniser, clock: Callable[[], float], enough_s: float = ENOUGH_S) -> tuple[Track, Track]:
    """What it did with talk, and with noise."""
    Track(recogniser, clock).hear(SAMPLES / SHORT, enough_s)  # the first answer of a model takes longer
    noise, talk = Track(recogniser, clock), Track(recogniser, clock)
    noise.hear(SAMPLES / NOISE, enough_s)
    for name in TALK:
        if talk.work_s <= enough_s:
            talk.hear(SAMPLES / name, enough_s)
    return talk, noise


def weights_of(model: str) -> int:
    """Bytes of the weights. Raises ModelMissing."""
    from transcription.whisper import model_folder

    file = model_folder(model) / "model.bin"
    try:
        return file.stat().st_size
    except OSError as error:
        raise ModelMissing(f"The weights {file} cannot be read: {error.strerror}.") from error


def peak_bytes() -> int:
    """The most memory that this process ever held; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m transcription.trial", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", required=True, help='"fixture", a directory, or a name in the local cache')
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--compute", default="auto")
    given = parser.parse_args(arguments)
    give_back_large_blocks()
    try:
        found = measure(given.model, given.device, given.compute)
    except TranscriptionError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    print(json.dumps(asdict(found)))  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
