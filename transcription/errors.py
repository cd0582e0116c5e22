"""Errors of the transcription package.

TranscriptionError
├── LogWriteFailed    the audio log could not be written; `cause` says why
├── LogUnreadable     an audio log that may not be touched: a newer version wrote it, or the system refuses to read it
├── ModelMissing      no speech model is where the settings say
├── RecognitionError  the engine failed on what it was given; the worker tries each request alone
├── NotSound          a file that holds no sound we can read
├── LanguageUnknown   a language code that the model does not have
└── FeedClosed        the hub refused this worker, and trying again would not help
"""

from __future__ import annotations

from typing import Literal


class TranscriptionError(Exception):
    """`str()` is one sentence that a person who runs the system understands and can act on."""


class LogWriteFailed(TranscriptionError):
    """What was appended before is safe and readable; the next append may succeed again."""

    def __init__(self, message: str, cause: Literal["disk_full", "io"]) -> None:
        super().__init__(message)
        self.cause: Literal["disk_full", "io"] = cause


class LogUnreadable(TranscriptionError): ...


class ModelMissing(TranscriptionError): ...


class RecognitionError(TranscriptionError): ...


class NotSound(TranscriptionError): ...


class LanguageUnknown(TranscriptionError): ...


class FeedClosed(TranscriptionError): ...
