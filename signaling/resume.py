"""Resume tokens: 256 random bits, stored hashed, each for one use and one peer."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256


def _mint() -> str:
    return secrets.token_urlsafe(32)


@dataclass(slots=True)
class _Pair:
    current: bytes
    redeemed: bytes | None = None


class ResumeTokens:
    """The token that a connection was made with stays good until that connection is heard: its `welcome`, which
    brings the next token, may have been lost on the way."""

    def __init__(self, mint: Callable[[], str] = _mint) -> None:
        self._mint = mint
        self._pairs: dict[str, _Pair] = {}
        self._owners: dict[bytes, str] = {}

    def issue(self, peer_id: str, redeemed: str | None = None) -> str:
        """The peer's next token; of the earlier ones only `redeemed` stays good, until `heard`."""
        token = self._mint()
        kept = _digest(redeemed) if redeemed is not None else None
        self.forget(peer_id)
        self._pairs[peer_id] = _Pair(_digest(token), kept)
        self._owners[_digest(token)] = peer_id
        if kept is not None:
            self._owners[kept] = peer_id
        return token

    def owner(self, token: str) -> str | None:
        """The peer that this token brings back."""
        return self._owners.get(_digest(token))

    def heard(self, peer_id: str) -> None:
        """The client has its new token for certain: the one before is spent."""
        pair = self._pairs.get(peer_id)
        if pair is not None and pair.redeemed is not None:
            del self._owners[pair.redeemed]
            pair.redeemed = None

    def forget(self, peer_id: str) -> None:
        pair = self._pairs.pop(peer_id, None)
        if pair is None:
            return
        del self._owners[pair.current]
        if pair.redeemed is not None:
            del self._owners[pair.redeemed]


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
