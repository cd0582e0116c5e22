"""What the doctor looks at between a board and its hub. Greetings only: no session is joined, nothing is sent."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI
from websockets.sync.client import connect as open_websocket

from room_agent.config import BoardSettings
from room_agent.doctor_token import ENROL, NOBODY
from room_agent.errors import AgentError, HubRefused, HubWithoutRepair
from room_agent.hub import HubClient, signaling_url
from room_agent.hubclock import Instant
from signaling.examining.findings import Finding, attention, well, wrong
from signaling.examining.reach import TIMEOUT_S, Reached, Unreached, ask_stun, connect, fetch

SIGNALING = "/signal"
SOON_S = 14 * 86_400.0
ASKED = 5
FAR_S, SLOW_S = 0.3, 1.0
"""A round trip from which people begin to interrupt each other, and from which talk is no more one."""
OFF_S, VERY_OFF_S = 1.0, 60.0
MEND = "First mend the way to the hub."


def look_at_way(settings: BoardSettings) -> Iterator[Finding]:
    found = _reach(settings)
    if isinstance(found, Unreached):
        yield wrong("hub", f"The hub at {settings.hub} cannot be reached: {found.words}.", _advice(found))
        return
    if found.certificate_s is not None and found.certificate_s < SOON_S:
        days = int(found.certificate_s / 86_400)
        yield attention("certificate", f"The hub's certificate is good for {days} more days.", "Renew it at the hub.")
    yield from _answers(settings)


def _reach(settings: BoardSettings) -> Reached | Unreached:
    split = urlsplit(settings.hub)
    tls = split.scheme == "https"
    return connect(split.hostname or "", split.port or (443 if tls else 80), tls=tls)


def _advice(found: Unreached) -> str:
    if found.cause in ("refused", "silent"):
        return "Start the hub, check its address and port, and that no firewall is between."
    if found.cause in ("name", "network"):
        return "Check the hub's address, and this board's network cable or Wi-Fi."
    return "See `shimawa doctor hub` on the hub's machine, and this board's date."


def _answers(settings: BoardSettings) -> Iterator[Finding]:
    took = []
    for _ in range(ASKED):
        answer = fetch(f"{settings.hub}/healthz")
        if isinstance(answer, Unreached) or answer.status != 200 or b'"ok"' not in answer.body:
            said = f"Something listens at {settings.hub}, but it does not answer as a hub that is well."
            yield wrong("hub", said, "Check the address; if it is the hub: see `shimawa doctor hub` there.")
            return
        took.append(answer.took_s)
    ways = 3 if settings.hub.startswith("https://") else 2  # connection, TLS, question: each goes there and back
    yield judge_round_trip(statistics.median(took) / ways)


def judge_round_trip(took_s: float) -> Finding:
    """`took_s`: seconds there and back."""
    said = f"The hub answers; the way there and back takes about {max(1, round(took_s * 1e3))} ms"
    if took_s >= SLOW_S:
        return attention("hub", f"{said}: too long for people to talk with each other.", "Look for a better line.")
    if took_s >= FAR_S:
        return attention("hub", f"{said}: people will talk into each other.", "A wire is better than Wi-Fi or LTE.")
    return well("hub", f"{said}.")


def look_at_signaling(settings: BoardSettings) -> Iterator[Finding]:
    """The door that every session goes through; it is opened and closed again, without a word."""
    try:
        with open_websocket(
            signaling_url(settings.hub, SIGNALING), open_timeout=TIMEOUT_S, close_timeout=TIMEOUT_S, proxy=None
        ):
            pass
    except (InvalidStatus, InvalidURI, InvalidHandshake):
        said = "The hub's web server answers, but lets no WebSocket through: no session could be joined."
        yield wrong("signaling", said, "Let the TLS proxy before the hub pass on WebSockets (Upgrade, Connection).")
    except OSError:
        said = "Whether the hub's signaling opens could not be tried."
        yield attention("signaling", said, MEND)
    else:
        yield well("signaling", "The hub's signaling opens (WebSocket).")


def look_at_media(settings: BoardSettings, port: int) -> Iterator[Finding]:
    """A hub answers on its media port only who is in a session; but a machine that has nobody there says so."""
    where = f"UDP port {port} of the hub"
    found = ask_stun(urlsplit(settings.hub).hostname or "", port, tries_s=(0.3, 0.7))
    if isinstance(found, Unreached) and found.cause == "refused":
        said = f"{where} is refused: no sound would pass."
        yield attention("media", said, "Is the hub running, and is that its media port? Else name it: --media-port")
    elif isinstance(found, Unreached) and found.cause in ("name", "network"):
        yield wrong("media", f"{where} cannot be reached: {found.words}.", MEND)
    elif isinstance(found, Reached):
        said = f"{where} is held by something that is not a hub: it answers strangers."
        yield wrong("media", said, "Name the hub's media port: --media-port")
    else:
        said = f"Whether sound passes by {where} cannot be told from outside: the hub answers there only in a session."
        yield attention("media", said, "Nothing refused it. Hold a short session before the first evening.")


def look_at_clock(settings: BoardSettings) -> Iterator[Finding]:
    if settings.token == NOBODY:
        said = "How far this board's clock is from the hub's is not known: the hub tells only boards that it knows."
        yield attention("clock", said, ENROL)
        return
    if isinstance(_reach(settings), Unreached):
        said = "Whether the hub knows this board, and how far the clocks are apart, could not be tried."
        yield attention("token_known", said, MEND)
        return
    try:
        found, now = asyncio.run(_hubs_clock(settings))
    except HubRefused as error:
        yield wrong("token_known", str(error), "Enrol it anew: shimawa board enrol --hub, with the address of the hub.")
        return
    except HubWithoutRepair as error:
        yield wrong("token_known", str(error), "Install the same version at the hub and at the boards.")
        return
    except AgentError as error:
        yield wrong("token_known", str(error), MEND)
        return
    yield well("token_known", "The hub knows this board by its device token.")
    yield judge_clock(found, now)


async def _hubs_clock(settings: BoardSettings) -> tuple[Instant | None, float]:
    """What the hub's clock reads, and ours at that moment. Raises AgentError."""
    client = HubClient(settings.hub, settings.token)
    try:
        await client.learn_clock()
        return client.clock.instant(time.monotonic()), time.time()
    finally:
        await client.close()


def judge_clock(hub: Instant | None, ours: float) -> Finding:
    """`ours`: UTC POSIX seconds by this machine, at the same moment."""
    if hub is None:
        said = "How far this board's clock is from the hub's is not known: this hub does not tell its own."
        return attention("clock", said, "Install the same version at the hub and at the boards.")
    off = abs(ours - hub.at)
    if off <= hub.within_s:
        return well(
            "clock", f"This board's clock agrees with the hub's, as far as can be told ({_short(hub.within_s)})."
        )
    said = f"This board's clock is {_short(off)} {'ahead of' if ours > hub.at else 'behind'} the hub's"
    if off - hub.within_s < OFF_S:
        return well("clock", f"{said}: nobody will notice it.")
    mend = "Set the time, and switch time synchronisation on."
    if off < VERY_OFF_S:
        return attention("clock", f"{said}. Lines have their right time all the same.", mend)
    return attention("clock", f"{said}: certificates may be refused, its own page shows a wrong time.", mend)


def _short(seconds: float) -> str:
    return (
        f"{seconds * 1e3:.0f} ms" if seconds < 1 else f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.0f} min"
    )
