"""What an error code says to a person, and how long a client had better wait."""

from __future__ import annotations

from collections.abc import Mapping

from signaling.messages import ErrorCode, Refused

SENTENCES: Mapping[ErrorCode, str] = {
    ErrorCode.BAD_MESSAGE: "The hub could not read that message.",
    ErrorCode.TOO_LARGE: "That message is larger than 256 KiB.",
    ErrorCode.TOO_FAST: "That was too often; wait a moment and try again.",
    ErrorCode.UNSUPPORTED_VERSION: (
        "This client and the hub have no protocol version in common; update the older one."
    ),
    ErrorCode.BAD_TOKEN: "This invitation is not valid; ask for a new link.",
    ErrorCode.EXPIRED_TOKEN: "This invitation has expired; ask for a new link.",
    ErrorCode.UNKNOWN_SESSION: "There is no such session.",
    ErrorCode.SESSION_ENDED: "This session is over.",
    ErrorCode.NOT_PERMITTED: "Your role in this session does not allow that.",
    ErrorCode.SEAT_TAKEN: "Somebody else has this seat.",
    ErrorCode.STALE_GENERATION: "A newer media connection already stands; use a higher generation.",
    ErrorCode.STALE_EPOCH: "A newer run of this track is already recorded; raise the epoch.",
    ErrorCode.BAD_SDP: "The media description could not be used.",
    ErrorCode.NO_MEDIA: "Media is not available at the moment; try again.",
    ErrorCode.UNKNOWN_TRACK: "There is no such track.",
    ErrorCode.TIMED_OUT: "The hub did not get this done in time; try again.",
    ErrorCode.INTERNAL: "Something failed inside the hub; try again.",
}

WORTH_RETRYING = frozenset(
    {ErrorCode.TOO_FAST, ErrorCode.EXPIRED_TOKEN, ErrorCode.TIMED_OUT, ErrorCode.INTERNAL, ErrorCode.NO_MEDIA}
)
"""A refused `hello` with one of these may be said again later; with any other it is final."""


def refusal(code: ErrorCode, message: str = "", retry_after_ms: int | None = None) -> Refused:
    return Refused(code=code, message=message or SENTENCES[code], retry_after_ms=retry_after_ms)


def error_code(word: str) -> ErrorCode:
    """The code of that name; `internal` for a word that the protocol does not have."""
    return ErrorCode(word) if word in ErrorCode.__members__.values() else ErrorCode.INTERNAL
