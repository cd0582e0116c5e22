"""What goes wrong around a hub is a sentence, and costs nobody a word."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.scene import audience, excerpt, moment, staged

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def as_root(*command: str) -> None:
    subprocess.run([*([] if os.geteuid() == 0 else ["sudo", "-n"]), *command], check=True, timeout=20)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "tiny"
    folder.mkdir()
    as_root("mount", "-t", "tmpfs", "-o", f"size=48k,mode=0777,uid={os.getuid()}", "none", str(folder))
    try:
        yield folder
    finally:
        as_root("umount", "-l", str(folder))


async def test_with_a_full_disk_captions_go_on_and_the_page_says_that_the_record_has_a_gap(
    tmp_path: Path, tiny_disk: Path
) -> None:
    dialogue = excerpt(1, 4, 6, 8)
    arguments = ("--model", "fixture", "--device", "cpu", "--log-folder", str(tiny_disk))
    async with staged(dialogue, tmp_path, *arguments) as stage, audience(stage) as at:
        await at.until(lambda seen: any(one["record"] == "gap" for one in seen.of("session.changed")))
        starts_at = time.time() + 0.5
        stage.speak(starts_at)
        await moment(starts_at + dialogue.seconds)
        await stage.hub.post(f"/api/sessions/{stage.session_id}/end")
        await at.until(lambda seen: seen.of("session.changed")[-1]["state"] == "ended")
        assert [line["text"] for line in at.lines()] == [one.text for one in dialogue.utterances]
        assert "full" in next(one["message"] for one in at.of("session.changed") if one["record"] == "gap")
        coverage = await stage.hub.get(f"/api/sessions/{stage.session_id}/coverage")
        causes = {span["cause"] for track in coverage["tracks"] for span in track["spans"] if span["kind"] == "gap"}
        assert "disk_full" in causes
        assert coverage["figure"] < 1.0


async def test_without_its_model_the_hub_says_so_runs_on_and_keeps_the_sound(tmp_path: Path) -> None:
    dialogue = excerpt(4)
    async with staged(dialogue, tmp_path, "--model", str(tmp_path / "nowhere")) as stage:
        status = await stage.hub.get("/api/status")
        assert status["captions"] == "unavailable"
        assert "nowhere" in status["captions_message"]
        starts_at = time.time() + 0.2
        stage.speak(starts_at)
        await moment(starts_at + dialogue.seconds)
        await stage.hub.post(f"/api/sessions/{stage.session_id}/end")
        coverage = await stage.hub.get(f"/api/sessions/{stage.session_id}/coverage")
        spans = [span for track in coverage["tracks"] for span in track["spans"]]
        assert any(span["kind"] == "pending" for span in spans)
        assert coverage["figure"] < 1.0


def test_a_port_in_use_is_named_and_the_exit_code_is_two(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "session_manager", "serve", "--port", str(port), "--data", str(tmp_path)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 2
    assert f"Port {port}" in run.stderr
    assert "--port" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_media_port_in_use_is_named_and_the_exit_code_is_two(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "session_manager", "serve", "--port", "0", "--media-port", str(port)]
        command += ["--data", str(tmp_path), "--model", "none"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 2
    assert str(port) in run.stderr
    assert "Traceback" not in run.stderr


def test_a_second_hub_on_the_same_data_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "session_manager", "serve", "--json", "--port", "0", "--media-port", "0"]
    command += ["--data", str(tmp_path), "--model", "none"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as first:
        assert first.stdout is not None
        assert "url" in first.stdout.readline()
        second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        first.terminate()
    assert second.returncode == 2
    assert "Another hub uses the data folder" in second.stderr


@pytest.mark.parametrize("arguments", [["--config", "none.toml"], ["--port", "99999"]])
def test_a_wrong_setting_is_a_sentence(tmp_path: Path, arguments: list[str]) -> None:
    command = [sys.executable, "-m", "session_manager", "serve", "--data", str(tmp_path), *arguments]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=Path.cwd())
    assert run.returncode == 2
    assert run.stderr.startswith("shimawa hub: ")
    assert "Traceback" not in run.stderr


async def test_a_hub_that_is_asked_to_stop_ends_cleanly_and_leaves_no_process(tmp_path: Path) -> None:
    import psutil

    async with staged(excerpt(4), tmp_path) as stage:
        hub = stage.hub_processes[-1].process
        children = psutil.Process(hub.pid).children(recursive=True)
        hub.terminate()
        assert await asyncio.wait_for(hub.wait(), 20) == 0
        _, alive = await asyncio.to_thread(psutil.wait_procs, children, 10)
        assert alive == []
