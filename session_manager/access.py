"""Who may do what: one table from action to the identities that may, and one function that reads it.

Pure. Every route of the web names its `Action`; a test fails when one has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    ADMINISTRATOR = "administrator"
    STAFF = "staff"
    VIEWER = "viewer"
    BOARD = "board"
    WORKER = "worker"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Identity:
    """`subject`: account, board or nothing; `session_id`: the one session a viewer may see."""

    kind: Kind
    subject: str | None = None
    session_id: str | None = None


STRANGER = Identity(Kind.STRANGER)


@dataclass(frozen=True, slots=True)
class Resource:
    """The session an action is about; `session_id` None: none, the action is about the installation."""

    session_id: str | None = None
    confidential: bool = False


INSTALLATION = Resource()


class Action(StrEnum):
    """What can be asked of the hub. The comment says who; the table below decides."""

    SEE_PUBLIC = "see_public"  # everybody: login page, health, static files, join and live entrance
    SIGN_IN = "sign_in"  # everybody
    SIGN_OUT = "sign_out"  # whoever is signed in
    JOIN = "join"  # everybody who brings a code or a seat key
    SIGNAL = "signal"  # everybody who brings a join token in the hello
    BOARD_JOIN = "board_join"
    FEED = "feed"
    SEE_STATUS = "see_status"
    READ_PLACES = "read_places"
    CHANGE_PLACES = "change_places"
    LIST_SESSIONS = "list_sessions"
    CREATE_SESSION = "create_session"
    RUN_SESSION = "run_session"
    INVITE = "invite"
    READ_SESSION = "read_session"  # title, state, live captions, lines, coverage
    EXPORT = "export"


EVERYBODY = frozenset(Kind)
_OFFICE = frozenset({Kind.ADMINISTRATOR, Kind.STAFF})
_ADMINISTRATOR = frozenset({Kind.ADMINISTRATOR})

RULES: dict[Action, frozenset[Kind]] = {
    Action.SEE_PUBLIC: EVERYBODY,
    Action.SIGN_IN: EVERYBODY,
    Action.JOIN: EVERYBODY,
    Action.SIGNAL: EVERYBODY,
    Action.SIGN_OUT: _OFFICE | {Kind.VIEWER},
    Action.BOARD_JOIN: frozenset({Kind.BOARD}),
    Action.FEED: frozenset({Kind.WORKER}),
    Action.SEE_STATUS: _OFFICE | {Kind.VIEWER},
    Action.READ_PLACES: _OFFICE,
    Action.CHANGE_PLACES: _ADMINISTRATOR,
    Action.LIST_SESSIONS: _OFFICE,
    Action.CREATE_SESSION: _OFFICE,
    Action.RUN_SESSION: _OFFICE,
    Action.INVITE: _OFFICE,
    Action.READ_SESSION: _OFFICE | {Kind.VIEWER},
    Action.EXPORT: _OFFICE | {Kind.VIEWER},
}


def may(identity: Identity, action: Action, resource: Resource = INSTALLATION) -> bool:
    """A viewer is bound to one session; a confidential session is for administrators and its own viewers to read."""
    if identity.kind not in RULES[action]:
        return False
    if RULES[action] == EVERYBODY:
        return True
    if identity.kind is Kind.VIEWER and resource.session_id is not None:
        return identity.session_id == resource.session_id and not (resource.confidential and action is Action.EXPORT)
    return not (resource.confidential and identity.kind is Kind.STAFF)
