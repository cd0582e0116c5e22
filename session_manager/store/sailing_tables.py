"""Tables of days without boats; same metadata as `tables`. `before`: what a booking was, to be put back."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, ForeignKey, Index, String, Table, Text

from session_manager.store.tables import metadata

_ID = String(64)

sailings = Table(
    "sailings",
    metadata,
    Column("sailing_id", _ID, primary_key=True),
    Column("municipality_id", _ID, ForeignKey("municipalities.municipality_id"), nullable=False),
    Column("day", String(10), nullable=False),
    Column("stopped_at", BigInteger, nullable=False),
    Column("stopped_by", Text, nullable=False),
    Column("resumed_at", BigInteger, nullable=True),
    Index("ix_sailings_municipality_id_day", "municipality_id", "day"),
)

sailing_bookings = Table(
    "sailing_bookings",
    metadata,
    Column("sailing_id", _ID, ForeignKey("sailings.sailing_id"), primary_key=True),
    Column("booking_id", _ID, ForeignKey("bookings.booking_id"), primary_key=True, index=True),
    Column("choice", String(16), nullable=False),
    Column("asked_at", BigInteger, nullable=True),
    Column("answer", String(16), nullable=True),
    Column("before", JSON, nullable=False),
    Column("outcome", String(16), nullable=True),
    Column("successor_id", _ID, ForeignKey("bookings.booking_id"), nullable=True),
    CheckConstraint("choice in ('remote', 'ask', 'release')", name="choice"),
)
