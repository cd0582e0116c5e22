"""The settings of a hub as words of the command line; `shimawa hub` and `shimawa doctor hub` take the same ones."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_hub_flags(parser: argparse.ArgumentParser) -> None:
    """Each is None when it is not given, named as the setting is; `config` is the file."""
    parser.add_argument("--config", type=Path, help="settings file (TOML)")
    parser.add_argument("--data", type=Path, help="folder of the database, the audio log and the secrets")
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="HTTP port (8420), 0 for any")
    parser.add_argument("--public-url", help="how browsers reach this hub, e.g. https://hub.example.jp")
    parser.add_argument(
        "--media-address", action="append", dest="media_addresses", help="address clients send media to"
    )
    parser.add_argument("--media-port", type=int, help="first UDP port (8421), 0 for any")
    parser.add_argument(
        "--turn-url", action="append", dest="turn_urls", help="a relay, like turn:relay.example.jp:3478"
    )
    parser.add_argument("--turn-secret-file", type=Path, help="the secret shared with the relay (static-auth-secret)")
    parser.add_argument("--media-workers", type=int, help="one per core that media may use")
    parser.add_argument("--device", help="cpu, cuda or auto")
    parser.add_argument("--log-folder", type=Path, help="folder of the audio log when it is not data/audio")
