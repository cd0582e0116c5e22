"""One peer's media: its two connections in the plane and its tracks in the directory. One task calls it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from signaling import messages as m
from signaling.generations import Generations
from signaling.messages import ErrorCode, Refused
from signaling.ports import (
    Anchor,
    Connection,
    Denial,
    Directory,
    Grant,
    MediaPlane,
    MediaRefused,
    Placed,
    TrackOffer,
    TrackSpec,
    Want,
)
from signaling.sentences import error_code, refusal
from signaling.settings import SignalingSettings

_log = logging.getLogger(__name__)

T = TypeVar("T")
_Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Published:
    """The plane's answer and the tracks, in the order in which they were offered."""

    sdp: str
    specs: tuple[TrackSpec, ...]


class PeerMedia:
    """Make before break: an older publish generation is closed when the newer is up, and a track that goes on in the
    newer one under the same epoch was never closed."""

    def __init__(
        self,
        site_id: str,
        session_id: str,
        peer_id: str,
        directory: Directory,
        plane: MediaPlane,
        settings: SignalingSettings,
    ) -> None:
        self._site_id = site_id
        self._session_id = session_id
        self._peer_id = peer_id
        self._directory = directory
        self._plane = plane
        self._settings = settings
        self.publishing = Generations()
        self.subscribing = Generations()
        self._specs: dict[int, tuple[TrackSpec, ...]] = {}
        self._lost: set[int] = set()
        self._to_close: deque[tuple[Connection, int]] = deque()
        """At most as many as generations stood."""

    # ---- commands ----

    async def publish(self, grant: Grant, body: m.MediaPublish) -> Published | Refused:
        if not self.publishing.begin(body.generation):
            return refusal(ErrorCode.STALE_GENERATION)
        await self._keep_to_cable()
        specs = await self._open_tracks(grant, body.tracks)
        if isinstance(specs, Refused):
            self.publishing.ended(body.generation)
            return specs
        self._specs[body.generation] = specs
        sdp = await self._ask(self._plane.publish(self._session_id, self._peer_id, body.generation, body.sdp, specs))
        if isinstance(sdp, Refused):
            self.publishing.ended(body.generation)
            await self._release(body.generation, "lost")
            return sdp
        self._to_close.extend(("publish", older) for older in self.publishing.crowd())
        return Published(sdp, specs)

    async def subscribe(self, body: m.MediaSubscribe) -> m.MediaOffer | Refused:
        if not self.subscribing.begin(body.generation):
            return refusal(ErrorCode.STALE_GENERATION)
        await self._keep_to_cable()
        offer = await self._ask(
            self._plane.subscribe(self._session_id, self._peer_id, body.generation, body.audio, body.video)
        )
        if isinstance(offer, Refused):
            self.subscribing.ended(body.generation)
            return offer
        self._to_close.extend(("subscribe", older) for older in self.subscribing.crowd())
        slots = [m.SlotInfo(mid=slot.mid, kind=slot.kind, track_id=slot.track_id) for slot in offer.slots]
        return m.MediaOffer(generation=body.generation, sdp=offer.sdp, slots=slots)

    async def answer(self, body: m.MediaAnswer) -> m.Done | Refused:
        if not self.subscribing.counts(body.generation):
            return refusal(ErrorCode.STALE_GENERATION)
        done = await self._ask(self._plane.answer(self._session_id, self._peer_id, body.generation, body.sdp))
        return done if isinstance(done, Refused) else m.Done()

    async def want(self, wants: Iterable[m.WantInfo], budget_kbps: int | None) -> m.Done | Refused:
        wished = [Want(want.track_id, want.max_height, want.priority) for want in wants]
        done = await self._ask(self._plane.want(self._session_id, self._peer_id, wished, budget_kbps))
        return done if isinstance(done, Refused) else m.Done()

    async def close(self, body: m.MediaClose) -> bool:
        """Whether this ended what the peer publishes."""
        generations = self.publishing if body.connection == "publish" else self.subscribing
        latest = generations.counts(body.generation)
        if generations.ended(body.generation):
            await self._close(body.connection, body.generation, "left")
        return latest and body.connection == "publish"

    # ---- what the plane tells (at once) ----

    def up(self, connection: Connection, generation: int) -> bool:
        """Whether there is something to `settle` now."""
        generations = self.publishing if connection == "publish" else self.subscribing
        self._to_close.extend((connection, older) for older in generations.up(generation))
        return bool(self._to_close)

    def lost(self, connection: Connection, generation: int) -> bool:
        """Whether the client must be told to replace it."""
        if connection == "publish":
            self._lost.add(generation)
            return self.publishing.counts(generation)
        return self.subscribing.counts(generation)

    # ---- chores ----

    async def settle(self) -> None:
        """Close what newer generations have replaced."""
        while self._to_close:
            connection, generation = self._to_close.popleft()
            await self._close(connection, generation, "replaced")

    async def farewell(self, cause: str) -> None:
        """The peer is gone: everything of it is closed."""
        self._to_close.clear()
        await self._ask(self._plane.close(self._session_id, self._peer_id, None, None))
        for generation in list(self._specs):
            await self._release(generation, cause)

    # ---- inside ----

    async def _keep_to_cable(self) -> None:
        """What the operator set for this site's cable holds for the agent of its board and for its display together."""
        kbps = self._settings.site_kbps.get(self._site_id)
        if kbps is not None:
            await self._ask(self._plane.cap(self._session_id, self._peer_id, self._site_id, kbps))

    async def _open_tracks(self, grant: Grant, tracks: Sequence[m.PublishTrack]) -> tuple[TrackSpec, ...] | Refused:
        if len({track.name for track in tracks}) < len(tracks) or len({track.mid for track in tracks}) < len(tracks):
            return refusal(ErrorCode.BAD_MESSAGE, "Two tracks have the same name or the same mid.")
        opened: list[TrackSpec] = []
        for track in tracks:
            anchor = Anchor(track.anchor.sequence, track.anchor.sample) if track.anchor else None
            known = track.placed_at is not None and track.within_s is not None
            placed = Placed(track.placed_at or 0.0, track.within_s or 0.0) if known else None
            offer = TrackOffer(track.name, track.kind, track.source, track.mid, track.epoch, anchor, placed)
            async with asyncio.timeout(self._settings.directory_s):
                spec = await self._directory.open_track(grant, offer)
            if isinstance(spec, Denial):
                await self._close_tracks(opened, "lost")
                return refusal(error_code(spec.code), spec.message, spec.retry_after_ms)
            opened.append(spec)
        return tuple(opened)

    async def _close(self, connection: Connection, generation: int, cause: str) -> None:
        await self._ask(self._plane.close(self._session_id, self._peer_id, connection, generation))
        if connection == "publish":
            await self._release(generation, "lost" if generation in self._lost and cause == "replaced" else cause)

    async def _release(self, generation: int, cause: str) -> None:
        specs = self._specs.pop(generation, ())
        self._lost.discard(generation)
        await self._close_tracks(specs, cause)

    async def _close_tracks(self, specs: Iterable[TrackSpec], cause: str) -> None:
        going_on = {_key(spec) for standing in self._specs.values() for spec in standing}
        for spec in specs:
            if _key(spec) not in going_on:
                async with asyncio.timeout(self._settings.directory_s):
                    await self._directory.close_track(spec, cause)

    async def _ask(self, call: Awaitable[T]) -> T | Refused:
        """A plane call with patience; what it refuses and what it does not do in time become a reply."""
        try:
            async with asyncio.timeout(self._settings.media_s):
                return await call
        except MediaRefused as refused:
            code = error_code(refused.code)
            again = self._settings.media_retry_ms if code is ErrorCode.NO_MEDIA else None
            return refusal(code, str(refused), again)
        except TimeoutError:
            _log.warning("media plane did not answer in time for peer %s", self._peer_id)
            return refusal(ErrorCode.TIMED_OUT)


def _key(spec: TrackSpec) -> _Key:
    return spec.track_id, spec.epoch
