"""`shimawa admin mail-in`: one letter on standard input, as a mail server's pipe hands it over.

The codes are those of sysexits.h: 0 read (or nothing for us, so that nobody gets a bounce), 75 try again later.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from session_manager import ical
from session_manager.attendance import replies_of
from session_manager.errors import NotPossible
from session_manager.mail import MAX_BYTES, calendar_in
from session_manager.store import Store

TRY_AGAIN = 75


def add_arguments(parts: Any) -> None:
    reading = parts.add_parser("mail-in", help="read an answer to an invitation from standard input")
    reading.set_defaults(act=read_letter, trouble=TRY_AGAIN)


def read_letter(store: Store, _arguments: argparse.Namespace) -> None:
    """What is no answer of somebody who was invited is said and passed over."""
    try:
        sender, text = calendar_in(sys.stdin.buffer.read(MAX_BYTES + 1))
        replies = replies_of(ical.parse(text), sender)
    except NotPossible as error:
        _say(f"Passed over: {error}")
        return
    taken = sum(store.take_reply(one) for one in replies)
    _say(f"{taken} of {len(replies)} answers taken.")


def _say(text: str) -> None:
    print(text)  # noqa: T201
