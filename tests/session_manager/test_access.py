"""Who may do what: the whole table, written out a second time by hand."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.access import EVERYBODY, RULES, STRANGER, Action, Identity, Kind, Resource, may

ADMINISTRATOR = Identity(Kind.ADMINISTRATOR, "a")
STAFF = Identity(Kind.STAFF, "s")
VIEWER = Identity(Kind.VIEWER, session_id="mine")
BOARD = Identity(Kind.BOARD, "b")
WORKER = Identity(Kind.WORKER)

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
    (Action.BOARD_JOIN, Resource(), {BOARD}),
    (Action.FEED, Resource(), {WORKER}),
]
ALL = (ADMINISTRATOR, STAFF, VIEWER, BOARD, WORKER, STRANGER)


@pytest.mark.parametrize(("action", "resource", "allowed"), ROWS)
def test_who_may(action: Action, resource: Resource, allowed: set[Identity]) -> None:
    assert {one for one in ALL if may(one, action, resource)} == allowed


def test_every_action_has_its_rule_and_its_row() -> None:
    assert set(RULES) == set(Action)
    open_to_all = {action for action, kinds in RULES.items() if kinds == EVERYBODY}
    assert {action for action, *_ in ROWS} | open_to_all == set(Action)
    assert open_to_all == {Action.SEE_PUBLIC, Action.SIGN_IN, Action.JOIN, Action.SIGNAL}


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
