"""Where somebody stands on the ladder, for themselves and for the houses they speak for."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, or_, select

from session_manager.membership import Level, Step
from session_manager.store.memberships import as_level, as_step
from session_manager.store.part import Part
from session_manager.store.people import need_here
from session_manager.store.people_tables import affiliations, levels, memberships, organisations, people, steps


@dataclass(frozen=True, slots=True)
class OwnLevel:
    """`organisation`: whose it is; empty: one's own. `step`: what is proposed and not decided."""

    membership_id: str
    organisation: str
    level: int
    ladder: tuple[Level, ...]
    step: Step | None


class OwnLevels(Part):
    def own_levels(self, municipality_id: str, person_id: str) -> list[OwnLevel]:
        """Memberships that hold, one's own first. Raises NotFound."""
        houses = select(affiliations.c.organisation_id).where(affiliations.c.person_id == person_id)
        mine = or_(memberships.c.person_id == person_id, memberships.c.organisation_id.in_(houses))
        query = (
            select(memberships, organisations.c.name)
            .join(organisations, organisations.c.organisation_id == memberships.c.organisation_id, isouter=True)
            .where(memberships.c.municipality_id == municipality_id, memberships.c.ended_at.is_(None), mine)
            .order_by(organisations.c.name.is_not(None), organisations.c.name)
        )
        rungs = select(levels).where(levels.c.municipality_id == municipality_id).order_by(levels.c.position)
        with self._database.read() as connection:
            need_here(connection, people, person_id, municipality_id, "person")
            ladder = tuple(as_level(row) for row in connection.execute(rungs))
            found = []
            for row in connection.execute(query).all():
                its = and_(steps.c.membership_id == row.membership_id, steps.c.withdrawn_at.is_(None))
                open_step = connection.execute(select(steps).where(its, steps.c.taken_at.is_(None))).first()
                step = None if open_step is None else as_step(open_step)
                found.append(OwnLevel(row.membership_id, row.name or "", row.level, ladder, step))
        return found
