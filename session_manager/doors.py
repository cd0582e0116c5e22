"""Class codes and ways back: small pure rules of the doors for people."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from urllib.parse import urlsplit

CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 letters and digits that nobody confuses on a blackboard: no 0, O, 1, I."""
CODE_LENGTH = 8
"""40 bits. At the door's limit of two tries a second in the whole hub, finding one of ten open codes takes about
870 years on average; a code lives for hours or days."""

ORGANISATION_CODE_LENGTH = 10
"""50 bits, because it lives for months: at two tries a second in the whole hub, one of a hundred open codes is found
in 89,000 years on average."""


def class_code_hash(secret: bytes, code: str) -> str:
    """Keyed, because the code alone is short enough to be tried out by whoever stole the database."""
    return _keyed(secret, b"class-code:", code)


def organisation_code_hash(secret: bytes, code: str) -> str:
    """Another key than for classes: no code of one kind opens the other door."""
    return _keyed(secret, b"organisation-code:", code)


def _keyed(secret: bytes, purpose: bytes, code: str) -> str:
    letters = unicodedata.normalize("NFKC", code).upper()
    plain = "".join(letter for letter in letters if letter.isalnum())
    return hmac.new(secret, purpose + plain.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def safe_path(wanted: str) -> str:
    """A page of ours to go on to, or the front page: never another site, whatever tricks the text plays."""
    if not wanted.startswith("/") or wanted.startswith("//") or "\\" in wanted or len(wanted) > 512:
        return "/"
    if any(unicodedata.category(letter)[0] in {"C", "Z"} for letter in wanted):
        return "/"
    parts = urlsplit(wanted)
    return wanted if not parts.scheme and not parts.netloc else "/"
