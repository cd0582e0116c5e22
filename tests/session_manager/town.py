"""A town with rooms to book in the browser: open every day, in a week that has not begun, whatever today is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from session_manager.booking_records import Booking, NewBooking, NewPlace, Place, Wanted
from session_manager.opening import Hours, Opening
from session_manager.pricing import Holder
from session_manager.schedule import Wall
from session_manager.web.context import LOGIN_COOKIE
from session_manager.web.security import CSRF_COOKIE, csrf_token
from tests.session_manager.site import SECRET, Site

ZONE = "Asia/Tokyo"
LONG_NAME = "勝本・郷ノ浦・芦辺・石田 合同セミナールーム（二階東側）" + "長" * 20


@dataclass
class Town:
    site: Site
    facility_id: str
    monday: date
    big: Place
    small: Place
    hall: Place

    def wall(self, hours: float, length: float = 1.0, day: int = 0) -> Wall:
        """`hours` o'clock on a day of that week."""
        starts = datetime.combine(self.monday, datetime.min.time()) + timedelta(days=day, hours=hours)
        return Wall(starts, starts + timedelta(hours=length), ZONE)

    def book(self, hours: float, *places: Place, length: float = 1.0, day: int = 0, **more: object) -> Booking:
        wanted = tuple(Wanted(one.place_id) for one in places or (self.big,))
        values = {"title": "朝の打合せ", "kind": "plain", "time": self.wall(hours, length, day), **more}
        made = self.site.store.book(NewBooking(**values, places=wanted), time.time())  # type: ignore[arg-type]
        assert isinstance(made, Booking), made
        return made

    def all(self) -> list[Booking]:
        return self.site.store.bookings(0, 2**40, municipality_id="default")

    def citizen(self, name: str = "参加者1") -> tuple[str, list[dict[str, str]]]:
        """Their identifier and the cookies that they are signed in by."""
        store = self.site.store
        person = store.register_person("default", name, time.time())
        login = store.open_person_login(person.person_id, time.time(), 3600)
        cookies = [(LOGIN_COOKIE, login), (CSRF_COOKIE, csrf_token(SECRET, login))]
        return person.person_id, [{"name": key, "value": value, "url": self.site.url} for key, value in cookies]

    @property
    def week(self) -> str:
        return f"{self.site.url}/week?first={self.monday}"


def settle(site: Site) -> Town:
    facility_id = site.store.add_facility("壱岐", ZONE).facility_id
    site.store.set_opening(facility_id, Opening(((Hours(540, 1260),),) * 7, None))
    now = time.time()

    def room(name: str, capacity: int, **more: object) -> Place:
        return site.store.add_place(NewPlace(facility_id, "room", name, capacity, **more), now)  # type: ignore[arg-type]

    today = date.today()
    monday = today + timedelta(days=7 - today.weekday())
    return Town(
        site, facility_id, monday, room("大会議室", 20), room("小会議室", 8), room("ホール", 99, needs_approval=True)
    )


def holder(person_id: str) -> Holder:
    return Holder(person_id, "member")
