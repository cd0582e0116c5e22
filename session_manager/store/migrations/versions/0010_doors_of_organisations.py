"""Codes by which partners' staff come in, the devices they came in on, mail addresses being checked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009b"


def upgrade() -> None:
    op.create_table(
        "organisation_codes",
        sa.Column("code_id", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation_id"],
            name=op.f("fk_organisation_codes_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("code_id", name=op.f("pk_organisation_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_organisation_codes_code_hash")),
    )
    op.create_index(op.f("ix_organisation_codes_organisation_id"), "organisation_codes", ["organisation_id"])
    op.create_table(
        "organisation_entries",
        sa.Column("entry_id", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("device_hash", sa.String(length=64), nullable=False),
        sa.Column("cookie_hash", sa.String(length=64), nullable=False),
        sa.Column("first_at", sa.Double(), nullable=False),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation_id"],
            name=op.f("fk_organisation_entries_organisation_id"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"], name=op.f("fk_organisation_entries_person_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_organisation_entries")),
    )
    for column in ("organisation_id", "person_id", "device_hash"):
        op.create_index(op.f(f"ix_organisation_entries_{column}"), "organisation_entries", [column])
    op.create_table(
        "mail_checks",
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("mail", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"], name=op.f("fk_mail_checks_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_mail_checks")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_mail_checks_code_hash")),
    )
