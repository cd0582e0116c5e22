"""The store: every fact of the hub, in one SQLite file (WAL) by SQLAlchemy. The only door to the database.

Synchronous and thread-safe; each method is one transaction and gives back plain records. Call it from a loop with
`asyncio.to_thread`. `now` and every `*_at` are UTC POSIX seconds, every `*_sample` is on the stream's 48 kHz clock.
Secrets (device tokens, invitation codes, seat keys, cookies) are stored as SHA-256 only. Methods raise
`session_manager.errors`: NotFound, NotPossible, and StoreFailed when the database itself did not take it.
"""

from __future__ import annotations

from pathlib import Path

from session_manager.passwords import Passwords
from session_manager.store.accounting import Accounting
from session_manager.store.accounts import Accounts
from session_manager.store.agenda_rows import Agendas
from session_manager.store.announcing import Announcing
from session_manager.store.answering import Answering
from session_manager.store.at_the_door import AtTheDoor
from session_manager.store.audit import Audit
from session_manager.store.calendars import Calendars
from session_manager.store.circles import Circles
from session_manager.store.courses import Courses
from session_manager.store.database import connect
from session_manager.store.day import Day
from session_manager.store.doors import Doors
from session_manager.store.evenings import Evenings
from session_manager.store.events import Events
from session_manager.store.front import Fronts
from session_manager.store.groups import Groups
from session_manager.store.harvest import Harvest
from session_manager.store.hooks import Webhooks
from session_manager.store.house import House
from session_manager.store.invitations import Invitations
from session_manager.store.lines import Lines
from session_manager.store.memberships import Memberships
from session_manager.store.municipalities import Municipalities
from session_manager.store.off_record import OffRecord
from session_manager.store.organisation_doors import OrganisationDoors
from session_manager.store.outbox import Outbox
from session_manager.store.own_levels import OwnLevels
from session_manager.store.people import People
from session_manager.store.place_import import PlaceImport
from session_manager.store.places import Places
from session_manager.store.reminding import Reminding
from session_manager.store.repairs import Mark, Repairs
from session_manager.store.reporting import Reporting
from session_manager.store.schema import migrate
from session_manager.store.seats import Seats
from session_manager.store.self_service import SelfService
from session_manager.store.sessions import EARLY_S, Sessions
from session_manager.store.streams import Streams
from session_manager.store.telling import Teller
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
from session_manager.store.wall_words import WallWords


class Store(
    Places,
    Accounts,
    Sessions,
    Seats,
    Invitations,
    Streams,
    Lines,
    Events,
    Accounting,
    OffRecord,
    Repairs,
    Day,
    Circles,
    Courses,
    Evenings,
    AtTheDoor,
    WallWords,
    OwnLevels,
    Harvest,
    Reporting,
    Municipalities,
    People,
    Memberships,
    Groups,
    Doors,
    Outbox,
    Calendars,
    Audit,
    House,
    SelfService,
    Fronts,
    OrganisationDoors,
    Announcing,
    Agendas,
    Answering,
    Reminding,
    Webhooks,
    PlaceImport,
):
    teller: Teller

    @classmethod
    def open(cls, path_or_url: str | Path, passwords: Passwords | None = None) -> Store:
        """Opens and migrates. Raises StartFailed when the file is unreadable, no database, or from a newer version."""
        database = connect(path_or_url)
        migrate(database)
        store = cls(database, passwords or Passwords())
        store.teller = database.before_commit = Teller()
        return store

    def close(self) -> None:
        self._database.close()


__all__ = [
    "EARLY_S",
    "AlreadyThere",
    "Committed",
    "Due",
    "InvitationRole",
    "Mark",
    "NewBoard",
    "NewInvitation",
    "NewSite",
    "StaleEpoch",
    "Store",
    "WatermarkMoved",
]
