"""Passwords by argon2id (RFC 9106); the parameters travel inside each hash, so they can grow later."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from session_manager.errors import NotPossible

MIN_LENGTH = 10
MAX_LENGTH = 256


class Passwords:
    """Defaults are the second recommended choice of RFC 9106: 64 MiB, 3 passes, 4 lanes."""

    def __init__(self, time_cost: int = 3, memory_kib: int = 65_536, parallelism: int = 4) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=parallelism)
        self._nobody = self._hasher.hash("the account that does not exist")

    def hash(self, password: str) -> str:
        """Raises NotPossible when it is too short or too long."""
        normal = _normal(password)
        if not MIN_LENGTH <= len(normal) <= MAX_LENGTH:
            raise NotPossible(f"A password needs {MIN_LENGTH} to {MAX_LENGTH} characters. Choose another one.")
        return self._hasher.hash(normal)

    def matches(self, stored: str | None, password: str) -> bool:
        """`stored` None (no such account) does the same work and is never true."""
        try:
            self._hasher.verify(stored or self._nobody, _normal(password)[: MAX_LENGTH + 1])
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None


def _normal(password: str) -> str:
    """The same letters typed on another keyboard are the same password."""
    return unicodedata.normalize("NFKC", password)
