"""Who comes across the sea, days without boats, seats of an agreement, boards that enrol themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    _columns()
    _sailings()
    _enrolments()


def _columns() -> None:
    op.add_column("facilities", sa.Column("on_island", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("people", sa.Column("across_sea", sa.Boolean(), nullable=True))
    op.add_column("organisations", sa.Column("across_sea", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("agreements", sa.Column("seats", sa.Integer(), nullable=True))


def _sailings() -> None:
    op.create_table(
        "sailings",
        sa.Column("sailing_id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("stopped_at", sa.BigInteger(), nullable=False),
        sa.Column("stopped_by", sa.Text(), nullable=False),
        sa.Column("resumed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.municipality_id"], name=op.f("fk_sailings_municipality_id")
        ),
        sa.PrimaryKeyConstraint("sailing_id", name=op.f("pk_sailings")),
    )
    op.create_index("ix_sailings_municipality_id_day", "sailings", ["municipality_id", "day"], unique=False)
    op.create_table(
        "sailing_bookings",
        sa.Column("sailing_id", sa.String(length=64), nullable=False),
        sa.Column("booking_id", sa.String(length=64), nullable=False),
        sa.Column("choice", sa.String(length=16), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.String(length=16), nullable=True),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("successor_id", sa.String(length=64), nullable=True),
        sa.CheckConstraint("choice in ('remote', 'ask', 'release')", name=op.f("ck_sailing_bookings_choice")),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.booking_id"], name=op.f("fk_sailing_bookings_booking_id")),
        sa.ForeignKeyConstraint(["sailing_id"], ["sailings.sailing_id"], name=op.f("fk_sailing_bookings_sailing_id")),
        sa.ForeignKeyConstraint(
            ["successor_id"], ["bookings.booking_id"], name=op.f("fk_sailing_bookings_successor_id")
        ),
        sa.PrimaryKeyConstraint("sailing_id", "booking_id", name=op.f("pk_sailing_bookings")),
    )
    op.create_index(op.f("ix_sailing_bookings_booking_id"), "sailing_bookings", ["booking_id"], unique=False)


def _enrolments() -> None:
    op.create_table(
        "board_enrolments",
        sa.Column("device_code_hash", sa.String(length=64), nullable=False),
        sa.Column("user_code_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("board_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["board_id"], ["boards.board_id"], name=op.f("fk_board_enrolments_board_id")),
        sa.PrimaryKeyConstraint("device_code_hash", name=op.f("pk_board_enrolments")),
        sa.UniqueConstraint("user_code_hash", name=op.f("uq_board_enrolments_user_code_hash")),
    )
