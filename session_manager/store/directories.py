"""The office's directory: looking up, taking a partner in with everything at once, and letting somebody go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, delete, func, insert, select, update

from session_manager import membership
from session_manager.directories import Directory, House, HouseRow, NewPartner, PersonRow, Previewed, Someone
from session_manager.errors import NotFound, NotPossible
from session_manager.membership import Agreement, Step
from session_manager.people import Grant, Membership, Organisation, Person
from session_manager.pricing import PriceRule
from session_manager.schedule import local_time
from session_manager.store.booking_tables import municipality_rules
from session_manager.store.memberships import as_agreement, as_level, as_membership, as_step
from session_manager.store.part import Part, need
from session_manager.store.people import as_organisation, as_person, insert_person, key, need_here
from session_manager.store.people_tables import (
    affiliations,
    agreements,
    grants,
    group_members,
    groups,
    levels,
    memberships,
    organisations,
    people,
    person_logins,
    steps,
)
from session_manager.store.place_rows import RULES, rules_of
from session_manager.store.secrets import new_id
from session_manager.store.tables import municipalities

SHOWN = 100
BENEFIT = "telework_free"
PARTNER = "partner"


class Directories(Part):
    def directory(self, municipality_id: str, search: str, now: float) -> Directory:
        """By a part of a name, of a mail address or of what a house does; the first hundred of each."""
        with self._database.read() as connection:
            today = _today(connection, municipality_id, now)
            houses, house_count = _found(connection, organisations, municipality_id, search, ("name", "sector"))
            persons, person_count = _found(connection, people, municipality_id, search, ("name", "mail"))
            return Directory(
                tuple(_house_row(connection, row, today) for row in houses),
                tuple(_person_row(connection, row) for row in persons),
                house_count,
                person_count,
                _ladder(connection, municipality_id),
            )

    def house(self, municipality_id: str, organisation_id: str) -> House:
        """Raises NotFound."""
        with self._database.read() as connection:
            row = need_here(connection, organisations, organisation_id, municipality_id, "organisation")
            mine = memberships.c.organisation_id == organisation_id
            found = connection.execute(select(memberships).where(mine).order_by(memberships.c.since_at.desc())).first()
            taken: list[Step] = []
            if found is not None:
                its = select(steps).where(steps.c.membership_id == found.membership_id).order_by(steps.c.proposed_at)
                taken = [as_step(one) for one in connection.execute(its)]
            staff = tuple(as_person(one) for one in _staff(connection, organisation_id))
            return House(
                as_organisation(row),
                None if found is None else as_membership(found),
                tuple(taken),
                tuple(_agreements(connection, organisation_id)),
                staff,
                _ladder(connection, municipality_id),
                _names(connection, taken),
            )

    def someone(self, municipality_id: str, person_id: str) -> Someone:
        """Raises NotFound."""
        with self._database.read() as connection:
            person = as_person(need_here(connection, people, person_id, municipality_id, "person"))
            its = select(organisations).join(
                affiliations, affiliations.c.organisation_id == organisations.c.organisation_id
            )
            houses = connection.execute(its.where(affiliations.c.person_id == person_id)).all()
            roles = connection.execute(select(grants).where(grants.c.person_id == person_id)).all()
            inside = (
                select(groups.c.name, group_members.c.role)
                .join(group_members, group_members.c.group_id == groups.c.group_id)
                .where(group_members.c.person_id == person_id, group_members.c.left_at.is_(None))
            )
            return Someone(
                person,
                tuple(as_organisation(one) for one in houses),
                tuple(Grant(one.grant_id, person_id, one.municipality_id, one.role, one.expires_at) for one in roles),
                tuple((one.name, one.role) for one in connection.execute(inside)),
            )

    def add_partner(self, municipality_id: str, new: NewPartner, by: str, now: float) -> House:
        """House, agreement, level, contact and free use in one transaction. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            need(connection, municipalities, municipality_id, "municipality")
            ladder = _ladder(connection, municipality_id)
            if not 0 <= new.level <= len(ladder):
                raise NotPossible(f"The ladder of this municipality has the levels 1 to {len(ladder)}.")
            if new.ends_on is not None and new.ends_on < new.starts_on:
                raise NotPossible("An agreement cannot end before it starts.")
            organisation_id = _new_house(connection, municipality_id, new, now)
            person = _contact(connection, municipality_id, new, now)
            both = {"person_id": person.person_id, "organisation_id": organisation_id}
            connection.execute(insert(affiliations).values(**both, since_at=now))
            agreement_id = _agreed(connection, organisation_id, new)
            _stand(connection, municipality_id, organisation_id, new, (by, f"agreement:{agreement_id}"), now)
            _free_for_partners(connection, municipality_id)
        return self.house(municipality_id, organisation_id)

    def end_agreement(self, municipality_id: str, agreement_id: str, ends_on: date) -> Agreement:
        """Its last day. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            row = need(connection, agreements, agreement_id, "agreement")
            need_here(connection, organisations, row.organisation_id, municipality_id, "agreement")
            if ends_on.isoformat() < row.starts_on:
                raise NotPossible("An agreement cannot end before it starts.")
            here = agreements.c.agreement_id == agreement_id
            changed = update(agreements).where(here).values(ends_on=ends_on.isoformat()).returning(agreements)
            return as_agreement(connection.execute(changed).one())

    def leave_organisation(self, municipality_id: str, person_id: str, organisation_id: str) -> None:
        """Its benefits, its role and open logins of the person end with this transaction. Raises NotFound."""
        both = and_(affiliations.c.person_id == person_id, affiliations.c.organisation_id == organisation_id)
        with self._database.write() as connection:
            need_here(connection, people, person_id, municipality_id, "person")
            need_here(connection, organisations, organisation_id, municipality_id, "organisation")
            if connection.execute(delete(affiliations).where(both)).rowcount != 1:
                raise NotFound("This person does not work there.")
            still = select(affiliations).where(affiliations.c.person_id == person_id)
            if connection.execute(still).first() is None:
                staff = and_(grants.c.person_id == person_id, grants.c.role == "partner_staff")
                connection.execute(delete(grants).where(staff))
            connection.execute(delete(person_logins).where(person_logins.c.person_id == person_id))

    def preview_people(self, municipality_id: str, rows: Sequence[tuple[int, str, str, str, str]]) -> list[Previewed]:
        """(row, name, mail, organisation, what is wrong with it already): what taking them in would do."""
        with self._database.read() as connection:
            mails = set(
                connection.execute(
                    select(people.c.mail_key).where(
                        people.c.municipality_id == municipality_id, people.c.mail_key.is_not(None)
                    )
                ).scalars()
            )
            houses = set(
                connection.execute(
                    select(organisations.c.name_key).where(organisations.c.municipality_id == municipality_id)
                ).scalars()
            )
        found = []
        for number, name, mail, organisation, wrong in rows:
            problem = wrong or ("mail_known" if mail and key(mail) in mails else "")
            new_house = bool(organisation) and key(organisation) not in houses
            found.append(Previewed(number, name, mail, organisation, new_house, problem))
            mails |= {key(mail)} if mail else set()
            houses |= {key(organisation)} if organisation else set()
        return found


def _today(connection: Connection, municipality_id: str, now: float) -> date:
    return local_time(int(now), need(connection, municipalities, municipality_id, "municipality").timezone).date()


def _found(
    connection: Connection, table: Table, municipality_id: str, search: str, columns: tuple[str, ...]
) -> tuple[Sequence[Row[Any]], int]:
    """People whose name was forgotten are not looked up."""
    where = and_(table.c.municipality_id == municipality_id, table.c.name != "—")
    if search.strip():
        fits = [table.c[name].icontains(search.strip(), autoescape=True) for name in columns]
        where = and_(where, fits[0] | fits[1])
    count = connection.execute(select(func.count()).select_from(table).where(where)).scalar_one()
    return connection.execute(select(table).where(where).order_by(table.c.name).limit(SHOWN)).all(), int(count)


def _house_row(connection: Connection, row: Row[Any], today: date) -> HouseRow:
    level = select(memberships.c.level).where(
        memberships.c.organisation_id == row.organisation_id, memberships.c.ended_at.is_(None)
    )
    good = [one for one in _agreements(connection, row.organisation_id) if membership.in_force(one, today)]
    until = None if not good or any(one.ends_on is None for one in good) else max(one.ends_on or today for one in good)
    staff = select(func.count()).select_from(affiliations)
    count = connection.execute(staff.where(affiliations.c.organisation_id == row.organisation_id)).scalar_one()
    standing = connection.execute(level).scalar() or 0
    return HouseRow(as_organisation(row), standing, int(count), bool(good), until)


def _person_row(connection: Connection, row: Row[Any]) -> PersonRow:
    its = select(organisations.c.name).join(
        affiliations, affiliations.c.organisation_id == organisations.c.organisation_id
    )
    houses = connection.execute(its.where(affiliations.c.person_id == row.person_id)).scalars()
    roles = connection.execute(select(grants.c.role).where(grants.c.person_id == row.person_id)).scalars()
    return PersonRow(as_person(row), tuple(houses), tuple(roles))


def _staff(connection: Connection, organisation_id: str) -> Sequence[Row[Any]]:
    query = select(people).join(affiliations, affiliations.c.person_id == people.c.person_id)
    return connection.execute(
        query.where(affiliations.c.organisation_id == organisation_id).order_by(people.c.name)
    ).all()


def _agreements(connection: Connection, organisation_id: str) -> list[Agreement]:
    mine = select(agreements).where(agreements.c.organisation_id == organisation_id)
    return [as_agreement(one) for one in connection.execute(mine.order_by(agreements.c.starts_on))]


def _ladder(connection: Connection, municipality_id: str) -> tuple[membership.Level, ...]:
    query = select(levels).where(levels.c.municipality_id == municipality_id).order_by(levels.c.position)
    return tuple(as_level(one) for one in connection.execute(query))


def _names(connection: Connection, taken: Sequence[Step]) -> dict[str, str]:
    who = [by for one in taken for by in (one.city_by, one.party_by) if by is not None]
    rows = connection.execute(select(people.c.person_id, people.c.name).where(people.c.person_id.in_(who)))
    return {row.person_id: row.name for row in rows}


def _new_house(connection: Connection, municipality_id: str, new: NewPartner, now: float) -> str:
    here = and_(organisations.c.municipality_id == municipality_id, organisations.c.name_key == key(new.name))
    if connection.execute(select(organisations.c.organisation_id).where(here)).first() is not None:
        raise NotPossible("There is an organisation of that name already. Choose another name.")
    made = Organisation(new_id(), municipality_id, new.name, new.sector, new.across_sea)
    connection.execute(insert(organisations).values(**asdict(made), name_key=key(new.name), created_at=now))
    return made.organisation_id


def _contact(connection: Connection, municipality_id: str, new: NewPartner, now: float) -> Person:
    """Somebody who is known already, or a new person who is called by the address until they say their name."""
    known = and_(people.c.municipality_id == municipality_id, people.c.mail_key == key(new.mail))
    row = connection.execute(select(people).where(known)).first()
    if row is not None:
        return as_person(row)
    made = Person(new_id(), municipality_id, new.mail.partition("@")[0], new.mail, "ja")
    return insert_person(connection, made, now)


def _agreed(connection: Connection, organisation_id: str, new: NewPartner) -> str:
    values = {
        "agreement_id": new_id(),
        "organisation_id": organisation_id,
        "title": new.name,
        "starts_on": new.starts_on.isoformat(),
        "ends_on": new.ends_on.isoformat() if new.ends_on else None,
        "benefits": [BENEFIT],
        "seats": new.seats,
    }
    connection.execute(insert(agreements).values(values))
    return str(values["agreement_id"])


def _stand(
    connection: Connection, municipality_id: str, organisation_id: str, new: NewPartner, by: tuple[str, str], now: float
) -> None:
    """The signed agreement is both sides' word for the level that it begins at."""
    made = Membership(new_id(), municipality_id, None, organisation_id, new.level, now, None)
    connection.execute(insert(memberships).values(asdict(made)))
    if new.level:
        step = Step(new_id(), made.membership_id, 0, new.level, "", now, now, by[0], now, by[1], now)
        connection.execute(insert(steps).values(asdict(step)))


def _free_for_partners(connection: Connection, municipality_id: str) -> None:
    """Where fees are set and nothing is said of partners, they use places free: that is what the agreement gives."""
    rules = rules_of(connection, municipality_id)
    if not rules.prices or any(one.user_class == PARTNER for one in rules.prices):
        return
    fresh = replace(rules, prices=(PriceRule(user_class=PARTNER), *rules.prices))
    here = municipality_rules.c.municipality_id == municipality_id
    connection.execute(update(municipality_rules).where(here).values(rules=RULES.dump_python(fresh, mode="json")))
