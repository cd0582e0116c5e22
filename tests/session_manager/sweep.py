"""Looks at the rows that a hub left behind and says what does not fit together. Reads the tables themselves: none of
the code that wrote them helps."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, text

HOLDING = {"offered", "confirmed", "in_use"}
WITH_SESSION = {"telework", "remote_class", "dialogue", "seminar", "ceremony", "external"}

Rows = list[dict[str, Any]]


def rows(connection: Connection, statement: str) -> Rows:
    return [dict(row._mapping) for row in connection.execute(text(statement))]


def problems(connection: Connection) -> list[str]:
    """Empty: no place is held twice and no booking is half there."""
    return [*overlaps(connection), *half_bookings(connection), *half_sessions(connection), *stories(connection)]


def overlaps(connection: Connection) -> Iterator[str]:
    """One place and unit, sorted by start: nobody begins before the last one ended."""
    held: dict[tuple[str, int], list[tuple[int, int, str]]] = defaultdict(list)
    for row in rows(connection, "SELECT booking_id, place_id, unit, starts_at, ends_at FROM occupancies"):
        held[row["place_id"], row["unit"]].append((row["starts_at"], row["ends_at"], row["booking_id"]))
    for place, times in held.items():
        times.sort()
        for (_, ended, first), (began, _, second) in pairwise(times):
            if began < ended:
                yield f"{first} and {second} both hold {place}"


def half_bookings(connection: Connection) -> Iterator[str]:
    """What holds its places holds all of them for all of its time, buffers included; what does not holds none."""
    places = {row["place_id"]: row for row in rows(connection, "SELECT * FROM places")}
    held: dict[str, Rows] = defaultdict(list)
    for row in rows(connection, "SELECT * FROM occupancies"):
        held[row["booking_id"]].append(row)
    wanted: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows(connection, "SELECT * FROM booking_places"):
        wanted[row["booking_id"]][row["place_id"]] = row["amount"]
    for booking in rows(connection, "SELECT * FROM bookings"):
        name, mine = booking["booking_id"], held[booking["booking_id"]]
        if booking["state"] not in HOLDING | {"done"} and mine:
            yield f"{name} is {booking['state']} and holds something"
        if booking["state"] not in HOLDING:
            continue
        for place_id, amount in wanted[name].items():
            place = places[place_id]
            begins, ends = booking["starts_at"] - place["buffer_before_s"], booking["ends_at"] + place["buffer_after_s"]
            here = [one for one in mine if one["place_id"] == place_id]
            if [(one["starts_at"], one["ends_at"]) for one in here] != [(begins, ends)] * amount:
                yield f"{name} is {booking['state']} and does not hold {place_id} for its time"


def half_sessions(connection: Connection) -> Iterator[str]:
    """A booking that makes a session has one, of its time and with its rooms; no session is left without a booking."""
    sessions = {row["session_id"]: row for row in rows(connection, "SELECT * FROM sessions")}
    sites: dict[str, set[str]] = defaultdict(set)
    for row in rows(connection, "SELECT session_id, room_id FROM sites WHERE room_id IS NOT NULL"):
        sites[row["session_id"]].add(row["room_id"])
    rooms: dict[str, set[str]] = defaultdict(set)
    for row in rows(
        connection,
        "SELECT b.booking_id, b.place_id FROM booking_places b JOIN places p ON p.place_id = b.place_id "
        "WHERE p.kind = 'room'",
    ):
        rooms[row["booking_id"]].add(row["place_id"])
    known = set()
    for booking in rows(connection, "SELECT * FROM bookings"):
        session = sessions.get(booking["session_id"])
        known.add(booking["session_id"])
        if booking["kind"] not in WITH_SESSION or booking["state"] not in {"confirmed", "in_use"}:
            continue
        if session is None:
            yield f"{booking['booking_id']} is {booking['state']} and has no session"
        elif session["state"] == "planned":
            if (session["starts_at"], session["ends_at"]) != (booking["starts_at"], booking["ends_at"]):
                yield f"{booking['booking_id']} and its session are at different times"
            if sites[booking["session_id"]] != rooms[booking["booking_id"]]:
                yield f"{booking['booking_id']} and its session are in different rooms"
    yield from (f"session {one} belongs to no booking" for one in sorted(set(sessions) - known))


def stories(connection: Connection) -> Iterator[str]:
    """The log of each booking leads to the state it is in."""
    told: dict[str, str] = {}
    for row in rows(connection, "SELECT booking_id, what, data FROM booking_events ORDER BY number"):
        data = _json(row["data"])
        told[row["booking_id"]] = str(data.get("to") or data.get("state") or told.get(row["booking_id"], ""))
    for booking in rows(connection, "SELECT booking_id, state FROM bookings"):
        if told.get(booking["booking_id"]) != booking["state"]:
            story = told.get(booking["booking_id"])
            yield f"{booking['booking_id']} is {booking['state']} where its story says {story}"
    counts = rows(connection, "SELECT series_id, count(*) AS dates, max(position) AS last FROM bookings "
                              "WHERE series_id IS NOT NULL GROUP BY series_id")  # fmt: skip
    yield from (f"series {one['series_id']} lacks dates" for one in counts if one["dates"] != one["last"] + 1)
    alone = (
        "SELECT s.series_id FROM series s LEFT JOIN bookings b ON b.series_id = s.series_id WHERE b.series_id IS NULL"
    )
    yield from (f"series {one['series_id']} has no dates" for one in rows(connection, alone))


def _json(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return found
