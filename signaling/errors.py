"""Errors of the signaling package. What a peer does wrong is never one of them: that is a value on the wire.

SignalingError
├── MessageTooLarge   something to be sent does not fit into one message
├── Unreachable       no connection to the hub could be made
└── ListenFailed      the address to listen on cannot be had
"""

from __future__ import annotations


class SignalingError(Exception):
    """`str()` is a sentence for a person that says what to do next."""


class MessageTooLarge(SignalingError):
    def __init__(self, type_: str, size: int) -> None:
        super().__init__(f"A {type_} message of {size} bytes does not fit into one message; send less at once.")
        self.type = type_
        self.size = size


class Unreachable(SignalingError):
    def __init__(self, reason: str) -> None:
        super().__init__(f"The hub cannot be reached ({reason}); check its address and the network.")


class ListenFailed(SignalingError): ...
