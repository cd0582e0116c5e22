"""Tables of series that people apply for, and of dialogue evenings; same metadata as `tables`.

`*_at` are whole UTC POSIX seconds, `level` a `consent.Level`. An evening is a booking; what was said about keeping is
of its session.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from session_manager.store.tables import metadata

_ID = String(64)


def _ref(name: str, target: str, *, primary: bool = False, nullable: bool = False, index: bool = False) -> Column[str]:
    return Column(name, _ID, ForeignKey(target), primary_key=primary, nullable=nullable, index=index)


def _at(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


series_circles = Table(
    "series_circles",
    metadata,
    _ref("series_id", "series.series_id", primary=True),
    _ref("group_id", "groups.group_id", index=True),
    Column("capacity", Integer, nullable=False),
    Column("selection", Text, nullable=False),
    _at("open_until", nullable=True),
    _text("seed"),
    _at("drawn_at", nullable=True),
    CheckConstraint("capacity >= 1", name="capacity"),
    CheckConstraint("selection in ('order', 'lot', 'hand')", name="selection"),
)
"""The people of a series are a group: letters, calendars and rights follow it. `open_until` None: not open."""

applications = Table(
    "applications",
    metadata,
    _ref("series_id", "series.series_id", primary=True),
    _ref("person_id", "people.person_id", primary=True),
    Column("state", Text, nullable=False),
    Column("number", Integer, nullable=False),
    _at("asked_at"),
    _at("moved_at"),
    CheckConstraint("state in ('applied', 'placed', 'waiting', 'declined', 'withdrawn')", name="state"),
    Index("ix_applications_person_id", "person_id"),
)

evenings = Table(
    "evenings",
    metadata,
    _ref("booking_id", "bookings.booking_id", primary=True),
    _text("question"),
    _text("why"),
    _text("known"),
    _ref("owner_id", "people.person_id", nullable=True),
    Column("version", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    Column("publish_from", Integer, nullable=False),
    Column("tables", JSON, nullable=False),
    CheckConstraint("level between 0 and 5 and publish_from between 2 and 5", name="levels"),
)

question_checks = Table(
    "question_checks",
    metadata,
    _ref("booking_id", "bookings.booking_id", primary=True),
    _ref("person_id", "people.person_id", primary=True),
    Column("version", Integer, nullable=False),
    _at("checked_at"),
)

attendances = Table(
    "attendances",
    metadata,
    Column("attendance_id", _ID, primary_key=True),
    _ref("booking_id", "bookings.booking_id", index=True),
    _ref("person_id", "people.person_id", nullable=True, index=True),
    Column("how", Text, nullable=False),
    _at("came_at"),
    _at("left_at", nullable=True),
    UniqueConstraint("booking_id", "person_id"),
    CheckConstraint("how in ('in_person', 'online')", name="how"),
)
"""`person_id` None: counted, and by their wish not named."""

consents = Table(
    "consents",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    _ref("session_id", "sessions.session_id", index=True),
    _ref("person_id", "people.person_id", index=True),
    Column("level", Integer, nullable=False),
    Column("listens", Integer, nullable=False),
    _text("said_by"),
    _at("said_at"),
    CheckConstraint("level between 0 and 5", name="level"),
)
"""Each word ever given; the last one of a person counts."""

harvest_items = Table(
    "harvest_items",
    metadata,
    Column("item_id", _ID, primary_key=True),
    _ref("booking_id", "bookings.booking_id", index=True),
    Column("kind", Text, nullable=False),
    _text("words"),
    _ref("person_id", "people.person_id", nullable=True),
    Column("due_on", Text, nullable=True),
    _at("yes_at", nullable=True),
    _text("yes_by"),
    _at("done_at", nullable=True),
    _at("created_at"),
    CheckConstraint("kind in ('question', 'action', 'quote')", name="kind"),
)

evening_reports = Table(
    "evening_reports",
    metadata,
    _ref("booking_id", "bookings.booking_id", primary=True),
    Column("slug", String(80), nullable=False, unique=True),
    _text("title"),
    _text("opening"),
    Column("left_out", JSON, nullable=False),
    _at("drafted_at"),
    _at("published_at", nullable=True),
    _text("published_by"),
    _at("withdrawn_at", nullable=True),
    Index("ix_evening_reports_published_at", "published_at"),
)
