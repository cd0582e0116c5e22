"""The client's shell: one seat in one session, kept through every loss of the link.

`run()` connects, says hello, resumes with back-off and returns only when it is over for good. Everything else may be
called at any time from the same loop, also while the link is away.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from signaling.messages import Body, ClientInfo, Dismissed, ErrorCode, Refused, Welcome
from signaling.view import View

TokenSource = Callable[[], Awaitable[str]]
"""Gives a join token that is good now; asked before every connection."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """Where the link stands. `message` is a sentence for a person; `retry_in_s` is set while `reconnecting` waits."""

    state: Literal["connecting", "connected", "reconnecting", "refused", "dismissed"]
    code: ErrorCode | str | None = None
    message: str = ""
    retry_in_s: float | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """In the event stream: a connection stands.

    `resumed` False: this is a new peer, media connections of the old one are gone and must be made again, from
    generation 0. True: the seat and its media are as they were (`resync`: events were missed, read `client.view`).
    """

    welcome: Welcome
    resumed: bool
    resync: str | None


@dataclass(frozen=True, slots=True)
class Overflowed:
    """In the event stream: the reader was too slow and events were thrown away; read `client.view` again."""

    lost: int


class SignalingClient:
    """One seat's connection to the hub.

    `url` is `ws://…/` or `wss://…/`; the token never goes into it. `on_state` is called on the loop at every change
    and must return at once.
    """

    def __init__(
        self,
        url: str,
        token_source: TokenSource,
        info: ClientInfo,
        *,
        on_state: Callable[[LinkState], None] = lambda state: None,
    ) -> None: ...

    async def run(self) -> Dismissed | Refused:
        """Keep the seat until the hub says `stop` or refuses for good, and return what it said.

        To leave by oneself: `await leave()`, or cancel the task (the seat then stays reconnecting for its grace time).
        """
        raise NotImplementedError

    async def request(self, body: Body, timeout_s: float = 10.0) -> Body | Refused:
        """Send a command and wait for its reply; sent again with the same id after a resume.

        Never raises for what the hub answers. No reply in `timeout_s`, link or no link: `Refused` with `timed_out`.
        """
        raise NotImplementedError

    async def leave(self, reason: str = "") -> None:
        """Give the seat up; `run()` returns."""
        raise NotImplementedError

    def events(self) -> AsyncIterator[Body | Joined | Overflowed]:
        """What the hub tells, in order: events exactly once, ephemerals while there is room. One reader.

        Ends with `run`.

        At most 1024 wait: ephemerals are dropped first (the latest of a kind wins), then everything is thrown away and
        one `Overflowed` stands for it.
        """
        raise NotImplementedError

    def network_is_back(self) -> None:
        """The machine says the network returned: try now instead of after the back-off."""

    @property
    def view(self) -> View:
        """Peers, tracks and session as the hub last said, with every event applied that `events` has given or holds."""
        raise NotImplementedError

    @property
    def welcome(self) -> Welcome | None:
        """The last welcome: own `peer_id`, `role`, `permissions`, `ice_servers`; None before the first."""
        raise NotImplementedError
