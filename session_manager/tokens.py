"""Join tokens: short-lived, for one seat in one session, signed and not stored.

`version.payload.signature` in URL-safe base64 without padding; the signature is HMAC-SHA256 over the first two parts
with a key derived from the installation's secret and the audience, so a token for one purpose is nothing for another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from session_manager.errors import StartFailed

AUDIENCE = "shimawa-signal"
SECRET_BYTES = 32
SECRET_FILE = "secret.key"
MAX_CHARACTERS = 512

_VERSION = "s1"


@dataclass(frozen=True, slots=True)
class Claims:
    session_id: str
    seat_id: str
    role: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Expired:
    """It was good until `expires_at`."""

    expires_at: float


@dataclass(frozen=True, slots=True)
class Bad:
    """Not a token of this installation; which of the many reasons is nobody's business."""


def issue(secret: bytes, claims: Claims, audience: str = AUDIENCE) -> str:
    payload = json.dumps(asdict(claims), separators=(",", ":")).encode()
    body = f"{_VERSION}.{_encode(payload)}"
    return f"{body}.{_encode(_sign(secret, body, audience))}"


def verify(secret: bytes, token: str, now: float, audience: str = AUDIENCE) -> Claims | Expired | Bad:
    """Never raises, whatever `token` holds. Good while `now` < `expires_at`."""
    if len(token) > MAX_CHARACTERS or not token.isascii():
        return Bad()
    body, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_encode(_sign(secret, body, audience)), signature):
        return Bad()
    claims = _claims(body)
    if isinstance(claims, Claims) and now >= claims.expires_at:
        return Expired(claims.expires_at)
    return claims


def load_secret(folder: Path) -> bytes:
    """The installation's secret, made on first use and readable by its owner only. Raises StartFailed."""
    path = folder / SECRET_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _make(path)
        secret = path.read_bytes()
    except OSError as error:
        raise StartFailed(f"The secret {path} cannot be read or made ({error.strerror}). Check the folder.") from error
    if len(secret) != SECRET_BYTES:
        raise StartFailed(f"The secret {path} is damaged. Restore it, or delete it: everybody then joins anew.")
    return secret


def _make(path: Path) -> None:
    """Written under another name first, so that two processes starting at once agree and a crash leaves no half."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        _publish(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _publish(draft: Path, path: Path) -> None:
    """The first one wins; file systems without hard links (FAT) take the rename instead."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    except OSError:
        os.replace(draft, path)


def _claims(body: str) -> Claims | Bad:
    version, _, payload = body.partition(".")
    try:
        claims = Claims(**json.loads(_decode(payload)))
    except (ValueError, TypeError):
        return Bad()
    return claims if version == _VERSION else Bad()


def _sign(secret: bytes, body: str, audience: str) -> bytes:
    key = hmac.new(secret, audience.encode(), hashlib.sha256).digest()
    return hmac.new(key, body.encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
