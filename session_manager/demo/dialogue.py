"""The scripted dialogue of the demo: who says what, when, from which sound file. Pure but for reading the script."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "dialogue"
LEAD_S = 0.3
TAIL_S = 0.6
"""Silence before and after the speech inside each sound file (see tools/asr_fixture/README.md)."""


@dataclass(frozen=True, slots=True)
class DemoSite:
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """`at_s`: when its sound file begins, from the start of the dialogue."""

    site: str
    path: Path
    language: str
    text: str
    at_s: float
    seconds: float

    @property
    def speech_from_s(self) -> float:
        return self.at_s + LEAD_S

    @property
    def speech_to_s(self) -> float:
        return self.at_s + self.seconds - TAIL_S


@dataclass(frozen=True, slots=True)
class Dialogue:
    sites: tuple[DemoSite, ...]
    utterances: tuple[Utterance, ...]

    @property
    def seconds(self) -> float:
        last = self.utterances[-1]
        return last.at_s + last.seconds

    def of(self, site: str) -> tuple[Utterance, ...]:
        return tuple(one for one in self.utterances if one.site == site)

    def languages(self, site: str) -> tuple[str, ...]:
        """Japanese first; English only where it is spoken."""
        return tuple(sorted({one.language for one in self.of(site)}, reverse=True)) or ("ja",)


def load_dialogue(folder: Path = FOLDER) -> Dialogue:
    script = json.loads((folder / "dialogue.json").read_text(encoding="utf-8"))
    utterances: list[Utterance] = []
    at_s = 0.0
    for one in script["utterances"]:
        at_s += one["pause_before_s"]
        path = folder / one["file"]
        utterances.append(Utterance(one["site"], path, one["language"], one["text"], at_s, one["seconds"]))
        at_s += one["seconds"]
    sites = tuple(DemoSite(one["id"], one["name"]) for one in script["sites"])
    return Dialogue(sites, tuple(utterances))


def microphone_script(dialogue: Dialogue, site: str, starts_at: float | None) -> dict[str, object]:
    """What `hardware`'s simulated microphone plays at one site; `starts_at` None: silence until it is set."""
    say = [{"at_s": one.at_s, "path": str(one.path)} for one in dialogue.of(site)]
    return {"starts_at": starts_at, "say": say}
