"""Who may join which session, and under which number a track is recorded: signaling's `Directory` over the store."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

from session_manager import tokens
from session_manager.errors import NotFound, NotPossible
from session_manager.records import Session, Site, Stream
from session_manager.store import StaleEpoch, Store
from signaling.messages import ErrorCode
from signaling.ports import Denial, Grant, Placed, Role, TrackOffer, TrackSpec

log = logging.getLogger(__name__)


class Recording(Protocol):
    """What happens to the audio of an opened stream. Raises nothing for a full disk: live goes on."""

    async def begin(self, stream: Stream, languages: tuple[str, ...], placed: Placed | None = None) -> None:
        """`placed`: where the publisher puts it on our clock."""

    async def finish(self, track_id: str, epoch: int) -> None: ...


async def _nothing_to_switch(session_id: str, on: bool) -> None:
    raise NotPossible("This hub records nothing.")


class HubDirectory:
    """`presence` is called on the loop with (grant, state) after it was taken note of."""

    def __init__(
        self,
        store: Store,
        recording: Recording,
        secret: bytes,
        languages: tuple[str, ...],
        clock: Callable[[], float],
        switch_record: Callable[[str, bool], Awaitable[None]] = _nothing_to_switch,
    ) -> None:
        self._store = store
        self._recording = recording
        self._secret = secret
        self._languages = languages
        self._clock = clock
        self.switch_record = switch_record
        self._publications: Counter[tuple[str, int]] = Counter()

    async def admit(self, token: str) -> Grant | Denial:
        claims = tokens.verify(self._secret, token, self._clock())
        if isinstance(claims, tokens.Expired):
            return Denial(ErrorCode.EXPIRED_TOKEN, "This ticket is too old. Ask for a new one and join again.")
        if isinstance(claims, tokens.Bad):
            return Denial(ErrorCode.BAD_TOKEN, "This ticket is not valid here.")
        try:
            session = await asyncio.to_thread(self._store.session, claims.session_id)
            seat = await asyncio.to_thread(self._store.seat, claims.seat_id)
        except NotFound:
            return Denial(ErrorCode.UNKNOWN_SESSION, "There is no such session.")
        if session.state in ("ending", "ended"):
            return Denial(ErrorCode.SESSION_ENDED, "This session is over.")
        site = _site(session, seat.site_id)
        return Grant(
            session_id=session.session_id,
            seat_id=seat.seat_id,
            site_id=site.site_id,
            site_name=site.name,
            display_name=seat.display_name,
            role=Role(claims.role),
            languages=site.languages or self._languages,
            title=session.title,
        )

    async def open_track(self, grant: Grant, offer: TrackOffer) -> TrackSpec | Denial:
        seat = await asyncio.to_thread(self._store.seat, grant.seat_id)
        offered = (offer.name, offer.kind, offer.source, offer.epoch)
        try:
            opened = await asyncio.to_thread(self._store.open_stream, grant.session_id, seat, *offered, self._clock())
        except NotPossible as error:
            return Denial(ErrorCode.NOT_PERMITTED, str(error))
        if isinstance(opened, StaleEpoch):
            message = f"Epoch {offer.epoch} of this track is over; it is at {opened.latest}."
            return Denial(ErrorCode.STALE_EPOCH, message)
        self._publications[opened.track_id, opened.epoch] += 1
        if offer.kind == "audio":
            await self._recording.begin(opened, grant.languages, offer.placed)
        return TrackSpec(
            track_id=opened.track_id,
            session_id=grant.session_id,
            seat_id=grant.seat_id,
            site_id=grant.site_id,
            name=offer.name,
            kind=offer.kind,
            source=offer.source,
            mid=offer.mid,
            epoch=opened.epoch,
            anchor=offer.anchor,
        )

    async def close_track(self, spec: TrackSpec, cause: str) -> None:
        """A publication ended; the stream goes on while a newer generation publishes the same epoch."""
        key = (spec.track_id, spec.epoch)
        self._publications[key] -= 1
        if self._publications[key] > 0:
            return
        del self._publications[key]
        await asyncio.to_thread(self._store.close_stream, spec.track_id, spec.epoch, self._clock(), cause)
        if spec.kind == "audio":
            await self._recording.finish(spec.track_id, spec.epoch)

    async def set_record(self, grant: Grant, on: bool) -> Denial | None:
        try:
            await self.switch_record(grant.session_id, on)
        except (NotFound, NotPossible) as error:
            return Denial(ErrorCode.NOT_PERMITTED, str(error))
        log.info("the record of session %s goes %s", grant.session_id, "on" if on else "off")
        return None

    async def seat_changed(self, grant: Grant, state: Literal["joined", "reconnecting", "left"]) -> None:
        log.info("seat %s of session %s: %s", grant.seat_id, grant.session_id, state)


def _site(session: Session, site_id: str) -> Site:
    return next(site for site in session.sites if site.site_id == site_id)
