"""What the store gives back besides the records: new secrets, shown once, and the outcomes of contested writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from session_manager.records import Board, Invitation, Line, Seat, Session

InvitationRole = Literal["participant", "facilitator", "observer", "lobby"]


@dataclass(frozen=True, slots=True)
class NewSite:
    """A place to be made with a session. `room_id` None: nobody's room, people join it from elsewhere."""

    name: str
    room_id: str | None
    languages: tuple[str, ...] = ("ja",)


class NewBoard(NamedTuple):
    """`device_token`: 256 random bits as URL-safe text; only its hash is kept, so this is the one time it is seen."""

    board: Board
    device_token: str


class NewInvitation(NamedTuple):
    """`code` belongs in the fragment of a link and is not kept."""

    invitation: Invitation
    code: str


class Due(NamedTuple):
    """The session a board should be in now, and its seat there."""

    session: Session
    seat: Seat


@dataclass(frozen=True, slots=True)
class StaleEpoch:
    """The track is already at a later epoch: whoever offers this one is an old process."""

    track_id: str
    latest: int


@dataclass(frozen=True, slots=True)
class Committed:
    """The line is stored and the watermark moved. `event_number` None: suppressed, so nobody is told."""

    line: Line
    event_number: int | None


@dataclass(frozen=True, slots=True)
class AlreadyThere:
    """The same utterance (track, epoch, start_sample) was stored before; nothing changed."""

    line: Line


@dataclass(frozen=True, slots=True)
class WatermarkMoved:
    """Somebody else accounted for this part of the stream first; nothing changed."""

    watermark_sample: int
