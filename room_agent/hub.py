"""The board's questions to the hub over HTTP: is a session due, what is the day, what of my sound do you lack."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from room_agent.errors import AgentError, HubFull, HubRefused, HubUnreachable, HubWithoutRepair
from room_agent.hubclock import Exchange, HubClock, Instant
from room_agent.spool import TRACK, Holding, Run
from transcription.audio_log import Packet, pack_packets

TIMEOUT_S = 10.0
UPLOAD_TIMEOUT_S = 30.0
MOST_STREAMS = 64
"""In one question; the newest come first, the others when those are done."""
MOST_MISSING = 200
MAX_WAIT_S = 300.0
CLOCK_ASKED = 8
CLOCK_ASKED_S = 1.0
CLOCK_FINE_S = 0.005
"""So often and so long a board asks what the hub's clock reads, unless it knows it as well as this."""
CLOCK_NEAR_S = 0.04
"""What is known worse is far away: that is the way, and asking again only fills it."""


class DueSession(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    session_id: str
    title: str = ""
    starts_at: float | None = None
    ends_at: float | None = None
    state: str = ""


class OwnSite(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    site_id: str
    name: str = ""
    languages: tuple[str, ...] = ()


class Invitation(BaseModel):
    """The hub's answer to a board that is due: which session, as which site, and how to get in."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    session: DueSession
    site: OwnSite
    token: str = Field(repr=False)
    signaling: Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class DiskTold:
    """`at_risk_s`: seconds of sound only in memory. `room_s`: seconds that still fit. `lost_s`: given up unsent."""

    level: Literal["ok", "near", "full"] = "ok"
    at_risk_s: float = 0.0
    room_s: float | None = None
    lost_s: float = 0.0


class StreamWanted(BaseModel):
    """What the hub says of one stream: `wanted` newest first, `stored` is safe on its disk."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    session_id: str
    name: str = TRACK
    epoch: int
    wanted: tuple[Run, ...] = ()
    stored: tuple[Run, ...] = ()


class StreamUnknown(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    session_id: str
    epoch: int


class Wanted(BaseModel):
    """`unknown`: streams of sessions that are not this board's. `came_at`, `server_time`: when the question came to the
    hub and its answer left, by the hub's clock; None from a hub that does not say."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    streams: tuple[StreamWanted, ...] = ()
    unknown: tuple[StreamUnknown, ...] = ()
    came_at: float | None = None
    server_time: float | None = None


_Answer = TypeVar("_Answer", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class NothingDue:
    """`retry_after_s` None: the hub named no time."""

    retry_after_s: float | None


def signaling_url(hub: str, path: str) -> str:
    """ws(s) address of the hub's signaling; an absolute one is taken as it is."""
    if path.startswith(("ws://", "wss://")):
        return path
    return "ws" + hub.removeprefix("http") + "/" + path.lstrip("/")


def _seconds(header: str | None) -> float | None:
    if header is None or not header.strip().isdecimal():
        return None
    return min(float(header), MAX_WAIT_S)


@dataclass
class HubClient:
    """One connection pool to one hub, for uploads. A question has a connection of its own: one that was kept may lead
    over an interface that is gone, and would hang for as long as anybody is patient, just when the way back is sought.

    `clock` learns from every answer that tells both its instants; its own are `time.monotonic`'s.
    """

    hub: str
    token: str = field(repr=False)
    clock: HubClock = field(default_factory=HubClock, repr=False)
    _http: httpx.AsyncClient = field(init=False, repr=False)
    _fresh: httpx.AsyncClient = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Proxy settings of the machine are for browsers; the hub is on the board's own network.
        self._http = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)
        alone = httpx.Limits(max_keepalive_connections=0)
        self._fresh = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, limits=alone)

    async def join(self) -> Invitation | NothingDue:
        """Raises `HubUnreachable` or `HubRefused`, each with a sentence."""
        answer = await self._ask("POST", "/api/board/join")
        if answer.status_code == 204:
            return NothingDue(_seconds(answer.headers.get("Retry-After")))
        return _read(answer, Invitation)

    async def day(self, kind: type[_Answer], patience_s: float = TIMEOUT_S) -> _Answer:
        """This board's sessions of the day. Raises `HubUnreachable`, `HubRefused`, `HubWithoutRepair`."""
        return _read(await self._ask("GET", "/api/board/day", timeout=patience_s), kind)

    async def devices(self, found: Mapping[str, bool | None]) -> None:
        """Tell which devices this board finds: `microphone`, `speaker`, `camera`. Raises as `day` does."""
        answer = await self._ask("POST", "/api/board/devices", json=dict(found))
        if answer.status_code != 204:
            raise _trouble(answer)

    async def learn_clock(self) -> bool:
        """What the hub's clock reads, asked until one answer was quick; a hub that does not say is asked once.

        Whether it may be known better soon: the hub is near, and no answer was quick. Raises as `day` does.
        """
        found: Instant | None = None
        until = time.monotonic() + CLOCK_ASKED_S
        for _ in range(CLOCK_ASKED):
            await self._have({"streams": []})
            found = self.clock.instant(time.monotonic())
            if found is None or found.within_s <= CLOCK_FINE_S:
                return False
            if time.monotonic() >= until:
                break
        return found is not None and found.within_s <= CLOCK_NEAR_S

    async def have(self, holdings: Sequence[Holding], disk: DiskTold) -> Wanted:
        """Tell what this board holds and how its disk stands; hear what the hub lacks. Raises as `day` does."""
        streams = [{"name": TRACK, **_told(each)} for each in holdings[:MOST_STREAMS]]
        return await self._have({"streams": streams, "disk": asdict(disk)})

    async def _have(self, body: Mapping[str, object]) -> Wanted:
        left_at = time.monotonic()
        answer = await self._ask("POST", "/api/board/spool/have", json=body)
        back_at = time.monotonic()
        wanted = _read(answer, Wanted)
        if wanted.came_at is not None and wanted.server_time is not None:
            self.clock.heard(Exchange(left_at, wanted.came_at, wanted.server_time, back_at))
        return wanted

    async def send(self, session_id: str, epoch: int, packets: Sequence[Packet]) -> int:
        """Upload packets of one stream, at most 256 KiB of them, any number of times; gives the bytes sent.

        Raises as `day` does, and `HubFull`.
        """
        body = pack_packets(packets)
        where = {"session_id": session_id, "name": TRACK, "epoch": epoch}
        answer = await self._ask("POST", "/api/board/spool/packets", params=where, content=body)
        if answer.status_code != 200:
            raise _trouble(answer)
        return len(body)

    async def _ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        if "content" in how:
            headers["Content-Type"] = "application/octet-stream"
            how["timeout"] = UPLOAD_TIMEOUT_S
        pool = self._http if path.startswith("/api/board/spool/") else self._fresh
        try:
            answer = await pool.request(method, f"{self.hub}{path}", headers=headers, **how)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise HubUnreachable("The hub does not answer; check its address and the network of this board.") from error
        if answer.status_code in (401, 403):
            raise HubRefused("The hub does not know this board's device token; ask an administrator to add the board.")
        return answer

    async def close(self) -> None:
        await self._http.aclose()
        await self._fresh.aclose()


def _told(holding: Holding) -> dict[str, object]:
    """Of very many holes the newest: what is older is told when those are settled. No place: not a word of it, since
    only a hub that says what its clock reads knows what that is."""
    said = {**asdict(holding), "missing": holding.missing[-MOST_MISSING:]}
    return {name: value for name, value in said.items() if value is not None}


def _read(answer: httpx.Response, kind: type[_Answer]) -> _Answer:
    if answer.status_code != 200:
        raise _trouble(answer)
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError as error:
        raise HubUnreachable("What answers at the hub's address is not a Shimawa hub of this version.") from error


def _trouble(answer: httpx.Response) -> AgentError:
    if answer.status_code == 507:
        return HubFull("The hub's disk is full; this board keeps its sound and sends it when there is room.")
    if answer.status_code in (404, 405):
        return HubWithoutRepair("This hub cannot take sound afterwards; update it.")
    return HubUnreachable(f"The hub answered with {answer.status_code}; its log says why.")
