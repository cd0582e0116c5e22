"""How many rooms a recogniser can caption on this machine, measured or estimated, and which one to take. Pure.

**Measured.** A model recognises a few seconds of talk as a live track is recognised: partial text every second, a
first try at each pause, the final line, voice activity. Its *load* is the seconds of work that takes for a second of
talk. The scheduler thins partial text out from a load of 0.6 on and gives it up at 0.95
(`transcription/scheduler.py`); 0.6 is therefore what this machine gives at ease, the rest is the margin for media,
pages and what else it does.

**Estimated.** For a size that is not here, the fixture model's time is scaled by multiply-adds. With d the width, a
layer of the encoder takes 12 d² for each position (50 a second of sound); one of the decoder 14 d² for each letter
token, and the choice among 51,865 tokens 51,865 d. Encoding a larger model is cheaper than in proportion, because
larger matrices use a processor better: its time grows by the power 0.75 of the multiply-adds; decoding grows in
proportion. `ENCODING` is the encoder's share of the fixture model's time. Both were fitted to timed models of the
published shapes with random weights (decision 0037: right within a factor of 1.5 there; say two to three elsewhere).
What does not depend on the model (voice activity, features) is not scaled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EASE = 0.6
LINES_ONLY = 0.8
"""Of the final lines alone, without partial text: beyond it they come later and later."""
TOKENS = 51_865
ENCODING = 0.19
GROWTH = 0.75
INT8_BYTES = 1.05
"""Of weights on disk and in memory, for each parameter, with their scales."""
LOADING = 3.0
"""Of the weights: while they load they are held twice, and recognising takes as much again."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A published Whisper: `parameters` in millions, layers of its two halves, their width."""

    name: str
    parameters: int
    encoder: int
    decoder: int
    width: int

    @property
    def encoding(self) -> int:
        """Multiply-adds for each position of the encoder."""
        return 12 * self.encoder * self.width**2

    @property
    def decoding(self) -> int:
        """Multiply-adds for each token."""
        return 14 * self.decoder * self.width**2 + TOKENS * self.width


FIXTURE = Shape("fixture", 2, 4, 2, 128)
PUBLISHED = (
    Shape("tiny", 39, 4, 4, 384),
    Shape("base", 74, 6, 6, 512),
    Shape("small", 244, 12, 12, 768),
    Shape("medium", 769, 24, 24, 1024),
    Shape("large-v3-turbo", 809, 32, 4, 1280),
)
"""OpenAI's model card (github.com/openai/whisper), smallest first."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one model here. `talk_s`: seconds of talk heard; of work on them: `hearing_s` before the model, `lines_s` for
    final lines, `partials_s` for partial text. `peak_bytes`: of the process."""

    talk_s: float
    hearing_s: float
    lines_s: float
    partials_s: float
    peak_bytes: int = 0

    @property
    def load(self) -> float:
        """Seconds of work for a second of talk, with partial text."""
        return (self.hearing_s + self.lines_s + self.partials_s) / self.talk_s

    @property
    def lines_load(self) -> float:
        return (self.hearing_s + self.lines_s) / self.talk_s


def rooms(load: float, share: float = EASE) -> int:
    """That talk at once, within a share of the time. A model that takes nothing is none: at most 999."""
    return min(999, int(share / load)) if load > 0 else 999


def at_ease(cost: Cost) -> int:
    """Talking at once with captions that come while people speak."""
    return rooms(cost.load)


def lines_only(cost: Cost) -> int:
    """Talking at once with lines that come after each sentence."""
    return max(at_ease(cost), rooms(cost.lines_load, LINES_ONLY))


def estimate(fixture: Cost, shape: Shape) -> Cost:
    """What that shape would cost where the fixture model costs so much."""
    grown = ENCODING * (shape.encoding / FIXTURE.encoding) ** GROWTH
    grown += (1 - ENCODING) * shape.decoding / FIXTURE.decoding
    return Cost(
        fixture.talk_s,
        fixture.hearing_s,
        fixture.lines_s * grown,
        fixture.partials_s * grown,
        fixture.peak_bytes + weights(shape),
    )


def weights(shape: Shape) -> int:
    """Bytes in memory while the model loads."""
    return int(shape.parameters * 1e6 * INT8_BYTES * LOADING)


def largest_estimated(fixture: Cost, tracks: int, memory: int) -> Shape | None:
    """The largest published one that would carry so many at once in `memory` bytes; None: not even the smallest.

    large-v3-turbo stands last: it hears better than medium and costs less.
    """
    fitting = [
        shape
        for shape in PUBLISHED
        if at_ease(found := estimate(fixture, shape)) >= tracks and found.peak_bytes <= memory
    ]
    return fitting[-1] if fitting else None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that was measured. `size`: bytes of its weights; larger hears better."""

    name: str
    size: int
    cost: Cost


def largest(candidates: Iterable[Candidate], tracks: int) -> Candidate | None:
    """The largest that carries so many at once at ease."""
    fitting = [one for one in candidates if at_ease(one.cost) >= tracks]
    return max(fitting, key=lambda one: one.size, default=None)


def nearest(candidates: Sequence[Candidate]) -> Candidate | None:
    """When none carries enough: the one that carries most."""
    return max(candidates, key=lambda one: (-one.cost.load, one.size), default=None)
