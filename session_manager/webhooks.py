"""What other programs are told, and how it is signed (Standard Webhooks, standardwebhooks.com, version 1).

Pure. The message is the event's name, its number and identifiers with times; never a title, a name or a reason, and of
something confidential no more than that it is there. Whoever may read more asks the API.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from session_manager.booking_records import Booking

PREFIX = "whsec_"
ALL = "*"
GIVE_UP_S = 5 * 86_400.0
"""A webhook that took nothing for so long is switched off, and that is said."""
KEEP_S = 7 * 86_400.0
"""What was delivered is shown for so long."""
_WAITS_S = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
MAX_ATTEMPTS = 14
EVENT_NAMES = re.compile(r"\*|(booking|session|webhook)\.(\*|[a-z_]{1,40})")


def secret_of(installation: bytes, webhook_id: str) -> str:
    """Derived, so that no database or backup of it holds any."""
    key = hmac.new(installation, b"webhook:" + webhook_id.encode(), hashlib.sha256).digest()
    return PREFIX + base64.b64encode(key).decode()


def signature(secret: str, message_id: str, timestamp: int, body: str) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over id.timestamp.body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.new(key, f"{message_id}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def retry_at(attempts: int, now: float) -> float | None:
    """After the n-th failure: seconds, minutes, then hours, as the standard advises; None after five days of them."""
    if attempts >= MAX_ATTEMPTS:
        return None
    return now + _WAITS_S[min(attempts, len(_WAITS_S)) - 1]


def wanted(event: str, listens_to: Sequence[str]) -> bool:
    """`booking.*` is every event of bookings."""
    family = event.partition(".")[0] + ".*"
    return bool({ALL, family, event} & set(listens_to))


def booking_body(number: int, what: str, happened_at: float, booking: Booking) -> str:
    return _body(
        f"booking.{what}",
        happened_at,
        {
            "number": number,
            "booking_id": booking.booking_id,
            "municipality_id": booking.municipality_id,
            "series_id": booking.series_id,
            "session_id": None if booking.confidential else booking.session_id,
            "state": booking.state,
            "kind": None if booking.confidential else booking.kind,
            "mode": booking.mode,
            "starts_at": _iso(booking.starts_at),
            "ends_at": _iso(booking.ends_at),
            "zone": booking.zone,
            "place_ids": [one.place_id for one in booking.places],
            "confidential": booking.confidential,
        },
    )


def session_body(event: str, happened_at: float, session_id: str, confidential: bool) -> str:
    return _body(event, happened_at, {"session_id": session_id, "confidential": confidential})


def test_body(happened_at: float) -> str:
    return _body("webhook.test", happened_at, {})


def _body(event: str, happened_at: float, data: dict[str, object]) -> str:
    return json.dumps({"type": event, "timestamp": _iso(happened_at), "data": data}, separators=(",", ":"))


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
