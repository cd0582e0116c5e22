"""One stream from windows to facts. Pure: no model, no clock; requests to recognise go out, answers come in.

Every second of input is accounted for: in a line, in suppressed text, or as silence; a report never takes back an
earlier one. Facts leave in the order of the stream, whatever order answers come in.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from transcription.ear import Frame, Heard, Skip
from transcription.endpointer import Endpointer, EndpointRules, Utterance, Window
from transcription.filters import judge
from transcription.grid import MODEL_RATE, RATE, RATIO
from transcription.recognition import Answer, Failed, Recognition, RecognitionRequest, Samples16k
from transcription.stabiliser import Stabiliser

REPORT_SILENCE = 2 * RATE
FIRST_PARTIAL_S = 0.4
"""Voiced seconds before the first partial; less gives guesses."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A decided utterance. `suppressed`: recognised and not believed, with the reason. Positions at 48 kHz."""

    start_sample: int
    end_sample: int
    text: str
    language: str
    confidence: float
    suppressed: str | None
    watermark_sample: int
    decode_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Silent:
    """Up to the watermark what is not spoken is silence."""

    watermark_sample: int


@dataclass(frozen=True, slots=True)
class Sofar:
    """A view: what the open utterance sounds like. A higher revision replaces it; `committed` only grows."""

    start_sample: int
    revision: int
    text: str
    committed: str
    language: str


Fact = Spoken | Silent


@dataclass(slots=True)
class _Open:
    """What is known of partials of one utterance."""

    start_sample: int
    stabiliser: Stabiliser
    revision: int = 0


@dataclass(slots=True)
class _Pending:
    request: RecognitionRequest
    decided_sample: int
    answer: Answer | None = None
    decode_ms: float = 0.0

    def is_for(self, span: Utterance) -> bool:
        asked = (self.request.start_sample, self.request.end_sample, self.decided_sample)
        return asked == (span.start_sample, span.end_sample, span.decided_sample)


class Listener:
    def __init__(
        self,
        stream: int,
        from_sample: int,
        languages: tuple[str, ...],
        glossary: str = "",
        rules: EndpointRules | None = None,
    ) -> None:
        self._stream = stream
        self._languages = languages
        self._glossary = glossary
        self._endpointer = Endpointer(from_sample, rules)
        self._frames: deque[Frame] = deque()
        self._pending: deque[_Pending] = deque()
        self._early: _Pending | None = None
        self._open: _Open | None = None
        self._language = languages[0] if len(languages) == 1 else ""
        self._reported = from_sample
        self._heard_to = from_sample
        self._ended = False

    # ---- hearing ---------------------------------------------------------------------------------------------------

    def hear(self, heard: Iterable[Heard]) -> list[RecognitionRequest]:
        """Finals that became due, in order; one whose early answer is in already is not asked for again."""
        requests: list[RecognitionRequest] = []
        for item in heard:
            if isinstance(item, Skip):
                requests += self._requests(self._endpointer.close(item.to_sample))
                self._heard_to = item.to_sample
            else:
                self._frames.append(item)
                self._heard_to = item.sample + len(item.audio) * RATIO
                requests += self._requests(self._endpointer.hear([Window(item.probability, item.level_db, item.audio)]))
            self._forget_old_audio()
        return requests

    def stalled(self) -> list[RecognitionRequest]:
        """The sender has stopped without a word: decide what is open. Audio that comes after all follows on."""
        if not self._endpointer.speaking:
            return []
        return self._requests(self._endpointer.close(self._endpointer.position))

    def finish(self, end_sample: int) -> list[RecognitionRequest]:
        """There is no more: decide everything that is left."""
        requests = self._requests(self._endpointer.close(end_sample))
        self._heard_to = end_sample
        self._ended = True
        self._frames.clear()
        return requests

    def early(self) -> RecognitionRequest | None:
        """The open utterance, once, at a pause that may be its end: its final can begin before that is sure."""
        span = self._endpointer.open_span() if self._endpointer.tail_heard else None
        if span is None or (self._early and self._early.is_for(span)):
            return None
        self._early = _Pending(self._request("early", span), span.decided_sample)
        return self._early.request

    def partial(self) -> RecognitionRequest | None:
        """The open utterance as it stands, when there is enough of it to say something and it goes on."""
        if self._endpointer.open_voiced_s < FIRST_PARTIAL_S or self._endpointer.tail_heard:
            return None
        span = self._endpointer.open_span()
        return self._request("partial", span) if span else None

    # ---- answers ---------------------------------------------------------------------------------------------------

    def answer(self, request: RecognitionRequest, answer: Answer, decode_ms: float = 0.0) -> list[Fact]:
        """The facts that this answer makes sayable."""
        for pending in (*self._pending, *([self._early] if self._early else [])):
            if pending.request is request:
                pending.answer, pending.decode_ms = answer, decode_ms
        return self.facts()

    def facts(self) -> list[Fact]:
        """What can be said now: decided utterances in order, then silence."""
        facts: list[Fact] = []
        while self._pending and (head := self._pending[0]).answer is not None:
            self._pending.popleft()
            facts.append(replace(self._decide(head), decode_ms=head.decode_ms))
        return facts + self._silence()

    def heard_partial(self, request: RecognitionRequest, answer: Answer) -> Sofar | None:
        """None when the utterance is over already, or there is nothing worth showing."""
        if isinstance(answer, Failed) or self._endpointer.speaking_since != request.start_sample:
            return None
        if judge(request, answer) is not None:
            return None
        if self._open is None or self._open.start_sample != request.start_sample:
            self._open = _Open(request.start_sample, Stabiliser())
        self._open.revision += 1
        view = self._open.stabiliser.update(answer.text)
        return Sofar(request.start_sample, self._open.revision, view.text, view.committed, answer.language)

    def _silence(self) -> list[Fact]:
        """Worth reporting since the last report: at least two seconds of it, or the end."""
        if self._pending:
            return []
        upto = self._heard_to if self._ended else self._endpointer.settled
        if upto <= self._reported or (upto - self._reported < REPORT_SILENCE and not self._ended):
            return []
        self._reported = upto
        return [Silent(upto)]

    # ---- state -----------------------------------------------------------------------------------------------------

    @property
    def watermark(self) -> int:
        """As last reported."""
        return self._reported

    @property
    def heard_to(self) -> int:
        return self._heard_to

    @property
    def done(self) -> bool:
        """Ended, and everything decided and reported."""
        return self._ended and not self._pending and self._reported >= self._heard_to

    @property
    def speaking(self) -> bool:
        return self._endpointer.speaking

    @property
    def held_s(self) -> float:
        """Seconds of audio in memory, the pending requests' own included."""
        frames = sum(len(frame.audio) for frame in self._frames)
        return (frames + sum(len(pending.request.audio) for pending in self._pending)) / MODEL_RATE

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _decide(self, pending: _Pending) -> Spoken:
        request, answer = pending.request, pending.answer
        self._reported = max(self._reported, pending.decided_sample)
        if not isinstance(answer, Recognition):
            return Spoken(request.start_sample, request.end_sample, "", "", 0.0, "failed", self._reported)
        reason = judge(request, answer)
        if reason is None:
            self._language = answer.language
        confidence = min(1.0, max(0.0, math.exp(min(0.0, answer.avg_logprob))))
        return Spoken(
            request.start_sample, request.end_sample, answer.text, answer.language, confidence, reason, self._reported
        )

    def _requests(self, utterances: list[Utterance]) -> list[RecognitionRequest]:
        new = [self._early if self._early and self._early.is_for(span) else self._final(span) for span in utterances]
        self._pending.extend(new)
        return [pending.request for pending in new if pending.answer is None]

    def _final(self, span: Utterance) -> _Pending:
        return _Pending(self._request("final", span), span.decided_sample)

    def _request(self, kind: Literal["final", "early", "partial"], span: Utterance) -> RecognitionRequest:
        return RecognitionRequest(
            stream=self._stream,
            kind=kind,
            start_sample=span.start_sample,
            end_sample=span.end_sample,
            audio=self._cut(span.start_sample, span.end_sample),
            languages=self._languages,
            preferred=self._language,
            glossary=self._glossary,
            voiced_s=span.voiced_s,
            snr_db=span.snr_db,
        )

    def _cut(self, start: int, end: int) -> Samples16k:
        frames = [
            frame for frame in self._frames if start < frame.sample + len(frame.audio) * RATIO and frame.sample < end
        ]
        if not frames:
            return np.zeros(0, np.float32)
        sound = np.concatenate([frame.audio for frame in frames])
        first = max(0, start - frames[0].sample) // RATIO
        return sound[first : first + (end - max(start, frames[0].sample)) // RATIO]

    def _forget_old_audio(self) -> None:
        keep = self._endpointer.keep_from
        while self._frames and self._frames[0].sample + len(self._frames[0].audio) * RATIO <= keep:
            self._frames.popleft()
