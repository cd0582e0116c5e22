"""The short form of the fault suite; the whole is `make faults`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def test_what_is_said_while_the_cable_is_cut_is_in_the_transcript_afterwards(tmp_path: Path) -> None:
    """In its own process: it goes in and out of network namespaces, which belong to threads."""
    out = tmp_path / "faults.json"
    command = [sys.executable, "-m", "tests.faults", "short_cut", "--out", str(out), "--logs", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    (row,) = json.loads(out.read_text(encoding="utf-8")) if out.exists() else [{}]
    assert done.returncode == 0, (row, done.stdout[-2000:], done.stderr[-2000:])
    assert row["ok"], row
