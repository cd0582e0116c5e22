"""Marks of answers (ETag), so that who has one already is told so in a few bytes (RFC 9110, 13.1.2)."""

from __future__ import annotations

import hashlib
import secrets

from fastapi import Request, Response

_RUN = secrets.token_hex(8)
"""Another program may write the same facts in other words; a program runs no longer than its process."""
_CACHE = {"Cache-Control": "private, no-cache"}


def tag_of(*parts: object) -> str:
    """For an answer that follows from these alone."""
    text = "\n".join(map(repr, (_RUN, *parts)))
    return f'W/"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def unchanged(tag: str, request: Request) -> Response | None:
    known = [one.strip() for one in request.headers.get("if-none-match", "").split(",")]
    return Response(status_code=304, headers={"ETag": tag, **_CACHE}) if tag in known else None


def tagged(body: bytes, tag: str, media_type: str = "application/json") -> Response:
    return Response(body, media_type=media_type, headers={"ETag": tag, **_CACHE})
