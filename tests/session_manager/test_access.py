"""Who may do what: the whole table, written out a second time by hand."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.access import (
    EVERYBODY,
    PERSONAL,
    RULES,
    STRANGER,
    Action,
    Identity,
    Kind,
    Resource,
    Scope,
    may,
)
from session_manager.access import (
    ROWS as SCOPES,
)

ADMINISTRATOR = Identity(Kind.ADMINISTRATOR, "a")
STAFF = Identity(Kind.STAFF, "s")
VIEWER = Identity(Kind.VIEWER, session_id="mine")
BOARD = Identity(Kind.BOARD, "b")
WORKER = Identity(Kind.WORKER)

IKI, FUKUOKA = Resource(municipality_ids=frozenset({"iki"})), Resource(municipality_ids=frozenset({"fukuoka"}))


def of(kind: Kind, groups: str = "", home: str = "iki") -> Identity:
    """Somebody with one role in one municipality, in these groups."""
    return Identity(kind, "p", municipality_id=home, group_ids=frozenset(groups.split()), person_id="p")


MINE, OTHER = Resource("mine"), Resource("other")
SECRET = Resource("mine", confidential=True)

ROWS = [
    # action, resource, who may
    (Action.LIST_SESSIONS, Resource(), {ADMINISTRATOR, STAFF}),
    (Action.CREATE_SESSION, Resource(), {ADMINISTRATOR, STAFF}),
    (Action.CHANGE_PLACES, Resource(), {ADMINISTRATOR}),
    (Action.READ_PLACES, Resource(), {ADMINISTRATOR, STAFF}),
    (Action.SEE_STATUS, Resource(), {ADMINISTRATOR, STAFF, VIEWER}),
    (Action.SIGN_OUT, Resource(), {ADMINISTRATOR, STAFF, VIEWER}),
    (Action.SEE_FRONT, Resource(), {ADMINISTRATOR, STAFF, VIEWER}),
    (Action.READ_SESSION, MINE, {ADMINISTRATOR, STAFF, VIEWER}),
    (Action.READ_SESSION, OTHER, {ADMINISTRATOR, STAFF}),
    (Action.READ_SESSION, SECRET, {ADMINISTRATOR, VIEWER}),
    (Action.EXPORT, MINE, {ADMINISTRATOR, STAFF, VIEWER}),
    (Action.EXPORT, OTHER, {ADMINISTRATOR, STAFF}),
    (Action.EXPORT, SECRET, {ADMINISTRATOR}),
    (Action.RUN_SESSION, MINE, {ADMINISTRATOR, STAFF}),
    (Action.RUN_SESSION, SECRET, {ADMINISTRATOR}),
    (Action.INVITE, MINE, {ADMINISTRATOR, STAFF}),
    (Action.INVITE, SECRET, {ADMINISTRATOR}),
    (Action.READ_BOOKINGS, Resource(), {ADMINISTRATOR, STAFF}),
    (Action.BOOK, Resource(), {ADMINISTRATOR, STAFF}),
    (Action.APPROVE_BOOKINGS, Resource(), {ADMINISTRATOR, STAFF}),
    (Action.CHANGE_RULES, Resource(), {ADMINISTRATOR}),
    (Action.BOARD_JOIN, Resource(), {BOARD}),
    (Action.FEED, Resource(), {WORKER}),
    (Action.RUN_INSTALLATION, Resource(), {ADMINISTRATOR}),
    (Action.GRANT_ROLES, IKI, {ADMINISTRATOR}),
    (Action.READ_AUDIT, IKI, {ADMINISTRATOR}),
    *(
        (action, IKI, {ADMINISTRATOR, STAFF})
        for action in (
            Action.READ_PEOPLE,
            Action.CHANGE_PEOPLE,
            Action.CONFIRM_STEP,
            Action.READ_GROUP,
            Action.RUN_GROUP,
            Action.ASK_TO_JOIN,
            Action.OWN_FEEDS,
            Action.IMPORT_CALENDAR,
            Action.SEE_OUTBOX,
            Action.OWN_TOKENS,
            Action.SELF_SERVICE,
            Action.SEE_REPORTS,
            Action.SEE_CLASSES,
            Action.RUN_CLASSES,
        )
    ),
    (Action.SEE_PANEL, IKI, set()),
    (Action.USE_PANEL, IKI, set()),
    (Action.READ_SERIES, Resource(), {ADMINISTRATOR, STAFF}),
    (Action.RUN_SERIES, Resource(), {ADMINISTRATOR, STAFF}),
    (Action.DOOR, Resource(), {ADMINISTRATOR, STAFF}),
    (Action.TAKE_PART, IKI, set()),
    (Action.VOUCH, IKI, set()),
    (Action.LEAVE_GROUP, IKI, set()),
]
ALL = (ADMINISTRATOR, STAFF, VIEWER, BOARD, WORKER, STRANGER)


@pytest.mark.parametrize(("action", "resource", "allowed"), ROWS)
def test_who_may(action: Action, resource: Resource, allowed: set[Identity]) -> None:
    assert {one for one in ALL if may(one, action, resource)} == allowed


def test_every_action_has_its_rule_and_its_row() -> None:
    assert set(RULES) == set(Action)
    open_to_all = {action for action, kinds in RULES.items() if kinds == EVERYBODY}
    assert {action for action, *_ in ROWS} | open_to_all == set(Action)
    assert open_to_all == {Action.SEE_PUBLIC, Action.SIGN_IN, Action.JOIN, Action.SIGNAL, Action.SUBSCRIBE}


@given(st.sampled_from(Action), st.text(max_size=8), st.booleans())
def test_a_stranger_gets_nothing_but_the_open_doors(action: Action, session_id: str, confidential: bool) -> None:
    assert may(STRANGER, action, Resource(session_id, confidential)) == (RULES[action] == EVERYBODY)


@given(st.text(max_size=8), st.text(max_size=8), st.booleans())
def test_a_viewer_sees_one_session_only(mine: str, asked: str, confidential: bool) -> None:
    viewer = Identity(Kind.VIEWER, session_id=mine)
    assert may(viewer, Action.READ_SESSION, Resource(asked, confidential)) == (mine == asked)


def test_an_administrator_may_whatever_staff_may() -> None:
    for action, resource in product(Action, (Resource(), MINE, SECRET)):
        assert may(ADMINISTRATOR, action, resource) >= may(STAFF, action, resource)


def test_nobody_of_one_municipality_reaches_into_another() -> None:
    theirs = Resource("s", False, frozenset({"fukuoka"}), "g", "p")
    for kind, action in product(PERSONAL, Action):
        if SCOPES[action].get(kind) is not Scope.ANY:
            assert not may(of(kind, "g"), action, theirs), (kind, action)


@pytest.mark.parametrize(
    ("kind", "action", "may_in_own", "may_in_other"),
    [
        (Kind.FACILITATOR, Action.RUN_SESSION, True, False),
        (Kind.TEACHER, Action.RUN_GROUP, True, False),
        (Kind.MEMBER, Action.READ_SESSION, True, False),
        (Kind.MEMBER, Action.RUN_SESSION, False, False),
        (Kind.MEMBER, Action.VOUCH, True, False),
        (Kind.FACILITATOR, Action.RUN_SERIES, True, False),
        (Kind.TEACHER, Action.RUN_SERIES, False, False),
        (Kind.MEMBER, Action.TAKE_PART, True, False),
        (Kind.MEMBER, Action.DOOR, False, False),
        (Kind.GUEST, Action.READ_SESSION, True, False),
        (Kind.GUEST, Action.VOUCH, False, False),
        (Kind.GUEST, Action.ASK_TO_JOIN, False, False),
        (Kind.PARTNER_STAFF, Action.READ_GROUP, True, False),
        (Kind.STAFF, Action.READ_GROUP, True, True),
        (Kind.MEMBER, Action.SELF_SERVICE, True, True),
        (Kind.PARTNER_STAFF, Action.SELF_SERVICE, True, True),
        (Kind.TEACHER, Action.SELF_SERVICE, True, True),
        (Kind.GUEST, Action.SELF_SERVICE, False, False),
    ],
)
def test_a_group_ends_at_its_edge(kind: Kind, action: Action, may_in_own: bool, may_in_other: bool) -> None:
    for group, expected in (("mine", may_in_own), ("other", may_in_other)):
        resource = Resource("s", municipality_ids=frozenset({"iki"}), group_id=group)
        assert may(of(kind, "mine"), action, resource) is expected


def test_a_role_of_one_municipality_does_not_run_the_installation() -> None:
    assert may(ADMINISTRATOR, Action.RUN_INSTALLATION)
    for kind in PERSONAL:
        assert not may(of(kind), Action.RUN_INSTALLATION)
        assert not may(of(kind), Action.CHANGE_PLACES)


def test_a_session_of_two_municipalities_is_for_the_offices_of_both() -> None:
    shared = Resource("s", municipality_ids=frozenset({"iki", "fukuoka"}))
    assert may(of(Kind.STAFF), Action.READ_SESSION, shared)
    assert may(of(Kind.STAFF, home="fukuoka"), Action.READ_SESSION, shared)
    assert not may(of(Kind.STAFF, home="nagano"), Action.READ_SESSION, shared)


def test_a_token_does_what_is_written_on_it_and_its_owner_may() -> None:
    token = Identity(Kind.STAFF, "a", municipality_id="iki", actions=frozenset({"read_people", "grant_roles"}))
    assert may(token, Action.READ_PEOPLE, IKI)
    assert not may(token, Action.CHANGE_PEOPLE, IKI)
    assert not may(token, Action.GRANT_ROLES, IKI)
    assert not may(token, Action.READ_PEOPLE, FUKUOKA)


def test_only_the_office_can_be_of_the_whole_installation() -> None:
    for kind in set(PERSONAL) - {Kind.ADMINISTRATOR, Kind.STAFF}:
        nobodys = Identity(kind, "p", person_id="p", group_ids=frozenset({"g"}))
        for action in Action:
            assert SCOPES[action].get(kind) is Scope.ANY or not may(nobodys, action, IKI), action


def test_a_panel_reaches_its_own_room_and_nothing_else() -> None:
    panel = Identity(Kind.PANEL, "p", municipality_id="iki", room_id="hall")
    here, next_door = (Resource(municipality_ids=frozenset({"iki"}), room_id=room) for room in ("hall", "attic"))
    both = {Action.SEE_PANEL, Action.USE_PANEL}
    open_to_all = {action for action, kinds in RULES.items() if kinds == EVERYBODY}
    assert {action for action in Action if may(panel, action, here)} == both | open_to_all
    assert {action for action in Action if may(panel, action, next_door)} == open_to_all
    for kind in set(Kind) - {Kind.PANEL}:
        assert not any(may(Identity(kind, "x", municipality_id="iki", room_id="hall"), one, here) for one in both)
