"""The facility's day: municipalities, places, bookings, series; and the database's own word against double booking.

A row of `occupancies` is a place held; two that overlap are refused here, whoever writes and by whatever way. SQLite: a
trigger looks at the one row that could overlap, the last that starts before the new one ends; as no two overlap, the
row that starts last also ends last. PostgreSQL: an exclusion constraint over an index of ranges.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _towns()
    _owner()
    _places()
    _bookings()
    _holdings()
    if op.get_bind().dialect.name == "postgresql":
        _no_overlap_postgresql()
    else:
        _no_overlap_sqlite()


def _owner() -> None:
    """What was there before belongs to the default municipality; its rooms become places."""
    op.execute("INSERT INTO municipalities VALUES ('default', '自治体', 'Asia/Tokyo', 0)")
    op.execute(
        "ALTER TABLE facilities ADD COLUMN municipality_id VARCHAR(64)"
        " CONSTRAINT fk_facilities_municipality_id REFERENCES municipalities (municipality_id)"
    )
    op.execute("UPDATE facilities SET municipality_id = 'default'")


def _rooms_are_places() -> None:
    op.execute(
        "INSERT INTO places (place_id, facility_id, kind, name, capacity, quantity, buffer_before_s, buffer_after_s,"
        " needs_approval) SELECT room_id, facility_id, 'room', name, 1000, 1, 0, 0, false FROM rooms"
    )


def _no_overlap_postgresql() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute(
        "ALTER TABLE occupancies ADD CONSTRAINT no_overlap EXCLUDE USING gist"
        " (place_id WITH =, unit WITH =, int8range(starts_at, ends_at) WITH &&)"
    )


def _no_overlap_sqlite() -> None:
    for name, moment in (("insert", "INSERT"), ("update", "UPDATE OF place_id, unit, starts_at, ends_at")):
        op.execute(
            f"""
            CREATE TRIGGER no_overlap_{name} AFTER {moment} ON occupancies
            WHEN (
                SELECT ends_at FROM occupancies INDEXED BY ix_occupancies_place_id_unit_starts_at
                WHERE place_id = NEW.place_id AND unit = NEW.unit AND starts_at < NEW.ends_at
                AND booking_id != NEW.booking_id
                ORDER BY starts_at DESC LIMIT 1
            ) > NEW.starts_at
            BEGIN SELECT RAISE(ABORT, 'no_overlap'); END
            """  # noqa: S608
        )


def _towns() -> None:
    op.create_table(
        "municipalities",
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("municipality_id", name=op.f("pk_municipalities")),
        sa.UniqueConstraint("name", name=op.f("uq_municipalities_name")),
    )
    op.create_table(
        "municipality_rules",
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.municipality_id"], name=op.f("fk_municipality_rules_municipality_id")
        ),
        sa.PrimaryKeyConstraint("municipality_id", name=op.f("pk_municipality_rules")),
    )
    op.create_table(
        "guest_passes",
        sa.Column("pass_id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("uses_left >= 0", name=op.f("ck_guest_passes_uses_left")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.municipality_id"], name=op.f("fk_guest_passes_municipality_id")
        ),
        sa.PrimaryKeyConstraint("pass_id", name=op.f("pk_guest_passes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_guest_passes_code_hash")),
    )
    op.create_table(
        "facility_opening",
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("opening", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["facilities.facility_id"], name=op.f("fk_facility_opening_facility_id")
        ),
        sa.PrimaryKeyConstraint("facility_id", name=op.f("pk_facility_opening")),
    )


def _places() -> None:
    op.create_table(
        "places",
        sa.Column("place_id", sa.String(length=64), nullable=False),
        sa.Column("facility_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("part_of", sa.String(length=64), nullable=True),
        sa.Column("buffer_before_s", sa.Integer(), nullable=False),
        sa.Column("buffer_after_s", sa.Integer(), nullable=False),
        sa.Column("needs_approval", sa.Boolean(), nullable=False),
        sa.Column("attendance", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint("kind in ('room', 'seat', 'area', 'free_use', 'equipment')", name=op.f("ck_places_kind")),
        sa.CheckConstraint(
            "buffer_before_s between 0 and 86400 and buffer_after_s between 0 and 86400", name=op.f("ck_places_buffers")
        ),
        sa.CheckConstraint("quantity >= 1 and capacity >= 1", name=op.f("ck_places_amounts")),
        sa.ForeignKeyConstraint(["facility_id"], ["facilities.facility_id"], name=op.f("fk_places_facility_id")),
        sa.ForeignKeyConstraint(["part_of"], ["places.place_id"], name=op.f("fk_places_part_of")),
        sa.PrimaryKeyConstraint("place_id", name=op.f("pk_places")),
        sa.UniqueConstraint("facility_id", "kind", "name", name=op.f("uq_places_facility_id_kind_name")),
    )
    op.create_index("ix_places_part_of", "places", ["part_of"], unique=False)
    _rooms_are_places()


def _bookings() -> None:
    op.create_table(
        "series",
        sa.Column("series_id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("strikes", sa.Integer(), nullable=False),
        sa.Column("struck_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.municipality_id"], name=op.f("fk_series_municipality_id")
        ),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_series")),
    )
    _each_booking()


def _each_booking() -> None:
    op.create_table(
        "bookings",
        sa.Column("booking_id", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("series_id", sa.String(length=64), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("starts", sa.Text(), nullable=False),
        sa.Column("ends", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("user_class", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("yen", sa.Integer(), nullable=False),
        sa.Column("free_s", sa.Integer(), nullable=False),
        sa.Column("price_reason", sa.Text(), nullable=False),
        sa.Column("by_pass", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("checked_in_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposal", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("session_id", sa.String(length=64), nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_bookings_order")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.municipality_id"], name=op.f("fk_bookings_municipality_id")
        ),
        sa.ForeignKeyConstraint(["series_id"], ["series.series_id"], name=op.f("fk_bookings_series_id")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], name=op.f("fk_bookings_session_id")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_bookings")),
    )
    op.create_index("ix_bookings_holder_starts_at", "bookings", ["holder", "starts_at"], unique=False)
    op.create_index("ix_bookings_series_id_position", "bookings", ["series_id", "position"], unique=False)
    op.create_index("ix_bookings_session_id", "bookings", ["session_id"], unique=False)
    op.create_index("ix_bookings_starts_at_ends_at", "bookings", ["starts_at", "ends_at"], unique=False)
    op.create_index("ix_bookings_state_starts_at", "bookings", ["state", "starts_at"], unique=False)


def _holdings() -> None:
    op.create_table(
        "booking_places",
        sa.Column("booking_id", sa.String(length=64), nullable=False),
        sa.Column("place_id", sa.String(length=64), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount >= 1", name=op.f("ck_booking_places_amount")),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.booking_id"], name=op.f("fk_booking_places_booking_id")),
        sa.ForeignKeyConstraint(["place_id"], ["places.place_id"], name=op.f("fk_booking_places_place_id")),
        sa.PrimaryKeyConstraint("booking_id", "place_id", name=op.f("pk_booking_places")),
    )
    op.create_table(
        "occupancies",
        sa.Column("booking_id", sa.String(length=64), nullable=False),
        sa.Column("place_id", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "ends_at > starts_at and ends_at - starts_at <= 2937600", name=op.f("ck_occupancies_length")
        ),
        sa.CheckConstraint("unit >= 0", name=op.f("ck_occupancies_unit")),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.booking_id"], name=op.f("fk_occupancies_booking_id")),
        sa.ForeignKeyConstraint(["place_id"], ["places.place_id"], name=op.f("fk_occupancies_place_id")),
        sa.PrimaryKeyConstraint("booking_id", "place_id", "unit", name=op.f("pk_occupancies")),
    )
    op.create_index("ix_occupancies_place_id_starts_at", "occupancies", ["place_id", "starts_at"], unique=False)
    op.create_index(
        "ix_occupancies_place_id_unit_starts_at", "occupancies", ["place_id", "unit", "starts_at"], unique=False
    )
    op.create_table(
        "booking_events",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("booking_id", sa.String(length=64), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("happened_at", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.booking_id"], name=op.f("fk_booking_events_booking_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_booking_events")),
    )
    op.create_index("ix_booking_events_booking_id", "booking_events", ["booking_id"], unique=False)
