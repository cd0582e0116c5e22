"""Errors of the hardware package.

HardwareError
├── DeviceMissing     no such device, or none of that kind at all
├── DeviceBusy        somebody else holds it, or it refuses the format
├── DeviceLost        it was open and is gone
└── SourceUnreadable  a simulated device was given a file that is not sound or picture
"""

from __future__ import annotations

from typing import ClassVar


class HardwareError(Exception):
    """`str()` is one sentence that a person at the board understands and can act on.

    `code` never changes: a page translates by it.
    """

    code: ClassVar[str] = "hardware"


class DeviceMissing(HardwareError):
    code: ClassVar[str] = "device_missing"


class DeviceBusy(HardwareError):
    code: ClassVar[str] = "device_busy"


class DeviceLost(HardwareError):
    code: ClassVar[str] = "device_lost"


class SourceUnreadable(HardwareError):
    code: ClassVar[str] = "source_unreadable"
