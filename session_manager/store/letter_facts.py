"""What a letter about bookings says, read from the store: facts in words, and the calendar entries that go with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from sqlalchemy import Connection, Select, func, select

from session_manager.booking_records import Booking
from session_manager.facts import CONFIDENTIAL, DateFacts, Facts, Notes
from session_manager.ical import Attendee, CalendarEntry, Method, Status, write
from session_manager.occasions import Owed
from session_manager.schedule import Interval, wall
from session_manager.store import series_slots
from session_manager.store.booking_tables import booking_events, places
from session_manager.store.notice_tables import calendar_slots, facility_notes
from session_manager.store.people_tables import people
from session_manager.store.readers import Recipient, holder_id
from session_manager.store.tables import facilities

DOMAIN = "shimawa.invalid"
_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class House:
    """Who writes: `sender` is the address that answers come to, `url` how people reach the hub."""

    sender: str = f"office@{DOMAIN}"
    url: str = ""

    @property
    def address(self) -> str:
        return parseaddr(self.sender)[1] or f"office@{DOMAIN}"

    @property
    def name(self) -> str:
        return parseaddr(self.sender)[0]


@dataclass(frozen=True, slots=True)
class Room:
    """One place of a booking, with the house it is in."""

    place_id: str
    kind: str
    name: str
    facility_id: str
    facility: str
    zone: str


def uid_of(booking_id: str) -> str:
    return f"{booking_id}@{DOMAIN}"


def slot_of(connection: Connection, booking_id: str) -> tuple[str, str]:
    """Entry, and date within it (empty: it is the entry)."""
    row = connection.execute(select(calendar_slots).where(calendar_slots.c.booking_id == booking_id)).one_or_none()
    return (uid_of(booking_id), "") if row is None else (row.uid, row.recurrence)


def facts_of(
    connection: Connection,
    many: Sequence[Booking],
    owes: Owed,
    data: Mapping[str, Any],
    recipient: Recipient,
    house: House,
) -> Facts:
    """Of a confidential booking nothing is written but when and where: mail passes through many hands."""
    first = many[0]
    secret = any(one.confidential for one in many)
    rooms = rooms_of(connection, many)
    proposal = first.proposal if owes.template in {"change_requested", "change_asked"} else None
    return Facts(
        CONFIDENTIAL["ja" if recipient.language == "ja" else "en"] if secret else first.title,
        tuple(_date(one, rooms) for one in many),
        first.people,
        sum(one.yen for one in many) if owes.reader == "holder" else 0,
        _name(connection, first) if owes.reader == "office" and not secret else "",
        "" if secret else str(data.get("reason") or first.reason),
        None if proposal is None else proposal.time,
        first.expires_at if owes.template == "offered" else None,
        _notes(connection, rooms, first, recipient.language) if owes.method == "REQUEST" else Notes(),
        f"{house.url}/mine" if house.url and owes.reader != "office" else "",
    )


def rooms_of(connection: Connection, many: Sequence[Booking]) -> dict[str, Room]:
    return rooms_named(connection, {one.place_id for booking in many for one in booking.places})


def rooms_named(connection: Connection, place_ids: Iterable[str]) -> dict[str, Room]:
    wanted = sorted(place_ids)
    query = (
        select(places, facilities.c.name.label("facility"), facilities.c.timezone)
        .join(facilities, facilities.c.facility_id == places.c.facility_id)
        .where(places.c.place_id.in_(wanted))
    )
    return {
        row.place_id: Room(row.place_id, row.kind, row.name, row.facility_id, row.facility, row.timezone)
        for row in connection.execute(query)
    }


def where(booking: Booking, rooms: Mapping[str, Room]) -> str:
    mine = [rooms[one.place_id] for one in booking.places if one.place_id in rooms]
    return "、".join(f"{one.facility} {one.name}" for one in mine)


def calendar_of(
    connection: Connection,
    many: Sequence[Booking],
    method: Method,
    recipient: Recipient,
    house: House,
    now: float,
) -> tuple[str, Method]:
    """One date, or a series by rule, can be answered; an irregular list is entries of their own, to be put into the
    calendar (RFC 5546 lets one request speak of one entry only)."""
    numbers = sequences(connection, series_slots.ids_of_entry(connection, many))
    every: dict[str, Room] = {}

    def alone(one: Booking, number: int) -> CalendarEntry:
        every.update({} if all(its.place_id in every for its in one.places) else rooms_of(connection, [one]))
        return invitation(one, every, recipient, house, number, now, off=method == "CANCEL")

    together = series_slots.told_together(connection, many, method, alone, numbers)
    if together is not None:
        return together, method
    rooms = rooms_of(connection, many)
    entries = [
        invitation(one, rooms, recipient, house, numbers[one.booking_id], now, off=method == "CANCEL") for one in many
    ]
    how: Method = method if len(entries) == 1 else "PUBLISH"
    return write(entries, how), how


def invitation(
    booking: Booking,
    rooms: Mapping[str, Room],
    recipient: Recipient,
    house: House,
    sequence: int,
    now: float,
    *,
    off: bool = False,
) -> CalendarEntry:
    status: Status = (
        "CANCELLED" if off else "CONFIRMED" if booking.state not in {"requested", "waiting"} else "TENTATIVE"
    )
    answer = {"CANCELLED": "DECLINED", "CONFIRMED": "ACCEPTED", "TENTATIVE": "TENTATIVE"}[status]
    time = local(booking, rooms)
    mine = recipient.person_id == holder_id(booking.holder)
    people_there = [Attendee(recipient.mail, recipient.name, "INDIVIDUAL", "ACCEPTED" if mine else "NEEDS-ACTION")]
    halls = [rooms[one.place_id] for one in booking.places if one.place_id in rooms]
    taken = [
        Attendee(f"{one.place_id}@rooms.{DOMAIN}", f"{one.facility} {one.name}", "ROOM", answer)
        for one in halls
        if one.kind != "equipment"
    ]
    secret = booking.confidential
    language = "ja" if recipient.language == "ja" else "en"
    return CalendarEntry(
        uid_of(booking.booking_id),
        CONFIDENTIAL[language] if secret else booking.title,
        time.starts,
        time.ends,
        time.zone,
        now,
        sequence,
        status,
        where(booking, rooms),
        url="" if secret else booking.link,
        organiser=Attendee(house.address, house.name or "島話"),
        attendees=(*people_there, *taken),
    )


def sequences(connection: Connection, booking_ids: Sequence[str] | Select[Any]) -> dict[str, int]:
    """How often something happened to each, less one: it only grows, so every letter's number is above the last."""
    found = {} if isinstance(booking_ids, Select) else dict.fromkeys(booking_ids, 0)
    here = booking_events.c.booking_id
    for some in in_pieces(booking_ids):
        rows = connection.execute(select(here, func.count()).where(here.in_(some)).group_by(here))
        found |= {row[0]: row[1] - 1 for row in rows}
    return found


def in_pieces(identifiers: Sequence[str] | Select[Any]) -> Iterable[Sequence[str] | Select[Any]]:
    """What goes into one statement: no more names than a database takes, or the query that names them."""
    if isinstance(identifiers, Select):
        return [identifiers]
    return [identifiers[start : start + _CHUNK] for start in range(0, len(identifiers), _CHUNK)]


def local(booking: Booking, rooms: Mapping[str, Room]) -> Any:
    """By the clock of the house that it is in."""
    zone = next((rooms[one.place_id].zone for one in booking.places if one.place_id in rooms), booking.zone)
    return booking.time if zone == booking.zone else wall(Interval(booking.starts_at, booking.ends_at), zone)


def _date(booking: Booking, rooms: Mapping[str, Room]) -> DateFacts:
    return DateFacts(local(booking, rooms), where(booking, rooms), booking.mode)


def _name(connection: Connection, booking: Booking) -> str:
    query = select(people.c.name).where(people.c.person_id == holder_id(booking.holder))
    return connection.execute(query).scalar_one_or_none() or booking.holder


def _notes(connection: Connection, rooms: Mapping[str, Room], booking: Booking, language: str) -> Notes:
    house = next((rooms[one.place_id].facility_id for one in booking.places if one.place_id in rooms), None)
    query = select(facility_notes.c.notes).where(facility_notes.c.facility_id == house)
    found = connection.execute(query).scalar_one_or_none() or {}
    mine = found.get(language) or found.get("ja") or {}
    return Notes(**{name: str(mine.get(name, "")) for name in ("boats", "door", "network")})
