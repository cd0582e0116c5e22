"""Errors of the session manager.

SessionManagerError
├── NotFound      nothing of that kind under that identifier
├── NotPossible   the state of things does not allow it
├── NotPermitted  this identity may not
│   └── NotSignedIn   nobody knows who asks
├── TooFast       asked too often; `retry_after_s` says when to come back
├── StoreFailed   the database did not take it (disk full, locked by somebody else)
└── StartFailed   the hub cannot start (port in use, unreadable data folder, missing package)
"""

from __future__ import annotations


class SessionManagerError(Exception):
    """`str()` is a sentence for a person; `code` a stable word for programs."""

    code = "error"


class NotFound(SessionManagerError):
    code = "not_found"


class NotPossible(SessionManagerError):
    code = "not_possible"


class NotPermitted(SessionManagerError):
    code = "not_permitted"


class NotSignedIn(NotPermitted):
    code = "not_signed_in"


class TooFast(SessionManagerError):
    code = "too_fast"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StoreFailed(SessionManagerError):
    code = "store_failed"


class NoRoom(SessionManagerError):
    """The disk does not take it now; whoever brought it keeps it and tries again."""

    code = "disk_full"


class StartFailed(SessionManagerError):
    code = "start_failed"
