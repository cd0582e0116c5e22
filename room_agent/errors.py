"""Errors of the board.

AgentError
├── CannotStart        a setting, the state folder, the port or a library is not as it must be: exit code 2
├── HubUnreachable     no answer, or not an answer: try again
├── HubRefused         the hub does not know this board's device token
├── HubFull            the hub cannot store what is sent: its disk is full; wait
├── HubWithoutRepair   the hub takes no sound afterwards (an older version)
└── MediaFailed        one peer connection could not be made; `code` is the wire's error code
"""

from __future__ import annotations


class AgentError(Exception):
    """`str()` is one sentence that a person beside the board understands and can act on."""


class CannotStart(AgentError): ...


class HubUnreachable(AgentError): ...


class HubRefused(AgentError): ...


class HubFull(AgentError): ...


class HubWithoutRepair(AgentError): ...


class MediaFailed(AgentError):
    def __init__(self, code: str, message: str, retry_after_ms: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after_ms = retry_after_ms
