"""The play-out buffer of one site that is heard: late, lost, reordered and drifting packets in, an even stream out.

Keyed on the RTP timestamp. The only figure it steers by is the *level*: how long before its deadline the fastest packet
would be there, `now - fastest delay - media time just taken`. Jitter does not disturb it, drift moves it slowly, and a
packet is in time exactly when it came less than `level` after the fastest. Three tools hold the level at its target:
reading up to 0.5 % faster or slower; cutting or repeating quiet pieces and pitch periods when it is far off; and,
beyond 400 ms, dropping the oldest.

A hole with packets behind it is concealed and costs no delay. When nothing is left, up to 120 ms are concealed
without deciding: if the next packet shows a loss, they count against it; if it is merely late, it is played in full.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from hardware.ports import SAMPLE_RATE, Samples
from room_agent import stretch
from room_agent.arrivals import Arrivals

PACKET_SAMPLES = 960
"""What a packet is taken to last until it is decoded; senders on a thin line change to 40 or 60 ms."""
INBOX_PACKETS = 100
REMEMBERED_PACKETS = 256
HELD_PACKETS = 1000
"""Two seconds of the shortest packets are 800; a sender that numbers more densely loses what is beyond, counted."""
"""Repairs may come more than once, and long after their sound was played."""
BOUND_S = 0.400
RESTART_SAMPLES = 5 * SAMPLE_RATE
"""A timestamp further away than this is another stream: an agent that started anew, not a late packet."""
LEVEL_WINDOW_S = 0.5
MAX_CORRECTION = 0.005
DEAD_BAND_S = 0.003
CUT_QUIET_S = 0.010
CUT_SPEECH_S = 0.020
CUT_UNTIL_S = 0.004
REPEAT_S = 0.015
QUIET_POWER = 1e-6
"""-60 dBFS; 30 dB below the loudest of late counts as quiet too."""
HOLD_SAMPLES = SAMPLE_RATE * 60 // 1000
GIVE_UP_SAMPLES = SAMPLE_RATE * 120 // 1000
FADE_SAMPLES = 240
QUIET_PIECE = 240


class Decoder(Protocol):
    """One per stream; samples are mono float32 at 48 kHz."""

    def decode(self, payload: bytes) -> Samples | None:
        """Shape (n,), n the packet's duration; None when the bytes are not a packet."""

    def conceal(self, count: int, following: bytes | None = None) -> Samples | None:
        """`count` samples for a lost packet (`following`: the one right after it); None when it has no such skill."""


@dataclass(frozen=True, slots=True)
class PlayoutStats:
    """`level_ms` against `target_ms` is the buffer's delay; counters run since the first packet.

    `lost`: in units of 20 ms, what was not there when it was due, also packets that came `late`.
    """

    level_ms: float
    target_ms: float
    buffered_ms: float
    ratio: float
    received: int
    lost: int
    late: int
    duplicates: int
    dropped: int
    undecodable: int
    underruns: int
    restarts: int
    concealed_ms: float
    skipped_ms: float
    repeated_ms: float


class _Arrival(NamedTuple):
    sequence: int
    timestamp: int
    payload: bytes
    at: float


class PlayoutBuffer:
    """`push` from the network's thread, `pull` from the audio thread: `push` only appends to a bounded inbox.

    Overflow: live audio, so the oldest goes, in the inbox (2 s, nobody pulls) as in the buffer (400 ms over target).
    """

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._inbox: deque[_Arrival] = deque(maxlen=INBOX_PACKETS)
        self._packets: dict[int, _Arrival] = {}
        self._known: dict[int, None] = {}
        self._span = PACKET_SAMPLES
        self._arrivals = Arrivals()
        self._newest: int | None = None
        self._last_sequence: int | None = None
        self._end = 0
        self._credit = 0
        self._pcm: Samples = np.zeros(stretch.HISTORY, np.float32)
        self._cursor = float(stretch.HISTORY)
        self._playing = False
        self._levels: deque[tuple[float, float]] = deque()
        self._shifted_s = 0.0
        self._shown_level_s = 0.0
        self._ratio = 1.0
        self._concealed_run = 0
        self._last_real: Samples = np.zeros(PACKET_SAMPLES, np.float32)
        self._repeating = False
        self._fresh = True
        self._power = 0.0
        self._patience_s = 0.0
        self._counts = dict.fromkeys(
            ("received", "late", "duplicates", "dropped", "undecodable", "underruns", "restarts"), 0
        )
        self._lost = 0
        self._concealed = 0
        self._skipped = 0
        self._repeated = 0

    # ---- network side

    def push(self, sequence: int, timestamp: int, payload: bytes, now: float) -> None:
        """`sequence` and `timestamp` as RTP carries them (16 and 32 bit) or unwrapped; `now` in seconds."""
        if len(self._inbox) == self._inbox.maxlen:
            self._counts["dropped"] += 1
        self._inbox.append(_Arrival(sequence & 0xFFFF, timestamp & 0xFFFFFFFF, payload, now))

    # ---- audio side

    def pull(self, count: int, now: float) -> Samples:
        """The next `count` samples, shape (count,); silence before the first packet and in long pauses."""
        while self._inbox:
            self._admit(self._inbox.popleft())
        if self._playing:
            self._bound(now)
        if not self._playing and not self._begin(count, now):
            return np.zeros(count, np.float32)
        samples = self._read(count)
        self._observe(now)
        return samples

    def stats(self) -> PlayoutStats:
        """From any thread: reads single figures only."""
        newest = self._newest if self._newest is not None else self._end
        buffered = newest + self._span - self._position if self._playing else len(self._packets) * self._span
        return PlayoutStats(
            level_ms=round(1000 * self._shown_level_s, 2),
            target_ms=round(1000 * self._arrivals.target_s, 2),
            buffered_ms=round(max(0.0, 1000 * buffered / SAMPLE_RATE), 2),
            ratio=self._ratio,
            lost=round(self._lost / PACKET_SAMPLES),
            concealed_ms=1000 * self._concealed / SAMPLE_RATE,
            skipped_ms=1000 * self._skipped / SAMPLE_RATE,
            repeated_ms=1000 * self._repeated / SAMPLE_RATE,
            **self._counts,
        )

    def _admit(self, arrival: _Arrival) -> None:
        timestamp = arrival.timestamp
        if self._newest is not None:
            step = (timestamp - self._newest + 0x80000000 & 0xFFFFFFFF) - 0x80000000
            if abs(step) > RESTART_SAMPLES:
                self._restart()
            timestamp = self._newest + step
        self._counts["received"] += 1
        if timestamp in self._known:
            self._counts["duplicates"] += 1
            return
        self._known[timestamp] = None
        if len(self._known) > REMEMBERED_PACKETS:
            del self._known[next(iter(self._known))]
        self._arrivals.note(timestamp / SAMPLE_RATE, arrival.at)
        self._newest = timestamp if self._newest is None else max(timestamp, self._newest)
        if self._last_sequence is not None and timestamp < self._end:
            self._counts["late"] += 1
            return
        if len(self._packets) >= HELD_PACKETS:
            self._counts["dropped"] += 1
            return
        self._packets[timestamp] = arrival

    def _restart(self) -> None:
        self._counts["restarts"] += 1
        self._counts["dropped"] += len(self._packets)
        self._packets.clear()
        self._known.clear()
        self._arrivals = Arrivals()
        self._levels.clear()
        self._last_sequence = None
        self._stop()

    def _begin(self, count: int, now: float) -> bool:
        """Start at the oldest packet once it has waited as long as the jitter asks."""
        if not self._packets:
            return False
        first = min(self._packets)
        waited_s = now - (self._arrivals.fastest_s or 0.0) - (first + count) / SAMPLE_RATE
        if waited_s < self._arrivals.target_s:
            return False
        if self._last_sequence is not None:
            missing = (self._packets[first].sequence - self._last_sequence - 1) & 0xFFFF
            self._lost += min(missing * PACKET_SAMPLES, max(0, first - self._end))
        self._end, self._credit = first, 0
        self._playing = True
        self._levels.clear()
        self._bound(now)
        return True

    def _stop(self) -> None:
        self._playing = False
        self._fresh = True
        self._credit = 0
        self._pcm = np.zeros(stretch.HISTORY, np.float32)
        self._cursor = float(stretch.HISTORY)

    @property
    def _position(self) -> float:
        """Media time, in samples, of what is read next."""
        return self._end + self._credit - (self._pcm.size - self._cursor)

    # ---- level

    def _observe(self, now: float) -> None:
        self._levels.append((now, now - self._position / SAMPLE_RATE + self._shifted_s))
        while self._levels[0][0] < now - LEVEL_WINDOW_S:
            self._levels.popleft()
        self._shown_level_s = self._level_s()
        excess = self._shown_level_s - self._arrivals.target_s
        correction = min(MAX_CORRECTION, max(-MAX_CORRECTION, excess))
        self._ratio = 1.0 if abs(excess) < DEAD_BAND_S else 1.0 + correction

    def _level_s(self) -> float:
        """The least of the last half second: callbacks come in bursts, and the earliest one is what binds."""
        if not self._levels:
            return self._arrivals.target_s
        return min(level for _, level in self._levels) - self._shifted_s - (self._arrivals.fastest_s or 0.0)

    def _shift(self, samples: float) -> None:
        """The reading position jumped forward (back: negative); what was observed before counts as if it had then."""
        self._shifted_s += samples / SAMPLE_RATE

    def _bound(self, now: float) -> None:
        newest = self._newest if self._newest is not None else self._end
        wanted = newest + self._span - round(self._arrivals.target_s * SAMPLE_RATE)
        if wanted - self._position <= BOUND_S * SAMPLE_RATE:
            return
        for timestamp in [timestamp for timestamp in self._packets if timestamp < wanted - self._span]:
            del self._packets[timestamp]
            self._counts["dropped"] += 1
        self._skipped += round(wanted - self._position)
        self._end = min(self._packets, default=wanted)
        self._stop()
        self._playing = True
        self._levels.clear()

    # ---- samples

    def _read(self, count: int) -> Samples:
        last = self._cursor + (count - 1) * self._ratio
        while self._pcm.size <= int(last) + stretch.AHEAD:
            self._pcm = np.concatenate([self._pcm, self._next_piece()])
        samples = stretch.resample(self._pcm, self._cursor, self._ratio, count)
        self._cursor += count * self._ratio
        used = int(self._cursor) - stretch.HISTORY
        self._pcm, self._cursor = self._pcm[used:], self._cursor - used
        if self._credit >= GIVE_UP_SAMPLES:
            self._stop()
        return samples

    def _next_piece(self) -> Samples:
        self._spend_credit()
        packet = self._packets.pop(self._end, None)
        if packet is not None:
            return self._decoded(packet)
        if self._packets:
            return self._bridged(self._packets[min(self._packets)], min(self._packets) - self._end)
        self._counts["underruns"] += not self._credit
        self._credit += PACKET_SAMPLES // 2
        return self._conceal(PACKET_SAMPLES // 2, None)

    def _spend_credit(self) -> None:
        """Something came after an underrun: what was concealed meanwhile stands for the hole before it, if any."""
        if not self._credit or not self._packets:
            return
        next_at = min(self._packets)
        hole = min(self._credit, next_at - self._end)
        self._lost += 0 if self._follows(self._packets[next_at]) else hole
        self._end += hole
        self._shift(hole - self._credit)
        self._credit = 0

    def _decoded(self, packet: _Arrival) -> Samples:
        self._last_sequence = packet.sequence
        samples = self._decoder.decode(packet.payload)
        if samples is None or not samples.size:
            self._counts["undecodable"] += 1
            self._end += self._span
            return self._conceal(self._span, None)
        self._span = samples.size
        self._end += samples.size
        for overlapped in [timestamp for timestamp in self._packets if timestamp < self._end]:
            del self._packets[overlapped]
            self._counts["late"] += 1
        samples = self._joined(samples)
        self._last_real = samples
        return self._fitted(samples)

    def _bridged(self, following: _Arrival, hole: int) -> Samples:
        """A piece for a hole with packets behind it."""
        count = min(hole, self._span)
        paused = self._follows(following)
        self._lost += 0 if paused else count
        self._end += count
        adjacent = count == hole == self._span and not paused
        return self._conceal(count, following.payload if adjacent else None)

    def _follows(self, packet: _Arrival) -> bool:
        """No number is missing before it: the sender paused (DTX), and nothing was lost."""
        return self._last_sequence is not None and packet.sequence == (self._last_sequence + 1) & 0xFFFF

    def _conceal(self, count: int, following: bytes | None) -> Samples:
        """The codec's own guess, held for 60 ms and gone by 120; without one, the last packet again, gone by 60."""
        run = self._concealed_run + np.arange(count)
        samples = self._decoder.conceal(count, following)
        hold, gone = HOLD_SAMPLES, GIVE_UP_SAMPLES
        self._repeating = samples is None
        if samples is None:
            samples, hold, gone = self._last_real[run % self._last_real.size], 0, HOLD_SAMPLES
        self._concealed_run += count
        self._concealed += count
        faded: Samples = samples * np.clip((gone - run) / (gone - hold), 0.0, 1.0).astype(np.float32)
        return faded

    def _joined(self, samples: Samples) -> Samples:
        """Real sound after silence or after a repeat fades in; after the codec's own concealment it joins by itself."""
        if self._concealed_run and not self._repeating and self._concealed_run < GIVE_UP_SAMPLES:
            self._concealed_run = 0
            return samples
        if self._concealed_run or self._fresh:
            fade = min(FADE_SAMPLES, samples.size)
            samples = samples.copy()
            samples[:fade] *= np.linspace(0.0, 1.0, fade, dtype=np.float32)
        self._concealed_run, self._fresh = 0, False
        return samples

    def _fitted(self, samples: Samples) -> Samples:
        """Shorter or longer while the level is far off: quiet first, then pitch periods, less choosy with time."""
        excess_s = self._level_s() - self._arrivals.target_s
        power = float(np.dot(samples, samples)) / samples.size
        self._power = max(power, 0.99 * self._power)
        quiet = power < max(QUIET_POWER, 0.001 * self._power)
        cut_s = CUT_UNTIL_S if self._patience_s else CUT_QUIET_S if quiet else CUT_SPEECH_S
        if -REPEAT_S < excess_s < cut_s:
            self._patience_s = 0.0
            return samples
        self._patience_s += samples.size / SAMPLE_RATE
        lag = self._lag(samples, round(abs(excess_s) * SAMPLE_RATE), quiet)
        if not lag:
            return samples
        self._shift(lag if excess_s > 0 else -lag)
        if excess_s > 0:
            self._skipped += lag
            return stretch.cut(samples, lag)
        self._repeated += lag
        return stretch.repeat(samples, lag)

    def _lag(self, samples: Samples, excess: int, quiet: bool) -> int:
        if quiet:
            return max(0, min(excess, samples.size - QUIET_PIECE) // QUIET_PIECE * QUIET_PIECE)
        lag, likeness = stretch.best_lag(samples)
        wanted = lag <= excess + FADE_SAMPLES and likeness > 0.9 - 0.6 * self._patience_s
        return lag if wanted else 0
