"""How a device is written in a setting, and a row of the device list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["microphone", "speaker", "camera"]


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """One row of the list. `spec` opens it; `api` is the system's way to it (ALSA, WASAPI, ...)."""

    kind: Kind
    spec: str
    name: str
    api: str
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Spec:
    """`driver`: what stands before the first colon; `key` and `value`: the rest, split at the first `=`."""

    driver: str
    key: str = ""
    value: str = ""

    @property
    def rest(self) -> str:
        return f"{self.key}={self.value}" if self.value else self.key


def parse_spec(text: str) -> Spec:
    driver, _, rest = text.strip().partition(":")
    key, _, value = rest.partition("=")
    return Spec(driver.lower(), key, value)


def is_simulated(spec: str) -> bool:
    return parse_spec(spec).driver in {"sim", "none"}
