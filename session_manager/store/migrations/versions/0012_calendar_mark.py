"""A mark that is another one whenever something changed that a calendar or a week shows, whoever changed it.

Another one, not the next one: after a backup was put back, a number would come again with other things behind it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_SHOWN = {
    "audiences": "",
    "boards": "OF room_id",
    "booking_events": "",
    "booking_places": "",
    "bookings": "",
    "facilities": "",
    "facility_opening": "",
    "group_members": "",
    "groups": "",
    "municipalities": "",
    "municipality_rules": "",
    "occupancies": "",
    "open_marks": "",
    "places": "",
    "rooms": "",
    "series_circles": "",
    "session_scopes": "",
    "sessions": "OF title, state, starts_at, ends_at, timezone, ended_at, confidential",
    "sites": "",
}
"""With what of an update counts: sessions are updated with every line, boards with every sign of life."""


def upgrade() -> None:
    op.create_table(
        "calendar_marks",
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_calendar_marks")),
    )
    op.execute("INSERT INTO calendar_marks (topic, mark) VALUES ('shown', '')")
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def _sqlite() -> None:
    for table, columns in _SHOWN.items():
        for moment in ("INSERT", "DELETE", f"UPDATE {columns}"):
            op.execute(
                f"CREATE TRIGGER shown_{table}_{moment.split()[0].lower()} AFTER {moment} ON {table} BEGIN"  # noqa: S608
                " UPDATE calendar_marks SET mark = lower(hex(randomblob(16))) WHERE topic = 'shown'; END"
            )


def _postgresql() -> None:
    op.execute(
        "CREATE FUNCTION shown_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " UPDATE calendar_marks SET mark = gen_random_uuid()::text WHERE topic = 'shown'; RETURN NULL; END $$"
    )
    for table, columns in _SHOWN.items():
        op.execute(
            f"CREATE TRIGGER shown_{table} AFTER INSERT OR DELETE OR UPDATE {columns} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION shown_changed()"
        )
