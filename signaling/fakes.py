"""Scripted doubles of what signaling asks of its surroundings, for tests and for `python -m signaling`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from signaling.ports import (
    Connection,
    Denial,
    Grant,
    MediaRefused,
    Role,
    Slot,
    SocketClosed,
    SubscribeOffer,
    TrackOffer,
    TrackSpec,
    Want,
)


def grant(
    seat: str = "seat-1", role: Role = Role.PARTICIPANT, session: str = "session-1", site: str | None = None
) -> Grant:
    """A grant whose other fields follow from the seat."""
    site_id = site or f"site-{seat}"
    return Grant(session, seat, site_id, f"Site {site_id}", f"Seat {seat}", role, title="Session")


@dataclass
class ScriptedDirectory:
    """`tokens` says what each token is worth; any other is a `bad_token`. Everything told is kept in order.

    `hold`, once set to an unset event, keeps every call waiting until that event is set.
    """

    tokens: dict[str, Grant | Denial] = field(default_factory=dict)
    denials: dict[str, Denial] = field(default_factory=dict)
    """By track name: what `open_track` says instead of opening."""
    hold: asyncio.Event | None = None
    offers: list[TrackOffer] = field(default_factory=list)
    opened: list[TrackSpec] = field(default_factory=list)
    closed: list[tuple[TrackSpec, str]] = field(default_factory=list)
    seats: list[tuple[str, str]] = field(default_factory=list)
    """(seat_id, state)"""
    record: list[tuple[str, bool]] = field(default_factory=list)
    """(seat_id, on)"""

    async def admit(self, token: str) -> Grant | Denial:
        await self._held()
        return self.tokens.get(token, Denial("bad_token", "This invitation is not valid; ask for a new link."))

    async def open_track(self, grant: Grant, offer: TrackOffer) -> TrackSpec | Denial:
        await self._held()
        if offer.name in self.denials:
            return self.denials[offer.name]
        self.offers.append(offer)
        track_id = f"{grant.seat_id}-{offer.name}"
        epoch = offer.epoch
        if epoch is None:
            epoch = sum(spec.track_id == track_id for spec in self.opened)
        spec = TrackSpec(
            track_id,
            grant.session_id,
            grant.seat_id,
            grant.site_id,
            offer.name,
            offer.kind,
            offer.source,
            offer.mid,
            epoch,
            offer.anchor,
        )
        self.opened.append(spec)
        return spec

    async def close_track(self, spec: TrackSpec, cause: str) -> None:
        await self._held()
        self.closed.append((spec, cause))

    async def set_record(self, grant: Grant, on: bool) -> Denial | None:
        await self._held()
        self.record.append((grant.seat_id, on))
        return self.denials.get("record.set")

    async def seat_changed(self, grant: Grant, state: Literal["joined", "reconnecting", "left"]) -> None:
        await self._held()
        self.seats.append((grant.seat_id, state))

    async def _held(self) -> None:
        if self.hold is not None:
            await self.hold.wait()


@dataclass
class RecordingPlane:
    """Carries nothing and keeps every call as a tuple: (method, session_id, peer_id, …).

    `refusing`, when set, is raised by everything but `close`, `end_session` and `stats`. `hold`, once set to an unset
    event, keeps every `close` waiting until that event is set.
    """

    refusing: MediaRefused | None = None
    hold: asyncio.Event | None = None
    calls: list[tuple[object, ...]] = field(default_factory=list)

    async def publish(
        self, session_id: str, peer_id: str, generation: int, offer_sdp: str, tracks: Sequence[TrackSpec]
    ) -> str:
        self._note("publish", session_id, peer_id, generation, tuple(track.track_id for track in tracks))
        return f"answer to {offer_sdp}"

    async def subscribe(self, session_id: str, peer_id: str, generation: int, audio: int, video: int) -> SubscribeOffer:
        self._note("subscribe", session_id, peer_id, generation, audio, video)
        slots = [Slot(f"a{index}", "audio", None) for index in range(audio)]
        slots += [Slot(f"v{index}", "video", None) for index in range(video)]
        return SubscribeOffer("offer", tuple(slots))

    async def answer(self, session_id: str, peer_id: str, generation: int, sdp: str) -> None:
        self._note("answer", session_id, peer_id, generation, sdp)

    async def want(self, session_id: str, peer_id: str, wants: Sequence[Want], budget_kbps: int | None) -> None:
        self._note("want", session_id, peer_id, tuple(wants), budget_kbps)

    async def cap(self, session_id: str, peer_id: str, group: str, kbps: int | None) -> None:
        self._note("cap", session_id, peer_id, group, kbps)

    async def close(self, session_id: str, peer_id: str, connection: Connection | None, generation: int | None) -> None:
        if self.hold is not None:
            await self.hold.wait()
        self.calls.append(("close", session_id, peer_id, connection, generation))

    async def end_session(self, session_id: str) -> None:
        self.calls.append(("end_session", session_id))

    async def stats(self) -> Mapping[str, object]:
        return {"calls": len(self.calls)}

    def _note(self, *call: object) -> None:
        self.calls.append(call)
        if self.refusing is not None:
            raise self.refusing


class RefusingPlane(RecordingPlane):
    """What a hub without a media worker has."""

    def __init__(self) -> None:
        super().__init__(refusing=MediaRefused("no_media", "No media worker is running here; captions still work."))


class LinkedSocket:
    """One end of a socket in memory; `pair()` makes two. At most `room` messages are on the way, then `send` waits."""

    def __init__(self, room: int) -> None:
        self._incoming: asyncio.Queue[str | bytes | None] = asyncio.Queue(room)
        self._other: LinkedSocket | None = None
        self.closed_with: int | None = None

    @classmethod
    def pair(cls, room: int = 1024) -> tuple[LinkedSocket, LinkedSocket]:
        one, two = cls(room), cls(room)
        one._other, two._other = two, one
        return one, two

    async def receive(self) -> str | bytes:
        if self.closed_with is not None and self._incoming.empty():
            raise SocketClosed(self.closed_with)
        message = await self._incoming.get()
        if message is None:
            raise SocketClosed(self.closed_with or 1006)
        return message

    async def send(self, message: str | bytes) -> None:
        if self.closed_with is not None or self._other is None:
            raise SocketClosed(self.closed_with or 1006)
        await self._other._incoming.put(message)

    async def close(self, code: int, reason: str) -> None:
        for end in (self, self._other):
            if end is not None and end.closed_with is None:
                end.closed_with = code
                if not end._incoming.full():
                    end._incoming.put_nowait(None)
