"""Everything that is heard here: one play-out buffer per slot, mixed when the loudspeaker asks.

The loop routes and pushes; the audio thread renders. What they share is replaced, never changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from hardware.ports import Samples
from room_agent.heard import Heard
from room_agent.mixer import Mixer
from room_agent.opus import open_decoder
from room_agent.playout import PlayoutBuffer
from signaling.media.aiortc_adapter import EncodedAudio
from signaling.messages import SlotInfo


class _Slot:
    """A mixer's source: one track in one slot, from its first packet to its last."""

    def __init__(self, track_id: str, hear: Callable[[str, Samples], None]) -> None:
        self.track_id = track_id
        self.buffer = PlayoutBuffer(open_decoder())
        self._hear = hear

    def pull(self, count: int, now: float) -> Samples:
        samples = self.buffer.pull(count, now)
        self._hear(self.track_id, samples)
        return samples


class Playback:
    """`clock` and `wall` as `time.monotonic` and `time.time`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._wall = wall
        self._mixer = Mixer()
        self._heard = Heard()
        self._sites: Mapping[str, str] = {}
        self._generation = 0
        self._slots: Mapping[str, _Slot] = {}
        self._wanted: dict[int, dict[str, str]] = {}
        self.unrouted = 0

    # ---- loop side

    def route(self, generation: int, slots: Sequence[SlotInfo]) -> None:
        """Which track flows in which slot of that generation; a slot that changed its track begins anew."""
        self._wanted[generation] = {
            slot.mid: slot.track_id for slot in slots if slot.kind == "audio" and slot.track_id is not None
        }
        if generation == self._generation:
            self._apply(generation)

    def knows(self, generation: int) -> bool:
        return generation in self._wanted

    def name_sites(self, sites: Mapping[str, str]) -> None:
        """Site by track; a track may be named before or after it flows."""
        self._sites = dict(sites)

    def push(self, generation: int, mid: str, packet: EncodedAudio) -> None:
        """A packet as it came. The first one of a newer generation makes that one the heard one."""
        if generation > self._generation:
            self._apply(generation)
        slot = self._slots.get(mid)
        if slot is None or generation != self._generation:
            self.unrouted += 1
            return
        slot.buffer.push(packet.sequence, packet.timestamp, packet.payload, packet.arrived_at)

    def _apply(self, generation: int) -> None:
        before = self._slots if generation == self._generation else {}
        wanted = self._wanted.get(generation, {})
        self._generation = generation
        self._wanted = {number: wish for number, wish in self._wanted.items() if number >= generation}
        self._replace({mid: self._slot(before.get(mid), track_id) for mid, track_id in wanted.items()})

    def _slot(self, before: _Slot | None, track_id: str) -> _Slot:
        return before if before is not None and before.track_id == track_id else _Slot(track_id, self._hear)

    def _replace(self, slots: Mapping[str, _Slot]) -> None:
        for mid in self._slots.keys() - slots.keys():
            self._mixer.remove(mid)
        for mid, slot in slots.items():
            if self._slots.get(mid) is not slot:
                self._mixer.add(mid, slot)
        self._slots = slots

    def begin(self) -> None:
        """A new session: nobody was heard in it yet."""
        self._heard = Heard()

    def silence(self) -> None:
        """The session is over: forget every slot; what was heard stays known."""
        self._wanted.clear()
        self._replace({})

    @property
    def playing(self) -> frozenset[str]:
        """Tracks that have a slot now."""
        return frozenset(slot.track_id for slot in self._slots.values())

    @property
    def first_heard_at(self) -> Mapping[str, float]:
        """UTC seconds by site."""
        return dict(self._heard.first_heard_at)

    def stats(self) -> Mapping[str, Mapping[str, object]]:
        """Play-out figures and level by site; a track whose site is not known yet goes by its own name."""
        levels = self._mixer.levels_dbfs()
        return {
            self._sites.get(slot.track_id, slot.track_id): {
                **asdict(slot.buffer.stats()),
                "level_dbfs": round(levels.get(mid, -127.0), 1),
            }
            for mid, slot in self._slots.items()
        }

    # ---- audio side

    def render(self, count: int) -> Samples:
        """The mix, shape (count,). Called by the loudspeaker's thread."""
        return self._mixer.render(count, self._clock())

    def _hear(self, track_id: str, samples: Samples) -> None:
        site_id = self._sites.get(track_id)
        if site_id is not None:
            self._heard.add(site_id, samples, self._wall())
