"""The harvest of an evening: written down, agreed to by its speaker, called done; and taken back at any time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, update

from session_manager.errors import NotFound, NotPermitted
from session_manager.evening_records import HarvestItem, NewItem
from session_manager.store.booking_rows import read_booking
from session_manager.store.evening_tables import harvest_items
from session_manager.store.evenings import need_guest
from session_manager.store.harvest_rows import items_of
from session_manager.store.part import Part, need
from session_manager.store.secrets import new_id


class Harvest(Part):
    def add_item(self, booking_id: str, new: NewItem, by: str, now: float) -> HarvestItem:
        """`said_yes`: the speaker was asked and agreed; who noted it is kept. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            booking = read_booking(connection, booking_id)
            if new.person_id is not None:
                need_guest(connection, booking, new.person_id)
            yes = new.said_yes and new.person_id is not None
            values = {"item_id": new_id(), "booking_id": booking_id, "kind": new.kind, "words": new.words}
            more = {"person_id": new.person_id, "due_on": new.due_on, "created_at": int(now), "done_at": None}
            said = {"yes_at": int(now) if yes else None, "yes_by": by if yes else ""}
            connection.execute(insert(harvest_items).values(**values, **more, **said))
            return _one(connection, booking_id, values["item_id"])

    def reword_item(self, booking_id: str, item_id: str, words: str) -> HarvestItem:
        """Other words are not those that its speaker agreed to: the yes is asked for again. Raises NotFound."""
        with self._database.write() as connection:
            row = _need(connection, booking_id, item_id)
            if row.words != words:
                _write(connection, item_id, words=words, yes_at=None, yes_by="")
            return _one(connection, booking_id, item_id)

    def answer_item(
        self, booking_id: str, item_id: str, yes: bool, by: str, now: float, speaker: str | None = None
    ) -> HarvestItem:
        """`speaker`: only when it is theirs. Raises NotFound, NotPermitted."""
        with self._database.write() as connection:
            row = _need(connection, booking_id, item_id)
            if speaker is not None and row.person_id != speaker:
                raise NotPermitted("Only the person who said it can answer this.")
            good = yes and row.person_id is not None
            _write(connection, item_id, yes_at=int(now) if good else None, yes_by=by if good else "")
            return _one(connection, booking_id, item_id)

    def finish_item(self, booking_id: str, item_id: str, done: bool, now: float) -> HarvestItem:
        """Raises NotFound."""
        with self._database.write() as connection:
            _need(connection, booking_id, item_id)
            _write(connection, item_id, done_at=int(now) if done else None)
            return _one(connection, booking_id, item_id)

    def drop_item(self, booking_id: str, item_id: str) -> None:
        """Raises NotFound."""
        with self._database.write() as connection:
            _need(connection, booking_id, item_id)
            connection.execute(delete(harvest_items).where(harvest_items.c.item_id == item_id))


def _need(connection: Connection, booking_id: str, item_id: str) -> Row[Any]:
    row = need(connection, harvest_items, item_id, "item")
    if row.booking_id != booking_id:
        raise NotFound("There is no item with that identifier.")
    return row


def _write(connection: Connection, item_id: str, **values: object) -> None:
    connection.execute(update(harvest_items).where(harvest_items.c.item_id == item_id).values(**values))


def _one(connection: Connection, booking_id: str, item_id: str) -> HarvestItem:
    return next(one for one in items_of(connection, booking_id) if one.item_id == item_id)
