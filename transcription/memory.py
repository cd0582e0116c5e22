"""What the recogniser frees goes back to the system, so that an hour of long or crowded sentences leaves no trace.

glibc takes large blocks from the system and gives them back, until the first such block is freed: from then on it keeps
blocks up to that size (mallopt(3), M_MMAP_THRESHOLD, "dynamic"). A window of 30 s or four streams at once, which a busy
hour brings, thus left 20 to 60 MB behind for good. A threshold that is set stays.
"""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD = -3
THRESHOLD_BYTES = 8 * 1024 * 1024


def give_back_large_blocks() -> bool:
    """For this process, from now on; False where the C library has no such setting (Windows, macOS, musl)."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, THRESHOLD_BYTES))
