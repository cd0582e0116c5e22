"""What a hub can be told. Order: default, file (TOML), environment (`SHIMAWA_...`), command line."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from session_manager.errors import StartFailed
from session_manager.openid import OpenIdProvider
from signaling.relay import Relay

DATABASE = "shimawa.db"
Port = Annotated[int, Field(ge=0, le=65_535)]


class HubSettings(BaseModel):
    """Defaults serve one machine that stands alone on an island."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Path("data")
    """Folder of the database, the audio log and the secrets."""
    database: str = Field(default="", repr=False, pattern=r"^(postgres(ql)?(\+psycopg)?://.*)?$")
    """Address of the records when they are in PostgreSQL: `postgresql://shimawa@/shimawa?host=/run/postgresql`."""
    host: str = "127.0.0.1"
    port: Port = 8420
    public_url: str = ""
    """How browsers reach the hub; empty: http://host:port. Cookies are Secure when it begins with https."""
    media_addresses: tuple[str, ...] = ("127.0.0.1",)
    """Addresses that clients can send media to, IPv4 and IPv6."""
    media_port: Port = 8421
    """First UDP port; worker n takes media_port + n. 0: any free one."""
    media_workers: Annotated[int, Field(ge=1, le=64)] = 1
    model: str = "small"
    """Recogniser: `fixture`, a folder, a model name that is already on this machine, or `none`."""
    device: str = "auto"
    compute: str = "int8"
    transcription_workers: Annotated[int, Field(ge=0, le=16)] = 1
    worker_token: str = Field(default="", repr=False)
    """For workers on other machines; empty: made anew at each start and known to the local ones only."""
    languages: tuple[str, ...] = ("ja", "en")
    uplink_kbps: Annotated[int, Field(ge=64)] | None = None
    """What this machine's own line can send for media in all; empty: no limit is known."""
    site_kbps: dict[str, Annotated[int, Field(ge=32)]] = {}
    """What the cable of a site carries each way, by site id: a table `[site_kbps]` in the file."""
    turn_urls: tuple[str, ...] = ()
    """A relay for who cannot reach the media port: `turn:relay.example.jp:3478`. It needs `turn_secret_file`."""
    turn_secret_file: Path | None = None
    """The secret shared with the relay (coturn: `static-auth-secret`)."""
    test_door: bool = False
    smtp_host: str = ""
    """Mail server for notices and sign-in links; empty: letters wait in the outbox."""
    smtp_port: Port = 587
    smtp_tls: Literal["tls", "starttls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: str = Field(default="", repr=False)
    mail_from: str = ""
    """Sender's address, like `島話 <shimawa@example.jp>`."""
    calendar_hosts: tuple[str, ...] = ()
    """Hosts from which calendars may be read; `private:host:port` for one in the house's own network."""
    webhook_hosts: tuple[str, ...] = ()
    """Hosts of the house's own network that webhooks may go to, as `private:host:port`; all others need https."""
    openid: tuple[OpenIdProvider, ...] = ()
    """Other houses' sign-in: name, issuer, client_id, client_secret, municipality_id."""
    log_folder: Path | None = None
    """Folder of the audio log when it is not `data/audio`."""

    @property
    def records(self) -> str | Path:
        """Where the store is, for `Store.open`."""
        return self.database or self.data / DATABASE

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url.rstrip("/") or f"http://{host}:{self.port}"


def relay_of(settings: HubSettings) -> Relay | None:
    """Raises StartFailed when only half of it is set."""
    if not settings.turn_urls and settings.turn_secret_file is None:
        return None
    if not settings.turn_urls or settings.turn_secret_file is None:
        raise StartFailed("A relay needs both: its address (--turn-url) and its secret (--turn-secret-file).")
    if not all(url.startswith(("turn:", "turns:")) for url in settings.turn_urls):
        raise StartFailed("The address of a relay looks like turn:relay.example.jp:3478.")
    try:
        secret = settings.turn_secret_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StartFailed(f"The relay's secret {settings.turn_secret_file} cannot be read.") from error
    if not secret:
        raise StartFailed(f"The relay's secret {settings.turn_secret_file} is empty.")
    return Relay(settings.turn_urls, secret)


def _from_environment(name: str, text: str) -> object:
    """Lists as `a,b`, tables as `a=1,b=2`."""
    if name in ("media_addresses", "languages", "calendar_hosts", "webhook_hosts", "turn_urls"):
        return tuple(text.split(","))
    if name == "site_kbps":
        pairs = (part.partition("=") for part in text.split(",") if part)
        return {key.strip(): value.strip() for key, _, value in pairs}
    return text


def load_settings(path: Path | None, environment: Mapping[str, str] = os.environ, **given: object) -> HubSettings:
    """`given`: from the command line, None meaning not given. Raises StartFailed with a sentence for each mistake."""
    values: dict[str, object] = {}
    if path is not None:
        try:
            values.update(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise StartFailed(f"The settings file {path} cannot be read: {error}") from error
    for name in HubSettings.model_fields:
        text = environment.get(f"SHIMAWA_{name.upper()}")
        if text is not None:
            values[name] = _from_environment(name, text)
    values.update({name: value for name, value in given.items() if value is not None})
    try:
        return HubSettings.model_validate(values)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise StartFailed(f"These settings are not right: {wrong}") from error
