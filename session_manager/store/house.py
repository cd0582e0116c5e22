"""What happens at the doors of rooms and in classes: panels, their day, faults, lessons, boards looked at before."""

from __future__ import annotations

from session_manager.store.checking import Checking
from session_manager.store.classes import Classes
from session_manager.store.door_day import DoorDays
from session_manager.store.panels import Panels
from session_manager.store.reports import Reports


class House(Panels, DoorDays, Reports, Classes, Checking):
    pass
