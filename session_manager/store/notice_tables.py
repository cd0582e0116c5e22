"""Tables of what bookings tell people and other programs; same metadata as `tables`.

`*_at` UTC POSIX seconds. No secret of a webhook is here: it is derived from the installation's own (`webhooks.py`).
"""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, Column, Double, ForeignKey, Index, Integer, String, Table, Text

from session_manager.store.tables import metadata

_ID = String(64)


def _ref(target: str, *, primary: bool = False, nullable: bool = False, index: bool = False) -> Column[str]:
    key = ForeignKey(target)
    return Column(target.split(".")[1], _ID, key, primary_key=primary, nullable=nullable, index=index)


def _at(name: str, *, nullable: bool = False) -> Column[float]:
    return Column(name, Double, nullable=nullable)


office_mail = Table(
    "office_mail",
    metadata,
    _ref("municipalities.municipality_id", primary=True),
    Column("mail", Text, nullable=False),
    Column("language", Text, nullable=False),
)
"""Where a municipality's office reads; without it, everybody with an office role is written to."""

facility_notes = Table(
    "facility_notes",
    metadata,
    _ref("facilities.facility_id", primary=True),
    Column("notes", JSON, nullable=False),
)

audiences = Table(
    "audiences",
    metadata,
    Column("audience_id", _ID, primary_key=True),
    _ref("bookings.booking_id", nullable=True, index=True),
    _ref("series.series_id", nullable=True, index=True),
    _ref("groups.group_id"),
    CheckConstraint("(booking_id is null) <> (series_id is null)", name="one_subject"),
)
"""The groups that a booking or a whole series is for: their members are invited."""

open_marks = Table(
    "open_marks",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("subject_id", _ID, primary_key=True),
    Column("marked_by", Text, nullable=False),
    _at("marked_at"),
    CheckConstraint("kind in ('booking', 'series', 'session')", name="kind"),
)
"""What anybody may follow. It refers to nothing: a session that goes with its booking must leave nothing behind."""

calendar_slots = Table(
    "calendar_slots",
    metadata,
    _ref("bookings.booking_id", primary=True),
    Column("uid", String(255), nullable=False, index=True),
    Column("recurrence", String(64), nullable=False),
)
"""Which date of which calendar entry a booking of a series by rule is; every other booking is an entry of its own."""

webhooks = Table(
    "webhooks",
    metadata,
    Column("webhook_id", _ID, primary_key=True),
    _ref("municipalities.municipality_id", index=True),
    Column("url", Text, nullable=False),
    Column("events", JSON, nullable=False),
    _at("created_at"),
    _at("failing_since", nullable=True),
    _at("disabled_at", nullable=True),
    Column("failure", Text, nullable=True),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("delivery_id", _ID, primary_key=True),
    _ref("webhooks.webhook_id", index=True),
    Column("event", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    _at("created_at"),
    _at("next_at"),
    _at("sent_at", nullable=True),
    Column("failure", Text, nullable=True),
    Index("ix_webhook_deliveries_due", "state", "next_at"),
)
