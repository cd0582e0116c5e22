"""Which pages this hub serves: a mark that changes with any of their files, so that a page left open notices."""

from __future__ import annotations

import hashlib
from functools import cache

from session_manager.web.i18n import HERE

_PARTS = ("static", "templates", "i18n")


@cache
def version() -> str:
    digest = hashlib.sha256()
    for part in _PARTS:
        for path in sorted((HERE / part).rglob("*")):
            if path.is_file():
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
