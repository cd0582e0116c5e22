"""`shimawa doctor hub`: the table of what is looked at on a hub's machine. Nothing is changed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from signaling.examining import folders, packages
from signaling.examining.findings import Finding, well
from signaling.examining.rows import Examination, refused, report

if TYPE_CHECKING:
    from session_manager.settings import HubSettings


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    lacking = [one for one in packages.look("hub", sys.platform) if one.level == "wrong"]
    try:
        if not lacking:
            return _looked(given)
    except ImportError as error:
        lacking = [packages.broken(error, "hub")]
    row = Examination("packages", "the packages", lambda: lacking)  # without them nothing else can be looked at
    return report([row], as_json=given.json, out=sys.stdout, terminal=sys.stderr)


def _looked(given: argparse.Namespace) -> int:
    from session_manager.errors import StartFailed
    from session_manager.settings import load_settings

    other = ("config", "json", "models", "tracks")
    named = {name: value for name, value in vars(given).items() if name not in other}
    try:
        settings = load_settings(given.config, **named)
    except StartFailed as error:
        return refused("settings", error, as_json=given.json)
    rows = examinations(settings, given.config, tuple(given.models or ()), given.tracks)
    return report(rows, as_json=given.json, out=sys.stdout, terminal=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    from session_manager.flags import add_hub_flags

    parser = argparse.ArgumentParser(
        prog="shimawa doctor hub",
        description="Examine the machine of a hub. Give what you give to `shimawa hub`. Nothing is changed.",
    )
    add_hub_flags(parser)
    parser.add_argument(
        "--model",
        nargs="+",
        action="extend",
        dest="models",
        metavar="DIR",
        help="measure these recognisers, besides the one that is set, and recommend one",
    )
    parser.add_argument("--tracks", type=_count, default=2, metavar="N", help="rooms that talk at once (2)")
    parser.add_argument("--json", action="store_true", help="print a JSON list of findings")
    return parser


def _count(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError("give a number of rooms, 1 to 100")
    return int(text)


def examinations(
    settings: HubSettings, config: Path | None, models: tuple[str, ...] = (), tracks: int = 2
) -> list[Examination]:
    """In the order of reading: what everything stands on first, what takes longest last."""
    from session_manager import doctor_house as house
    from session_manager import doctor_network as network
    from session_manager.doctor_speech import Speech

    data = settings.data
    rows = [
        Examination("packages", "the packages", partial(packages.look, "hub", sys.platform)),
        Examination("settings", "the settings", partial(_settings, settings, config)),
        Examination("data_folder", "the data folder", partial(folders.look_at_folder, "data", data, "The data folder")),
        Examination("disk", "the disk", partial(house.look_at_room, settings)),
        Examination("writes", "how fast the disk writes", partial(folders.look_at_writes, "writes", data)),
        Examination("database", "the database", partial(house.look_at_database, settings)),
        Examination("pages", "the port of the pages", partial(network.look_at_pages, settings)),
        Examination("media", "the ports for sound and picture", partial(network.look_at_media, settings)),
        Examination("address", "how browsers come here", partial(network.look_at_address, settings)),
        Examination("mail", "the mail server", partial(network.look_at_mail, settings)),
        Examination("relay", "the relay", partial(network.look_at_relay, settings)),
        Examination("clock", "the clock", house.look_at_clock),
        Examination("machine", "memory and cores", house.look_at_machine),
    ]
    return rows + Speech(settings, models, tracks).examinations()


def _settings(settings: HubSettings, config: Path | None) -> Iterator[Finding]:
    where = f"The settings in {config}" if config else "The settings"
    public = f", opened as {settings.public_url}" if settings.public_url else ""
    yield well("settings", f"{where} can be read: the pages are on {settings.host}, port {settings.port}{public}.")
    if config is not None and (settings.smtp_password or settings.worker_token or settings.openid):
        yield from folders.privacy("settings_private", config, "The settings file with a password")
