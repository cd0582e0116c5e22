"""When sessions were off the record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009b"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "off_record",
        sa.Column("off_id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("off_at", sa.Double(), nullable=False),
        sa.Column("on_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], name=op.f("fk_off_record_session_id")),
        sa.PrimaryKeyConstraint("off_id", name=op.f("pk_off_record")),
    )
    op.create_index("ix_off_record_session_id", "off_record", ["session_id"], unique=False)
