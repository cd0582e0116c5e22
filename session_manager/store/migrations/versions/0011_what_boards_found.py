"""What each board found plugged in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "board_devices",
        sa.Column("board_id", sa.String(length=64), nullable=False),
        sa.Column("microphone", sa.Boolean(), nullable=True),
        sa.Column("speaker", sa.Boolean(), nullable=True),
        sa.Column("camera", sa.Boolean(), nullable=True),
        sa.Column("told_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["board_id"], ["boards.board_id"], name=op.f("fk_board_devices_board_id")),
        sa.PrimaryKeyConstraint("board_id", name=op.f("pk_board_devices")),
    )
