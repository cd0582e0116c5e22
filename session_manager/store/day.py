"""The facility's day: what can be booked, bookings, who came, series, what pages show of it, days without boats."""

from __future__ import annotations

from session_manager.store.asking import Asking
from session_manager.store.attending import Attending
from session_manager.store.bookings import Bookings
from session_manager.store.crossings import Crossings
from session_manager.store.directories import Directories
from session_manager.store.enrolments import Enrolments
from session_manager.store.months import Months
from session_manager.store.mornings import Mornings
from session_manager.store.recurring import Recurring
from session_manager.store.sailing import Sailings
from session_manager.store.venues import Venues
from session_manager.store.weeks import Weeks


class Day(
    Venues,
    Bookings,
    Attending,
    Recurring,
    Weeks,
    Asking,
    Sailings,
    Crossings,
    Directories,
    Enrolments,
    Mornings,
    Months,
):
    pass
