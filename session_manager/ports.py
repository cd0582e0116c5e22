"""What the web asks of the running hub."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from session_manager.records import DiskTold, LiveEvent, Session, SiteRisk
from signaling.ports import Socket
from signaling.switchboard import Record
from transcription.audio_log import Packet


@dataclass(frozen=True, slots=True)
class HubStatus:
    """`record`: on, or gap with a sentence. `captions`: on, delayed or unavailable, with a sentence when not on.

    `forward_p99_ms`: from reading a burst of datagrams to its last copy sent, in the busiest media worker.
    """

    record: str
    record_message: str
    captions: str
    captions_message: str
    media_workers: int
    transcription_workers: int
    forward_p99_ms: float | None = None


@dataclass(frozen=True, slots=True)
class SpoolTold:
    """What a board says it keeps of one stream. `origin_at`: the instant of sample 0 by the board's clock.

    `missing`: numbers within that it has lost, half open pairs, sorted and apart. `placed_at`: that instant by our
    clock, wrong by `within_s` at most, as the board has learnt it from our answers.
    """

    session_id: str
    name: str
    epoch: int
    first_sequence: int
    next_sequence: int
    end_sample: int
    origin_at: float
    closed: bool
    missing: tuple[tuple[int, int], ...] = ()
    placed_at: float | None = None
    within_s: float | None = None

    @property
    def placed(self) -> tuple[float, float] | None:
        return None if self.placed_at is None or self.within_s is None else (self.placed_at, self.within_s)


@dataclass(frozen=True, slots=True)
class SpoolAnswer:
    """Numbers: `wanted` by the hub, newest first; `stored` by the hub, safely."""

    session_id: str
    name: str
    epoch: int
    wanted: list[range]
    stored: list[range]


class Runtime(Protocol):
    """The live half of the hub. The store is the other half and is asked directly."""

    async def start_session(self, session_id: str) -> Session:
        """Planned to live; a live one is returned as it is. Raises `session_manager.errors.NotPossible`."""

    async def end_session(self, session_id: str) -> Session:
        """Live to ended: dismisses peers, waits for the last word of every track, stores coverage."""

    def listen(self, session_id: str, after: int | None) -> AsyncIterator[LiveEvent]:
        """Stored events with number > `after` (None: only what comes from now on), then live ones with views.

        Ends when the session has ended and everything was given. A listener that falls 500 events behind is cut off
        and comes back with its last number.
        """

    async def serve_peer(self, socket: Socket, address: str) -> None:
        """One signaling connection, until it closes."""

    async def serve_worker(self, socket: Socket, token: str) -> None:
        """One transcription worker's feed connection, until it closes."""

    async def spool_have(self, board_id: str, told: Sequence[SpoolTold]) -> tuple[list[SpoolAnswer], list[SpoolTold]]:
        """What the hub wants of a board's streams, and which of them are in no session of that board."""

    async def disk_told(self, board_id: str, disk: DiskTold) -> None:
        """What a board says of its disk; who is in a session with it hears when that is another level."""

    async def at_risk(self, session: Session) -> list[SiteRisk]:
        """Sites of a live session whose boards are short of disk."""

    async def set_record(self, session_id: str, on: bool) -> None:
        """Off the record, or on again. Raises NotPossible for a session that is not going on, and for on while
        somebody present wishes that no word is kept."""

    def record_of(self, session: Session) -> Record:
        """`off` the record, `gap` (something could not be kept) or `on`."""

    async def spool_packets(
        self, board_id: str, session_id: str, name: str, epoch: int, packets: Sequence[Packet]
    ) -> int:
        """How many were new. Raises NotFound, NotPossible, NoRoom."""

    def status(self) -> HubStatus: ...
