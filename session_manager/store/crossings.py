"""What lies across the sea: which houses stand on the island, which people and organisations come by boat."""

from __future__ import annotations

from sqlalchemy import update

from session_manager.people import Organisation, Person
from session_manager.store.part import Part, need
from session_manager.store.people import as_organisation, as_person, need_here
from session_manager.store.people_tables import organisations, people
from session_manager.store.tables import facilities


class Crossings(Part):
    def set_on_island(self, facility_id: str, on_island: bool) -> None:
        """Raises NotFound."""
        with self._database.write() as connection:
            need(connection, facilities, facility_id, "facility")
            here = facilities.c.facility_id == facility_id
            connection.execute(update(facilities).where(here).values(on_island=on_island))

    def set_person_across(self, municipality_id: str, person_id: str, across_sea: bool | None) -> Person:
        """None: as the person's organisation does. Raises NotFound."""
        with self._database.write() as connection:
            need_here(connection, people, person_id, municipality_id, "person")
            here = people.c.person_id == person_id
            changed = update(people).where(here).values(across_sea=across_sea).returning(people)
            return as_person(connection.execute(changed).one())

    def set_organisation_across(self, municipality_id: str, organisation_id: str, across_sea: bool) -> Organisation:
        """Raises NotFound."""
        with self._database.write() as connection:
            need_here(connection, organisations, organisation_id, municipality_id, "organisation")
            here = organisations.c.organisation_id == organisation_id
            changed = update(organisations).where(here).values(across_sea=across_sea).returning(organisations)
            return as_organisation(connection.execute(changed).one())
