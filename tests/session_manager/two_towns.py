"""Two towns on one installation, each with one of everything, and everybody who may try a door.

What a town owns carries its mark in every name, so that an answer to the other town that holds the mark is a leak.
`ids` are by the name that a route's path, query or body gives them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

import httpx

from session_manager.booking_records import Booking, NewBooking, NewPlace, NewSeries, Series, Wanted
from session_manager.enrolment import NewCircle
from session_manager.evening_records import NewItem
from session_manager.membership import Level
from session_manager.notices import Letter
from session_manager.opening import ALWAYS
from session_manager.pricing import Holder
from session_manager.schedule import Wall
from session_manager.store import Store
from session_manager.web.security import CSRF_COOKIE, LOGIN_COOKIE, PANEL_COOKIE, VIEW_COOKIE, csrf_token
from tests.session_manager.hall import NOW, PASSWORD, SECRET, Web
from tests.session_manager.house import MONDAY, ZONE

Headers = Mapping[str, str]


@dataclass
class Town:
    """`letters`: its mark as an address may hold it."""

    mark: str
    letters: str
    ids: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    """Secrets that were given out: board, feed, class, view, token, program."""


def cookie_headers(login: str) -> Headers:
    return {
        "Cookie": f"{LOGIN_COOKIE}={login}; {CSRF_COOKIE}={csrf_token(SECRET, login)}",
        "X-CSRF-Token": csrf_token(SECRET, login),
    }


def panel_headers(cookie: str) -> Headers:
    return {"Cookie": f"{PANEL_COOKIE}={cookie}", "X-CSRF-Token": csrf_token(SECRET, cookie)}


def bearer_headers(token: str) -> Headers:
    return {"Authorization": f"Bearer {token}"}


def settle(store: Store, mark: str, letters: str, first: datetime = MONDAY, now: float = NOW) -> Town:
    """One of everything; `first`: the local time from which things are booked."""
    town = Town(mark, letters)
    home = store.add_home(f"{mark}市", ZONE, now).municipality_id
    town.ids |= {"municipality_id": home, "home_id": home}
    _house(store, town, now)
    _people(store, town, now)
    _group(store, town, now)
    _bookings(store, town, first, now)
    _doors(store, town, now)
    return town


def _house(store: Store, town: Town, now: float) -> None:
    mark, ids = town.mark, town.ids
    facility = store.add_facility(f"{mark}館", ZONE, ids["municipality_id"]).facility_id
    store.set_opening(facility, ALWAYS)
    room = store.add_place(NewPlace(facility, "room", f"{mark}室", capacity=20), now).place_id
    area = store.add_place(NewPlace(facility, "area", f"{mark}階", capacity=20), now).place_id
    board = store.add_board(room, f"{mark}盤", now)
    ids |= {"facility_id": facility, "place_id": room, "room_id": room, "part_of": area}
    panel = store.add_panel(ids["municipality_id"], room, f"{mark}口", NOW)
    fault = store.report_fault(panel.panel, "sound", "x", NOW)
    ids |= {"board_id": board.board.board_id, "panel_id": panel.panel.panel_id, "report_id": fault.report_id}
    town.keys["panel"] = store.open_panel(panel.key, NOW) or ""
    town.keys["board"] = board.device_token


def _people(store: Store, town: Town, now: float) -> None:
    mark, home, ids = town.mark, town.ids["municipality_id"], town.ids
    person = store.register_person(home, f"{mark}人", now, mail=f"a@{town.letters}.example").person_id
    friend = store.register_person(home, f"{mark}友", now, mail=f"b@{town.letters}.example").person_id
    organisation = store.add_organisation(home, f"{mark}社", now).organisation_id
    store.affiliate(home, person, organisation, now)
    store.set_ladder(home, [Level(1, f"{mark}段", benefits=("telework_free",)), Level(2, f"{mark}上段")])
    membership = store.add_membership(home, now, organisation_id=organisation).membership_id
    store.add_agreement(home, organisation, f"{mark}続", date(2026, 4, 1), None)
    store.issue_organisation_code(home, organisation, f"{town.letters:a>64}", 9, now + 9e6, now)
    entered = store.enter_organisation(f"{town.letters:a>64}", f"{mark}勤", None, now, 9e6)
    assert entered is not None
    ids["login_id"] = store.organisation_logins(home, organisation, now)[0].login_id
    step = store.propose_step(home, membership, 1, f"{mark}由", now).step_id
    ids["agreement_id"] = store.add_agreement(home, organisation, f"{mark}協定", date(2026, 4, 1), None).agreement_id
    grant = store.grant(home, friend, "teacher", now).grant_id
    ids |= {"person_id": person, "member_id": person, "friend_id": friend, "organisation_id": organisation}
    ids |= {"membership_id": membership, "step_id": step, "grant_id": grant}
    account = store.add_account(f"{town.letters}-office", PASSWORD, "administrator").account_id
    store.bind_account(account, home)
    staff = store.add_account(f"{town.letters}-desk", PASSWORD, "staff").account_id
    store.bind_account(staff, home)
    ids |= {"account_id": account, "staff_id": staff}
    store.post(Letter.login(f"{town.letters}-cause", "https://hub.example/login#code").to(
        f"a@{town.letters}.example", "ja", home), now)  # fmt: skip
    ids["notice_id"] = store.outbox(home)[0].notice_id


def _group(store: Store, town: Town, now: float) -> None:
    home, ids = town.ids["municipality_id"], town.ids
    group = store.add_group(home, f"{town.mark}会", now).group_id
    store.put_in_group(home, group, ids["person_id"], "facilitator", now)
    asked = store.ask_to_join(home, group, ids["friend_id"], ids["person_id"], f"{town.mark}願", now)
    code = store.add_class_code(home, group, f"{town.letters:0>64}", 9, now + 9e6)
    login = store.enter_class(f"{town.letters:0>64}", f"{town.mark}生", now, 9e6)
    assert login is not None
    town.keys["pupil"] = login
    ids |= {"group_id": group, "request_id": asked.request_id, "class_code_id": code.class_code_id}


def _bookings(store: Store, town: Town, first: datetime, now: float) -> None:
    home, ids = town.ids["municipality_id"], town.ids

    def wish(hours: int, kind: Any = "dialogue") -> NewBooking:
        starts = first + timedelta(hours=hours)
        time = Wall(starts, starts + timedelta(hours=1), ZONE)
        holder = Holder(ids["person_id"], "office")
        return NewBooking(f"{town.mark}席", kind, time, (Wanted(ids["room_id"]),), holder, municipality_id=home)

    made = store.book(wish(1), now)
    assert isinstance(made, Booking), made
    assert made.session_id is not None
    evenings = store.book_series(NewSeries(wish(3, "plain"), "FREQ=WEEKLY;COUNT=3"), now)
    assert isinstance(evenings, Series), evenings
    session = made.session_id
    store.bind_session(session, home, ids["group_id"])
    code = store.add_invitation(session, "observer", now + 9e6, None).code
    town.keys |= {"view": store.open_view(session, now, 9e6), "invitation": code}
    ids |= {"booking_id": made.booking_id, "session_id": session, "series_id": evenings.series_id, "position": "0"}
    store.set_circle(evenings.series_id, NewCircle(ids["group_id"]), NOW)
    said = NewItem("quote", f"{town.mark}声", ids["person_id"])
    item = store.add_item(made.booking_id, said, ids["person_id"], NOW)
    ids |= {"evening_id": made.booking_id, "item_id": item.item_id}
    ids |= {"owner_id": ids["person_id"], "remote_id": ids["person_id"]}


def _doors(store: Store, town: Town, now: float) -> None:
    home, ids, keys = town.ids["municipality_id"], town.ids, town.keys
    feed = store.add_feed(home, "person", ids["person_id"], now)
    room_feed = store.add_feed(home, "room", ids["room_id"], now)
    ids |= {"feed_id": feed.identifier, "source": f"{town.letters}-source", "secret": feed.secret}
    keys |= {"feed": feed.secret, "room_feed": room_feed.secret}
    entry = {"uid": "u", "title": f"{town.mark}他", "recurrence": ""}
    store.put_imported(home, f"{town.letters}-source", [entry], now)
    hook = store.add_webhook(home, f"https://{town.letters}.example/hook", ["booking.*"], now)
    program = store.add_token(f"{town.mark}機", actions(), now, now + 9e6, account_id=ids["account_id"])
    token = store.add_token(f"{town.mark}鍵", actions(), now, now + 9e6, person_id=ids["person_id"])
    ids |= {"token_id": program.identifier, "webhook_id": hook.webhook_id}
    keys |= {"program": program.secret, "token": token.secret}


def actions() -> list[str]:
    from session_manager.access import Action

    return [one.value for one in Action]


@dataclass
class World:
    """`iki` is what is tried; `naha` is where those who try come from."""

    web: Web
    iki: Town
    naha: Town
    addresses: Iterator[str]

    @classmethod
    def over(cls, web: Web) -> World:
        addresses = (f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}" for number in count(1))
        towns = settle(web.store, "壱岐秘", "ikihimitsu"), settle(web.store, "那覇秘", "nahahimitsu")
        return cls(web, *towns, addresses)

    def login(self, town: Town, who: str, ttl: float = 9e6) -> Headers:
        """`who`: account_id, staff_id (an office), person_id, friend_id."""
        if who in {"account_id", "staff_id"}:
            return cookie_headers(self.web.store.open_login(town.ids[who], NOW, ttl))
        return cookie_headers(self.web.store.open_person_login(town.ids[who], NOW, ttl))

    def neighbours(self) -> dict[str, Headers]:
        """Everybody of the other town, as strong as they come."""
        town = self.naha
        view = f"{VIEW_COOKIE}_{town.ids['session_id']}={town.keys['view']}"
        return {
            "the other town's administrator": self.login(town, "account_id"),
            "the other town's staff": self.login(town, "staff_id"),
            "the other town's facilitator": self.login(town, "person_id"),
            "the other town's teacher": self.login(town, "friend_id"),
            "the other town's pupil": cookie_headers(town.keys["pupil"]),
            "the other town's program": bearer_headers(town.keys["program"]),
            "a token of the other town's person": bearer_headers(town.keys["token"]),
            "the other town's board": bearer_headers(town.keys["board"]),
            "the other town's panel": panel_headers(town.keys["panel"]),
            "a viewer of the other town's session": {
                "Cookie": f"{view}; {VIEW_COOKIE}_{self.iki.ids['session_id']}={town.keys['view']}"
            },
        }

    def too_late(self) -> dict[str, Headers]:
        """Those of the town itself whose key is over. The clock must not be moved for it."""
        store, town = self.web.store, self.iki
        ended = store.add_token("古", actions(), NOW - 9, NOW - 1, account_id=town.ids["account_id"])
        taken = store.add_token("返", actions(), NOW, NOW + 9e6, account_id=town.ids["account_id"])
        store.revoke_token(taken.identifier, NOW, person_id=None, account_id=town.ids["account_id"])
        view = store.open_view(town.ids["session_id"], NOW - 9, 1)
        return {
            "an administrator whose login is over": self.login(town, "account_id", -1),
            "a person whose login is over": self.login(town, "person_id", -1),
            "a program whose token is over": bearer_headers(ended.secret),
            "a program whose token was taken back": bearer_headers(taken.secret),
            "a viewer whose time is over": {"Cookie": f"{VIEW_COOKIE}_{town.ids['session_id']}={view}"},
            "somebody with a made-up login": cookie_headers("x" * 43),
            "somebody with a made-up token": bearer_headers("shi_" + "x" * 43),
            "a board that nobody knows": bearer_headers("x" * 43),
        }

    async def ask(self, method: str, path: str, headers: Headers, **more: Any) -> httpx.Response:
        """From an address of its own: what slows guessing down is tried elsewhere."""
        async with self.web.browser(address=next(self.addresses)) as browser:
            return await browser.request(method, path, headers=dict(headers), **more)

    def leaked(self, answer: httpx.Response) -> list[str]:
        """What of the tried town stands in an answer."""
        secrets = [value for name, value in self.iki.keys.items() if len(value) > 20]
        return [one for one in (self.iki.mark, self.iki.letters, *secrets) if one in answer.text]
