"""The door for partners' staff: a code of their organisation instead of an account and letters; and one's profile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from session_manager.errors import NotFound, NotPossible
from session_manager.notices import Letter
from session_manager.people import Person
from session_manager.schedule import local_time
from session_manager.store.organisation_tables import mail_checks, organisation_codes, organisation_entries
from session_manager.store.outbox import enqueue
from session_manager.store.part import Part, need
from session_manager.store.people import as_person, insert_person, key, need_here
from session_manager.store.people_tables import affiliations, agreements, grants, organisations, people, person_logins
from session_manager.store.secrets import hashed, new_id, new_secret
from session_manager.store.self_service import in_force_on
from session_manager.store.tables import municipalities

MAIL_CHECK_S = 3600.0


@dataclass(frozen=True, slots=True)
class OrganisationCode:
    """`uses_left`: new people it may still bring; who has come may come again."""

    code_id: str
    organisation_id: str
    created_at: float
    expires_at: float
    uses_left: int


@dataclass(frozen=True, slots=True)
class DeviceLogin:
    """One person on one device. `open`: the login there still holds."""

    login_id: str
    person_id: str
    name: str
    first_at: float
    opened_at: float
    open: bool


@dataclass(frozen=True, slots=True)
class Entered:
    """`cookie`: of the login; `device`: what this browser is known by the next time. Both are secrets."""

    cookie: str
    device: str
    person_id: str


class OrganisationDoors(Part):
    def issue_organisation_code(
        self, municipality_id: str, organisation_id: str, code_hash: str, uses: int, expires_at: float, now: float
    ) -> OrganisationCode:
        """The one before ends. `code_hash`: keyed, because the code is short. Raises NotFound, NotPossible."""
        made = OrganisationCode(new_id(), organisation_id, now, expires_at, uses)
        with self._database.write() as connection:
            need_here(connection, organisations, organisation_id, municipality_id, "organisation")
            if not _agreed(connection, organisation_id, _today(connection, municipality_id, now)):
                raise NotPossible("This organisation has no agreement in force. Add the agreement first.")
            _withdraw(connection, organisation_id, now)
            values = {"code_id": made.code_id, "organisation_id": organisation_id, "code_hash": code_hash}
            try:
                connection.execute(
                    insert(organisation_codes).values(**values, created_at=now, expires_at=expires_at, uses_left=uses)
                )
            except IntegrityError as error:
                raise NotPossible("That code is in use. Ask for another one.") from error
        return made

    def organisation_code(self, municipality_id: str, organisation_id: str, now: float) -> OrganisationCode | None:
        """The one that opens now; never its letters. Raises NotFound."""
        with self._database.read() as connection:
            need_here(connection, organisations, organisation_id, municipality_id, "organisation")
            here = and_(organisation_codes.c.organisation_id == organisation_id, _good(now))
            row = connection.execute(select(organisation_codes).where(here)).one_or_none()
            if row is None:
                return None
            return OrganisationCode(row.code_id, organisation_id, row.created_at, row.expires_at, row.uses_left)

    def withdraw_organisation_code(self, municipality_id: str, organisation_id: str, now: float) -> None:
        """Nobody comes in by it any more; who is in stays until their login is ended. Raises NotFound."""
        with self._database.write() as connection:
            need_here(connection, organisations, organisation_id, municipality_id, "organisation")
            _withdraw(connection, organisation_id, now)

    def enter_organisation(
        self, code_hash: str, name: str, device: str | None, now: float, ttl: float, language: str = "ja"
    ) -> Entered | None:
        """Whoever has this name on this device already is the same person; else a new one, for one use of the code.

        None: unknown, withdrawn, over, used up, or no agreement in force. One answer, so that nothing is learnt.
        """
        with self._database.write() as connection:
            code = connection.execute(
                select(organisation_codes, organisations.c.municipality_id)
                .join(organisations, organisations.c.organisation_id == organisation_codes.c.organisation_id)
                .where(organisation_codes.c.code_hash == code_hash, _good(now))
            ).one_or_none()
            if code is None or not _agreed(
                connection, code.organisation_id, _today(connection, code.municipality_id, now)
            ):
                return None
            known = _known_here(connection, code.organisation_id, device, name) if device is not None else None
            secret = device or new_secret()
            person_id = known.person_id if known is not None else _newcomer(connection, code, name, language, now)
            if person_id is None:
                return None
            cookie = _login(connection, person_id, now, ttl)
            _note(connection, known, code.organisation_id, person_id, hashed(secret), hashed(cookie), now)
            return Entered(cookie, secret, person_id)

    def organisation_logins(self, municipality_id: str, organisation_id: str, now: float) -> list[DeviceLogin]:
        """Who came in by the organisation's code and on how many devices, the latest first. Raises NotFound."""
        with self._database.read() as connection:
            need_here(connection, organisations, organisation_id, municipality_id, "organisation")
            good = and_(
                person_logins.c.cookie_hash == organisation_entries.c.cookie_hash, person_logins.c.expires_at > now
            )
            query = (
                select(organisation_entries, people.c.name, person_logins.c.cookie_hash.label("live"))
                .join(people, people.c.person_id == organisation_entries.c.person_id)
                .join(person_logins, good, isouter=True)
                .where(
                    organisation_entries.c.organisation_id == organisation_id,
                    organisation_entries.c.ended_at.is_(None),
                )
                .order_by(organisation_entries.c.opened_at.desc())
                .limit(1000)
            )
            return [
                DeviceLogin(row.entry_id, row.person_id, row.name, row.first_at, row.opened_at, row.live is not None)
                for row in connection.execute(query)
            ]

    def end_organisation_login(self, municipality_id: str, organisation_id: str, login_id: str, now: float) -> None:
        """At once; the device is not known any more. What the person has booked stays. Raises NotFound."""
        with self._database.write() as connection:
            need_here(connection, organisations, organisation_id, municipality_id, "organisation")
            row = need(connection, organisation_entries, login_id, "login")
            if row.organisation_id != organisation_id:
                raise NotFound("There is no login with that identifier.")
            here = organisation_entries.c.entry_id == login_id
            connection.execute(update(organisation_entries).where(here).values(ended_at=now))
            connection.execute(delete(person_logins).where(person_logins.c.cookie_hash == row.cookie_hash))

    def change_person(
        self, municipality_id: str, person_id: str, *, name: str | None = None, language: str | None = None
    ) -> Person:
        """What is None stays. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            need_here(connection, people, person_id, municipality_id, "person")
            if language is not None and language not in {"ja", "en"}:
                raise NotPossible("Letters can be written in Japanese (ja) or English (en).")
            values = {column: said for column, said in (("name", name), ("language", language)) if said is not None}
            mine = people.c.person_id == person_id
            if values:
                connection.execute(update(people).where(mine).values(**values))
            return as_person(connection.execute(select(people).where(mine)).one())

    def ask_mail(self, municipality_id: str, person_id: str, mail: str, page: str, now: float) -> None:
        """A letter to the new address; it becomes the person's when its link is opened. Raises NotFound."""
        code = new_secret()
        with self._database.write() as connection:
            person = as_person(need_here(connection, people, person_id, municipality_id, "person"))
            old = or_(mail_checks.c.person_id == person_id, mail_checks.c.expires_at <= now)
            connection.execute(delete(mail_checks).where(old))
            values = {"person_id": person_id, "code_hash": hashed(code), "mail": mail}
            connection.execute(insert(mail_checks).values(**values, expires_at=now + MAIL_CHECK_S))
            letter = Letter.address(hashed(code)[:32], f"{page}#mail={code}")
            enqueue(connection, letter.to(mail, person.language, municipality_id), now)

    def confirm_mail(self, municipality_id: str, person_id: str, code: str, now: float) -> Person:
        """Only the one who asked. Raises NotFound, NotPossible: too old, or somebody else's here already."""
        with self._database.write() as connection:
            need_here(connection, people, person_id, municipality_id, "person")
            good = and_(
                mail_checks.c.code_hash == hashed(code),
                mail_checks.c.person_id == person_id,
                mail_checks.c.expires_at > now,
            )
            mail = connection.execute(
                delete(mail_checks).where(good).returning(mail_checks.c.mail)
            ).scalar_one_or_none()
            if mail is None:
                raise NotPossible("This link is used or too old. Enter your address once more.")
            mine = people.c.person_id == person_id
            try:
                connection.execute(update(people).where(mine).values(mail=mail, mail_key=key(mail)))
            except IntegrityError as error:
                raise NotPossible("Somebody with that mail address is here already. Ask the office.") from error
            return as_person(connection.execute(select(people).where(mine)).one())

    def drop_mail(self, municipality_id: str, person_id: str) -> None:
        """No letters any more. Raises NotFound."""
        with self._database.write() as connection:
            need_here(connection, people, person_id, municipality_id, "person")
            mine = people.c.person_id == person_id
            connection.execute(update(people).where(mine).values(mail=None, mail_key=None))


def _good(now: float) -> ColumnElement[bool]:
    return and_(organisation_codes.c.revoked_at.is_(None), organisation_codes.c.expires_at > now)


def _today(connection: Connection, municipality_id: str, now: float) -> date:
    return local_time(int(now), need(connection, municipalities, municipality_id, "municipality").timezone).date()


def _agreed(connection: Connection, organisation_id: str, day: date) -> bool:
    here = and_(agreements.c.organisation_id == organisation_id, in_force_on(day))
    return connection.execute(select(agreements.c.agreement_id).where(here).limit(1)).first() is not None


def _withdraw(connection: Connection, organisation_id: str, now: float) -> None:
    good = and_(organisation_codes.c.organisation_id == organisation_id, organisation_codes.c.revoked_at.is_(None))
    connection.execute(update(organisation_codes).where(good).values(revoked_at=now))


def _known_here(connection: Connection, organisation_id: str, device: str, name: str) -> Row[Any] | None:
    """A device may be shared: only with the same name it is the same person."""
    query = (
        select(organisation_entries, people.c.name)
        .join(people, people.c.person_id == organisation_entries.c.person_id)
        .where(
            organisation_entries.c.device_hash == hashed(device),
            organisation_entries.c.organisation_id == organisation_id,
            organisation_entries.c.ended_at.is_(None),
        )
    )
    return next((row for row in connection.execute(query) if key(row.name) == key(name)), None)


def _newcomer(connection: Connection, code: Row[Any], name: str, language: str, now: float) -> str | None:
    """None: the code is used up. Counted in one statement, so that the last use is not had twice."""
    left = and_(organisation_codes.c.code_id == code.code_id, organisation_codes.c.uses_left > 0)
    once = update(organisation_codes).where(left).values(uses_left=organisation_codes.c.uses_left - 1)
    if connection.execute(once).rowcount != 1:
        return None
    person = insert_person(connection, Person(new_id(), code.municipality_id, name, None, language), now)
    both = {"person_id": person.person_id, "organisation_id": code.organisation_id}
    connection.execute(insert(affiliations).values(**both, since_at=now))
    role = {"person_id": person.person_id, "municipality_id": code.municipality_id, "role": "partner_staff"}
    connection.execute(insert(grants).values(grant_id=new_id(), **role, granted_at=now, expires_at=None))
    return person.person_id


def _login(connection: Connection, person_id: str, now: float, ttl: float) -> str:
    cookie = new_secret()
    connection.execute(delete(person_logins).where(person_logins.c.expires_at <= now))
    values = {"cookie_hash": hashed(cookie), "person_id": person_id, "opened_at": now, "expires_at": now + ttl}
    connection.execute(insert(person_logins).values(values))
    return cookie


def _note(
    connection: Connection,
    known: Row[Any] | None,
    organisation_id: str,
    person_id: str,
    device_hash: str,
    cookie_hash: str,
    now: float,
) -> None:
    if known is not None:
        here = organisation_entries.c.entry_id == known.entry_id
        connection.execute(delete(person_logins).where(person_logins.c.cookie_hash == known.cookie_hash))
        again = update(organisation_entries).where(here).values(cookie_hash=cookie_hash, opened_at=now)
        connection.execute(again)
        return
    values = {"entry_id": new_id(), "organisation_id": organisation_id, "person_id": person_id}
    secrets = {"device_hash": device_hash, "cookie_hash": cookie_hash}
    connection.execute(insert(organisation_entries).values(**values, **secrets, first_at=now, opened_at=now))
