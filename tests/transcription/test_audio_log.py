"""What a log is, in laws and in single facts."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transcription.logs import LAWS, folder, seen, spans_of, streams, twenty_ms
from tests.transcription.opus_packets import bare
from transcription import log_format
from transcription.audio_log import AudioLog, Flusher, Packet, Span
from transcription.opus import packet_duration


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
