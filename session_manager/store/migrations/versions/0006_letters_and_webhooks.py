"""What bookings tell: offices, notes, audiences, open marks, calendar slots, webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    _houses()
    _dates()
    _webhooks()


def _houses() -> None:
    op.create_table(
        "office_mail",
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("mail", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.municipality_id"], name=op.f("fk_office_mail_municipality_id")
        ),
        sa.PrimaryKeyConstraint("municipality_id", name=op.f("pk_office_mail")),
    )
    op.create_table(
        "facility_notes",
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["facilities.facility_id"], name=op.f("fk_facility_notes_facility_id")
        ),
        sa.PrimaryKeyConstraint("facility_id", name=op.f("pk_facility_notes")),
    )


def _dates() -> None:
    op.create_table(
        "audiences",
        sa.Column("audience_id", sa.String(length=64), nullable=False),
        sa.Column("booking_id", sa.String(length=64), nullable=True),
        sa.Column("series_id", sa.String(length=64), nullable=True),
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.CheckConstraint("(booking_id is null) <> (series_id is null)", name=op.f("ck_audiences_one_subject")),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.booking_id"], name=op.f("fk_audiences_booking_id")),
        sa.ForeignKeyConstraint(["group_id"], ["groups.group_id"], name=op.f("fk_audiences_group_id")),
        sa.ForeignKeyConstraint(["series_id"], ["series.series_id"], name=op.f("fk_audiences_series_id")),
        sa.PrimaryKeyConstraint("audience_id", name=op.f("pk_audiences")),
    )
    op.create_index(op.f("ix_audiences_booking_id"), "audiences", ["booking_id"], unique=False)
    op.create_index(op.f("ix_audiences_series_id"), "audiences", ["series_id"], unique=False)
    op.create_table(
        "open_marks",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("marked_by", sa.Text(), nullable=False),
        sa.Column("marked_at", sa.Double(), nullable=False),
        sa.CheckConstraint("kind in ('booking', 'series', 'session')", name=op.f("ck_open_marks_kind")),
        sa.PrimaryKeyConstraint("kind", "subject_id", name=op.f("pk_open_marks")),
    )
    op.create_table(
        "calendar_slots",
        sa.Column("booking_id", sa.String(length=64), nullable=False),
        sa.Column("uid", sa.String(length=255), nullable=False),
        sa.Column("recurrence", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.booking_id"], name=op.f("fk_calendar_slots_booking_id")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_calendar_slots")),
    )
    op.create_index(op.f("ix_calendar_slots_uid"), "calendar_slots", ["uid"], unique=False)


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("webhook_id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("failing_since", sa.Double(), nullable=True),
        sa.Column("disabled_at", sa.Double(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.municipality_id"], name=op.f("fk_webhooks_municipality_id")
        ),
        sa.PrimaryKeyConstraint("webhook_id", name=op.f("pk_webhooks")),
    )
    op.create_index(op.f("ix_webhooks_municipality_id"), "webhooks", ["municipality_id"], unique=False)
    op.create_table(
        "webhook_deliveries",
        sa.Column("delivery_id", sa.String(length=64), nullable=False),
        sa.Column("webhook_id", sa.String(length=64), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("next_at", sa.Double(), nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.webhook_id"], name=op.f("fk_webhook_deliveries_webhook_id")),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index("ix_webhook_deliveries_due", "webhook_deliveries", ["state", "next_at"], unique=False)
    op.create_index(op.f("ix_webhook_deliveries_webhook_id"), "webhook_deliveries", ["webhook_id"], unique=False)
