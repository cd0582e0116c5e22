"""One stay in one session: the conductor's shell, from the first hello to the last connection closed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from room_agent.conductor import (
    CloseMedia,
    Command,
    Conduct,
    DevicesChanged,
    Event,
    MediaConnected,
    MediaHeard,
    MediaLost,
    OpenMedia,
    RetryLater,
    SessionFound,
    SessionOver,
    SignalingLost,
    StartDevices,
    StopDevices,
    StopRequested,
    Welcomed,
    conduct,
)
from room_agent.devices import Devices
from room_agent.media import Media, RelayUse
from room_agent.playback import Playback
from room_agent.status import JoinFacts
from signaling.client import Joined, LinkState, Overflowed, SignalingClient
from signaling.messages import Body, ClientInfo, Dismissed, ErrorCode, IceServerInfo, MediaReplace, MediaSlots, Refused
from signaling.sockets import connect

logger = logging.getLogger(__name__)

LEAVE_S = 1.0
SETTLE_S = 1.5
"""How long the first offer waits for the slower of microphone and camera, so that one offer carries both."""
OVER = (ErrorCode.SESSION_ENDED, ErrorCode.UNKNOWN_SESSION)


def agent_version() -> str:
    try:
        return version("shimawa")
    except PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True, slots=True)
class Ending:
    """`again` False: the hub said that this session is over for this board."""

    code: str
    message: str
    again: bool


class Attendance:
    """`token` is for the first connection, `token_source` gives a fresh one for every other; None from it means that
    the hub has no session for this board any more. While it raises `Unreachable`, the devices run all the same.
    `site_names` is filled with every site that is met. `url` may change between two connections. `on_record` is told
    how the session's record is, `on_published` when this room's sound goes to the hub.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        token_source: Callable[[], Awaitable[str | None]],
        devices: Devices,
        playback: Playback,
        site_names: dict[str, str],
        *,
        slots: tuple[int, int],
        relay: RelayUse,
        began_at: float,
        on_record: Callable[[str], None] = lambda record: None,
        on_published: Callable[[], None] = lambda: None,
    ) -> None:
        self.url = url
        self._first_token: str | None = token
        self._token_source = token_source
        self._devices = devices
        self._playback = playback
        self._began_at = began_at
        self._on_record = on_record
        self._on_published = on_published
        self.state = Conduct()
        self.link = LinkState("connecting")
        self._withdrawn = asyncio.Event()
        self._settled = False
        self._published_at: float | None = None
        self._site_names = site_names
        info = ClientInfo(name="shimawa-board", version=agent_version())
        self.client = SignalingClient(
            url, self._token, info, on_state=self._link_changed, connect=lambda _: connect(self.url)
        )
        self.media = Media(
            self.client.request,
            self._post,
            devices.voice,
            devices.sight,
            playback,
            ice_servers=self._ice_servers,
            slots=slots,
            relay=relay,
            doubt=self.client.doubt,
        )

    # ---- facts

    @property
    def join(self) -> JoinFacts:
        def since(at: float | None) -> float | None:
            return None if at is None else round((at - self._began_at) * 1000, 1)

        return JoinFacts(since(self.media.first_packet_at), since(self._published_at))

    def _ice_servers(self) -> Sequence[IceServerInfo]:
        return self.client.welcome.ice_servers if self.client.welcome is not None else ()

    # ---- the stay

    async def run(self) -> Ending:
        """Until the hub ends it. Cancelled: leaves properly first."""
        self._devices.on_change(self._devices_changed)
        self._post(SessionFound())
        helpers = [
            asyncio.create_task(each, name=name)
            for name, each in (
                ("signaling events", self._listen()),
                ("media watch", self.media.watch()),
                ("devices settle", self._settle()),
            )
        ]
        link = asyncio.create_task(self.client.run(), name="signaling")
        try:
            ending = await self._until_over(link, helpers)
            self._post(SessionOver())
            return ending
        except asyncio.CancelledError:
            self._post(StopRequested())
            await self._leave(link)
            raise
        finally:
            await self._wind_up(link, helpers)

    def withdraw(self) -> None:
        """Nobody is there to end it, and its time is up."""
        self._withdrawn.set()

    async def _until_over(self, link: asyncio.Task[Dismissed | Refused], helpers: list[asyncio.Task[None]]) -> Ending:
        withdrawn = asyncio.create_task(self._withdrawn.wait())
        try:
            await asyncio.wait([link, withdrawn, *helpers[:2]], return_when=asyncio.FIRST_COMPLETED)
        finally:
            withdrawn.cancel()
        if self._withdrawn.is_set():
            return Ending("session_over", "The session has ended.", again=False)
        if not link.done():
            for helper in helpers:
                if helper.done():
                    helper.result()
        said = await link
        return Ending(str(said.code), said.message, again=isinstance(said, Refused) and said.code not in OVER)

    async def _leave(self, link: asyncio.Task[Dismissed | Refused]) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.client.leave("stopped"), LEAVE_S)
            await asyncio.wait([link], timeout=LEAVE_S)

    async def _wind_up(self, link: asyncio.Task[Dismissed | Refused], helpers: list[asyncio.Task[None]]) -> None:
        for task in (link, *helpers):
            task.cancel()
        await asyncio.gather(link, *helpers, return_exceptions=True)
        await self.media.finish()
        await self._devices.stop()
        self._playback.silence()

    async def _token(self) -> str:
        if self._first_token is not None:
            token, self._first_token = self._first_token, None
            return token
        fresh = await self._token_source()
        if fresh is None:
            self._withdrawn.set()
            return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]
        return fresh

    # ---- what happens

    def _link_changed(self, link: LinkState) -> None:
        self.link = link
        if link.state == "reconnecting":
            self._post(SignalingLost())

    async def _listen(self) -> None:
        async for event in self.client.events():
            self._heard(event)
            view = self.client.view
            self._on_record(view.record)
            self._playback.name_sites({key: track.site_id for key, track in view.tracks.items()})
            self._site_names.update({peer.site_id: peer.site_name for peer in view.peers.values()})
        await asyncio.get_running_loop().create_future()

    def _heard(self, event: Body | Joined | Overflowed) -> None:
        match event:
            case Joined(resumed=resumed):
                self._post(Welcomed(resumed))
            case MediaSlots(generation=generation, slots=slots):
                self._playback.route(generation, slots)
            case MediaReplace(connection=connection, generation=generation):
                self._post(MediaLost(connection, generation))
            case Overflowed():
                # The slots may have changed unseen; a new generation tells them again.
                active = self.state.links["subscribe"].active
                if active is not None:
                    self._post(MediaLost("subscribe", active))

    async def _settle(self) -> None:
        await self._devices.tried(SETTLE_S)
        self._settled = True
        self._devices_changed()

    def _devices_changed(self) -> None:
        if self._settled:
            self._post(DevicesChanged(self._devices.any_to_send))

    # ---- the conductor

    def _post(self, event: Event) -> None:
        before = self.state.phase
        self.state, commands = conduct(self.state, event)
        if self.state.phase is not before:
            logger.info("%s, was %s", self.state.phase, before)
        if isinstance(event, MediaConnected) and event.connection == "publish":
            self._published_at = self._published_at or time.monotonic()
            self._on_published()
        if isinstance(event, MediaHeard):
            self.client.network_is_back()
        for command in commands:
            self._carry_out(command)

    def _carry_out(self, command: Command) -> None:
        match command:
            case OpenMedia():
                self.media.open(command)
            case CloseMedia():
                self.media.close(command)
            case RetryLater():
                self.media.retry(command)
            case StartDevices():
                self._devices.start()
            case StopDevices():
                self._devices.on_change(None)
