"""A disk that is soon full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """96 KiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size=96k,mode=0777,uid={os.getuid()}"
    subprocess.run([*root, "mount", "-t", "tmpfs", "-o", options, "none", str(folder)], check=True, timeout=20)
    try:
        yield folder
    finally:
        subprocess.run([*root, "umount", "-l", str(folder)], check=True, timeout=20)
