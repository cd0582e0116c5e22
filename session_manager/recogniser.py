"""The hub's own transcription workers: how they are started, and the sentence that says why there are none."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from session_manager.processes import TiedProcess
from session_manager.settings import HubSettings

FIXTURE = Path(__file__).resolve().parent.parent / "transcription" / "fixture" / "model"


class Recogniser:
    """The local transcription workers, and the sentence that says why there are none."""

    def __init__(self, settings: HubSettings, worker_token: str) -> None:
        self._settings = settings
        self._token = worker_token
        self._given_up = False
        self.changed: Callable[[], None] = lambda: None
        self.processes: list[TiedProcess] = []

    def sentence(self) -> str:
        """Empty when captions can be expected."""
        model = self._settings.model
        if self._settings.transcription_workers == 0:
            return ""
        if model == "none":
            return "No recogniser is set up on this hub: there are no captions, sound is kept."
        if ("/" in model or os.sep in model) and not Path(model).is_dir():
            return f"There is no model at {model}: there are no captions, sound is kept. Set `model` and start again."
        if self._given_up:
            return f"The model {model} cannot be loaded here: there are no captions, sound is kept."
        return ""

    def processes_for(self, feed_url: str) -> list[TiedProcess]:
        if self.sentence():
            return []
        model = str(FIXTURE) if self._settings.model == "fixture" else self._settings.model
        command = [sys.executable, "-m", "transcription", "worker", "--tied", "--hub", feed_url, "--model", model]
        command += ["--device", self._settings.device, "--compute", self._settings.compute]
        environment = {**os.environ, "SHIMAWA_WORKER_TOKEN": self._token}
        for number in range(self._settings.transcription_workers):
            process = TiedProcess(f"transcription worker {number}", command, environment)
            process.gave_up = self._give_up
            self.processes.append(process)
        return self.processes

    def _give_up(self, code: int) -> None:
        self._given_up = True
        self.changed()
