"""Door panels and what is reported there; lessons, who came, what was answered; whether boards were ready."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    _doors()
    _lessons()


def _doors() -> None:
    op.create_table(
        "panels",
        sa.Column("panel_id", sa.String(length=64), nullable=False),
        sa.Column("room_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=True),
        sa.Column("key_expires_at", sa.Double(), nullable=True),
        sa.Column("cookie_hash", sa.String(length=64), nullable=True),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.Column("opened_at", sa.Double(), nullable=True),
        sa.Column("last_seen_at", sa.Double(), nullable=True),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.room_id"], name=op.f("fk_panels_room_id")),
        sa.PrimaryKeyConstraint("panel_id", name=op.f("pk_panels")),
        sa.UniqueConstraint("cookie_hash", name=op.f("uq_panels_cookie_hash")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_panels_key_hash")),
    )
    op.create_index(op.f("ix_panels_room_id"), "panels", ["room_id"], unique=False)
    op.create_table(
        "panel_answers",
        sa.Column("panel_id", sa.String(length=64), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("answered_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["panel_id"], ["panels.panel_id"], name=op.f("fk_panel_answers_panel_id")),
        sa.PrimaryKeyConstraint("panel_id", "request_key", name=op.f("pk_panel_answers")),
    )
    op.create_table(
        "door_reports",
        sa.Column("report_id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("room_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reported_at", sa.Double(), nullable=False),
        sa.Column("reported_by", sa.Text(), nullable=False),
        sa.Column("resolved_at", sa.Double(), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind in ('camera', 'sound', 'display', 'room', 'other')", name=op.f("ck_door_reports_kind")
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.municipality_id"], name=op.f("fk_door_reports_municipality_id")
        ),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.room_id"], name=op.f("fk_door_reports_room_id")),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_door_reports")),
    )
    op.create_index(op.f("ix_door_reports_municipality_id"), "door_reports", ["municipality_id"], unique=False)
    op.create_index("ix_door_reports_room_id_kind", "door_reports", ["room_id", "kind"], unique=False)


def _lessons() -> None:
    op.create_table(
        "prechecks",
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("checked_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_prechecks")),
    )
    op.create_table(
        "lessons",
        sa.Column("series_id", sa.String(length=64), nullable=False),
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.group_id"], name=op.f("fk_lessons_group_id")),
        sa.ForeignKeyConstraint(["series_id"], ["series.series_id"], name=op.f("fk_lessons_series_id")),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_lessons")),
    )
    op.create_index(op.f("ix_lessons_group_id"), "lessons", ["group_id"], unique=False)
    op.create_table(
        "attendance",
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("came_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"], name=op.f("fk_attendance_person_id")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], name=op.f("fk_attendance_session_id")),
        sa.PrimaryKeyConstraint("session_id", "person_id", name=op.f("pk_attendance")),
    )
    op.create_table(
        "class_letters",
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("absent", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], name=op.f("fk_class_letters_session_id")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_class_letters")),
    )
    op.create_table(
        "class_sheets",
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("question", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("choice", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.CheckConstraint("question between 1 and 3 and choice between 1 and 3", name=op.f("ck_class_sheets_range")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], name=op.f("fk_class_sheets_session_id")),
        sa.PrimaryKeyConstraint("session_id", "question", "choice", name=op.f("pk_class_sheets")),
    )
