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
from dataclasses import dataclass, field

import numpy as np

from transcription.edges import STEP, STEPS, EdgeRules, Heard, measured, offset, onset
from transcription.grid import RATE, WINDOW, WINDOW_S, floor_to_grid, windows_for
from transcription.recognition import Samples16k

SILENT_DB = -96.0
_END_WINDOWS = windows_for(3.0)


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """Seconds; probabilities enter and leave speech with hysteresis as Silero's authors advise.

    `hint`: weak beginnings (しつもん: devoiced, then soft) stay below `enter` for up to half a second. Once speech is
    certain, its beginning is looked for backwards, `look_back_s` at most, for as long as there was at least a hint.
    `rise_s`: a hint that has lasted so long is speech as soon as it reaches `leave`. A short はい after a silence never
    climbs above `enter`, or does so by the chance of where the windows lie. `min_speech_s` above `leave`, or
    `min_hint_s` of hints, make an utterance; a click has neither.
    A line ends `line_tail_s` behind its last sound. `room_s` before the pre-roll tells what is noise here, `loud_s`
    from the first certain window on how loud this speech is: then its start is known.
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
    line_tail_s: float = 0.2
    room_s: float = 0.6
    loud_s: float = 0.4
    edges: EdgeRules = field(default_factory=EdgeRules)
    pause_s: float = 0.15
    soft_max_s: float = 15.0
    hard_max_s: float = 20.0
    settle_s: float = 2.5
    """How far behind the newest audio silence is reported: leaves a restarted worker a second to warm up."""


@dataclass(frozen=True, slots=True)
class Window:
    """`audio`: its 512 samples; without them the edges of an utterance are those of its probabilities."""

    probability: float
    level_db: float = SILENT_DB
    audio: Samples16k | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Utterance:
    """A span found by voice activity, its edges by the level (`edges`) where that says something.

    `decided_sample`: everything before is decided, and the next one begins there at the earliest. `snr_db`: its voiced
    windows over its unvoiced ones.
    """

    start_sample: int
    end_sample: int
    decided_sample: int
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
        self._room = windows_for(self._rules.room_s)
        self._loud = windows_for(self._rules.loud_s)
        self._pause = windows_for(self._rules.pause_s)
        self._soft = windows_for(self._rules.soft_max_s)
        self._hard = windows_for(self._rules.hard_max_s)
        self._settle = windows_for(self._rules.settle_s) * WINDOW
        self._restart(from_sample)

    def _restart(self, floor: int) -> None:
        self._floor = floor
        self._first = floor_to_grid(floor)
        self._windows: list[Window] = []
        self._before: list[Window] = []
        self._speaking = False
        self._start: int | None = None
        self._begun = 0
        self._quiet_from = 0
        self._settled = floor

    @property
    def position(self) -> int:
        """First sample not yet heard."""
        return self._first + len(self._windows) * WINDOW

    @property
    def speaking_since(self) -> int | None:
        """Start of the open utterance (pre-roll included) once it is known; it does not move then."""
        return self._start

    @property
    def speaking(self) -> bool:
        """There is enough of an open utterance to be one."""
        return self._start is not None or (self._speaking and self._is_long_enough())

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
        return self._first_of_room if self._start is None else floor_to_grid(self._start)

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
        if self.speaking:
            count = min(len(self._windows), self._quiet_from + self._tail)
            start, end = self._known_start(), min(self._end_of(count), at)
            found.append(self._utterance(start, len(self._windows), end, end))
        self._restart(max(at, self._floor))
        return found

    def open_span(self) -> Utterance | None:
        """The open utterance as it would be returned if silence went on from here."""
        if self._start is None:
            return None
        if self.tail_heard:
            return self._ended()
        count = len(self._windows)
        return self._utterance(self._start, count, self.position, self.position)

    def _hear(self, window: Window, found: list[Utterance]) -> None:
        self._windows.append(window)
        if not self._speaking:
            self._listen(window)
            return
        if window.probability >= self._rules.leave:
            self._quiet_from = len(self._windows)
        self._note_start()
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
            beginning = self._beginning()
            self._drop_before(beginning - self._pre_roll)
            self._begun = min(beginning, self._pre_roll)
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
            self._before = [*self._before, *self._windows[:index]][-self._room :]
            del self._windows[:index]
            self._first += index * WINDOW

    def _end(self, found: list[Utterance]) -> None:
        if self._is_long_enough():
            self._take(self._ended(), found)
        else:
            self._speaking = False
            self._drop_before(len(self._windows) - self._pre_roll - self._look_back)

    def _cut_long(self, found: list[Utterance]) -> None:
        cut = self._best_pause()
        if cut is None and len(self._windows) >= self._hard:
            cut = self._quietest()
        if cut is not None:
            end = self._first + cut * WINDOW
            self._take(self._utterance(self._known_start(), cut, end, end), found)

    def _take(self, utterance: Utterance, found: list[Utterance]) -> None:
        """Hear again, from idle, what comes after it."""
        rest = self._windows[(utterance.decided_sample - self._first) // WINDOW :]
        found.append(utterance)
        self._restart(utterance.decided_sample)
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

    # ---- edges -----------------------------------------------------------------------------------------------------

    @property
    def _first_of_room(self) -> int:
        return self._first - len(self._before) * WINDOW

    @property
    def _first_of_sound(self) -> int:
        return max(self._first, self._floor)

    def _note_start(self) -> None:
        """Once and for all: partials go by it, and so does their line."""
        if self._start is not None or not self._is_long_enough():
            return
        if self.tail_heard or len(self._windows) - self._core() >= self._loud:
            self._start = self._found_start()

    def _known_start(self) -> int:
        return self._found_start() if self._start is None else self._start

    def _core(self) -> int:
        """The first window that is speech for certain, or as certain as they are."""
        sure = (index for index, window in enumerate(self._windows) if window.probability >= self._rules.enter)
        likely = (index for index, window in enumerate(self._windows) if window.probability >= self._rules.leave)
        return next(sure, next(likely, 0))

    def _found_start(self) -> int:
        core = self._core()
        room = len(self._before)
        heard = self._measured(self._windows)
        certain = ((room + core) * STEPS, (room + len(self._windows)) * STEPS)
        found = onset(heard, certain, self._rules.edges) if heard is not None else None
        if not found:
            return self._first_of_sound
        start = self._first_of_room + found * STEP - round(self._rules.pre_roll_s * RATE)
        return max(start, self._first_of_room, self._floor)

    def _ended(self) -> Utterance:
        """The utterance when nothing more is said after its tail."""
        start = self._known_start()
        count = self._quiet_from + self._tail
        quiet = self._first + self._quiet_from * WINDOW
        end = max(self._end_of(count), start + WINDOW)
        return self._utterance(start, count, end, max(end, quiet))

    def _end_of(self, count: int) -> int:
        """By the level of the first `count` windows, by the voice activity where that goes on."""
        last = self._windows[max(0, count - _END_WINDOWS) : count]
        heard = self._measured(last)
        room = len(self._before)
        voiced = len(last) - (count - self._quiet_from)
        certain = (room * STEPS, (room + voiced) * STEPS)
        found = offset(heard, certain, self._rules.edges) if heard is not None else None
        end = self._first + count * WINDOW
        if found is None or found >= (room + len(last)) * STEPS:
            return end
        back = (room + len(last)) * STEPS - found
        return min(end, end - back * STEP + round(self._rules.line_tail_s * RATE))

    def _measured(self, windows: list[Window]) -> Heard | None:
        """With the room before them; None without sound."""
        all_of_it = [*self._before, *windows]
        sound = [window.audio for window in all_of_it if window.audio is not None]
        if len(sound) < len(all_of_it):
            return None
        likely = [window.probability >= self._rules.hint for window in all_of_it]
        return measured(np.concatenate(sound), likely, len(self._before) + self._begun, self._rules.edges)

    def _utterance(self, start: int, count: int, end: int, decided: int) -> Utterance:
        windows = self._windows[:count]
        voiced = [w.level_db for w in windows if w.probability >= self._rules.leave]
        unvoiced = [w.level_db for w in windows if w.probability < self._rules.leave]
        loud = statistics.fmean(voiced) if voiced else SILENT_DB
        floor = statistics.median(unvoiced) if unvoiced else SILENT_DB
        return Utterance(start, max(start, end), max(start, decided), len(voiced) * WINDOW_S, loud - floor)
