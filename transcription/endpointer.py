"""Where utterances begin and end, decided from one probability per 32 ms window. Pure.

The law that makes crash recovery exact: a fresh endpointer that begins at any watermark this one has reported, and
hears the same windows from there on, finds the same remaining utterances. Two rules give it: windows lie on an absolute
grid,
and after an utterance (or a cut inside a long one) the windows behind it are heard again from the idle state, as a
restarted worker would hear them.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from transcription.grid import WINDOW, WINDOW_S, floor_to_grid, windows_for

SILENT_DB = -96.0


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """Seconds; probabilities enter and leave speech with hysteresis as Silero's authors advise.

    `hint`: weak beginnings (しつもん: devoiced, then soft) stay below `enter` for up to half a second. Once speech is
    certain, its beginning is looked for backwards, `look_back_s` at most, for as long as there was at least a hint.
    `rise_s`: a hint that has lasted so long is speech as soon as it reaches `leave`. A short はい after a silence never
    climbs above `enter`, or does so by the chance of where the windows lie. `min_speech_s` above `leave`, or
    `min_hint_s` of hints, make an utterance; a click has neither.
    A hint in the last `end_hint_s` of a long enough silence holds the end back, `end_patience_s` at most.
    """

    enter: float = 0.5
    leave: float = 0.35
    hint: float = 0.1
    rise_s: float = 0.16
    look_back_s: float = 0.8
    pre_roll_s: float = 0.4
    min_speech_s: float = 0.15
    min_hint_s: float = 0.24
    end_silence_s: float = 0.6
    end_hint_s: float = 0.13
    end_patience_s: float = 0.4
    tail_s: float = 0.3
    pause_s: float = 0.15
    soft_max_s: float = 15.0
    hard_max_s: float = 20.0
    settle_s: float = 2.5
    """How far behind the newest audio silence is reported: leaves a restarted worker a second to warm up."""


@dataclass(frozen=True, slots=True)
class Window:
    probability: float
    level_db: float = SILENT_DB


@dataclass(frozen=True, slots=True)
class Utterance:
    """A span bounded by voice activity. `snr_db`: its voiced windows over its unvoiced ones."""

    start_sample: int
    end_sample: int
    voiced_s: float
    snr_db: float


class Endpointer:
    """Hears windows one after another from `from_sample` (rounded down to the grid) on."""

    def __init__(self, from_sample: int, rules: EndpointRules | None = None) -> None:
        self._rules = rules or EndpointRules()
        self._pre_roll = windows_for(self._rules.pre_roll_s)
        self._rise = windows_for(self._rules.rise_s)
        self._look_back = windows_for(self._rules.look_back_s)
        self._min_speech = windows_for(self._rules.min_speech_s)
        self._min_hint = windows_for(self._rules.min_hint_s)
        self._end_silence = windows_for(self._rules.end_silence_s)
        self._end_hint = windows_for(self._rules.end_hint_s)
        self._end_patience = windows_for(self._rules.end_patience_s)
        self._tail = min(windows_for(self._rules.tail_s), self._end_silence)
        self._pause = windows_for(self._rules.pause_s)
        self._soft = windows_for(self._rules.soft_max_s)
        self._hard = windows_for(self._rules.hard_max_s)
        self._settle = windows_for(self._rules.settle_s) * WINDOW
        self._restart(from_sample)

    def _restart(self, floor: int) -> None:
        self._floor = floor
        self._first = floor_to_grid(floor)
        self._windows: list[Window] = []
        self._speaking = False
        self._quiet_from = 0
        self._settled = floor

    @property
    def position(self) -> int:
        """First sample not yet heard."""
        return self._first + len(self._windows) * WINDOW

    @property
    def speaking_since(self) -> int | None:
        """Start of the open utterance (pre-roll included) once it is long enough to be one."""
        long_enough = self._speaking and self._is_long_enough()
        return max(self._first, self._floor) if long_enough else None

    @property
    def open_voiced_s(self) -> float:
        return self._voiced(self._windows) * WINDOW_S if self._speaking else 0.0

    @property
    def tail_heard(self) -> bool:
        """The open utterance would end here if nothing more were said."""
        return self._speaking and len(self._windows) - self._quiet_from >= self._tail

    @property
    def keep_from(self) -> int:
        """Audio before this sample can never belong to a coming utterance."""
        return self._first

    @property
    def settled(self) -> int:
        """Up to here everything is decided: utterances already returned, or silence. Only grows."""
        return self._settled

    def hear(self, windows: Iterable[Window]) -> list[Utterance]:
        found: list[Utterance] = []
        for window in windows:
            self._hear(window, found)
        if not self._speaking:
            self._settled = max(self._settled, self.position - self._settle)
        return found

    def close(self, at: int) -> list[Utterance]:
        """Nothing follows before `at`: decide what is open. Later windows begin at `at`, rounded down to the grid."""
        found: list[Utterance] = []
        if self._speaking and self._is_long_enough():
            end = min(self.position, self._first + (self._quiet_from + self._tail) * WINDOW, at)
            found.append(self._utterance(len(self._windows), end))
        self._restart(max(at, self._floor))
        return found

    def open_span(self) -> Utterance | None:
        """The open utterance as it would be returned if silence went on from here."""
        start = self.speaking_since
        if start is None:
            return None
        count = min(len(self._windows), self._quiet_from + self._tail)
        return self._utterance(count, self._first + count * WINDOW)

    def _hear(self, window: Window, found: list[Utterance]) -> None:
        self._windows.append(window)
        if not self._speaking:
            self._listen(window)
            return
        if window.probability >= self._rules.leave:
            self._quiet_from = len(self._windows)
        if self._is_over():
            self._end(found)
        elif len(self._windows) >= self._soft:
            self._cut_long(found)

    def _is_over(self) -> bool:
        silence = len(self._windows) - self._quiet_from
        if silence < self._end_silence:
            return False
        hinted = any(window.probability >= self._rules.hint for window in self._windows[-self._end_hint :])
        return not hinted or silence >= self._end_silence + self._end_patience

    def _listen(self, window: Window) -> None:
        if self._has_begun(window):
            self._speaking = True
            self._drop_before(self._beginning() - self._pre_roll)
            self._quiet_from = len(self._windows)
            return
        self._drop_before(len(self._windows) - self._pre_roll - self._look_back)

    def _has_begun(self, window: Window) -> bool:
        if window.probability >= self._rules.enter:
            return True
        return window.probability >= self._rules.leave and len(self._windows) - self._beginning() > self._rise

    def _beginning(self) -> int:
        index = len(self._windows) - 1
        earliest = max(0, index - self._look_back)
        while index > earliest and self._windows[index - 1].probability >= self._rules.hint:
            index -= 1
        return index

    def _drop_before(self, index: int) -> None:
        if index > 0:
            del self._windows[:index]
            self._first += index * WINDOW

    def _end(self, found: list[Utterance]) -> None:
        if self._is_long_enough():
            self._take(self._quiet_from + self._tail, found)
        else:
            self._speaking = False
            self._drop_before(len(self._windows) - self._pre_roll - self._look_back)

    def _cut_long(self, found: list[Utterance]) -> None:
        cut = self._best_pause()
        if cut is None and len(self._windows) >= self._hard:
            cut = self._quietest()
        if cut is not None:
            self._take(cut, found)

    def _take(self, count: int, found: list[Utterance]) -> None:
        """Return the first `count` windows as an utterance and hear the rest again, from idle."""
        end = self._first + count * WINDOW
        rest = self._windows[count:]
        found.append(self._utterance(count, end))
        self._restart(end)
        for window in rest:
            self._hear(window, found)

    def _best_pause(self) -> int | None:
        """Middle of the longest pause, the latest of equals; not before a fifth of the soft maximum."""
        best: tuple[int, int] | None = None
        run = 0
        for index in range(self._soft // 5, len(self._windows)):
            run = run + 1 if self._windows[index].probability < self._rules.leave else 0
            if run >= self._pause and (best is None or run >= best[0]):
                best = (run, index + 1 - run // 2)
        return best[1] if best else None

    def _quietest(self) -> int:
        earliest = self._hard * 3 // 4
        return min(range(earliest, len(self._windows)), key=lambda i: (self._windows[i].level_db, -i))

    def _is_long_enough(self) -> bool:
        hinted = sum(window.probability >= self._rules.hint for window in self._windows)
        return self._voiced(self._windows) >= self._min_speech or hinted >= self._min_hint

    def _voiced(self, windows: list[Window]) -> int:
        return sum(w.probability >= self._rules.leave for w in windows)

    def _utterance(self, count: int, end: int) -> Utterance:
        windows = self._windows[:count]
        voiced = [w.level_db for w in windows if w.probability >= self._rules.leave]
        unvoiced = [w.level_db for w in windows if w.probability < self._rules.leave]
        loud = statistics.fmean(voiced) if voiced else SILENT_DB
        floor = statistics.median(unvoiced) if unvoiced else SILENT_DB
        start = max(self._first, self._floor)
        return Utterance(start, max(start, end), len(voiced) * WINDOW_S, loud - floor)
