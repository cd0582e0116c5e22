"""What the audio log costs: `python tools/bench_audio_log.py [--folder F] [--json FILE]`.

Prints a table and, with --json, writes a list of {name, value, unit, aim, baseline}. The folder should be on the disk
that will hold the log; the temporary one is used when none is given. The baseline of an append is a bare write of the
same bytes, that of a flush the fdatasync of a file that grew by as much.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from transcription.audio_log import AudioLog, Packet, StreamLog

TWO_HOURS = 360_000
PAYLOAD = bytes((0x78,)) + bytes(range(59))


def packet(number: int) -> Packet:
    return Packet(number, number * 960, PAYLOAD)


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def append_all(log: StreamLog) -> None:
    for number in range(TWO_HOURS):
        log.append(packet(number))


def bare_writes(path: Path) -> None:
    record = bytes(24 + len(PAYLOAD))
    with open(path, "ab", buffering=0) as file:
        for _ in range(TWO_HOURS):
            file.write(record)


def flush_ms(root: Path) -> tuple[float, float]:
    """Median of 60 flushes after half a second of 8 streams each, and of as many bare fdatasyncs."""
    logs = [AudioLog(root).stream(f"flush{number}", 1) for number in range(8)]
    ours, bare = [], []
    with open(root / "bare", "ab", buffering=0) as file:
        for round_ in range(60):
            for log in logs:
                for number in range(25):
                    log.append(packet(round_ * 25 + number))
            ours.append(seconds(lambda: [log.flush() for log in logs]) / len(logs))
            file.write(bytes(25 * 84))
            bare.append(seconds(lambda: getattr(os, "fdatasync", os.fsync)(file.fileno())))
    for log in logs:
        log.close()
    return statistics.median(ours) * 1000, statistics.median(bare) * 1000


def figure(name: str, value: float, unit: str, aim: float | None = None, baseline: float | None = None) -> dict:
    return {
        "name": f"audio log: {name}",
        "value": round(value, 3),
        "unit": unit,
        "aim": aim,
        "baseline": None if baseline is None else round(baseline, 3),
    }


def measure(root: Path) -> list[dict]:
    logs = AudioLog(root)
    log = logs.stream("long", 1)
    appending = seconds(lambda: append_all(log))
    writing = seconds(lambda: bare_writes(root / "bare"))
    log.close()
    size = log.path.stat().st_size
    del log

    tracemalloc.start()
    log = logs.stream("long", 1)
    memory = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del log
    opening = min(seconds(lambda: AudioLog(root).stream("long", 1)) for _ in range(3))
    log = AudioLog(root).stream("long", 1)
    middle = TWO_HOURS // 2 * 960
    seeking = statistics.median(seconds(lambda: next(log.packets(middle))) for _ in range(50))
    reading = seconds(lambda: sum(1 for _ in log.packets()))
    minute = seconds(lambda: log.pcm(middle, middle + 60 * 48_000))
    ours, bare = flush_ms(root)
    return [
        figure("append", TWO_HOURS / appending, "packets/s", 100_000, TWO_HOURS / writing),
        figure("flush of half a second", ours, "ms", None, bare),
        figure("open 2 h", opening, "s", 2.0),
        figure("memory of an open 2 h log", memory / 1024, "KiB", 512),
        figure("first packet from the middle of 2 h", seeking * 1000, "ms", 10),
        figure("read 2 h", TWO_HOURS / reading, "packets/s", 100_000),
        figure("decode 1 min to sound", minute, "s", 0.6),
        figure("bytes per hour of one track at 24 kb/s", size / 2 / 1e6, "MB", 16),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as root:
        figures = measure(Path(root))
    for each in figures:
        print(
            f"{each['name']:<50} {each['value']:>12,} {each['unit']:<10} aim {each['aim']} baseline {each['baseline']}"
        )
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
