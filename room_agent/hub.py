"""The board's questions to the hub over HTTP: is a session due, and a short token to join it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from room_agent.errors import HubRefused, HubUnreachable

TIMEOUT_S = 10.0
MAX_WAIT_S = 300.0


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
    """One connection pool to one hub."""

    hub: str
    token: str = field(repr=False)
    _http: httpx.AsyncClient = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Proxy settings of the machine are for browsers; the hub is on the board's own network.
        self._http = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)

    async def join(self) -> Invitation | NothingDue:
        """Raises `HubUnreachable` or `HubRefused`, each with a sentence."""
        try:
            answer = await self._http.post(
                f"{self.hub}/api/board/join", headers={"Authorization": f"Bearer {self.token}"}
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise HubUnreachable("The hub does not answer; check its address and the network of this board.") from error
        return self._judge(answer)

    def _judge(self, answer: httpx.Response) -> Invitation | NothingDue:
        if answer.status_code in (401, 403):
            raise HubRefused("The hub does not know this board's device token; ask an administrator to add the board.")
        if answer.status_code == 204:
            return NothingDue(_seconds(answer.headers.get("Retry-After")))
        if answer.status_code != 200:
            raise HubUnreachable(f"The hub answered with {answer.status_code}; its log says why.")
        try:
            return Invitation.model_validate_json(answer.content)
        except ValidationError as error:
            raise HubUnreachable("What answers at the hub's address is not a Shimawa hub of this version.") from error

    async def close(self) -> None:
        await self._http.aclose()
