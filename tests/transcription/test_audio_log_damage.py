"""Cut, altered and foreign bytes: nothing raises, nothing is invented, all that is whole is kept."""

from __future__ import annotations

import os
import zlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transcription.logs import LAWS, folder, seen, spans_of, streams, twenty_ms
from tests.transcription.opus_packets import bare
from transcription import log_format
from transcription.audio_log import AudioLog, LogUnreadable, Packet, Span


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
