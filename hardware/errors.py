"""Errors of the hardware package.

HardwareError
├── DeviceMissing     no such device, or none of that kind at all
├── DeviceBusy        somebody else holds it, or it refuses the format
├── DeviceLost        it was open and is gone
└── SourceUnreadable  a simulated device was given a file that is not sound or picture
"""

from __future__ import annotations


class HardwareError(Exception):
    """`str()` is one sentence that a person at the board understands and can act on."""


class DeviceMissing(HardwareError): ...


class DeviceBusy(HardwareError): ...


class DeviceLost(HardwareError): ...


class SourceUnreadable(HardwareError): ...
