"""The facility's day: what can be booked, bookings, who came, series."""

from __future__ import annotations

from session_manager.store.attending import Attending
from session_manager.store.bookings import Bookings
from session_manager.store.recurring import Recurring
from session_manager.store.venues import Venues


class Day(Venues, Bookings, Attending, Recurring):
    pass
