"""Kills, full disks and media that refuse."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.transcription.logs import twenty_ms
from tests.transcription.opus_packets import bare
from transcription import log_format
from transcription.audio_log import AudioLog, LogWriteFailed, Packet

WRITER = """
import sys
from transcription.audio_log import AudioLog, Packet
log = AudioLog(sys.argv[1]).stream("t", 1)
number = 0
while True:
    log.append(Packet(number, number * 960, bytes([0x78]) + number.to_bytes(8, "big") * 8))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
    number += 1
"""


@pytest.mark.parametrize("after", [1, 137, 2_000])
def test_after_kill_9_everything_that_was_appended_is_readable(tmp_path: Path, after: int) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(after):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        said = after + len([line for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")])
    log = AudioLog(tmp_path).stream("t", 1)
    kept = [packet.sequence for packet in log.packets()]
    assert kept == list(range(len(kept)))
    assert len(kept) >= said >= after
    assert log.append(Packet(len(kept), len(kept) * 960, bare(0)))
    log.close()


FULL = """
import resource, sys
from transcription.audio_log import AudioLog, LogWriteFailed, Packet
log = AudioLog(sys.argv[1]).stream("t", 1)
def packet(number):
    return Packet(number, number * 960, bytes([0x78]) + number.to_bytes(8, "big") * 8)
resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
number, failed = 0, []
while len(failed) < 3:
    try:
        log.append(packet(number))
    except LogWriteFailed as error:
        failed.append((number, error.cause, str(error)))
    number += 1
assert [cause for _, cause, _ in failed] == ["disk_full"] * 3, failed
assert "full" in failed[0][2]
held = [each.sequence for each in log.packets()]
assert held == list(range(failed[0][0])) and held, held
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
for late in range(number, number + 10):
    assert log.append(packet(late))
log.close()
print(failed[0][0], number)
"""


def test_a_full_disk_is_said_leaves_the_log_readable_and_ends_by_itself(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first_failed, number = map(int, done.stdout.split())
    log = AudioLog(tmp_path).stream("t", 1)
    assert [p.sequence for p in log.packets()] == [*range(first_failed), *range(number, number + 10)]
    assert [span.present for span in log.spans()] == [True, False, True]
    content = log.path.read_bytes()
    assert len(content) == log_format.HEADER_SIZE + len(list(log.packets())) * (log_format.RECORD_OVERHEAD + 65)


def test_a_disk_too_full_for_the_first_header_is_the_same(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = AudioLog(tmp_path).stream("t", 1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(LogWriteFailed) as failed:
            log.append(twenty_ms(1)[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert failed.value.cause == "disk_full"
    assert log.spans() == ()
    assert log.append(twenty_ms(1)[0])
    log.close()
    assert list(AudioLog(tmp_path).stream("t", 1).packets()) == twenty_ms(1)


def test_a_folder_that_cannot_be_made_is_an_error_of_the_medium_until_it_can(tmp_path: Path) -> None:
    (tmp_path / "root").write_text("a file where the folder should be")
    log = AudioLog(tmp_path / "root").stream("t", 1)
    with pytest.raises(LogWriteFailed, match="cannot be written") as failed:
        log.append(twenty_ms(1)[0])
    assert failed.value.cause == "io"
    (tmp_path / "root").unlink()
    assert log.append(twenty_ms(1)[0])
    log.close()


def test_flush_reaches_the_medium_once_per_change_and_the_name_with_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, names = [], []
    monkeypatch.setattr(os, "fdatasync", data.append)
    monkeypatch.setattr(os, "fsync", names.append)
    log = AudioLog(tmp_path).stream("t", 1)
    for packet in twenty_ms(3):
        log.append(packet)
        log.flush()
        log.flush()
    log.close()
    assert (len(data), len(names)) == (3, 2)


def test_what_was_written_before_the_disk_was_full_is_flushed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AudioLog(tmp_path).stream("t", 1)
    log.append(twenty_ms(1)[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.path.stat().st_size + 10, hard))
    try:
        with pytest.raises(LogWriteFailed):
            log.append(twenty_ms(2)[1])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    data: list[int] = []
    monkeypatch.setattr(os, "fdatasync", data.append)
    log.flush()
    assert len(data) == 1
    log.close()


def test_a_flush_that_failed_is_said_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AudioLog(tmp_path).stream("t", 1)
    log.append(twenty_ms(1)[0])

    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", broken)
        with pytest.raises(LogWriteFailed) as failed:
            log.flush()
    assert failed.value.cause == "io"
    tried = []
    monkeypatch.setattr(os, "fdatasync", tried.append)
    log.flush()
    assert len(tried) == 1
    log.close()
