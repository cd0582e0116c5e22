"""The tables of the facility's day. What holds a place is a row of `occupancies` and nothing else; the database itself
refuses two rows that overlap (migration 0003: a trigger in SQLite, an exclusion constraint in PostgreSQL)."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
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
LONGEST_S = 32 * 86_400
"""No occupancy is longer: so a search for what overlaps looks back this far and no further."""


def _id(name: str) -> Column[str]:
    return Column(name, _ID, primary_key=True)


def _ref(name: str, target: str, *, nullable: bool = False, primary: bool = False) -> Column[str]:
    return Column(name, _ID, ForeignKey(target), nullable=nullable, primary_key=primary)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _number(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


municipality_rules = Table(
    "municipality_rules",
    metadata,
    _ref("municipality_id", "municipalities.municipality_id", primary=True),
    Column("rules", JSON, nullable=False),
)

facility_opening = Table(
    "facility_opening",
    metadata,
    _ref("facility_id", "facilities.facility_id", primary=True),
    Column("opening", JSON, nullable=False),
)

places = Table(
    "places",
    metadata,
    _id("place_id"),
    _ref("facility_id", "facilities.facility_id"),
    _text("kind"),
    _text("name"),
    _number("capacity"),
    _number("quantity"),
    _ref("part_of", "places.place_id", nullable=True),
    _number("buffer_before_s"),
    _number("buffer_after_s"),
    Column("needs_approval", Boolean(create_constraint=False), nullable=False),
    Column("attendance", JSON(none_as_null=True), nullable=True),
    UniqueConstraint("facility_id", "kind", "name"),
    CheckConstraint("quantity >= 1 and capacity >= 1", name="amounts"),
    CheckConstraint("kind in ('room', 'seat', 'area', 'free_use', 'equipment')", name="kind"),
    CheckConstraint("buffer_before_s between 0 and 86400 and buffer_after_s between 0 and 86400", name="buffers"),
    Index("ix_places_part_of", "part_of"),
)

series = Table(
    "series",
    metadata,
    _id("series_id"),
    _ref("municipality_id", "municipalities.municipality_id"),
    _text("title"),
    _text("rule"),
    _text("holder"),
    _number("strikes"),
    _at("struck_at", nullable=True),
    _at("created_at"),
)

bookings = Table(
    "bookings",
    metadata,
    _id("booking_id"),
    _ref("municipality_id", "municipalities.municipality_id"),
    _ref("series_id", "series.series_id", nullable=True),
    _number("position"),
    _text("title"),
    _text("kind"),
    _text("state"),
    _text("starts"),
    _text("ends"),
    _text("zone"),
    _at("starts_at"),
    _at("ends_at"),
    _text("holder"),
    _text("user_class"),
    _number("level"),
    _text("made_by"),
    _number("people"),
    _text("mode"),
    Column("languages", JSON, nullable=False),
    Column("confidential", Boolean(create_constraint=False), nullable=False),
    _text("link"),
    _number("yen"),
    _number("free_s"),
    _text("price_reason"),
    Column("by_pass", Boolean(create_constraint=False), nullable=False),
    _at("created_at"),
    _at("expires_at", nullable=True),
    _at("checked_in_at", nullable=True),
    _at("ended_at", nullable=True),
    _text("reason"),
    Column("proposal", JSON(none_as_null=True), nullable=True),
    _ref("session_id", "sessions.session_id", nullable=True),
    CheckConstraint("ends_at > starts_at", name="order"),
    Index("ix_bookings_starts_at_ends_at", "starts_at", "ends_at"),
    Index("ix_bookings_state_starts_at", "state", "starts_at"),
    Index("ix_bookings_holder_starts_at", "holder", "starts_at"),
    Index("ix_bookings_series_id_position", "series_id", "position"),
    Index("ix_bookings_session_id", "session_id"),
)

booking_places = Table(
    "booking_places",
    metadata,
    _ref("booking_id", "bookings.booking_id", primary=True),
    _ref("place_id", "places.place_id", primary=True),
    _number("amount"),
    _number("position"),
    CheckConstraint("amount >= 1", name="amount"),
)

occupancies = Table(
    "occupancies",
    metadata,
    _ref("booking_id", "bookings.booking_id", primary=True),
    _ref("place_id", "places.place_id", primary=True),
    Column("unit", Integer, primary_key=True, autoincrement=False),
    _at("starts_at"),
    _at("ends_at"),
    CheckConstraint("unit >= 0", name="unit"),
    CheckConstraint(f"ends_at > starts_at and ends_at - starts_at <= {LONGEST_S + 2 * 86_400}", name="length"),
    Index("ix_occupancies_place_id_unit_starts_at", "place_id", "unit", "starts_at"),
    Index("ix_occupancies_place_id_starts_at", "place_id", "starts_at"),
)

guest_passes = Table(
    "guest_passes",
    metadata,
    _id("pass_id"),
    _ref("municipality_id", "municipalities.municipality_id"),
    Column("code_hash", String(64), nullable=False, unique=True),
    _number("uses_left"),
    _at("expires_at"),
    CheckConstraint("uses_left >= 0", name="uses_left"),
)

booking_events = Table(
    "booking_events",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    _ref("booking_id", "bookings.booking_id"),
    _text("what"),
    _text("by"),
    _at("happened_at"),
    Column("data", JSON, nullable=False),
    Index("ix_booking_events_booking_id", "booking_id"),
)

calendar_marks = Table(
    "calendar_marks",
    metadata,
    Column("topic", String(64), primary_key=True),
    _text("mark"),
)
"""One row: the database writes another mark whenever something changed that a calendar shows (migration 0012)."""
