"""Which packets a board has lost itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004b"


def upgrade() -> None:
    op.add_column("spools", sa.Column("missing", sa.JSON(), server_default="[]", nullable=False))
