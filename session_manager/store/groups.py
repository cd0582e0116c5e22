"""Groups that one enters by a member's word: requests, referrers, the tree of invitations, leaving."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, and_, insert, select, update

from session_manager.errors import NotFound, NotPermitted, NotPossible
from session_manager.people import Group, GroupMember, JoinRequest
from session_manager.store.booking_rows import seat_changed
from session_manager.store.outbox import Letter, enqueue
from session_manager.store.part import Part, need
from session_manager.store.people import need_here
from session_manager.store.people_tables import (
    group_members,
    groups,
    join_requests,
    people,
)
from session_manager.store.secrets import new_id
from session_manager.store.tables import municipalities

GROUP_ROLES = frozenset({"facilitator", "teacher", "member", "guest"})
_OPEN_STATES = ("asked", "vouched")


class Groups(Part):
    def add_group(
        self, municipality_id: str, name: str, now: float, *, referral_only: bool = False, second_approval: bool = False
    ) -> Group:
        made = Group(new_id(), municipality_id, name, referral_only, second_approval)
        with self._database.write() as connection:
            need(connection, municipalities, municipality_id, "municipality")
            connection.execute(
                insert(groups).values(
                    group_id=made.group_id,
                    municipality_id=municipality_id,
                    name=name,
                    referral_only=referral_only,
                    second_approval=second_approval,
                    created_at=now,
                )
            )
        return made

    def groups(self, municipality_id: str) -> list[Group]:
        query = select(groups).where(groups.c.municipality_id == municipality_id).order_by(groups.c.name)
        with self._database.read() as connection:
            return [_group(row) for row in connection.execute(query)]

    def group(self, municipality_id: str, group_id: str) -> Group:
        """Raises NotFound."""
        with self._database.read() as connection:
            return _group(need_here(connection, groups, group_id, municipality_id, "group"))

    def group_members(self, municipality_id: str, group_id: str) -> list[GroupMember]:
        """Those who are in it now, with who brought them: the tree of invitations."""
        here = and_(group_members.c.group_id == group_id, group_members.c.left_at.is_(None))
        query = select(group_members, people.c.name).join(people, people.c.person_id == group_members.c.person_id)
        with self._database.read() as connection:
            need_here(connection, groups, group_id, municipality_id, "group")
            return [_member(row) for row in connection.execute(query.where(here).order_by(group_members.c.joined_at))]

    def put_in_group(self, municipality_id: str, group_id: str, person_id: str, role: str, now: float) -> None:
        """By the office, without a referrer. A referral-only group takes only its first member and its hosts so."""
        if role not in GROUP_ROLES:
            raise NotPossible("In a group one is facilitator, teacher, member or guest.")
        with self._database.write() as connection:
            group = _group(need_here(connection, groups, group_id, municipality_id, "group"))
            need_here(connection, people, person_id, municipality_id, "person")
            anybody = select(group_members).where(group_members.c.group_id == group_id)
            first = connection.execute(anybody).first() is None
            if group.referral_only and role in {"member", "guest"} and not first:
                raise NotPossible("This group takes nobody without a referrer. Let the person ask to join.")
            _enter(connection, group_id, person_id, role, None, now)

    def ask_to_join(
        self, municipality_id: str, group_id: str, person_id: str, referrer_id: str | None, message: str, now: float
    ) -> JoinRequest:
        """The referrer must be in the group now; whether they are is not told apart from not being known."""
        with self._database.write() as connection:
            group = _group(need_here(connection, groups, group_id, municipality_id, "group"))
            need_here(connection, people, person_id, municipality_id, "person")
            if _inside(connection, group_id, person_id):
                raise NotPossible("This person is in the group already.")
            if group.referral_only and referrer_id is None:
                raise NotPossible("Nobody enters this group without a referrer. Name the member who knows you.")
            if referrer_id == person_id:
                raise NotPossible("Nobody can vouch for themselves.")
            if _open_request(connection, group_id, person_id) is not None:
                raise NotPossible("A request is open already. Wait for the answer, or withdraw it.")
            made = JoinRequest(new_id(), group_id, person_id, referrer_id, message, "asked", now, None)
            connection.execute(
                insert(join_requests).values(
                    request_id=made.request_id,
                    group_id=group_id,
                    person_id=person_id,
                    referrer_id=_known(connection, group, referrer_id),
                    message=message,
                    state="asked",
                    asked_at=now,
                )
            )
            if referrer_id is not None and _inside(connection, group_id, referrer_id):
                _tell(connection, referrer_id, Letter.vouch(made.request_id, group.name), now)
        return made

    def join_requests(self, municipality_id: str, group_id: str, referrer_id: str | None = None) -> list[JoinRequest]:
        """`referrer_id`: only those that name this person."""
        query = select(join_requests).where(join_requests.c.group_id == group_id)
        if referrer_id is not None:
            query = query.where(join_requests.c.referrer_id == referrer_id)
        with self._database.read() as connection:
            need_here(connection, groups, group_id, municipality_id, "group")
            return [_request(row) for row in connection.execute(query.order_by(join_requests.c.asked_at))]

    def vouch(self, municipality_id: str, group_id: str, request_id: str, referrer_id: str, now: float) -> JoinRequest:
        """The named referrer confirms; without a second approval the person is in at once. Raises NotPermitted."""
        with self._database.write() as connection:
            group, row = _one_request(connection, municipality_id, group_id, request_id)
            if row.referrer_id != referrer_id or not _inside(connection, group_id, referrer_id):
                raise NotPermitted("Only the member whom the request names can vouch for it.")
            if row.state != "asked":
                raise NotPossible(f"This request is {row.state} already.")
            if group.second_approval:
                return _move(connection, request_id, state="vouched", vouched_at=now)
            _enter(connection, group_id, row.person_id, "member", referrer_id, now)
            _tell(connection, row.person_id, Letter.welcome(request_id, group.name), now)
            return _move(connection, request_id, state="joined", vouched_at=now, decided_at=now, decided_by=referrer_id)

    def decide(
        self, municipality_id: str, group_id: str, request_id: str, yes: bool, by: str, now: float
    ) -> JoinRequest:
        """A host's word. Yes needs the referrer's word before it where the group is referral-only."""
        with self._database.write() as connection:
            group, row = _one_request(connection, municipality_id, group_id, request_id)
            if row.state not in _OPEN_STATES:
                raise NotPossible(f"This request is {row.state} already.")
            if not yes:
                return _move(connection, request_id, state="declined", decided_at=now, decided_by=by)
            if group.referral_only and row.state != "vouched":
                raise NotPossible("The referrer has not confirmed yet. Nobody enters this group before that.")
            if row.referrer_id is not None and not _inside(connection, group_id, row.referrer_id):
                raise NotPossible("The referrer has left the group. The request needs another one.")
            _enter(connection, group_id, row.person_id, "member", row.referrer_id, now)
            _tell(connection, row.person_id, Letter.welcome(request_id, group.name), now)
            return _move(connection, request_id, state="joined", decided_at=now, decided_by=by)

    def leave_group(self, municipality_id: str, group_id: str, person_id: str, now: float) -> None:
        """Every right that came with the group ends with this transaction. Raises NotFound."""
        here = and_(
            group_members.c.group_id == group_id,
            group_members.c.person_id == person_id,
            group_members.c.left_at.is_(None),
        )
        with self._database.write() as connection:
            need_here(connection, groups, group_id, municipality_id, "group")
            if connection.execute(update(group_members).where(here).values(left_at=now)).rowcount != 1:
                raise NotFound("This person is not in the group.")
            seat_changed(connection, group_id, person_id, False, now)


def _enter(
    connection: Connection, group_id: str, person_id: str, role: str, referrer_id: str | None, now: float
) -> None:
    if _inside(connection, group_id, person_id):
        raise NotPossible("This person is in the group already.")
    connection.execute(
        insert(group_members).values(
            group_member_id=new_id(),
            group_id=group_id,
            person_id=person_id,
            role=role,
            referrer_id=referrer_id,
            joined_at=now,
        )
    )
    seat_changed(connection, group_id, person_id, True, now)


def _inside(connection: Connection, group_id: str, person_id: str) -> bool:
    here = and_(
        group_members.c.group_id == group_id, group_members.c.person_id == person_id, group_members.c.left_at.is_(None)
    )
    return connection.execute(select(group_members).where(here)).first() is not None


def _known(connection: Connection, group: Group, referrer_id: str | None) -> str | None:
    """A name that nobody here has is kept as nobody: the request then waits for a word that never comes."""
    if referrer_id is None or not _inside(connection, group.group_id, referrer_id):
        return None
    return referrer_id


def _open_request(connection: Connection, group_id: str, person_id: str) -> Row[Any] | None:
    here = and_(
        join_requests.c.group_id == group_id,
        join_requests.c.person_id == person_id,
        join_requests.c.state.in_(_OPEN_STATES),
    )
    return connection.execute(select(join_requests).where(here)).first()


def _one_request(
    connection: Connection, municipality_id: str, group_id: str, request_id: str
) -> tuple[Group, Row[Any]]:
    group = _group(need_here(connection, groups, group_id, municipality_id, "group"))
    row = need(connection, join_requests, request_id, "request")
    if row.group_id != group_id:
        raise NotFound("There is no request with that identifier.")
    return group, row


def _move(connection: Connection, request_id: str, **values: object) -> JoinRequest:
    here = join_requests.c.request_id == request_id
    moved = update(join_requests).where(here).values(**values).returning(join_requests)
    return _request(connection.execute(moved).one())


def _tell(connection: Connection, person_id: str, letter: Letter, now: float) -> None:
    person = need(connection, people, person_id, "person")
    if person.mail:
        enqueue(connection, letter.to(person.mail, person.language, person.municipality_id), now)


def _group(row: Row[Any]) -> Group:
    return Group(row.group_id, row.municipality_id, row.name, row.referral_only, row.second_approval)


def _member(row: Row[Any]) -> GroupMember:
    return GroupMember(row.group_id, row.person_id, row.name, row.role, row.referrer_id, row.joined_at)


def _request(row: Row[Any]) -> JoinRequest:
    return JoinRequest(**{name: getattr(row, name) for name in JoinRequest.__dataclass_fields__})
