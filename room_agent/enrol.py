"""`shimawa board enrol --hub URL`: this board shows a code, an administrator types it, and the board keeps its key.

The key goes into `device.token` in the board's state folder, where `shimawa board` looks for it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from room_agent.config import DEFAULT_STATE, TOKEN_FILE
from room_agent.errors import CannotStart

TIMEOUT_S = 10.0
NO_HUB = "The hub does not answer; check its address and the network of this board."


class Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    user_code: str
    device_code: str = Field(repr=False)
    interval_s: float = 3.0
    expires_s: float = 900.0


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    state: str
    name: str = ""
    device_token: str = Field(default="", repr=False)


def enrol(hub: str, state: Path, show: Callable[[str], None], wait: Callable[[float], None] = time.sleep) -> str:
    """The board's name, once somebody has taken it in. Raises CannotStart: no hub, code over, folder not writable."""
    with httpx.Client(base_url=hub.rstrip("/"), timeout=TIMEOUT_S, trust_env=False) as http:
        asked = Asked.model_validate_json(_post(http, "/api/boards/enrol", {}).content)
        show(large(asked.user_code))
        show("この番号を、管理者のページ「準備」で入れてください。 Type this code on the administrator's set-up page.")
        for _ in range(int(asked.expires_s / max(asked.interval_s, 0.01)) + 1):
            wait(asked.interval_s)
            answer = _post(http, "/api/boards/enrol/token", {"device_code": asked.device_code})
            found = Answer.model_validate_json(answer.content)
            if found.state == "enrolled":
                keep(state, found.device_token)
                return found.name
    raise CannotStart("Nobody typed the code in time. Start again for a new one.")


def keep(state: Path, token: str) -> None:
    """For this user only, whole or not at all."""
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = state / f"{TOKEN_FILE}.new"
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token + "\n")
        fresh.replace(state / TOKEN_FILE)
    except OSError as error:
        raise CannotStart(f"The key cannot be kept in {state}: {error.strerror}.") from error


def large(code: str) -> str:
    """In a frame, spaced and in wide letters, to be read from across a room."""
    wide = "　".join(_wide(letter) for letter in code)
    rule = "＝" * (len(wide) + 4)
    return f"\n{rule}\n\n　　{wide}\n\n{rule}\n{code}\n"


def _wide(letter: str) -> str:
    found = chr(ord(letter) + 0xFEE0)
    return found if unicodedata.normalize("NFKC", found) == letter else letter


def _post(http: httpx.Client, path: str, body: dict[str, str]) -> httpx.Response:
    try:
        answer = http.post(path, json=body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise CannotStart(NO_HUB) from error
    if answer.status_code == 404:
        raise CannotStart("Nobody typed the code in time, or this hub is too old. Start again for a new one.")
    if answer.status_code == 429:
        raise CannotStart("Too many boards ask from here. Wait a minute, then start again.")
    if answer.status_code not in (200, 201):
        raise CannotStart(NO_HUB)
    return answer


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="shimawa board enrol", description="Ask a hub to take this board in.")
    parser.add_argument("--hub", required=True, help="address of the hub, http://host:port")
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE, help="folder that belongs to this board alone")
    given = parser.parse_args(argv)
    try:
        name = enrol(given.hub, given.state, lambda text: print(text, flush=True))  # noqa: T201
    except (CannotStart, ValidationError) as error:
        print(error if isinstance(error, CannotStart) else NO_HUB, file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        return 130
    print(f"「{name}」として登録されました。 Enrolled as “{name}”. Start it: shimawa board --hub {given.hub}")  # noqa: T201
    return 0
