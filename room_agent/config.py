"""Settings of one board: a TOML file, then the environment, then flags; the later wins.

hub = "http://hub.example:8420"
token_file = "device.token"        # beside the configuration file unless absolute
state = "/var/lib/shimawa"
[devices]
microphone = "..."                 # as `python -m hardware` names them; "none" for not at all
[video]
width = 640
[spool]
hours = 48                         # sound that the hub has is kept here so long; less when the disk is short
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from room_agent.errors import CannotStart

NONE = "none"
DEFAULT_STATE = Path.home() / ".shimawa" / "board"
TOKEN_FILE = "device.token"
"""In the state folder: what `shimawa board enrol` brought."""
ENVIRONMENT = {
    "SHIMAWA_HUB": ("hub",),
    "SHIMAWA_DEVICE_TOKEN": ("token",),
    "SHIMAWA_DEVICE_TOKEN_FILE": ("token_file",),
    "SHIMAWA_STATE": ("state",),
    "SHIMAWA_STATUS_PORT": ("status_port",),
    "SHIMAWA_ECHO": ("echo",),
    "SHIMAWA_RELAY": ("relay",),
    "SHIMAWA_MICROPHONE": ("devices", "microphone"),
    "SHIMAWA_CAMERA": ("devices", "camera"),
    "SHIMAWA_SPEAKER": ("devices", "speaker"),
}


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DeviceSettings(_Section):
    """Device specifications as `hardware.devices` reads them."""

    microphone: str = "default"
    camera: str = "default"
    speaker: str = "default"


class VideoSettings(_Section):
    """Limits, not promises: a smaller camera picture is sent as it is. Rate in kilobits per second of VP8."""

    width: Annotated[int, Field(ge=160, le=1280)] = 640
    height: Annotated[int, Field(ge=90, le=720)] = 360
    fps: Annotated[int, Field(ge=1, le=30)] = 15
    kbps: Annotated[int, Field(ge=250, le=1200)] = 500


class SpoolSettings(_Section):
    """What this board keeps of its own sound until the hub has it, and for how long afterwards."""

    hours: Annotated[float, Field(gt=0, le=24 * 365)] = 48.0
    min_free_mb: Annotated[int, Field(ge=0)] = 1024
    min_free_percent: Annotated[float, Field(ge=0, le=90)] = 5.0
    """So much of the disk stays free, or `min_free_mb` where that is less."""


class BoardSettings(_Section):
    hub: str = "http://127.0.0.1:8420"
    token: str = Field(default="", repr=False)
    token_file: Path | None = None
    state: Path = DEFAULT_STATE
    status_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    audio_slots: Annotated[int, Field(ge=1, le=32)] = 8
    video_slots: Annotated[int, Field(ge=0, le=16)] = 0
    audio_kbps: Annotated[int, Field(ge=16, le=64)] = 32
    ask_every_s: Annotated[float, Field(ge=0.1, le=60)] = 5.0
    once: bool = False
    echo: Literal["auto", "on", "off"] = "auto"
    """The echo canceller of this program; off for a board whose own works. `auto`: on between real devices."""
    relay: Literal["auto", "only", "off"] = "auto"
    """The hub's relay (TURN). `auto`: once the direct way was tried in vain; `only`: never directly."""
    devices: DeviceSettings = DeviceSettings()
    video: VideoSettings = VideoSettings()
    spool: SpoolSettings = SpoolSettings()

    @field_validator("hub")
    @classmethod
    def _http_address(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")


def _merge(into: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    for name in path[:-1]:
        into = into.setdefault(name, {})
    into[path[-1]] = value


def _from_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CannotStart(f"The configuration file {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CannotStart(f"The configuration file {path} is not TOML: {error}.") from error
    if isinstance(values.get("token_file"), str):
        values["token_file"] = str(path.parent / values["token_file"])
    return values


def _token(settings: BoardSettings) -> str:
    enrolled = settings.state / TOKEN_FILE
    file = settings.token_file or (enrolled if enrolled.is_file() else None)
    if settings.token or file is None:
        return settings.token.strip()
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotStart(f"The device token file {file} cannot be read.") from error


def load(
    file: Path | None, environment: Mapping[str, str], flags: Mapping[tuple[str, ...], object | None]
) -> BoardSettings:
    """Settings with the device token in `token`; flags that are None were not given. Raises `CannotStart`."""
    values = _from_file(file) if file is not None else {}
    for variable, path in ENVIRONMENT.items():
        if environment.get(variable):
            _merge(values, path, environment[variable])
    for path, value in flags.items():
        if value is not None:
            _merge(values, path, value)
    try:
        settings = BoardSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        why = first["msg"].removeprefix("Value error, ")
        raise CannotStart(f"The setting “{where}” is not right: {why}.") from error
    token = _token(settings)
    if not token:
        raise CannotStart(
            "This board has no device token. Get one: shimawa board enrol --hub, with the address of the hub."
        )
    return settings.model_copy(update={"token": token})
