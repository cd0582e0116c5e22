"""`make demo`, as a newcomer runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pysubs2
import pytest
import webvtt

from session_manager.demo.dialogue import load_dialogue

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(170)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], Path]:
    out = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "session_manager.demo", "--json", "--out", str(out)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=160, check=False)
    assert run.returncode == 0, run.stderr[-3_000:]
    return json.loads(run.stdout.splitlines()[-1]), out


def test_every_site_hears_both_others(demo: tuple[dict, Path]) -> None:
    names = {site.name for site in load_dialogue().sites}
    assert {name: set(site["heard"]) for name, site in demo[0]["sites"].items()} == {
        name: names - {name} for name in names
    }


def test_every_utterance_becomes_a_line_with_few_wrong_characters(demo: tuple[dict, Path]) -> None:
    report = demo[0]
    assert {name: (site["said"], site["lines"]) for name, site in report["sites"].items()} == {
        site.name: (len(load_dialogue().of(site.key)),) * 2 for site in load_dialogue().sites
    }
    assert report["cer"] < 0.10


def test_every_second_of_every_track_is_accounted_for(demo: tuple[dict, Path]) -> None:
    assert demo[0]["coverage"] == 1.0


def test_every_figure_was_measured(demo: tuple[dict, Path]) -> None:
    for figure in ("join_ms_p50", "first_partial_ms_p50", "final_after_speech_ms_p50", "forward_p99_ms"):
        assert demo[0][figure] > 0, figure


def test_the_exports_parse_in_independent_readers(demo: tuple[dict, Path]) -> None:
    report, out = demo
    lines = sum(site["lines"] for site in report["sites"].values())
    captions = webvtt.read(str(out / "transcript.vtt")).captions
    assert len(captions) == lines
    assert {caption.voice for caption in captions} >= set(report["sites"])
    assert len(pysubs2.load(str(out / "transcript.srt"))) == lines
    assert len(json.loads((out / "transcript.json").read_text(encoding="utf-8"))["lines"]) == lines
    for suffix in ("txt", "md"):
        text = (out / f"transcript.{suffix}").read_text(encoding="utf-8")
        assert all(name in text for name in report["sites"])
