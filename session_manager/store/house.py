"""What happens at the doors of rooms: panels, their day, what is reported there."""

from __future__ import annotations

from session_manager.store.door_day import DoorDays
from session_manager.store.panels import Panels
from session_manager.store.reports import Reports


class House(Panels, DoorDays, Reports):
    pass
