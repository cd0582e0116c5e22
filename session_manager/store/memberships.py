"""Ladders, memberships with their steps, agreements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import Row, and_, delete, insert, select, update

from session_manager import membership
from session_manager.errors import NotPossible
from session_manager.membership import Agreement, Level, Side, Step
from session_manager.people import Membership
from session_manager.store.part import Part, need
from session_manager.store.people import need_here
from session_manager.store.people_tables import (
    affiliations,
    agreements,
    levels,
    memberships,
    organisations,
    people,
    steps,
)
from session_manager.store.secrets import new_id
from session_manager.store.tables import municipalities


class Memberships(Part):
    def set_ladder(self, municipality_id: str, ladder: Sequence[Level]) -> None:
        """The whole ladder at once. Raises NotPossible, also when somebody stands above its new top."""
        membership.check_ladder(ladder)
        with self._database.write() as connection:
            need(connection, municipalities, municipality_id, "municipality")
            here = and_(memberships.c.municipality_id == municipality_id, memberships.c.level > len(ladder))
            if connection.execute(select(memberships.c.membership_id).where(here)).first() is not None:
                raise NotPossible("Somebody stands at a level that would be gone. A level never falls by itself.")
            connection.execute(delete(levels).where(levels.c.municipality_id == municipality_id))
            for level in ladder:
                values = {**asdict(level), "benefits": list(level.benefits), "municipality_id": municipality_id}
                connection.execute(insert(levels).values(values))

    def ladder(self, municipality_id: str) -> list[Level]:
        query = select(levels).where(levels.c.municipality_id == municipality_id).order_by(levels.c.position)
        with self._database.read() as connection:
            return [as_level(row) for row in connection.execute(query)]

    def add_membership(
        self, municipality_id: str, now: float, *, person_id: str | None = None, organisation_id: str | None = None
    ) -> Membership:
        """Stands below the first level until a step is taken. Raises NotFound, NotPossible."""
        if (person_id is None) == (organisation_id is None):
            raise NotPossible("A membership is of one person or of one organisation.")
        table, key, what = (
            (people, person_id, "person") if person_id else (organisations, organisation_id, "organisation")
        )
        made = Membership(new_id(), municipality_id, person_id, organisation_id, 0, now, None)
        with self._database.write() as connection:
            need_here(connection, table, str(key), municipality_id, what)
            same = memberships.c.person_id == person_id if person_id else memberships.c.organisation_id == key
            if connection.execute(select(memberships).where(same, memberships.c.ended_at.is_(None))).first():
                raise NotPossible("There is a membership already.")
            connection.execute(insert(memberships).values(asdict(made)))
        return made

    def memberships(self, municipality_id: str) -> list[Membership]:
        query = select(memberships).where(memberships.c.municipality_id == municipality_id)
        with self._database.read() as connection:
            return [as_membership(row) for row in connection.execute(query.order_by(memberships.c.since_at))]

    def end_membership(self, municipality_id: str, membership_id: str, now: float) -> None:
        with self._database.write() as connection:
            need_here(connection, memberships, membership_id, municipality_id, "membership")
            here = and_(memberships.c.membership_id == membership_id, memberships.c.ended_at.is_(None))
            connection.execute(update(memberships).where(here).values(ended_at=now))

    def propose_step(self, municipality_id: str, membership_id: str, to_level: int, evidence: str, now: float) -> Step:
        """Nobody has agreed yet. One open step at a time. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            row = need_here(connection, memberships, membership_id, municipality_id, "membership")
            if row.ended_at is not None:
                raise NotPossible("This membership has ended.")
            top = len(connection.execute(select(levels).where(levels.c.municipality_id == municipality_id)).all())
            membership.check_step(row.level, to_level, top)
            open_here = and_(
                steps.c.membership_id == membership_id, steps.c.taken_at.is_(None), steps.c.withdrawn_at.is_(None)
            )
            if connection.execute(select(steps).where(open_here)).first() is not None:
                raise NotPossible("A step is open already. Confirm or withdraw it first.")
            made = Step(new_id(), membership_id, row.level, to_level, evidence, now)
            connection.execute(insert(steps).values(asdict(made)))
        return made

    def confirm_step(self, municipality_id: str, step_id: str, side: Side, by: str, now: float) -> Step:
        """With the second side the level moves in the same transaction. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            row = need(connection, steps, step_id, "step")
            its = need_here(connection, memberships, row.membership_id, municipality_id, "step")
            agreed = membership.confirm(as_step(row), side, by, now)
            connection.execute(update(steps).where(steps.c.step_id == step_id).values(asdict(agreed)))
            if agreed.taken_at is not None:
                here = memberships.c.membership_id == its.membership_id
                connection.execute(update(memberships).where(here).values(level=agreed.to_level))
            return agreed

    def withdraw_step(self, municipality_id: str, step_id: str, now: float) -> Step:
        with self._database.write() as connection:
            row = need(connection, steps, step_id, "step")
            need_here(connection, memberships, row.membership_id, municipality_id, "step")
            if not as_step(row).open:
                raise NotPossible("This step is no longer open.")
            changed = update(steps).where(steps.c.step_id == step_id).values(withdrawn_at=now).returning(steps)
            return as_step(connection.execute(changed).one())

    def steps(self, municipality_id: str, membership_id: str) -> list[Step]:
        with self._database.read() as connection:
            need_here(connection, memberships, membership_id, municipality_id, "membership")
            query = select(steps).where(steps.c.membership_id == membership_id).order_by(steps.c.proposed_at)
            return [as_step(row) for row in connection.execute(query)]

    def speaks_for(self, municipality_id: str, step_id: str, person_id: str) -> bool:
        """Whether the person is the membership's own side: themselves, or staff of its organisation."""
        with self._database.read() as connection:
            row = need(connection, steps, step_id, "step")
            its = need_here(connection, memberships, row.membership_id, municipality_id, "step")
            if its.person_id is not None:
                return bool(its.person_id == person_id)
            both = and_(affiliations.c.person_id == person_id, affiliations.c.organisation_id == its.organisation_id)
            return connection.execute(select(affiliations).where(both)).first() is not None

    def add_agreement(
        self,
        municipality_id: str,
        organisation_id: str,
        title: str,
        starts_on: date,
        ends_on: date | None,
        benefits: Sequence[str] = (),
    ) -> Agreement:
        """Raises NotFound, NotPossible when it ends before it starts."""
        if ends_on is not None and ends_on < starts_on:
            raise NotPossible("An agreement cannot end before it starts.")
        made = Agreement(new_id(), organisation_id, title, starts_on, ends_on, tuple(benefits))
        with self._database.write() as connection:
            need_here(connection, organisations, organisation_id, municipality_id, "organisation")
            connection.execute(
                insert(agreements).values(
                    agreement_id=made.agreement_id,
                    organisation_id=organisation_id,
                    title=title,
                    starts_on=starts_on.isoformat(),
                    ends_on=ends_on.isoformat() if ends_on else None,
                    benefits=list(benefits),
                )
            )
        return made

    def agreements(self, municipality_id: str, organisation_id: str | None = None) -> list[Agreement]:
        query = (
            select(agreements)
            .join(organisations, organisations.c.organisation_id == agreements.c.organisation_id)
            .where(organisations.c.municipality_id == municipality_id)
        )
        if organisation_id is not None:
            query = query.where(agreements.c.organisation_id == organisation_id)
        with self._database.read() as connection:
            return [as_agreement(row) for row in connection.execute(query.order_by(agreements.c.starts_on))]

    def benefits(self, municipality_id: str, person_id: str, today: date) -> frozenset[str]:
        """What the person's own membership and those of their organisations give `today`: for the price rules."""
        with self._database.read() as connection:
            need_here(connection, people, person_id, municipality_id, "person")
            at = select(affiliations.c.organisation_id).where(affiliations.c.person_id == person_id)
            party = (memberships.c.person_id == person_id) | memberships.c.organisation_id.in_(at)
            mine = select(memberships.c.level).where(
                party, memberships.c.ended_at.is_(None), memberships.c.municipality_id == municipality_id
            )
            highest = max(connection.execute(mine).scalars(), default=0)
            theirs = [
                as_agreement(row)
                for row in connection.execute(select(agreements).where(agreements.c.organisation_id.in_(at)))
            ]
        return membership.benefits(self.ladder(municipality_id), highest, theirs, today)


def as_level(row: Row[Any]) -> Level:
    return Level(row.position, row.name, row.criteria, tuple(row.benefits))


def as_membership(row: Row[Any]) -> Membership:
    return Membership(**{name: getattr(row, name) for name in Membership.__dataclass_fields__})


def as_step(row: Row[Any]) -> Step:
    return Step(**{name: getattr(row, name) for name in Step.__dataclass_fields__})


def as_agreement(row: Row[Any]) -> Agreement:
    ends_on = date.fromisoformat(row.ends_on) if row.ends_on else None
    return Agreement(
        row.agreement_id,
        row.organisation_id,
        row.title,
        date.fromisoformat(row.starts_on),
        ends_on,
        tuple(row.benefits),
        row.seats,
    )
