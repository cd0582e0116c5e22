"""People, organisations, memberships, agreements, groups and their rights."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _part_1()
    _part_2()
    _part_3()
    _part_4()
    _part_5()
    _part_6()


def _part_1() -> None:
    op.create_table(
        "account_scopes",
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name=op.f("fk_account_scopes_account_id")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.municipality_id"], name=op.f("fk_account_scopes_municipality_id")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_scopes")),
    )
    op.create_index(op.f("ix_account_scopes_municipality_id"), "account_scopes", ["municipality_id"], unique=False)
    op.create_table(
        "groups",
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("referral_only", sa.Boolean(), nullable=False),
        sa.Column("second_approval", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.municipality_id"], name=op.f("fk_groups_municipality_id")
        ),
        sa.PrimaryKeyConstraint("group_id", name=op.f("pk_groups")),
    )
    op.create_index(op.f("ix_groups_municipality_id"), "groups", ["municipality_id"], unique=False)


def _part_2() -> None:
    op.create_table(
        "levels",
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("criteria", sa.Text(), nullable=False),
        sa.Column("benefits", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.municipality_id"], name=op.f("fk_levels_municipality_id")
        ),
        sa.PrimaryKeyConstraint("municipality_id", "position", name=op.f("pk_levels")),
    )
    op.create_table(
        "organisations",
        sa.Column("organisation_id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("sector", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.municipality_id"], name=op.f("fk_organisations_municipality_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("municipality_id", "name_key", name=op.f("uq_organisations_municipality_id_name_key")),
    )
    op.create_index(op.f("ix_organisations_municipality_id"), "organisations", ["municipality_id"], unique=False)
    op.create_table(
        "people",
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mail", sa.Text(), nullable=True),
        sa.Column("mail_key", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.municipality_id"], name=op.f("fk_people_municipality_id")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_people")),
        sa.UniqueConstraint("municipality_id", "mail_key", name=op.f("uq_people_municipality_id_mail_key")),
    )
    op.create_index(op.f("ix_people_municipality_id"), "people", ["municipality_id"], unique=False)


def _part_3() -> None:
    op.create_table(
        "affiliations",
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=64), nullable=False),
        sa.Column("since_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.organisation_id"], name=op.f("fk_affiliations_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"], name=op.f("fk_affiliations_person_id")),
        sa.PrimaryKeyConstraint("person_id", "organisation_id", name=op.f("pk_affiliations")),
    )
    op.create_table(
        "agreements",
        sa.Column("agreement_id", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Text(), nullable=False),
        sa.Column("ends_on", sa.Text(), nullable=True),
        sa.Column("benefits", sa.JSON(), nullable=False),
        sa.CheckConstraint("ends_on is null or ends_on >= starts_on", name=op.f("ck_agreements_order")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.organisation_id"], name=op.f("fk_agreements_organisation_id")
        ),
        sa.PrimaryKeyConstraint("agreement_id", name=op.f("pk_agreements")),
    )
    op.create_index(op.f("ix_agreements_organisation_id"), "agreements", ["organisation_id"], unique=False)
    op.create_table(
        "class_codes",
        sa.Column("class_code_id", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["groups.group_id"], name=op.f("fk_class_codes_group_id")),
        sa.PrimaryKeyConstraint("class_code_id", name=op.f("pk_class_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_class_codes_code_hash")),
    )
    op.create_index(op.f("ix_class_codes_group_id"), "class_codes", ["group_id"], unique=False)


def _part_4() -> None:
    op.create_table(
        "grants",
        sa.Column("grant_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.municipality_id"], name=op.f("fk_grants_municipality_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"], name=op.f("fk_grants_person_id")),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_grants")),
        sa.UniqueConstraint(
            "person_id", "municipality_id", "role", name=op.f("uq_grants_person_id_municipality_id_role")
        ),
    )
    op.create_index(op.f("ix_grants_municipality_id"), "grants", ["municipality_id"], unique=False)
    op.create_index(op.f("ix_grants_person_id"), "grants", ["person_id"], unique=False)
    op.create_table(
        "group_members",
        sa.Column("group_member_id", sa.String(length=64), nullable=False),
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("referrer_id", sa.String(length=64), nullable=True),
        sa.Column("joined_at", sa.Double(), nullable=False),
        sa.Column("left_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["groups.group_id"], name=op.f("fk_group_members_group_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"], name=op.f("fk_group_members_person_id")),
        sa.ForeignKeyConstraint(["referrer_id"], ["people.person_id"], name=op.f("fk_group_members_referrer_id")),
        sa.PrimaryKeyConstraint("group_member_id", name=op.f("pk_group_members")),
    )
    op.create_index(op.f("ix_group_members_group_id"), "group_members", ["group_id"], unique=False)
    op.create_index(op.f("ix_group_members_person_id"), "group_members", ["person_id"], unique=False)
    op.create_index(
        "ix_group_members_present",
        "group_members",
        ["group_id", "person_id"],
        unique=True,
        sqlite_where=sa.text("left_at IS NULL"),
        postgresql_where=sa.text("left_at IS NULL"),
    )


def _part_5() -> None:
    op.create_table(
        "join_requests",
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("referrer_id", sa.String(length=64), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.Column("vouched_at", sa.Double(), nullable=True),
        sa.Column("decided_at", sa.Double(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["groups.group_id"], name=op.f("fk_join_requests_group_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"], name=op.f("fk_join_requests_person_id")),
        sa.ForeignKeyConstraint(["referrer_id"], ["people.person_id"], name=op.f("fk_join_requests_referrer_id")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_join_requests")),
    )
    op.create_index(op.f("ix_join_requests_group_id"), "join_requests", ["group_id"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("membership_id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=True),
        sa.Column("organisation_id", sa.String(length=64), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("since_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.CheckConstraint("(person_id is null) <> (organisation_id is null)", name=op.f("ck_memberships_one_party")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.municipality_id"], name=op.f("fk_memberships_municipality_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.organisation_id"], name=op.f("fk_memberships_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"], name=op.f("fk_memberships_person_id")),
        sa.PrimaryKeyConstraint("membership_id", name=op.f("pk_memberships")),
    )
    op.create_index(op.f("ix_memberships_municipality_id"), "memberships", ["municipality_id"], unique=False)


def _part_6() -> None:
    op.create_table(
        "session_scopes",
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("group_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["groups.group_id"], name=op.f("fk_session_scopes_group_id")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.municipality_id"], name=op.f("fk_session_scopes_municipality_id")
        ),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], name=op.f("fk_session_scopes_session_id")),
        sa.PrimaryKeyConstraint("session_id", "municipality_id", name=op.f("pk_session_scopes")),
    )
    op.create_table(
        "membership_steps",
        sa.Column("step_id", sa.String(length=64), nullable=False),
        sa.Column("membership_id", sa.String(length=64), nullable=False),
        sa.Column("from_level", sa.Integer(), nullable=False),
        sa.Column("to_level", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.Double(), nullable=False),
        sa.Column("city_at", sa.Double(), nullable=True),
        sa.Column("city_by", sa.Text(), nullable=True),
        sa.Column("party_at", sa.Double(), nullable=True),
        sa.Column("party_by", sa.Text(), nullable=True),
        sa.Column("taken_at", sa.Double(), nullable=True),
        sa.Column("withdrawn_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.membership_id"], name=op.f("fk_membership_steps_membership_id")
        ),
        sa.PrimaryKeyConstraint("step_id", name=op.f("pk_membership_steps")),
    )
    op.create_index(op.f("ix_membership_steps_membership_id"), "membership_steps", ["membership_id"], unique=False)
