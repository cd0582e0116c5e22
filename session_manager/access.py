"""Who may do what, where: one table from action and role to how far it reaches, and one function that reads it.

Pure. Every route of the web names its `Action`; a test fails when one has none. A person with several roles is several
identities; one that may is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A role. Only administrators and staff can be of the whole installation (`Identity.municipality_id` None)."""

    ADMINISTRATOR = "administrator"
    STAFF = "staff"
    FACILITATOR = "facilitator"
    TEACHER = "teacher"
    MEMBER = "member"
    PARTNER_STAFF = "partner_staff"
    GUEST = "guest"
    VIEWER = "viewer"
    BOARD = "board"
    WORKER = "worker"
    PANEL = "panel"
    STRANGER = "stranger"


PERSONAL = (Kind.ADMINISTRATOR, Kind.STAFF, Kind.FACILITATOR, Kind.TEACHER, Kind.MEMBER, Kind.PARTNER_STAFF, Kind.GUEST)
"""Roles that a person signs in with, the strongest first."""


class Scope(StrEnum):
    """How far a role reaches in one action."""

    ANY = "any"
    MUNICIPALITY = "own municipality"
    GROUP = "own group"
    SELF = "oneself"
    SESSION = "the one session"
    ROOM = "the one room"


@dataclass(frozen=True, slots=True)
class Identity:
    """`subject`: account, person, board, panel or nothing; `session_id`: the one session a viewer may see.

    `room_id`: the one room a panel hangs at.
    `municipality_id` None: of the whole installation. `actions` None: whatever the role may; else nothing beyond them
    (a program's token). `person_id`: who stands behind an account or a token.
    """

    kind: Kind
    subject: str | None = None
    session_id: str | None = None
    municipality_id: str | None = None
    group_ids: frozenset[str] = frozenset()
    person_id: str | None = None
    actions: frozenset[str] | None = None
    room_id: str | None = None


STRANGER = Identity(Kind.STRANGER)


@dataclass(frozen=True, slots=True)
class Resource:
    """What an action is about. Everything None or empty: the installation itself.

    `municipality_ids` are several when cities hold a session together. `group_id`: a group, class or series.
    """

    session_id: str | None = None
    confidential: bool = False
    municipality_ids: frozenset[str] = frozenset()
    group_id: str | None = None
    person_id: str | None = None
    room_id: str | None = None


INSTALLATION = Resource()


class Action(StrEnum):
    """What can be asked of the hub. The comment says who; the table below decides."""

    SEE_PUBLIC = "see_public"  # everybody: login page, health, static files, join and live entrance
    SIGN_IN = "sign_in"  # everybody
    SIGN_OUT = "sign_out"  # whoever is signed in
    SEE_FRONT = "see_front"  # whoever is signed in: their own front page
    JOIN = "join"  # everybody who brings a code or a seat key
    SIGNAL = "signal"  # everybody who brings a join token in the hello
    SUBSCRIBE = "subscribe"  # everybody who brings a feed's secret
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
    RUN_INSTALLATION = "run_installation"  # municipalities themselves
    READ_PEOPLE = "read_people"
    CHANGE_PEOPLE = "change_people"  # people, organisations, agreements, CSV
    GRANT_ROLES = "grant_roles"
    CONFIRM_STEP = "confirm_step"  # the organisation's or person's own side of a membership step
    READ_GROUP = "read_group"
    RUN_GROUP = "run_group"  # accept requests, class codes
    ASK_TO_JOIN = "ask_to_join"
    VOUCH = "vouch"  # members of the group, for somebody they know
    LEAVE_GROUP = "leave_group"
    OWN_FEEDS = "own_feeds"  # one's own calendar addresses, also of rooms for the office
    IMPORT_CALENDAR = "import_calendar"
    SEE_OUTBOX = "see_outbox"
    READ_AUDIT = "read_audit"
    OWN_TOKENS = "own_tokens"
    READ_BOOKINGS = "read_bookings"
    BOOK = "book"  # make, change, cancel, check in, end, extend, series
    SELF_SERVICE = "self_service"  # one's own bookings and profile; the route gives nobody another person's
    READ_SERIES = "read_series"  # its dates and people; facilitators those of their groups
    RUN_SERIES = "run_series"  # make, change, cancel, choose who comes
    TAKE_PART = "take_part"  # members of the group: check the question, say what may be kept and made public
    DOOR = "door"  # at the door of an evening: names are touched
    APPROVE_BOOKINGS = "approve_bookings"
    CHANGE_RULES = "change_rules"  # limits, prices, opening hours, guest passes
    SEE_PANEL = "see_panel"  # a wall tablet: its room's day
    USE_PANEL = "use_panel"  # use the room now, check in, start and end the class, extend, report
    SEE_REPORTS = "see_reports"  # faults told at the doors, and that they are seen to
    SEE_CLASSES = "see_classes"  # lessons of the day, whose boards are ready
    RUN_CLASSES = "run_classes"  # the timetable


EVERYBODY = frozenset(Kind)

_OPEN = dict.fromkeys(Kind, Scope.ANY)
_SIGNED_IN = dict.fromkeys(PERSONAL, Scope.ANY)
_ADMINISTRATOR = {Kind.ADMINISTRATOR: Scope.MUNICIPALITY}
_OFFICE = {**_ADMINISTRATOR, Kind.STAFF: Scope.MUNICIPALITY}
_HOSTS = {Kind.FACILITATOR: Scope.GROUP, Kind.TEACHER: Scope.GROUP}
_GROUP = {**_HOSTS, Kind.MEMBER: Scope.GROUP, Kind.PARTNER_STAFF: Scope.GROUP, Kind.GUEST: Scope.GROUP}
_VIEWER = {Kind.VIEWER: Scope.SESSION}
_CITIZENS = dict.fromkeys((Kind.FACILITATOR, Kind.TEACHER, Kind.MEMBER, Kind.PARTNER_STAFF), Scope.MUNICIPALITY)
_ONESELF = dict.fromkeys((Kind.FACILITATOR, Kind.TEACHER, Kind.MEMBER, Kind.PARTNER_STAFF), Scope.SELF)

ROWS: dict[Action, dict[Kind, Scope]] = {
    Action.SEE_PUBLIC: _OPEN,
    Action.SIGN_IN: _OPEN,
    Action.JOIN: _OPEN,
    Action.SIGNAL: _OPEN,
    Action.SUBSCRIBE: _OPEN,
    Action.SIGN_OUT: {**_SIGNED_IN, Kind.VIEWER: Scope.ANY},
    Action.SEE_FRONT: {**_SIGNED_IN, Kind.VIEWER: Scope.ANY},
    Action.BOARD_JOIN: {Kind.BOARD: Scope.ANY},
    Action.FEED: {Kind.WORKER: Scope.ANY},
    Action.SEE_STATUS: {Kind.ADMINISTRATOR: Scope.ANY, Kind.STAFF: Scope.ANY, Kind.VIEWER: Scope.ANY},
    Action.READ_PLACES: {**_OFFICE, **_CITIZENS},
    Action.CHANGE_PLACES: _ADMINISTRATOR,
    Action.LIST_SESSIONS: _OFFICE,
    Action.CREATE_SESSION: _OFFICE,
    Action.RUN_SESSION: {**_OFFICE, **_HOSTS},
    Action.INVITE: {**_OFFICE, **_HOSTS},
    Action.READ_SESSION: {**_OFFICE, **_GROUP, **_VIEWER},
    Action.EXPORT: {**_OFFICE, **_HOSTS, **_VIEWER},
    Action.RUN_INSTALLATION: {Kind.ADMINISTRATOR: Scope.MUNICIPALITY},
    Action.READ_PEOPLE: {**_OFFICE, **_ONESELF},
    Action.CHANGE_PEOPLE: _OFFICE,
    Action.GRANT_ROLES: _ADMINISTRATOR,
    Action.CONFIRM_STEP: {**_OFFICE, Kind.MEMBER: Scope.MUNICIPALITY, Kind.PARTNER_STAFF: Scope.MUNICIPALITY},
    Action.READ_GROUP: {**_OFFICE, **_GROUP},
    Action.RUN_GROUP: {**_OFFICE, **_HOSTS},
    Action.ASK_TO_JOIN: {**_CITIZENS, Kind.STAFF: Scope.MUNICIPALITY, Kind.ADMINISTRATOR: Scope.MUNICIPALITY},
    Action.VOUCH: {**_HOSTS, Kind.MEMBER: Scope.GROUP, Kind.PARTNER_STAFF: Scope.GROUP},
    Action.LEAVE_GROUP: {**_HOSTS, Kind.MEMBER: Scope.GROUP, Kind.PARTNER_STAFF: Scope.GROUP},
    Action.OWN_FEEDS: {**_OFFICE, **_ONESELF},
    Action.IMPORT_CALENDAR: _OFFICE,
    Action.SEE_OUTBOX: _OFFICE,
    Action.READ_AUDIT: _ADMINISTRATOR,
    Action.OWN_TOKENS: {**_OFFICE, **_ONESELF},
    Action.READ_BOOKINGS: _OFFICE,
    Action.BOOK: _OFFICE,
    Action.SELF_SERVICE: {**_OFFICE, **_CITIZENS},
    Action.READ_SERIES: {**_OFFICE, Kind.FACILITATOR: Scope.GROUP},
    Action.RUN_SERIES: {**_OFFICE, Kind.FACILITATOR: Scope.GROUP},
    Action.TAKE_PART: _GROUP,
    Action.DOOR: {**_OFFICE, **_HOSTS},
    Action.APPROVE_BOOKINGS: _OFFICE,
    Action.CHANGE_RULES: _ADMINISTRATOR,
    Action.SEE_PANEL: {Kind.PANEL: Scope.ROOM},
    Action.USE_PANEL: {Kind.PANEL: Scope.ROOM},
    Action.SEE_REPORTS: _OFFICE,
    Action.SEE_CLASSES: {**_OFFICE, Kind.TEACHER: Scope.MUNICIPALITY},
    Action.RUN_CLASSES: _OFFICE,
}

RULES: dict[Action, frozenset[Kind]] = {action: frozenset(row) for action, row in ROWS.items()}
"""Who may at all, wherever it is: enough to tell `not for you` from `sign in`."""


def may(identity: Identity, action: Action, resource: Resource = INSTALLATION) -> bool:
    """A viewer is bound to one session; a confidential session is for administrators, its group and its own viewers.

    Nobody reaches into another municipality, and what is about the installation itself is for those who run all of it.
    """
    scope = ROWS[action].get(identity.kind)
    if scope is None:
        return False
    if RULES[action] == EVERYBODY:
        return True
    if identity.actions is not None and action not in identity.actions:
        return False
    if resource.confidential and identity.kind is Kind.STAFF:
        return False
    if scope is Scope.ANY:
        return True
    if scope is Scope.SESSION:
        return identity.session_id == resource.session_id and not (resource.confidential and action is Action.EXPORT)
    return _reaches(identity, scope, resource)


def _reaches(identity: Identity, scope: Scope, resource: Resource) -> bool:
    if identity.municipality_id is None:
        return identity.kind in {Kind.ADMINISTRATOR, Kind.STAFF}
    if identity.municipality_id not in resource.municipality_ids:
        return False
    if scope is Scope.GROUP:
        return resource.group_id is not None and resource.group_id in identity.group_ids
    if scope is Scope.ROOM:
        return resource.room_id is not None and resource.room_id == identity.room_id
    if scope is Scope.SELF:
        return resource.person_id is not None and resource.person_id == identity.person_id
    return True


def own(identity: Identity) -> Resource:
    """What the identity has around itself: for lists that give everybody their own part only."""
    home = frozenset({identity.municipality_id} if identity.municipality_id is not None else ())
    group = next(iter(sorted(identity.group_ids)), None)
    return Resource(identity.session_id, False, home, group, identity.person_id, identity.room_id)
