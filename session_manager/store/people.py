"""People, organisations and roles of a municipality. Nothing here reaches from one municipality into another."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from session_manager.errors import NotFound, NotPossible
from session_manager.people import Grant, Organisation, Person
from session_manager.store.part import Part, need
from session_manager.store.people_tables import (
    affiliations,
    api_tokens,
    grants,
    group_members,
    login_links,
    organisations,
    people,
    person_logins,
)
from session_manager.store.secrets import new_id
from session_manager.store.tables import municipalities

GRANT_ROLES = frozenset({"administrator", "staff", "facilitator", "teacher", "member", "partner_staff"})
LANGUAGES = frozenset({"ja", "en"})


def key(text: str) -> str:
    """The same address or name however it was typed."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def need_here(connection: Connection, table: Table, identifier: str, municipality_id: str, what: str) -> Row[Any]:
    """What belongs to another municipality does not exist here. Raises NotFound."""
    row = need(connection, table, identifier, what)
    if row.municipality_id != municipality_id:
        raise NotFound(f"There is no {what} with that identifier.")
    return row


class People(Part):
    def register_person(
        self, municipality_id: str, name: str, now: float, *, mail: str | None = None, language: str = "ja"
    ) -> Person:
        """Raises NotFound (municipality), NotPossible: the address is somebody's already."""
        with self._database.write() as connection:
            need(connection, municipalities, municipality_id, "municipality")
            return insert_person(connection, Person(new_id(), municipality_id, name, mail or None, language), now)

    def register_people(
        self, municipality_id: str, rows: Sequence[tuple[str, str | None, str, str]], now: float
    ) -> list[Person]:
        """All or none: (name, mail, language, organisation or empty); makes new organisations. Raises NotPossible."""
        made = []
        with self._database.write() as connection:
            need(connection, municipalities, municipality_id, "municipality")
            for name, mail, language, organisation in rows:
                person = insert_person(connection, Person(new_id(), municipality_id, name, mail, language), now)
                if organisation:
                    its = _organisation_called(connection, municipality_id, organisation, now)
                    connection.execute(
                        insert(affiliations).values(person_id=person.person_id, organisation_id=its, since_at=now)
                    )
                made.append(person)
        return made

    def people(self, municipality_id: str) -> list[Person]:
        query = select(people).where(people.c.municipality_id == municipality_id).order_by(people.c.name)
        with self._database.read() as connection:
            return [as_person(row) for row in connection.execute(query)]

    def person(self, municipality_id: str, person_id: str) -> Person:
        """Raises NotFound."""
        with self._database.read() as connection:
            return as_person(need_here(connection, people, person_id, municipality_id, "person"))

    def people_by_mail(self, mail: str) -> list[Person]:
        """One address may be known in several municipalities."""
        with self._database.read() as connection:
            rows = connection.execute(select(people).where(people.c.mail_key == key(mail)).order_by(people.c.person_id))
            return [as_person(row) for row in rows]

    def forget_person(self, municipality_id: str, person_id: str, now: float) -> None:
        """The name and address go, with every way in; what others are (ties, referrals) stays without them."""
        with self._database.write() as connection:
            need_here(connection, people, person_id, municipality_id, "person")
            mine = people.c.person_id == person_id
            connection.execute(update(people).where(mine).values(name="—", mail=None, mail_key=None))
            for table in (grants, login_links, person_logins, affiliations):
                connection.execute(delete(table).where(table.c.person_id == person_id))
            still = and_(group_members.c.person_id == person_id, group_members.c.left_at.is_(None))
            connection.execute(update(group_members).where(still).values(left_at=now))
            good = and_(api_tokens.c.person_id == person_id, api_tokens.c.revoked_at.is_(None))
            connection.execute(update(api_tokens).where(good).values(revoked_at=now))

    def add_organisation(
        self, municipality_id: str, name: str, now: float, *, sector: str = "", across_sea: bool = False
    ) -> Organisation:
        """Raises NotFound, NotPossible when the name is taken in this municipality."""
        made = Organisation(new_id(), municipality_id, name, sector, across_sea)
        with self._database.write() as connection:
            need(connection, municipalities, municipality_id, "municipality")
            values = {"organisation_id": made.organisation_id, "municipality_id": municipality_id, "name": name}
            try:
                connection.execute(
                    insert(organisations).values(
                        **values, name_key=key(name), sector=sector, across_sea=across_sea, created_at=now
                    )
                )
            except IntegrityError as error:
                raise NotPossible("There is an organisation of that name already. Choose another name.") from error
        return made

    def organisations(self, municipality_id: str) -> list[Organisation]:
        query = select(organisations).where(organisations.c.municipality_id == municipality_id)
        with self._database.read() as connection:
            return [as_organisation(row) for row in connection.execute(query.order_by(organisations.c.name))]

    def affiliate(self, municipality_id: str, person_id: str, organisation_id: str, now: float) -> None:
        """The person works for the organisation. Again is nothing new. Raises NotFound."""
        both = and_(affiliations.c.person_id == person_id, affiliations.c.organisation_id == organisation_id)
        with self._database.write() as connection:
            need_here(connection, people, person_id, municipality_id, "person")
            need_here(connection, organisations, organisation_id, municipality_id, "organisation")
            connection.execute(delete(affiliations).where(both))
            connection.execute(
                insert(affiliations).values(person_id=person_id, organisation_id=organisation_id, since_at=now)
            )

    def works_for(self, person_id: str) -> list[Organisation]:
        query = (
            select(organisations)
            .join(affiliations, affiliations.c.organisation_id == organisations.c.organisation_id)
            .where(affiliations.c.person_id == person_id)
        )
        with self._database.read() as connection:
            return [as_organisation(row) for row in connection.execute(query.order_by(organisations.c.name))]

    def grant(
        self, municipality_id: str, person_id: str, role: str, now: float, expires_at: float | None = None
    ) -> Grant:
        """Once more with another end replaces the first. Raises NotFound, NotPossible."""
        if role not in GRANT_ROLES:
            raise NotPossible("That role cannot be given to a person.")
        same = and_(grants.c.person_id == person_id, grants.c.municipality_id == municipality_id, grants.c.role == role)
        made = Grant(new_id(), person_id, municipality_id, role, expires_at)
        with self._database.write() as connection:
            need_here(connection, people, person_id, municipality_id, "person")
            connection.execute(delete(grants).where(same))
            connection.execute(
                insert(grants).values(
                    grant_id=made.grant_id,
                    person_id=person_id,
                    municipality_id=municipality_id,
                    role=role,
                    granted_at=now,
                    expires_at=expires_at,
                )
            )
        return made

    def grants(self, municipality_id: str, person_id: str | None = None) -> list[Grant]:
        query = select(grants).where(grants.c.municipality_id == municipality_id)
        if person_id is not None:
            query = query.where(grants.c.person_id == person_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(grants.c.granted_at))
            return [Grant(row.grant_id, row.person_id, row.municipality_id, row.role, row.expires_at) for row in rows]

    def revoke(self, municipality_id: str, grant_id: str) -> None:
        """Ends at once, for logins that are open too. Raises NotFound."""
        with self._database.write() as connection:
            need_here(connection, grants, grant_id, municipality_id, "role")
            connection.execute(delete(grants).where(grants.c.grant_id == grant_id))


def insert_person(connection: Connection, person: Person, now: float) -> Person:
    if person.language not in LANGUAGES:
        raise NotPossible("Letters can be written in Japanese (ja) or English (en).")
    try:
        connection.execute(
            insert(people).values(
                person_id=person.person_id,
                municipality_id=person.municipality_id,
                name=person.name,
                mail=person.mail,
                mail_key=key(person.mail) if person.mail else None,
                language=person.language,
                created_at=now,
            )
        )
    except IntegrityError as error:
        raise NotPossible("Somebody with that mail address is here already.") from error
    return person


def _organisation_called(connection: Connection, municipality_id: str, name: str, now: float) -> str:
    here = and_(organisations.c.municipality_id == municipality_id, organisations.c.name_key == key(name))
    known = connection.execute(select(organisations.c.organisation_id).where(here)).scalar_one_or_none()
    if known is not None:
        return str(known)
    values = {"organisation_id": new_id(), "municipality_id": municipality_id, "name": name, "name_key": key(name)}
    connection.execute(insert(organisations).values(**values, sector="", created_at=now))
    return values["organisation_id"]


def roles_now(connection: Connection, person_id: str, now: float) -> list[Row[Any]]:
    good = or_(grants.c.expires_at.is_(None), grants.c.expires_at > now)
    return list(connection.execute(select(grants).where(grants.c.person_id == person_id, good)).all())


def groups_now(connection: Connection, person_id: str) -> list[Row[Any]]:
    mine = and_(group_members.c.person_id == person_id, group_members.c.left_at.is_(None))
    return list(connection.execute(select(group_members).where(mine)).all())


def as_person(row: Row[Any]) -> Person:
    return Person(row.person_id, row.municipality_id, row.name, row.mail, row.language, row.across_sea)


def as_organisation(row: Row[Any]) -> Organisation:
    return Organisation(row.organisation_id, row.municipality_id, row.name, row.sector, row.across_sea)
