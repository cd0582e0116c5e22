"""`shimawa admin`: accounts and boards, on the hub's own machine; a hub may be running beside it."""

from __future__ import annotations

import argparse
import getpass
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from session_manager import admin_backup, admin_mail
from session_manager.errors import NotPossible, SessionManagerError
from session_manager.passwords import MIN_LENGTH
from session_manager.records import Facility, Room
from session_manager.settings import load_settings
from session_manager.store import Store


def add_arguments(subparsers: Any) -> None:
    """`subparsers`: what `add_subparsers` gave; adds `admin` with everything below it."""
    parser = subparsers.add_parser("admin", prog="shimawa admin", help="accounts, boards, letters that come in, backup")
    parser.add_argument("--data", type=Path, help="the hub's data folder")
    parts = parser.add_subparsers(dest="admin_part", required=True, metavar="PART")

    create = parts.add_parser("create", help="make an account that can sign in")
    create.add_argument("name")
    create.add_argument("--role", choices=("administrator", "staff"), default="administrator")
    _password_arguments(create)
    create.set_defaults(act=_create)

    parts.add_parser("list", help="list accounts").set_defaults(act=_list)

    reset = parts.add_parser("reset-password", help="give an account a new password and sign it out everywhere")
    reset.add_argument("name")
    _password_arguments(reset)
    reset.set_defaults(act=_reset)

    admin_backup.add_arguments(parts)
    admin_mail.add_arguments(parts)

    board = parts.add_parser("board", help="enrol and list boards").add_subparsers(dest="board_part", required=True)
    enrol = board.add_parser("add", help="enrol a board; its facility and room are made when they are new")
    enrol.add_argument("name")
    enrol.add_argument("--facility", required=True)
    enrol.add_argument("--room", required=True)
    enrol.add_argument("--timezone", default="Asia/Tokyo", help="of a new facility (Asia/Tokyo)")
    enrol.set_defaults(act=_add_board)
    board.add_parser("list", help="list boards").set_defaults(act=_list_boards)


def run(arguments: argparse.Namespace) -> int:
    """The exit code. Secrets go to standard output, sentences about failures to standard error."""
    try:
        if "alone" in arguments:
            arguments.alone(arguments)
            return 0
        act: Callable[[Store, argparse.Namespace], int | None] = arguments.act
        store = Store.open(load_settings(None, data=arguments.data).records)
        try:
            return act(store, arguments) or 0
        finally:
            store.close()
    except SessionManagerError as error:
        print(f"shimawa admin: {error}", file=sys.stderr)  # noqa: T201
        return arguments.trouble if "trouble" in arguments else 2


def _create(store: Store, arguments: argparse.Namespace) -> None:
    account = store.add_account(arguments.name, _password(arguments), arguments.role)
    _say(f"{account.name} can sign in now ({account.role}).")


def _list(store: Store, _arguments: argparse.Namespace) -> None:
    for account in store.accounts():
        _say(f"{account.name}\t{account.role}")


def _reset(store: Store, arguments: argparse.Namespace) -> None:
    store.change_password(arguments.name, _password(arguments))
    _say("The password is changed; every browser of this account is signed out.")


def _add_board(store: Store, arguments: argparse.Namespace) -> None:
    facility = _facility(store, arguments.facility, arguments.timezone)
    made = store.add_board(_room(store, facility, arguments.room).room_id, arguments.name, time.time())
    _say("The board's device token, shown this once:")
    _say(made.device_token)


def _list_boards(store: Store, _arguments: argparse.Namespace) -> None:
    facilities = {one.facility_id: one.name for one in store.facilities()}
    rooms = {one.room_id: (facilities[one.facility_id], one.name) for one in store.rooms()}
    for board in store.boards():
        seen = (
            "never seen" if board.last_seen_at is None else time.strftime("%F %T", time.localtime(board.last_seen_at))
        )
        _say("\t".join((board.board_id, *rooms[board.room_id], board.name, seen)))


def _facility(store: Store, name: str, timezone: str) -> Facility:
    known = [one for one in store.facilities() if one.name == name]
    return known[0] if known else store.add_facility(name, timezone)


def _room(store: Store, facility: Facility, name: str) -> Room:
    known = [one for one in store.rooms() if one.name == name and one.facility_id == facility.facility_id]
    return known[0] if known else store.add_room(facility.facility_id, name)


def _password_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--password-stdin", action="store_true", help="read the password from the first line of stdin")


def _password(arguments: argparse.Namespace) -> str:
    """Never an argument: those are seen in the list of processes."""
    if arguments.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise NotPossible("There is no terminal to ask for the password. Use --password-stdin.")
    first = getpass.getpass(f"Password (at least {MIN_LENGTH} characters): ")
    if getpass.getpass("Once more: ") != first:
        raise NotPossible("These two are not the same. Nothing was changed.")
    return first


def _say(text: str) -> None:
    print(text)  # noqa: T201
