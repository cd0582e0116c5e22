"""The store: every fact of the hub, in one SQLite file (WAL) by SQLAlchemy. The only door to the database.

Synchronous and thread-safe; each method is one transaction and gives back plain records. Call it from a loop with
`asyncio.to_thread`. `now` and every `*_at` are UTC POSIX seconds, every `*_sample` is on the stream's 48 kHz clock.
Secrets (device tokens, invitation codes, seat keys, cookies) are stored as SHA-256 only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from session_manager.records import (
    Account,
    Board,
    Facility,
    Gap,
    Invitation,
    Line,
    LiveEvent,
    Room,
    Seat,
    Session,
    SessionState,
    Stream,
    TrackCoverage,
)
from session_manager.store.values import (
    AlreadyThere,
    Committed,
    Due,
    InvitationRole,
    NewBoard,
    NewInvitation,
    NewSite,
    StaleEpoch,
    WatermarkMoved,
)


class Store:
    @classmethod
    def open(cls, path_or_url: str | Path) -> Store:
        """Opens and migrates. Raises StartFailed when the file is unreadable, no database, or from a newer version."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    # ---- places ----
    def add_facility(self, name: str, timezone: str) -> Facility:
        raise NotImplementedError

    def facilities(self) -> list[Facility]:
        raise NotImplementedError

    def add_room(self, facility_id: str, name: str) -> Room:
        raise NotImplementedError

    def rooms(self) -> list[Room]:
        raise NotImplementedError

    def add_board(self, room_id: str, name: str, now: float) -> NewBoard:
        raise NotImplementedError

    def boards(self) -> list[Board]:
        raise NotImplementedError

    def board_by_token(self, token: str, now: float) -> Board | None:
        raise NotImplementedError

    # ---- accounts, browser logins ----
    def add_account(self, name: str, password: str, role: str) -> Account:
        raise NotImplementedError

    def account(self, name: str) -> Account | None:
        raise NotImplementedError

    def accounts(self) -> list[Account]:
        raise NotImplementedError

    def verify(self, name: str, password: str) -> Account | None:
        raise NotImplementedError

    def change_password(self, name: str, password: str) -> None:
        raise NotImplementedError

    def open_login(self, account_id: str, now: float, ttl: float) -> str:
        raise NotImplementedError

    def login(self, cookie: str, now: float) -> Account | None:
        raise NotImplementedError

    def close_login(self, cookie: str) -> None:
        raise NotImplementedError

    # ---- sessions ----
    def add_session(
        self,
        title: str,
        starts_at: float,
        ends_at: float,
        timezone: str,
        sites: Sequence[NewSite],
        *,
        confidential: bool = False,
    ) -> Session:
        raise NotImplementedError

    def session(self, session_id: str) -> Session:
        """Raises NotFound."""
        raise NotImplementedError

    def sessions(self, state: SessionState | None = None) -> list[Session]:
        """Ordered by start."""
        raise NotImplementedError

    def set_state(self, session_id: str, expected: SessionState, new: SessionState, at: float) -> Session:
        """Compare and swap; sets `started_at` (live) and `ended_at` (ended). Raises NotFound, NotPossible."""
        raise NotImplementedError

    def due_session(self, board_id: str, now: float) -> Due | None:
        raise NotImplementedError

    # ---- seats ----
    def seat(self, seat_id: str) -> Seat:
        raise NotImplementedError

    def seats(self, session_id: str) -> list[Seat]:
        raise NotImplementedError

    def add_person(self, session_id: str, display_name: str, role: str, languages: Sequence[str], now: float) -> Seat:
        raise NotImplementedError

    def new_seat_key(self, seat_id: str, now: float) -> str:
        raise NotImplementedError

    def seat_by_key(self, key: str, now: float) -> Seat | None:
        raise NotImplementedError

    # ---- invitations and viewers ----
    def add_invitation(
        self, session_id: str, role: InvitationRole, expires_at: float, uses: int | None
    ) -> NewInvitation:
        raise NotImplementedError

    def look_invitation(self, code: str, now: float) -> Invitation | None:
        raise NotImplementedError

    def redeem_invitation(self, code: str, now: float) -> Invitation | None:
        raise NotImplementedError

    def open_view(self, session_id: str, now: float, ttl: float) -> str:
        raise NotImplementedError

    def view(self, cookie: str, now: float) -> str | None:
        """The session this viewer cookie opens."""
        raise NotImplementedError

    # ---- streams ----
    def open_stream(
        self, session_id: str, seat: Seat, name: str, *, kind: str, source: str, epoch: int | None, now: float
    ) -> Stream | StaleEpoch:
        raise NotImplementedError

    def set_origin(self, track_id: str, epoch: int, origin_at: float) -> None:
        raise NotImplementedError

    def note_end(self, track_id: str, epoch: int, end_sample: int) -> None:
        raise NotImplementedError

    def close_stream(self, track_id: str, epoch: int, at: float, cause: str) -> None:
        raise NotImplementedError

    def set_decided(self, track_id: str, epoch: int) -> None:
        raise NotImplementedError

    def streams(self, session_id: str) -> list[Stream]:
        raise NotImplementedError

    def open_streams(self) -> list[Stream]:
        raise NotImplementedError

    # ---- lines, gaps, events, coverage ----
    def commit_line(
        self,
        track_id: str,
        epoch: int,
        *,
        start_sample: int,
        end_sample: int,
        text: str,
        language: str,
        confidence: float,
        suppressed: str | None,
        watermark_from: int | None,
        watermark_to: int,
        now: float,
    ) -> Committed | AlreadyThere | WatermarkMoved:
        raise NotImplementedError

    def advance_watermark(self, track_id: str, epoch: int, to: int) -> None:
        raise NotImplementedError

    def lines(self, session_id: str, include_suppressed: bool = False) -> list[Line]:
        raise NotImplementedError

    def record_gap(
        self, session_id: str, track_id: str, epoch: int | None, *, started_at: float, ended_at: float, cause: str
    ) -> None:
        raise NotImplementedError

    def gaps(self, session_id: str) -> list[Gap]:
        raise NotImplementedError

    def append_event(self, session_id: str, kind: str, data: Mapping[str, object], now: float) -> LiveEvent:
        raise NotImplementedError

    def events(self, session_id: str, after: int, limit: int) -> list[LiveEvent]:
        raise NotImplementedError

    def last_event(self, session_id: str) -> int:
        raise NotImplementedError

    def save_coverage(self, session_id: str, coverage: Sequence[TrackCoverage]) -> None:
        raise NotImplementedError

    def coverage(self, session_id: str) -> list[TrackCoverage]:
        raise NotImplementedError
