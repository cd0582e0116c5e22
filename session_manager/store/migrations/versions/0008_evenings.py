"""Series that people apply for, evenings with their question, tables, consent and harvest, reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    _series()
    _before()
    _at_the_door()
    _after()


def _id(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=64), nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _to(table: str, name: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], [target], name=op.f(f"fk_{table}_{name}"))


def _series() -> None:
    op.create_table(
        "series_circles",
        _id("series_id"),
        _id("group_id"),
        sa.Column("capacity", sa.Integer(), nullable=False),
        _text("selection"),
        _at("open_until", nullable=True),
        _text("seed"),
        _at("drawn_at", nullable=True),
        sa.CheckConstraint("selection in ('order', 'lot', 'hand')", name=op.f("ck_series_circles_selection")),
        sa.CheckConstraint("capacity >= 1", name=op.f("ck_series_circles_capacity")),
        _to("series_circles", "group_id", "groups.group_id"),
        _to("series_circles", "series_id", "series.series_id"),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_series_circles")),
    )
    op.create_index(op.f("ix_series_circles_group_id"), "series_circles", ["group_id"], unique=False)
    op.create_table(
        "applications",
        _id("series_id"),
        _id("person_id"),
        _text("state"),
        sa.Column("number", sa.Integer(), nullable=False),
        _at("asked_at"),
        _at("moved_at"),
        sa.CheckConstraint(
            "state in ('applied', 'placed', 'waiting', 'declined', 'withdrawn')", name=op.f("ck_applications_state")
        ),
        _to("applications", "person_id", "people.person_id"),
        _to("applications", "series_id", "series.series_id"),
        sa.PrimaryKeyConstraint("series_id", "person_id", name=op.f("pk_applications")),
    )
    op.create_index("ix_applications_person_id", "applications", ["person_id"], unique=False)


def _before() -> None:
    op.create_table(
        "evenings",
        _id("booking_id"),
        _text("question"),
        _text("why"),
        _text("known"),
        _id("owner_id", nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("publish_from", sa.Integer(), nullable=False),
        sa.Column("tables", sa.JSON(), nullable=False),
        sa.CheckConstraint("level between 0 and 5 and publish_from between 2 and 5", name=op.f("ck_evenings_levels")),
        _to("evenings", "booking_id", "bookings.booking_id"),
        _to("evenings", "owner_id", "people.person_id"),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_evenings")),
    )
    op.create_table(
        "question_checks",
        _id("booking_id"),
        _id("person_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        _at("checked_at"),
        _to("question_checks", "booking_id", "bookings.booking_id"),
        _to("question_checks", "person_id", "people.person_id"),
        sa.PrimaryKeyConstraint("booking_id", "person_id", name=op.f("pk_question_checks")),
    )


def _at_the_door() -> None:
    op.create_table(
        "attendances",
        _id("attendance_id"),
        _id("booking_id"),
        _id("person_id", nullable=True),
        _text("how"),
        _at("came_at"),
        _at("left_at", nullable=True),
        sa.CheckConstraint("how in ('in_person', 'online')", name=op.f("ck_attendances_how")),
        _to("attendances", "booking_id", "bookings.booking_id"),
        _to("attendances", "person_id", "people.person_id"),
        sa.PrimaryKeyConstraint("attendance_id", name=op.f("pk_attendances")),
        sa.UniqueConstraint("booking_id", "person_id", name=op.f("uq_attendances_booking_id_person_id")),
    )
    op.create_index(op.f("ix_attendances_booking_id"), "attendances", ["booking_id"], unique=False)
    op.create_index(op.f("ix_attendances_person_id"), "attendances", ["person_id"], unique=False)
    op.create_table(
        "consents",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        _id("session_id"),
        _id("person_id"),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("listens", sa.Integer(), nullable=False),
        _text("said_by"),
        _at("said_at"),
        sa.CheckConstraint("level between 0 and 5", name=op.f("ck_consents_level")),
        _to("consents", "person_id", "people.person_id"),
        _to("consents", "session_id", "sessions.session_id"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_person_id"), "consents", ["person_id"], unique=False)
    op.create_index(op.f("ix_consents_session_id"), "consents", ["session_id"], unique=False)


def _after() -> None:
    op.create_table(
        "harvest_items",
        _id("item_id"),
        _id("booking_id"),
        _text("kind"),
        _text("words"),
        _id("person_id", nullable=True),
        _text("due_on", nullable=True),
        _at("yes_at", nullable=True),
        _text("yes_by"),
        _at("done_at", nullable=True),
        _at("created_at"),
        sa.CheckConstraint("kind in ('question', 'action', 'quote')", name=op.f("ck_harvest_items_kind")),
        _to("harvest_items", "booking_id", "bookings.booking_id"),
        _to("harvest_items", "person_id", "people.person_id"),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_harvest_items")),
    )
    op.create_index(op.f("ix_harvest_items_booking_id"), "harvest_items", ["booking_id"], unique=False)
    op.create_table(
        "evening_reports",
        _id("booking_id"),
        sa.Column("slug", sa.String(length=80), nullable=False),
        _text("title"),
        _text("opening"),
        sa.Column("left_out", sa.JSON(), nullable=False),
        _at("drafted_at"),
        _at("published_at", nullable=True),
        _text("published_by"),
        _at("withdrawn_at", nullable=True),
        _to("evening_reports", "booking_id", "bookings.booking_id"),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_evening_reports")),
        sa.UniqueConstraint("slug", name=op.f("uq_evening_reports_slug")),
    )
    op.create_index("ix_evening_reports_published_at", "evening_reports", ["published_at"], unique=False)
