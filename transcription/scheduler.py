"""What the recogniser does next. Pure; `now` in seconds on any steady clock is an argument.

Two lanes. Finals: in order within a stream, fair between streams by seconds of audio served, never dropped (the feed's
flow control bounds them: a hub sends at most MAX_AHEAD_S beyond the watermark). Partials: at most one pending per
stream, the newest wins, only when no final waits; they thin out and stop as load grows. Streams that are only heard
again (`be_patient`) have finals alone; these come after everything else and count neither as load nor as lag.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal

from transcription.recognition import RecognitionRequest

PartialMode = Literal["on", "thinned", "off"]


@dataclass(frozen=True, slots=True)
class SchedulerRules:
    """`interval_s`: between partials of one utterance at ease. Load steps: interval factors, `None` stops partials."""

    interval_s: float = 1.0
    retry_s: float = 0.25
    max_batch: int = 4
    backlog_off_s: float = 5.0
    load_window_s: float = 4.0
    recover_s: float = 4.0
    steps: tuple[tuple[float, float | None], ...] = ((0.6, 1.0), (0.8, 2.0), (0.95, 4.0), (math.inf, None))


@dataclass(slots=True)
class _Lane:
    finals: deque[tuple[RecognitionRequest, float]]
    partial: tuple[RecognitionRequest, float] | None = None
    last_partial_at: float = -math.inf
    served_s: float = 0.0
    patient: bool = False


class Scheduler:
    def __init__(
        self, batch_key: Callable[[RecognitionRequest], Hashable], rules: SchedulerRules | None = None
    ) -> None:
        self._rules = rules or SchedulerRules()
        self._batch_key = batch_key
        self._lanes: dict[int, _Lane] = {}
        self._in_flight: set[int] = set()
        self._load = 0.0
        self._measured_at: float | None = None
        self._step = 0
        self._calm_since: float | None = None
        self.partials_replaced = 0

    # ---- asking ----------------------------------------------------------------------------------------------------

    def add_final(self, request: RecognitionRequest, now: float) -> None:
        lane = self._lane(request.stream)
        if not lane.finals:
            # a stream that was quiet does not get its unused share back at once
            others = [other for other in self._lanes.values() if other.patient == lane.patient]
            waiting = [other.served_s for other in others if other.finals]
            lane.served_s = max(lane.served_s, min(waiting, default=lane.served_s))
        if lane.partial and lane.partial[0].start_sample <= request.start_sample:
            self.partials_replaced += lane.partial[0] is not request
            lane.partial = None
        if id(request) not in self._in_flight:
            lane.finals.append((request, now))

    def be_patient(self, stream: int) -> None:
        """Everything of this stream waits for the others."""
        self._lane(stream).patient = True

    def is_patient(self, stream: int) -> bool:
        lane = self._lanes.get(stream)
        return lane is not None and lane.patient

    def partial_due(self, stream: int, now: float) -> bool:
        """Whether a partial offered now would be taken; ask before copying audio."""
        factor = self._rules.steps[self._step][1]
        if factor is None:
            return False
        return now - self._lane(stream).last_partial_at >= self._rules.interval_s * factor

    def offer_partial(self, request: RecognitionRequest, now: float) -> None:
        lane = self._lane(request.stream)
        self.partials_replaced += lane.partial is not None
        lane.partial = (request, now)
        lane.last_partial_at = now

    def partial_was_empty(self, stream: int, now: float) -> None:
        """Nothing could be shown: try again before the whole interval has passed."""
        lane = self._lane(stream)
        lane.last_partial_at = min(lane.last_partial_at, now - self._rules.interval_s + self._rules.retry_s)

    def forget(self, stream: int) -> None:
        """The stream is done or its connection is gone."""
        self._lanes.pop(stream, None)

    # ---- serving ---------------------------------------------------------------------------------------------------

    def next_batch(self, now: float) -> list[RecognitionRequest]:
        """Empty when there is nothing to do. All of one batch have an equal batch key; say `served` afterwards."""
        batch = self._final_batch() or self._partial_batch(now) or self._final_batch(patient=True)
        self._in_flight.update(id(request) for request in batch)
        return batch

    def _final_batch(self, *, patient: bool = False) -> list[RecognitionRequest]:
        batch: list[RecognitionRequest] = []
        while len(batch) < (1 if patient else self._rules.max_batch):  # what comes meanwhile waits for one at most
            mine = [lane for lane in self._lanes.values() if lane.finals and lane.patient == patient]
            lanes = [lane for lane in mine if self._fits(batch, lane.finals[0][0])]
            if not lanes:
                break
            lane = min(lanes, key=lambda lane: (lane.served_s, lane.finals[0][1]))
            request, _ = lane.finals.popleft()
            lane.served_s += request.audio_s
            batch.append(request)
        return batch

    def _partial_batch(self, now: float) -> list[RecognitionRequest]:
        batch: list[RecognitionRequest] = []
        waiting = [lane for lane in self._lanes.values() if lane.partial]
        for lane in sorted(waiting, key=lambda lane: lane.partial[1] if lane.partial else now):
            if lane.partial and len(batch) < self._rules.max_batch and self._fits(batch, lane.partial[0]):
                batch.append(lane.partial[0])
                lane.partial = None
        return batch

    def _fits(self, batch: list[RecognitionRequest], request: RecognitionRequest) -> bool:
        return not batch or self._batch_key(batch[0]) == self._batch_key(request)

    def served(self, batch: list[RecognitionRequest], started: float, now: float) -> None:
        self._in_flight.difference_update(id(request) for request in batch)
        self._measure(started, busy=False)
        self._measure(now, busy=not batch or any(not self.is_patient(request.stream) for request in batch))

    # ---- load ------------------------------------------------------------------------------------------------------

    def _measure(self, now: float, busy: bool) -> None:
        """Busy share with exponential forgetting: it approaches 1 while busy and 0 while not."""
        if self._measured_at is not None and now > self._measured_at:
            kept = math.exp(-(now - self._measured_at) / self._rules.load_window_s)
            self._load = self._load * kept + (1.0 - kept if busy else 0.0)
        self._measured_at = now if self._measured_at is None else max(now, self._measured_at)

    def observe(self, now: float) -> None:
        """Call about once a second: steps up at once, down one step after a calm time."""
        if not self._in_flight:
            self._measure(now, busy=False)
        wanted = next(i for i, (limit, _) in enumerate(self._rules.steps) if self.load < limit)
        if self.lag_s(now) > self._rules.backlog_off_s:
            wanted = len(self._rules.steps) - 1
        if wanted > self._step:
            self._step, self._calm_since = wanted, None
        elif wanted < self._step:
            self._calm_since = now if self._calm_since is None else self._calm_since
            if now - self._calm_since >= self._rules.recover_s:
                self._step, self._calm_since = self._step - 1, now
        else:
            self._calm_since = None

    @property
    def load(self) -> float:
        """Busy share of the recent past, 0 to 1."""
        return self._load

    @property
    def partials(self) -> PartialMode:
        factor = self._rules.steps[self._step][1]
        return "off" if factor is None else "on" if factor == 1.0 else "thinned"

    def lag_s(self, now: float) -> float:
        """Age of the oldest final that waits."""
        waiting = [lane.finals[0][1] for lane in self._lanes.values() if lane.finals and not lane.patient]
        return max((now - since for since in waiting), default=0.0)

    def _lane(self, stream: int) -> _Lane:
        return self._lanes.setdefault(stream, _Lane(deque()))
