"""Identifiers and secrets: random, URL-safe, and for secrets kept only as a hash.

A secret here has at least 128 random bits, so one round of SHA-256 is enough to store it and an index look-up leaks
nothing worth timing; slow hashing is for passwords (`session_manager.passwords`).
"""

from __future__ import annotations

import base64
import hashlib
import secrets


def new_id() -> str:
    """80 random bits as 16 lower-case letters and digits; never begins with a dash, safe in paths and commands."""
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()


def new_secret(bits: int = 256) -> str:
    return secrets.token_urlsafe(bits // 8)


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
