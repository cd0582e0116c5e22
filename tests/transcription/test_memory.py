"""A worker's memory after the largest that it can be asked for, in a process of its own."""

from __future__ import annotations

import platform
import subprocess
import sys

from transcription.memory import give_back_large_blocks

ASKED = """
import numpy, psutil
from transcription.memory import give_back_large_blocks
from transcription.recognition import RecognitionRequest
from transcription.whisper import WhisperEngine, WhisperSettings

give_back_large_blocks()
engine, noise = WhisperEngine(WhisperSettings("fixture", device="cpu", threads=1)), numpy.random.default_rng(1)

def ask(streams, seconds):
    sounds = noise.standard_normal((streams, int(seconds * 16_000))).astype(numpy.float32) * 0.1
    engine.recognise([RecognitionRequest(1, "partial", 0, 1, sound, ("ja",)) for sound in sounds])
    return psutil.Process().memory_info().rss / 1e6

before = ask(2, 3)
for streams, seconds in ((3, 8), (4, 4), (2, 14), (1, 18), (3, 8), (1, 29), (2, 14)):
    ask(streams, seconds)
print(ask(2, 3) - before)
"""


def test_the_largest_windows_leave_no_memory_behind() -> None:
    if platform.libc_ver()[0] != "glibc":
        assert not give_back_large_blocks()
        return
    asked = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True, timeout=50)
    assert float(asked.stdout) < 12.0
