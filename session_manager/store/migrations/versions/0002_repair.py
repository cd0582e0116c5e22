"""Repair: what boards hold, which stretches must be heard again, revisions of lines, when a session is complete."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _stream_table(
        "spools",
        sa.Column("first_sequence", sa.BigInteger(), nullable=False),
        sa.Column("next_sequence", sa.BigInteger(), nullable=False),
        sa.Column("end_sample", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("coming_s", sa.Double(), nullable=False),
        sa.Column("told_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("track_id", "epoch", name=op.f("pk_spools")),
    )
    _stream_table(
        "touched",
        sa.Column("touched_id", sa.Integer(), nullable=False),
        sa.Column("start_sample", sa.BigInteger(), nullable=False),
        sa.Column("end_sample", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("touched_id", name=op.f("pk_touched")),
    )
    op.create_index("ix_touched_track_id_epoch", "touched", ["track_id", "epoch"])
    op.add_column("sessions", sa.Column("completed_at", sa.Double(), nullable=True))
    with op.batch_alter_table("lines") as lines:
        lines.add_column(sa.Column("repaired", sa.Boolean(), server_default=sa.false(), nullable=False))
        lines.add_column(sa.Column("edited_by", sa.String(length=64), nullable=True))
        lines.drop_constraint(op.f("uq_lines_track_id_epoch_start_sample_revision"), type_="unique")
        lines.create_index("ix_lines_track_id_epoch_start_sample", ["track_id", "epoch", "start_sample"])


def _stream_table(name: str, *columns: sa.Column[int] | sa.Column[float] | sa.Column[bool] | sa.Constraint) -> None:
    op.create_table(
        name,
        sa.Column("track_id", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["track_id", "epoch"], ["streams.track_id", "streams.epoch"], name=op.f(f"fk_{name}_track_id_epoch")
        ),
        sqlite_autoincrement=name == "touched",
    )
