"""The first shape: places, people, sessions, streams, lines, events, coverage."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _places()
    _accounts()
    _sessions()
    _doors()
    _streams()
    _lines()
    _history()


def _places() -> None:
    op.create_table(
        "facilities",
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("facility_id", name=op.f("pk_facilities")),
        sa.UniqueConstraint("name", name=op.f("uq_facilities_name")),
    )
    op.create_table(
        "rooms",
        sa.Column("room_id", sa.String(length=64), nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["facility_id"], ["facilities.facility_id"], name=op.f("fk_rooms_facility_id")),
        sa.PrimaryKeyConstraint("room_id", name=op.f("pk_rooms")),
        sa.UniqueConstraint("facility_id", "name", name=op.f("uq_rooms_facility_id_name")),
    )
    op.create_table(
        "boards",
        sa.Column("board_id", sa.String(length=64), nullable=False),
        sa.Column("room_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("enrolled_at", sa.Double(), nullable=False),
        sa.Column("last_seen_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.room_id"], name=op.f("fk_boards_room_id")),
        sa.PrimaryKeyConstraint("board_id", name=op.f("pk_boards")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_boards_token_hash")),
    )
    op.create_index(op.f("ix_boards_room_id"), "boards", ["room_id"])


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.CheckConstraint("role in ('administrator', 'staff')", name=op.f("ck_accounts_role")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name_key", name=op.f("uq_accounts_name_key")),
    )
    op.create_table(
        "logins",
        sa.Column("cookie_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name=op.f("fk_logins_account_id")),
        sa.PrimaryKeyConstraint("cookie_hash", name=op.f("pk_logins")),
    )
    op.create_index(op.f("ix_logins_account_id"), "logins", ["account_id"])


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.Double(), nullable=False),
        sa.Column("ends_at", sa.Double(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("last_event", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state in ('planned', 'live', 'ending', 'ended')", name=op.f("ck_sessions_state")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_sessions_duration")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_state_starts_at", "sessions", ["state", "starts_at"])
    op.create_table(
        "sites",
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("room_id", sa.String(length=64), nullable=True),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.room_id"], name=op.f("fk_sites_room_id")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], name=op.f("fk_sites_session_id")),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_sites")),
        sa.UniqueConstraint("session_id", "position", name=op.f("uq_sites_session_id_position")),
        sa.UniqueConstraint("session_id", "room_id", name=op.f("uq_sites_session_id_room_id")),
    )
    op.create_index(op.f("ix_sites_room_id"), "sites", ["room_id"])


def _doors() -> None:
    op.create_table(
        "seats",
        sa.Column("seat_id", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("board_id", sa.String(length=64), nullable=True),
        sa.Column("key_hash", sa.String(length=64), nullable=True),
        sa.Column("joined_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["board_id"], ["boards.board_id"], name=op.f("fk_seats_board_id")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], name=op.f("fk_seats_session_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.site_id"], name=op.f("fk_seats_site_id")),
        sa.PrimaryKeyConstraint("seat_id", name=op.f("pk_seats")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_seats_key_hash")),
        sa.UniqueConstraint("session_id", "board_id", name=op.f("uq_seats_session_id_board_id")),
    )
    op.create_index(op.f("ix_seats_session_id"), "seats", ["session_id"])
    op.create_table(
        "invitations",
        sa.Column("invitation_id", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "role in ('participant', 'facilitator', 'observer', 'lobby')", name=op.f("ck_invitations_role")
        ),
        sa.CheckConstraint("uses_left is null or uses_left >= 0", name=op.f("ck_invitations_uses_left")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], name=op.f("fk_invitations_session_id")),
        sa.PrimaryKeyConstraint("invitation_id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_invitations_code_hash")),
    )
    op.create_index(op.f("ix_invitations_session_id"), "invitations", ["session_id"])
    op.create_table(
        "views",
        sa.Column("cookie_hash", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], name=op.f("fk_views_session_id")),
        sa.PrimaryKeyConstraint("cookie_hash", name=op.f("pk_views")),
    )


def _streams() -> None:
    op.create_table(
        "tracks",
        sa.Column("track_id", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("seat_id", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint("kind in ('audio', 'video')", name=op.f("ck_tracks_kind")),
        sa.ForeignKeyConstraint(["seat_id"], ["seats.seat_id"], name=op.f("fk_tracks_seat_id")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], name=op.f("fk_tracks_session_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.site_id"], name=op.f("fk_tracks_site_id")),
        sa.PrimaryKeyConstraint("track_id", name=op.f("pk_tracks")),
        sa.UniqueConstraint("seat_id", "name", name=op.f("uq_tracks_seat_id_name")),
    )
    op.create_index(op.f("ix_tracks_session_id"), "tracks", ["session_id"])
    op.create_table(
        "streams",
        sa.Column("track_id", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.Column("origin_at", sa.Double(), nullable=True),
        sa.Column("end_sample", sa.BigInteger(), nullable=False),
        sa.Column("watermark_sample", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.Double(), nullable=True),
        sa.Column("close_cause", sa.Text(), nullable=True),
        sa.Column("decided", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "epoch >= 0 and end_sample >= 0 and watermark_sample >= 0", name=op.f("ck_streams_positions")
        ),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.track_id"], name=op.f("fk_streams_track_id")),
        sa.PrimaryKeyConstraint("track_id", "epoch", name=op.f("pk_streams")),
    )


def _lines() -> None:
    op.create_table(
        "lines",
        sa.Column("line_id", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("track_id", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("site_name", sa.Text(), nullable=False),
        sa.Column("speaker", sa.Text(), nullable=False),
        sa.Column("start_sample", sa.BigInteger(), nullable=False),
        sa.Column("end_sample", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("suppressed", sa.Text(), nullable=True),
        sa.Column("event_number", sa.BigInteger(), nullable=False),
        sa.Column("committed_at", sa.Double(), nullable=False),
        sa.CheckConstraint("start_sample >= 0 and end_sample >= start_sample", name=op.f("ck_lines_samples")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], name=op.f("fk_lines_session_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.site_id"], name=op.f("fk_lines_site_id")),
        sa.ForeignKeyConstraint(
            ["track_id", "epoch"], ["streams.track_id", "streams.epoch"], name=op.f("fk_lines_track_id_epoch")
        ),
        sa.PrimaryKeyConstraint("line_id", "revision", name=op.f("pk_lines")),
        sa.UniqueConstraint(
            "track_id", "epoch", "start_sample", "revision", name=op.f("uq_lines_track_id_epoch_start_sample_revision")
        ),
    )
    op.create_index("ix_lines_session_id_started_at", "lines", ["session_id", "started_at"])


def _history() -> None:
    op.create_table(
        "gaps",
        sa.Column("gap_id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("track_id", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.CheckConstraint("ended_at >= started_at", name=op.f("ck_gaps_order")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], name=op.f("fk_gaps_session_id")),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.track_id"], name=op.f("fk_gaps_track_id")),
        sa.PrimaryKeyConstraint("gap_id", name=op.f("pk_gaps")),
    )
    op.create_index(op.f("ix_gaps_session_id"), "gaps", ["session_id"])
    op.create_table(
        "events",
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("happened_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], name=op.f("fk_events_session_id")),
        sa.PrimaryKeyConstraint("session_id", "number", name=op.f("pk_events")),
    )
    op.create_table(
        "coverage",
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("track_id", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("site_name", sa.Text(), nullable=False),
        sa.Column("spans", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], name=op.f("fk_coverage_session_id")),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.track_id"], name=op.f("fk_coverage_track_id")),
        sa.PrimaryKeyConstraint("session_id", "track_id", name=op.f("pk_coverage")),
    )
