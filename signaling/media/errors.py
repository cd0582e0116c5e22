"""What can go wrong in the media plane.

    MediaError
    ├── VersionMismatch    the installed aiortc, aioice or pylibsrtp is not the one this code was written against
    ├── PortInUse          the UDP port asked for belongs to another process
    ├── SourceEnded        a numbered audio source has nothing more to send (expected, ends the sender)
    └── ControlError       worker and hub do not understand each other

`signaling.ports.MediaRefused` is not here: it is part of the contract and carries one of the wire's error codes.
"""

from __future__ import annotations


class MediaError(Exception):
    """Root of the tree; the message is a sentence for a person."""


class VersionMismatch(MediaError):
    """A library is not the pinned version or lacks a private attribute that we touch."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(
            "The media libraries do not fit this program: "
            + "; ".join(missing)
            + ". Install the versions of requirements.lock again."
        )
        self.missing = missing


class PortInUse(MediaError):
    """Nobody else may hold the media port."""

    def __init__(self, address: str, port: int) -> None:
        super().__init__(
            f"UDP port {port} on {address} is used by another program. Stop it, or choose another media port."
        )
        self.address = address
        self.port = port


class SourceEnded(MediaError):
    """Raised by a numbered audio source when it is over."""


class ControlError(MediaError):
    """A frame between hub and worker that breaks their law."""
