from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transcription.opus_packets import bare, encode, speech
from transcription import log_format
from transcription.audio_log import AudioLog, Flusher, LogUnreadable, LogWriteFailed, Packet, Span, StreamLog
from transcription.log_flusher import Flushable
from transcription.opus import packet_duration

LAWS = settings(max_examples=120, deadline=None)
SILK_60_MS, CELT_20_MS, CELT_2_5_MS = 0x18, 0x78 | 0x80, 0x80


def twenty_ms(count: int, first: int = 0) -> list[Packet]:
    return [Packet(number, number * 960, bare(number)) for number in range(first, first + count)]


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@st.composite
def streams(draw: st.DrawFn, least: int = 0) -> list[Packet]:
    """What a sender's packets may look like when some are lost: losses, pauses without packets, several durations."""
    step = st.tuples(
        st.sampled_from([0, 0, 0, 0, 1, 3, 500]),
        st.sampled_from([0, 0, 0, 0, 960, 48_000]),
        st.sampled_from([0x78, SILK_60_MS, CELT_20_MS, CELT_2_5_MS]),
        st.integers(9, 300),
    )
    sequence, sample, packets = 0, 0, []
    for lost, pause, toc, size in draw(st.lists(step, min_size=least, max_size=40)):
        sequence, sample = sequence + lost, sample + lost * 960 + pause
        packets.append(Packet(sequence, sample, bare(sequence, toc, size)))
        sequence, sample = sequence + 1, sample + packet_duration(packets[-1].payload)
    return packets


def spans_of(packets: Sequence[Packet]) -> list[tuple[int, int, bool]]:
    """The definition, packet by packet: a hole is where numbers are missing."""
    edges: list[tuple[int, int, bool]] = []
    number, sample = 0, 0
    for packet in sorted(packets, key=lambda packet: packet.sequence):
        edges.append((sample, packet.sample, packet.sequence == number))
        number, sample = packet.sequence + 1, packet.sample + packet_duration(packet.payload)
        edges.append((packet.sample, sample, True))
    merged: list[tuple[int, int, bool]] = []
    for start, end, present in edges:
        if start == end:
            continue
        if merged and merged[-1][2] == present:
            merged[-1] = (merged[-1][0], end, present)
        else:
            merged.append((start, end, present))
    return merged


def seen(log: StreamLog) -> list[tuple[int, int, bool]]:
    return [(span.start_sample, span.end_sample, span.present) for span in log.spans()]


# ---- laws ------------------------------------------------------------------------------------------------------------


@LAWS
@given(streams(), st.data())
def test_any_order_repetition_and_reopening_give_the_same_log(packets: list[Packet], data: st.DataObject) -> None:
    arrivals = data.draw(
        st.permutations(packets + data.draw(st.lists(st.sampled_from(packets or [None]), max_size=10)))
    )
    reopen = data.draw(st.sets(st.integers(0, len(arrivals)), max_size=3))
    with folder() as root:
        log, known = AudioLog(root).stream("t", 1), set()
        for at, packet in enumerate(arrivals):
            if at in reopen:
                log.close()
                log = AudioLog(root).stream("t", 1)
            if packet is not None:
                assert log.append(packet) is (packet.sequence not in known)
                known.add(packet.sequence)
        log.close()
        for each in (log, AudioLog(root).stream("t", 1)):
            assert list(each.packets()) == packets
            assert seen(each) == spans_of(packets)
            assert each.end_sample == max((p.sample + packet_duration(p.payload) for p in packets), default=0)
            numbers = {p.sequence for p in packets}
            missing = [number for numbers_ in each.missing_numbers() for number in numbers_]
            assert missing == [number for number in range(max(numbers, default=-1)) if number not in numbers]


@LAWS
@given(streams(), st.integers(0, 200_000), st.integers(0, 200_000))
def test_packets_and_holes_of_a_span_are_those_of_the_whole_cut_to_it(
    packets: list[Packet], first: int, second: int
) -> None:
    start, end = sorted((first, second))
    with folder() as root:
        log = AudioLog(root).stream("t", 1)
        for packet in packets:
            log.append(packet)
        log.close()
        assert list(log.packets(start)) == [p for p in packets if p.sample + packet_duration(p.payload) > start]
        whole = [*seen(log), (log.end_sample, max(end, log.end_sample), False)]
        cut = [(max(a, start), min(b, end)) for a, b, present in whole if not present]
        expected = [(a, b) for a, b in cut if a < b]
        assert [(hole.start_sample, hole.end_sample) for hole in log.missing(start, end)] == expected


@LAWS
@given(streams(least=1), st.data())
def test_a_file_cut_anywhere_keeps_every_whole_record_and_takes_new_ones(
    packets: list[Packet], data: st.DataObject
) -> None:
    with folder() as root:
        log = AudioLog(root).stream("t", 1)
        for packet in packets:
            log.append(packet)
        log.close()
        size = log.path.stat().st_size
        cut = data.draw(st.integers(0, size))
        os.truncate(log.path, cut)
        whole, end = [], log_format.HEADER_SIZE
        for packet in packets:
            end += log_format.RECORD_OVERHEAD + len(packet.payload)
            whole += [packet] if end <= cut else []
        log = AudioLog(root).stream("t", 1)
        assert list(log.packets()) == whole
        assert log.path.stat().st_size == cut, "reading changes nothing"
        assert [log.append(packet) for packet in packets] == [packet not in whole for packet in packets]
        log.close()
        assert log.path.stat().st_size == size, "the torn tail is gone"
        assert list(AudioLog(root).stream("t", 1).packets()) == packets


@LAWS
@given(streams(least=1), st.data())
def test_damage_never_raises_and_never_invents_audio(packets: list[Packet], data: st.DataObject) -> None:
    with folder() as root:
        log = AudioLog(root).stream("t", 1)
        for packet in packets:
            log.append(packet)
        log.close()
        content = bytearray(log.path.read_bytes())
        for _ in range(data.draw(st.integers(1, 5))):
            at = data.draw(st.integers(0, len(content)))
            junk = data.draw(st.binary(max_size=40) | st.just(log_format.MARKER) | st.just(bytes(20)))
            content[at : at + data.draw(st.sampled_from([0, len(junk), 30]))] = junk
        log.path.write_bytes(content)
        log = AudioLog(root).stream("t", 1)
        left = list(log.packets())
        assert set(left) <= set(packets)
        assert seen(log) == spans_of(left)
        late = Packet(10**6, 10**9, bare(7))
        assert log.append(late)
        log.close()
        assert list(AudioLog(root).stream("t", 1).packets()) == [*left, late]


@given(st.lists(st.tuples(st.integers(0, 50) | st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.binary())))
@settings(max_examples=100, deadline=None)
def test_nonsense_numbers_and_payloads_never_raise(wild: list[tuple[int, int, bytes]]) -> None:
    with folder() as root:
        log = AudioLog(root).stream("t", 1)
        taken = [Packet(*each) for each in wild if log.append(Packet(*each))]
        log.close()
        again = AudioLog(root).stream("t", 1)
        assert set(again.packets()) == set(taken)
        assert again.spans() == log.spans()
        spans = log.spans()
        assert all(a.end_sample == b.start_sample and a.present != b.present for a, b in pairwise(spans))


# ---- damage, told one by one -----------------------------------------------------------------------------------------


def test_a_record_altered_in_the_middle_is_a_hole_that_can_be_filled_again(tmp_path: Path) -> None:
    log = AudioLog(tmp_path).stream("t", 1)
    for packet in twenty_ms(10):
        log.append(packet)
    log.close()
    content = bytearray(log.path.read_bytes())
    content[log_format.HEADER_SIZE + 4 * (log_format.RECORD_OVERHEAD + 20) + 30] ^= 1
    log.path.write_bytes(content)
    log = AudioLog(tmp_path).stream("t", 1)
    assert log.spans() == (Span(0, 3840, True), Span(3840, 4800, False), Span(4800, 9600, True))
    assert log.missing_numbers() == (range(4, 5),)
    assert log.append(twenty_ms(10)[4])
    log.close()
    assert list(AudioLog(tmp_path).stream("t", 1).packets()) == twenty_ms(10)


def test_bytes_of_another_log_are_never_taken_for_this_one(tmp_path: Path) -> None:
    logs = [AudioLog(tmp_path).stream(track, epoch) for track, epoch in (("hall", 1), ("school", 1), ("hall", 2))]
    for log in logs:
        for packet in twenty_ms(5):
            log.append(packet)
        log.close()
    logs[0].path.write_bytes(logs[1].path.read_bytes())
    logs[2].path.write_bytes(b"".join(log.path.read_bytes() for log in (logs[1], logs[2])))
    assert list(AudioLog(tmp_path).stream("hall", 1).packets()) == []
    assert list(AudioLog(tmp_path).stream("hall", 2).packets()) == twenty_ms(5)


def test_a_payload_that_looks_like_a_record_stays_a_payload(tmp_path: Path) -> None:
    inner = log_format.pack(Packet(77, 77 * 960, bare(77)), log_format.seed("t", 1))
    log = AudioLog(tmp_path).stream("t", 1)
    log.append(Packet(0, 0, b"\x78" + inner * 5))
    log.append(Packet(1, 960, bare(1)))
    log.close()
    assert [packet.sequence for packet in AudioLog(tmp_path).stream("t", 1).packets()] == [0, 1]


def test_records_on_the_border_of_what_is_read_at_once_are_found_and_nothing_within_them(tmp_path: Path) -> None:
    log = AudioLog(tmp_path).stream("t", 1)
    inner = log_format.pack(Packet(10**6, 10**9, bare(0)), log_format.seed("t", 1))
    packets = [Packet(n, n * 960, bare(n) + inner * (20 + n % 7)) for n in range(2_200)]
    for packet in packets:
        log.append(packet)
    log.close()
    assert log.path.stat().st_size > 2 << 20
    again = AudioLog(tmp_path).stream("t", 1)
    assert again.spans() == (Span(0, 2_200 * 960, True),)
    assert list(again.packets()) == packets


def test_a_log_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    log = AudioLog(tmp_path).stream("t", 1)
    log.append(twenty_ms(1)[0])
    log.close()
    head = bytearray(log_format.header(1)[:28])
    head[9] = 2
    content = bytes(head) + zlib.crc32(head).to_bytes(4, "big") + b"something new"
    log.path.write_bytes(content)
    with pytest.raises(LogUnreadable, match="newer version"):
        AudioLog(tmp_path).stream("t", 1)
    assert log.path.read_bytes() == content


def test_a_file_that_somebody_cut_while_it_was_closed_is_read_again_before_the_next_append(tmp_path: Path) -> None:
    log = AudioLog(tmp_path).stream("t", 1)
    for packet in twenty_ms(10):
        log.append(packet)
    log.close()
    os.truncate(log.path, log_format.HEADER_SIZE + 3 * (log_format.RECORD_OVERHEAD + 20))
    log.append(twenty_ms(11)[10])
    log.close()
    assert [packet.sequence for packet in log.packets()] == [0, 1, 2, 10]
    assert log.spans() == AudioLog(tmp_path).stream("t", 1).spans()


# ---- what a log is ---------------------------------------------------------------------------------------------------


def test_consecutive_numbers_with_a_pause_between_are_silence_not_a_hole(tmp_path: Path) -> None:
    log = AudioLog(tmp_path).stream("t", 1)
    log.append(Packet(0, 0, bare(0)))
    log.append(Packet(1, 48_000, bare(1)))
    assert log.spans() == (Span(0, 48_960, True),)
    log.append(Packet(3, 96_000, bare(3)))
    assert log.spans() == (Span(0, 48_960, True), Span(48_960, 96_000, False), Span(96_000, 96_960, True))
    log.close()


def test_a_stream_whose_beginning_never_came_starts_with_a_hole(tmp_path: Path) -> None:
    log = AudioLog(tmp_path).stream("t", 1)
    log.append(Packet(50, 48_000, bare(50)))
    assert log.spans() == (Span(0, 48_000, False), Span(48_000, 48_960, True))
    log.close()


def test_what_is_no_opus_packet_is_refused_and_counted(tmp_path: Path) -> None:
    log = AudioLog(tmp_path).stream("t", 1)
    nothing = [b"", b"\x03", b"\x03\x00", bytes((0x7B, 9)), bytes((0x78,)) * (log_format.MAX_PAYLOAD + 1)]
    assert [log.append(Packet(0, 0, payload)) for payload in nothing] == [False] * 5
    assert log.append(Packet(-1, 0, bare(0))) is False
    assert log.append(Packet(0, 2**64, bare(0))) is False
    assert log.refused == 7
    assert not log.path.exists()


def test_asking_for_a_stream_makes_no_file(tmp_path: Path) -> None:
    logs = AudioLog(tmp_path / "not yet")
    log = logs.stream("t", 1)
    assert (log.spans(), log.end_sample, list(log.packets()), logs.streams()) == ((), 0, [], ())
    assert log.missing(0, 960) == (Span(0, 960, False),)
    log.flush()
    log.close()
    assert not (tmp_path / "not yet").exists()


def test_streams_lists_what_is_on_disk_and_nothing_else(tmp_path: Path) -> None:
    logs = AudioLog(tmp_path)
    for track, epoch in (("b", 10), ("a", 2), ("b", 9)):
        log = logs.stream(track, epoch)
        log.append(twenty_ms(1)[0])
        log.close()
    (tmp_path / "b" / "notes.txt").touch()
    (tmp_path / "b" / "x.packets").touch()
    (tmp_path / "lost+found").mkdir()
    assert logs.streams() == (("a", 2), ("b", 9), ("b", 10))


@pytest.mark.parametrize("track_id", ["", "..", "a/b", "a\\b", "a.b", "a\n", "é", "a" * 129])
def test_a_track_id_that_is_no_file_name_is_refused(tmp_path: Path, track_id: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        AudioLog(tmp_path).stream(track_id, 1)


def test_all_who_ask_for_a_stream_get_the_same_one(tmp_path: Path) -> None:
    logs = AudioLog(tmp_path)
    assert logs.stream("t", 1) is logs.stream("t", 1)
    assert logs.stream("t", 1) is not logs.stream("t", 2)


def test_a_reader_beside_the_writer_sees_what_was_written_and_changes_nothing(tmp_path: Path) -> None:
    log = AudioLog(tmp_path).stream("t", 1)
    for packet in twenty_ms(5):
        log.append(packet)
    with open(log.path, "ab") as half:
        half.write(log_format.pack(Packet(5, 4800, bare(5)), log_format.seed("t", 1))[:-3])
    size = log.path.stat().st_size
    reader = AudioLog(tmp_path).stream("t", 1)
    assert list(reader.packets()) == twenty_ms(5)
    reader.close()
    assert log.path.stat().st_size == size
    log.close()


def test_appending_reading_and_flushing_go_on_at_the_same_time(tmp_path: Path) -> None:
    log = AudioLog(tmp_path).stream("t", 1)
    packets = twenty_ms(3_000)
    flusher = Flusher(interval_s=0.001)
    flusher.add(log)
    halves = (packets[::2], packets[1::2])
    writers = [threading.Thread(target=lambda half=half: [log.append(packet) for packet in half]) for half in halves]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        so_far = list(log.packets())
        assert so_far == sorted(so_far, key=lambda packet: packet.sample)
        assert set(so_far) <= set(packets)
    flusher.close()
    assert list(log.packets()) == packets
    log.close()


def test_a_span_of_a_long_log_is_found_without_reading_the_rest(tmp_path: Path) -> None:
    log = AudioLog(tmp_path).stream("t", 1)
    packets = twenty_ms(60_000)
    live, late = [p for p in packets if p.sequence % 10], packets[::10]
    for packet in live[:48_000]:
        log.append(packet)
    for pair in zip(live[48_000:], late, strict=True):  # a repair runs while the session goes on
        for packet in pair:
            log.append(packet)
    log.close()
    log = AudioLog(tmp_path).stream("t", 1)
    size = log.path.stat().st_size
    for start in (0, 48_000 * 60, 48_000 * 600, 48_000 * 1_090, 48_000 * 1_180):
        before = bytes_read()
        ten_s = list(zip(range(500), log.packets(start), strict=False))
        assert len(ten_s) == 500
        assert bytes_read() - before < size / 10


def bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


# ---- sound -----------------------------------------------------------------------------------------------------------


def spoken(tmp_path: Path, lost: set[int] | None = None) -> tuple[StreamLog, int]:
    log = AudioLog(tmp_path).stream("t", 1)
    packets = encode(speech())
    for number, payload in enumerate(packets):
        if number not in (lost or ()):
            log.append(Packet(number, number * 960, payload))
    log.close()
    return log, len(packets) * 960


def test_a_span_sounds_as_it_does_in_the_whole(tmp_path: Path) -> None:
    log, length = spoken(tmp_path)
    whole = log.pcm(0, length)
    assert whole.dtype == np.float32
    assert np.corrcoef(whole[312:], speech()[: length - 312])[0, 1] > 0.8
    choose = random.Random(1)
    for _ in range(20):
        start = choose.randrange(length - 9_600)
        part = log.pcm(start, start + choose.randrange(1, 9_600))
        assert np.abs(part - whole[start : start + len(part)]).max() < 0.01


def test_a_hole_is_silence_of_its_length_and_the_rest_stays_in_its_place(tmp_path: Path) -> None:
    log, length = spoken(tmp_path, lost=set(range(40, 60)))
    whole = log.pcm(0, length)
    assert not whole[40 * 960 : 60 * 960].any()
    assert np.corrcoef(whole[65 * 960 + 312 :], speech()[65 * 960 : length - 312])[0, 1] > 0.8
    for start in range(60, 70):
        part = log.pcm(start * 960, 80 * 960)
        assert np.array_equal(part, whole[start * 960 : 80 * 960]), "a hole is where decoding begins anew"


def test_what_lies_outside_the_log_is_silence(tmp_path: Path) -> None:
    log, length = spoken(tmp_path)
    sound = log.pcm(length - 960, length + 960)
    assert len(sound) == 1920
    assert not sound[960:].any()
    assert len(log.pcm(10, 10)) == 0
    assert not AudioLog(tmp_path).stream("empty", 1).pcm(0, 960).any()


def test_another_rate_has_the_same_length_in_seconds(tmp_path: Path) -> None:
    log, length = spoken(tmp_path)
    sound = log.pcm(0, length, 16_000)
    assert len(sound) == length // 3
    with_48 = log.pcm(0, length)[::3]
    assert np.corrcoef(sound, with_48)[0, 1] > 0.9
    assert len(log.pcm(0, 1_000, 16_000)) == 333


# ---- kill, full disk, medium -----------------------------------------------------------------------------------------

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


class Scripted:
    """A log that counts its flushes and may fail."""

    def __init__(self, failure: LogWriteFailed | None = None) -> None:
        self.track_id, self.epoch, self.failure = "t", 1, failure
        self.flushes = 0
        self.twice = threading.Event()

    def flush(self) -> None:
        self.flushes += 1
        if self.flushes >= 2:
            self.twice.set()
        if self.failure:
            raise self.failure


def test_the_flusher_flushes_all_again_and_again_and_says_which_failed() -> None:
    said: list[Flushable] = []
    bad, good = Scripted(LogWriteFailed("full", "disk_full")), Scripted()
    flusher = Flusher(lambda log, _: said.append(log), interval_s=0.001)
    flusher.add(bad)
    flusher.add(good)
    assert bad.twice.wait(20)
    assert good.twice.wait(20)
    flusher.remove(bad)
    flusher.close()
    assert set(said) == {bad}
    last = Scripted()
    slow = Flusher(interval_s=3_600)
    slow.add(last)
    slow.close()
    assert last.flushes == 1, "closing flushes"
