"""The tables, as the newest migration leaves them; a test compares the two.

Instants are UTC POSIX seconds, sample positions 48 kHz, `*_hash` the SHA-256 of a random secret in hexadecimal.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ID = String(64)
_HASH = String(64)


def _id(name: str) -> Column[str]:
    return Column(name, _ID, primary_key=True)


def _ref(target: str, *, nullable: bool = False, index: bool = False) -> Column[str]:
    return Column(target.split(".")[1], _ID, ForeignKey(target), nullable=nullable, index=index)


def _instant(name: str, *, nullable: bool = False) -> Column[float]:
    return Column(name, Double, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


municipalities = Table(
    "municipalities",
    metadata,
    _id("municipality_id"),
    Column("name", Text, nullable=False, unique=True),
    _text("timezone"),
    _instant("created_at"),
)

facilities = Table(
    "facilities",
    metadata,
    _id("facility_id"),
    Column("name", Text, nullable=False, unique=True),
    _text("timezone"),
    _ref("municipalities.municipality_id", nullable=True),
    Column("on_island", Boolean, nullable=False, server_default=true()),
)

rooms = Table(
    "rooms",
    metadata,
    _id("room_id"),
    _ref("facilities.facility_id"),
    _text("name"),
    UniqueConstraint("facility_id", "name"),
)

boards = Table(
    "boards",
    metadata,
    _id("board_id"),
    _ref("rooms.room_id", index=True),
    _text("name"),
    Column("token_hash", _HASH, nullable=False, unique=True),
    _instant("enrolled_at"),
    _instant("last_seen_at", nullable=True),
)

accounts = Table(
    "accounts",
    metadata,
    _id("account_id"),
    _text("name"),
    Column("name_key", Text, nullable=False, unique=True),
    _text("password_hash"),
    _text("role"),
    CheckConstraint("role in ('administrator', 'staff')", name="role"),
)

logins = Table(
    "logins",
    metadata,
    Column("cookie_hash", _HASH, primary_key=True),
    _ref("accounts.account_id", index=True),
    _instant("opened_at"),
    _instant("expires_at"),
)

sessions = Table(
    "sessions",
    metadata,
    _id("session_id"),
    _text("title"),
    _text("state"),
    _instant("starts_at"),
    _instant("ends_at"),
    _text("timezone"),
    _instant("started_at", nullable=True),
    _instant("ended_at", nullable=True),
    _instant("completed_at", nullable=True),
    Column("confidential", Boolean(create_constraint=False), nullable=False),
    Column("last_event", BigInteger, nullable=False),
    CheckConstraint("state in ('planned', 'live', 'ending', 'ended')", name="state"),
    CheckConstraint("ends_at > starts_at", name="duration"),
    Index("ix_sessions_state_starts_at", "state", "starts_at"),
)

sites = Table(
    "sites",
    metadata,
    _id("site_id"),
    _ref("sessions.session_id"),
    _text("name"),
    _ref("rooms.room_id", nullable=True, index=True),
    Column("languages", JSON, nullable=False),
    Column("position", Integer, nullable=False),
    UniqueConstraint("session_id", "position"),
    UniqueConstraint("session_id", "room_id"),
)

seats = Table(
    "seats",
    metadata,
    _id("seat_id"),
    _ref("sessions.session_id", index=True),
    _ref("sites.site_id"),
    _text("display_name"),
    _text("role"),
    _ref("boards.board_id", nullable=True),
    Column("key_hash", _HASH, nullable=True, unique=True),
    _instant("joined_at", nullable=True),
    UniqueConstraint("session_id", "board_id"),
)

invitations = Table(
    "invitations",
    metadata,
    _id("invitation_id"),
    _ref("sessions.session_id", index=True),
    Column("code_hash", _HASH, nullable=False, unique=True),
    _text("role"),
    _instant("expires_at"),
    Column("uses_left", Integer, nullable=True),
    CheckConstraint("uses_left is null or uses_left >= 0", name="uses_left"),
    CheckConstraint("role in ('participant', 'facilitator', 'observer', 'lobby')", name="role"),
)

views = Table(
    "views",
    metadata,
    Column("cookie_hash", _HASH, primary_key=True),
    _ref("sessions.session_id"),
    _instant("opened_at"),
    _instant("expires_at"),
)

tracks = Table(
    "tracks",
    metadata,
    _id("track_id"),
    _ref("sessions.session_id", index=True),
    _ref("seats.seat_id"),
    _ref("sites.site_id"),
    _text("name"),
    _text("kind"),
    UniqueConstraint("seat_id", "name"),
    CheckConstraint("kind in ('audio', 'video')", name="kind"),
)

streams = Table(
    "streams",
    metadata,
    Column("track_id", _ID, ForeignKey("tracks.track_id"), primary_key=True),
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    _text("source"),
    _instant("opened_at"),
    _instant("origin_at", nullable=True),
    Column("end_sample", BigInteger, nullable=False),
    Column("watermark_sample", BigInteger, nullable=False),
    _instant("closed_at", nullable=True),
    _text("close_cause", nullable=True),
    Column("decided", Boolean(create_constraint=False), nullable=False),
    CheckConstraint("epoch >= 0 and end_sample >= 0 and watermark_sample >= 0", name="positions"),
)

spools = Table(
    "spools",
    metadata,
    Column("track_id", _ID, primary_key=True),
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("first_sequence", BigInteger, nullable=False),
    Column("next_sequence", BigInteger, nullable=False),
    Column("end_sample", BigInteger, nullable=False),
    Column("closed", Boolean(create_constraint=False), nullable=False),
    Column("coming_s", Double, nullable=False),
    _instant("told_at"),
    Column("missing", JSON, nullable=False, server_default="[]"),
    ForeignKeyConstraint(["track_id", "epoch"], ["streams.track_id", "streams.epoch"]),
)

touched = Table(
    "touched",
    metadata,
    Column("touched_id", Integer, primary_key=True),
    Column("track_id", _ID, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("start_sample", BigInteger, nullable=False),
    Column("end_sample", BigInteger, nullable=False),
    ForeignKeyConstraint(["track_id", "epoch"], ["streams.track_id", "streams.epoch"]),
    Index("ix_touched_track_id_epoch", "track_id", "epoch"),
    sqlite_autoincrement=True,  # a repair that is under way must never meet the number of an older mark
)

lines = Table(
    "lines",
    metadata,
    Column("line_id", _ID, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("session_id", _ID, ForeignKey("sessions.session_id"), nullable=False),
    Column("track_id", _ID, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("site_id", _ID, ForeignKey("sites.site_id"), nullable=False),
    _text("site_name"),
    _text("speaker"),
    Column("start_sample", BigInteger, nullable=False),
    Column("end_sample", BigInteger, nullable=False),
    _instant("started_at"),
    _instant("ended_at"),
    _text("text"),
    _text("language"),
    Column("confidence", Double, nullable=False),
    _text("suppressed", nullable=True),
    Column("event_number", BigInteger, nullable=False),
    _instant("committed_at"),
    Column("repaired", Boolean(create_constraint=False), nullable=False, server_default=false()),
    Column("edited_by", _ID, nullable=True),
    ForeignKeyConstraint(["track_id", "epoch"], ["streams.track_id", "streams.epoch"]),
    CheckConstraint("start_sample >= 0 and end_sample >= start_sample", name="samples"),
    Index("ix_lines_session_id_started_at", "session_id", "started_at"),
    Index("ix_lines_track_id_epoch_start_sample", "track_id", "epoch", "start_sample"),
)

gaps = Table(
    "gaps",
    metadata,
    Column("gap_id", Integer, primary_key=True),
    _ref("sessions.session_id", index=True),
    _ref("tracks.track_id"),
    Column("epoch", BigInteger, nullable=True),
    _instant("started_at"),
    _instant("ended_at"),
    _text("cause"),
    CheckConstraint("ended_at >= started_at", name="order"),
)

events = Table(
    "events",
    metadata,
    Column("session_id", _ID, ForeignKey("sessions.session_id"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    _text("kind"),
    Column("data", JSON, nullable=False),
    _instant("happened_at"),
)

coverage = Table(
    "coverage",
    metadata,
    Column("session_id", _ID, ForeignKey("sessions.session_id"), primary_key=True),
    Column("track_id", _ID, ForeignKey("tracks.track_id"), primary_key=True),
    _text("site_id"),
    _text("site_name"),
    Column("spans", JSON, nullable=False),
)
