"""Tables of door panels, faults that people report there, and what a class leaves; same metadata as `tables`.

`*_at` UTC POSIX seconds, `*_hash` of secrets as in `tables`.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from session_manager.store.tables import metadata

_ID = String(64)
_HASH = String(64)


def _ref(target: str, *, primary: bool = False, nullable: bool = False, index: bool = False) -> Column[str]:
    key = ForeignKey(target)
    return Column(target.split(".")[1], _ID, key, primary_key=primary, nullable=nullable, index=index)


def _at(name: str, *, nullable: bool = False) -> Column[float]:
    return Column(name, Double, nullable=nullable)


panels = Table(
    "panels",
    metadata,
    Column("panel_id", _ID, primary_key=True),
    _ref("rooms.room_id", index=True),
    Column("name", Text, nullable=False),
    Column("key_hash", _HASH, nullable=True, unique=True),
    _at("key_expires_at", nullable=True),
    Column("cookie_hash", _HASH, nullable=True, unique=True),
    _at("made_at"),
    _at("opened_at", nullable=True),
    _at("last_seen_at", nullable=True),
    _at("revoked_at", nullable=True),
)
"""A wall tablet at one room's door. The key of its link opens it once; from then on it is the cookie."""

panel_answers = Table(
    "panel_answers",
    metadata,
    Column("panel_id", _ID, ForeignKey("panels.panel_id"), primary_key=True),
    Column("request_key", _ID, primary_key=True),
    Column("answer", JSON, nullable=False),
    _at("answered_at"),
)
"""What a panel was answered, so that a request sent again after a lost answer does nothing twice."""

door_reports = Table(
    "door_reports",
    metadata,
    Column("report_id", _ID, primary_key=True),
    _ref("municipalities.municipality_id", index=True),
    _ref("rooms.room_id"),
    Column("kind", String(16), nullable=False),
    _at("reported_at"),
    Column("reported_by", Text, nullable=False),
    _at("resolved_at", nullable=True),
    Column("resolved_by", Text, nullable=True),
    CheckConstraint("kind in ('camera', 'sound', 'display', 'room', 'other')", name="kind"),
    Index("ix_door_reports_room_id_kind", "room_id", "kind"),
)

prechecks = Table(
    "prechecks",
    metadata,
    Column("session_id", _ID, primary_key=True),
    Column("findings", JSON, nullable=False),
    _at("checked_at"),
)
"""Whether each site's board was ready shortly before: the last look. No reference: a planned session may go."""

board_devices = Table(
    "board_devices",
    metadata,
    _ref("boards.board_id", primary=True),
    Column("microphone", Boolean(create_constraint=False), nullable=True),
    Column("speaker", Boolean(create_constraint=False), nullable=True),
    Column("camera", Boolean(create_constraint=False), nullable=True),
    _at("told_at"),
)
"""What a board found plugged in, by its last word. `told_at`: since when it has said just this."""

lessons = Table(
    "lessons",
    metadata,
    _ref("series.series_id", primary=True),
    _ref("groups.group_id", index=True),
    Column("school", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("period", Text, nullable=False),
)
"""Series that came out of a school's timetable: whose class, which period. `school`: its office's address or empty."""

attendance = Table(
    "attendance",
    metadata,
    _ref("sessions.session_id", primary=True),
    _ref("people.person_id", primary=True),
    _at("came_at"),
)
"""Who touched their name. It goes some days after the lesson; pupils are not measured."""

class_letters = Table(
    "class_letters",
    metadata,
    _ref("sessions.session_id", primary=True),
    Column("absent", Integer, nullable=False),
    _at("sent_at"),
)
"""The list of who is missing went out: once a lesson."""

class_sheets = Table(
    "class_sheets",
    metadata,
    _ref("sessions.session_id", primary=True),
    Column("question", Integer, primary_key=True, autoincrement=False),
    Column("choice", Integer, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
    CheckConstraint("question between 1 and 3 and choice between 1 and 3", name="range"),
)
"""Only counts: which answers were given together is not kept, so nobody can be known by theirs."""
