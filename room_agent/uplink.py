"""What this board may send, shared between its voice and its picture: the voice first, down at once, up slowly. Pure.

The hub says how much the line to it carries and how much the others can take (REMB, one figure for everything). Sound
gives up quality before packets: 32 → 24 → 16 → 12 kb/s, in packets of 20, 40 and 60 ms, because on a thin line the
headers of 50 packets a second weigh more than the voice in them.
"""

from __future__ import annotations

from dataclasses import dataclass

HEADER_BYTES = 84
"""Of one packet beside its payload: Ethernet, IPv4, UDP, RTP with extensions, SRTP tag."""

MARGIN = 1.1
UP_MARGIN = 1.25
UP_S = 5.0
DOWN_S = 0.5
"""Steps down are not closer together than this: the hub must see what the last one did."""

VIDEO_LEAST_BPS = 60_000
"""Less than this shows nobody anything."""


@dataclass(frozen=True, slots=True)
class VoiceStep:
    bit_rate: int
    frame_samples: int

    @property
    def wire_bps(self) -> int:
        return self.bit_rate + HEADER_BYTES * 8 * 48_000 // self.frame_samples


STEPS = (
    VoiceStep(12_000, 2880),
    VoiceStep(16_000, 2880),
    VoiceStep(16_000, 1920),
    VoiceStep(24_000, 1920),
    VoiceStep(24_000, 960),
)
"""From the bottom up; above them is what the settings say."""


class Uplink:
    """`best_bps`: the voice's bit rate when nothing limits it. Instants are seconds of any one clock."""

    def __init__(self, best_bps: int) -> None:
        lower = [step for step in STEPS if step.bit_rate < best_bps or step.frame_samples > 960]
        self._steps = (*(step for step in lower if step.bit_rate <= best_bps), VoiceStep(best_bps, 960))
        self._place = len(self._steps) - 1
        self._changed_at: float | None = None
        self._fits_since: float | None = None
        self.told_bps: int | None = None

    @property
    def voice(self) -> VoiceStep:
        return self._steps[self._place]

    @property
    def video_bps(self) -> int | None:
        """What is left for the picture, 0 when that is too little; None: as much as it likes."""
        if self.told_bps is None:
            return None
        left = self.told_bps - self.voice.wire_bps
        return left if left >= VIDEO_LEAST_BPS else 0

    def told(self, bps: int, now: float) -> None:
        """The hub says what may be sent in all."""
        self.told_bps = bps
        fitting = self._highest(bps, MARGIN)
        since = self._changed_at
        if fitting < self._place:
            self._fits_since = None
            if since is None or now - since >= DOWN_S:
                self._place, self._changed_at = fitting, now
            return
        if self._highest(bps, UP_MARGIN) <= self._place:
            self._fits_since = None
            return
        if self._fits_since is None:
            self._fits_since = now
        elif now - self._fits_since >= UP_S:
            self._place, self._changed_at, self._fits_since = self._place + 1, now, None

    def _highest(self, bps: int, margin: float) -> int:
        return max((place for place, step in enumerate(self._steps) if step.wire_bps * margin <= bps), default=0)
