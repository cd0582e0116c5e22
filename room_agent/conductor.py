"""The board's conduct in one session, decided without a clock, a socket or a device: state + event -> state + commands.

Laws (held by properties): every opened connection is closed exactly once; generations only rise; at most two
generations of one connection are open (make before break); losing the link, signaling or media, never stops the
devices, so the microphone's numbering goes on; while the session is live and a connection is wanted it is healthy,
being opened, or waiting for its retry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

Connection = Literal["publish", "subscribe"]
CONNECTIONS: tuple[Connection, ...] = ("publish", "subscribe")


class Phase(StrEnum):
    IDLE = "idle"
    JOINING = "joining"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    STOPPED = "stopped"


# ---- events --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionFound:
    """The hub has a session for this board now."""


@dataclass(frozen=True, slots=True)
class Welcomed:
    """Signaling is up. `resumed` False: the hub knows nothing of connections made before."""

    resumed: bool


@dataclass(frozen=True, slots=True)
class SignalingLost:
    pass


@dataclass(frozen=True, slots=True)
class DevicesChanged:
    """What this board can send is another set of tracks than before; `any_left` False: nothing at all."""

    any_left: bool


@dataclass(frozen=True, slots=True)
class MediaConnected:
    connection: Connection
    generation: int


@dataclass(frozen=True, slots=True)
class MediaLost:
    """It failed, closed, fell silent, was refused, or the hub asks for another one."""

    connection: Connection
    generation: int


@dataclass(frozen=True, slots=True)
class MediaHeard:
    """A connection that was given up as silent carries again."""

    connection: Connection
    generation: int


@dataclass(frozen=True, slots=True)
class RetryDue:
    connection: Connection


@dataclass(frozen=True, slots=True)
class SessionOver:
    pass


@dataclass(frozen=True, slots=True)
class StopRequested:
    pass


Event = (
    SessionFound
    | Welcomed
    | SignalingLost
    | DevicesChanged
    | MediaConnected
    | MediaLost
    | MediaHeard
    | RetryDue
    | SessionOver
    | StopRequested
)


# ---- commands ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StartDevices:
    pass


@dataclass(frozen=True, slots=True)
class StopDevices:
    pass


@dataclass(frozen=True, slots=True)
class OpenMedia:
    connection: Connection
    generation: int


@dataclass(frozen=True, slots=True)
class CloseMedia:
    connection: Connection
    generation: int


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Give `RetryDue` after a back-off for that many failures in a row (1 is the first)."""

    connection: Connection
    failures: int


Command = StartDevices | StopDevices | OpenMedia | CloseMedia | RetryLater


# ---- state ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Link:
    """One direction of media. `lost`: the active one is known to be dead and stays only until the next one carries."""

    generation: int = 0
    wanted: bool = False
    active: int | None = None
    lost: bool = False
    outdated: bool = False
    """The active one does not carry what there is to send now."""
    opening: int | None = None
    failures: int = 0
    waiting: bool = False

    @property
    def healthy(self) -> bool:
        return self.active is not None and not self.lost


@dataclass(frozen=True, slots=True)
class Conduct:
    """Everything the conductor remembers."""

    phase: Phase = Phase.IDLE
    links: dict[Connection, Link] = field(default_factory=lambda: {each: Link() for each in CONNECTIONS})

    def with_link(self, connection: Connection, link: Link) -> Conduct:
        return replace(self, links={**self.links, connection: link})


Step = tuple[Conduct, tuple[Command, ...]]


def conduct(state: Conduct, event: Event) -> Step:
    """What becomes of `state`, and what the shell is to do, in this order. Events that no longer apply do nothing."""
    handle: Callable[..., Step] = _HANDLERS[type(event)]
    return handle(state, event)


def _open(state: Conduct, connection: Connection) -> Step:
    """Begin the next generation; an unfinished one gives way to it, a carrying one stays until this one carries."""
    link = state.links[connection]
    generation = link.generation + 1
    commands: tuple[Command, ...] = (OpenMedia(connection, generation),)
    if link.opening is not None:
        commands = (CloseMedia(connection, link.opening), *commands)
    return state.with_link(
        connection, replace(link, generation=generation, opening=generation, waiting=False)
    ), commands


def _close(state: Conduct, connection: Connection) -> Step:
    link = state.links[connection]
    commands = tuple(CloseMedia(connection, each) for each in (link.opening, link.active) if each is not None)
    return state.with_link(connection, Link(generation=link.generation)), commands


def _session_found(state: Conduct, _: SessionFound) -> Step:
    if state.phase is not Phase.IDLE:
        return state, ()
    state = replace(state, phase=Phase.JOINING)
    return state.with_link("subscribe", replace(state.links["subscribe"], wanted=True)), (StartDevices(),)


def _welcomed(state: Conduct, event: Welcomed) -> Step:
    if state.phase in (Phase.IDLE, Phase.STOPPED):
        return state, ()
    state = replace(state, phase=Phase.LIVE)
    commands: tuple[Command, ...] = ()
    for connection in CONNECTIONS:
        link = state.links[connection]
        if link.wanted and not (event.resumed and link.healthy):
            state, more = _open(state, connection)
            commands += more
    return state, commands


def _signaling_lost(state: Conduct, _: SignalingLost) -> Step:
    if state.phase is not Phase.LIVE:
        return state, ()
    return replace(state, phase=Phase.RECONNECTING), ()


def _devices_changed(state: Conduct, event: DevicesChanged) -> Step:
    if state.phase in (Phase.IDLE, Phase.STOPPED):
        return state, ()
    if not event.any_left:
        return _close(state, "publish")
    link = replace(state.links["publish"], wanted=True, lost=True, outdated=True)
    state = state.with_link("publish", link)
    return _open(state, "publish") if state.phase is Phase.LIVE else (state, ())


def _media_connected(state: Conduct, event: MediaConnected) -> Step:
    link = state.links[event.connection]
    if link.opening != event.generation:
        return state, ()
    commands = () if link.active is None else (CloseMedia(event.connection, link.active),)
    fresh = replace(link, active=event.generation, lost=False, outdated=False, opening=None, failures=0, waiting=False)
    return state.with_link(event.connection, fresh), commands


def _media_lost(state: Conduct, event: MediaLost) -> Step:
    link = state.links[event.connection]
    if event.generation == link.opening:
        again = state.phase is Phase.LIVE and not link.healthy
        failed = replace(link, opening=None, failures=link.failures + 1, waiting=again)
        commands: tuple[Command, ...] = (CloseMedia(event.connection, event.generation),)
        if failed.waiting:
            commands += (RetryLater(event.connection, failed.failures),)
        return state.with_link(event.connection, failed), commands
    if event.generation != link.active or link.lost:
        return state, ()
    state = state.with_link(event.connection, replace(link, lost=True))
    if state.phase is not Phase.LIVE or link.opening is not None or link.waiting:
        return state, ()
    return _open(state, event.connection)


def _media_heard(state: Conduct, event: MediaHeard) -> Step:
    """The old path is as good as ever; one that is being opened beside it may still take its place."""
    link = state.links[event.connection]
    if link.active != event.generation or not link.lost or link.outdated:
        return state, ()
    return state.with_link(event.connection, replace(link, lost=False, failures=0)), ()


def _retry_due(state: Conduct, event: RetryDue) -> Step:
    link = state.links[event.connection]
    if not link.waiting:
        return state, ()
    if state.phase is not Phase.LIVE or not link.wanted or link.healthy:
        return state.with_link(event.connection, replace(link, waiting=False)), ()
    return _open(state, event.connection)


def _finish(state: Conduct, phase: Phase) -> Step:
    if state.phase in (Phase.IDLE, Phase.STOPPED):
        return replace(state, phase=Phase.STOPPED if state.phase is Phase.STOPPED else phase), ()
    commands: tuple[Command, ...] = ()
    for connection in CONNECTIONS:
        state, more = _close(state, connection)
        commands += more
    return replace(state, phase=phase), (*commands, StopDevices())


def _session_over(state: Conduct, _: SessionOver) -> Step:
    return _finish(state, Phase.IDLE)


def _stop_requested(state: Conduct, _: StopRequested) -> Step:
    return _finish(state, Phase.STOPPED)


_HANDLERS: dict[type[Event], Callable[..., Step]] = {
    SessionFound: _session_found,
    Welcomed: _welcomed,
    SignalingLost: _signaling_lost,
    DevicesChanged: _devices_changed,
    MediaConnected: _media_connected,
    MediaLost: _media_lost,
    MediaHeard: _media_heard,
    RetryDue: _retry_due,
    SessionOver: _session_over,
    StopRequested: _stop_requested,
}
