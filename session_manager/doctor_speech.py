"""Which recogniser this machine can carry: each is tried in a process of its own, for a bounded time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from session_manager.capacity import (
    PUBLISHED,
    Candidate,
    Cost,
    at_ease,
    estimate,
    largest,
    largest_estimated,
    lines_only,
    nearest,
)
from session_manager.doctor_house import memory
from session_manager.doctor_network import hub_answers
from session_manager.recogniser import FIXTURE
from session_manager.settings import HubSettings
from signaling.examining.findings import Finding, attention, size_in_words, well, wrong
from signaling.examining.rows import Examination

WITHIN_S = 300.0
"""A model that needs longer to load and to hear twenty seconds is none for this machine."""
DEMO = "fixture"
ROOM_BYTES = 300_000_000
"""Left for the hub itself."""


@dataclass(frozen=True, slots=True)
class Tried:
    """`trouble`: a sentence when it could not be measured. `lines`, `in_noise`: sentences believed, and of them where
    nobody spoke."""

    candidate: Candidate | None
    load_s: float = 0.0
    lines: int = 0
    in_noise: int = 0
    trouble: str = ""


class Speech:
    """The rows about recognisers; what one of them measures the last one compares."""

    def __init__(self, settings: HubSettings, models: tuple[str, ...], tracks: int, within_s: float = WITHIN_S) -> None:
        self._settings, self._tracks, self._within_s = settings, tracks, within_s
        self._given = tuple(dict.fromkeys(map(_name, models)))
        self._set_up = _name(set_up(settings, models))
        self._measured: list[Candidate] = []
        self._tried: dict[str, Tried] = {}

    def examinations(self) -> list[Examination]:
        here = self._settings.transcription_workers > 0 and self._set_up != "none"
        rows = [] if here else [Examination("recogniser", "the recogniser", self._none)]
        names = [self._set_up] if here and self._set_up else []
        names += [one for one in self._given if one != self._set_up]
        rows += [
            Examination("recogniser", f"the recogniser {name} (a minute or more)", partial(self._look, name))
            for name in names
        ]
        return [*rows, Examination("recommendation", "what this machine can carry", self._carries)]

    def _none(self) -> Iterator[Finding]:
        why = "None is set" if self._set_up == "none" else "No worker of its own is set"
        yield attention(
            "recogniser",
            f"{why}: without a recogniser elsewhere there are no captions; sound is kept.",
            "Set `model` to the folder of a Whisper model in CTranslate2 format.",
        )

    def _look(self, model: str) -> Iterator[Finding]:
        set_up = model == self._set_up
        tried = self._try(model)
        if tried.candidate is None:
            judge = wrong if set_up else attention
            then = "Until then there are no captions; sound is kept. For none at all: model = 'none'"
            then = then if set_up else "Leave it out."
            yield judge("recogniser", tried.trouble, then)
            return
        yield judge_load(tried, self._tracks, set_up=set_up)
        yield from doubts(model, tried, memory()[1])
        if model == DEMO:
            yield attention(
                "recogniser_demo",
                "The demo's model knows only the demo's kind of sentences.",
                "Set `model` to a real one for people.",
            )
        else:
            self._measured.append(tried.candidate)

    def _try(self, model: str) -> Tried:
        if model not in self._tried:
            self._tried[model] = self._once(model)
        return self._tried[model]

    def _once(self, model: str) -> Tried:
        name = str(FIXTURE) if model == DEMO else model
        command = [sys.executable, "-m", "transcription.trial", "--model", name]
        command += ["--device", self._settings.device, "--compute", self._settings.compute]
        try:
            ran = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=self._within_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Tried(None, trouble=f"The model {model} did not hear 20 s of talk within {self._within_s:.0f} s.")
        if ran.returncode != 0:
            said = ran.stderr.strip().splitlines()
            died = f"The model {model} cannot be used: its process ended with {ran.returncode}. Is there memory enough?"
            return Tried(None, trouble=said[-1] if ran.returncode == 2 and said else died)
        return read(model, ran.stdout)

    def _carries(self) -> Iterator[Finding]:
        """Of several that were measured the best; what else there is, is estimated."""
        if self._given and self._measured:
            yield judge_choice(self._measured, self._tracks, self._set_up)
        elif (demo := self._try(DEMO)).candidate is None:
            yield attention("recommendation", demo.trouble, "Reinstall: pip install 'shimawa[hub]'")
        else:
            free = memory()[1]
            yield judge_estimate(demo.candidate.cost, self._tracks, (free or sys.maxsize) - ROOM_BYTES)
        if hub_answers(self._settings):
            yield attention(
                "recogniser_disturbed",
                "A hub runs here meanwhile: this machine carries more when it is alone.",
                "Measure again when no session is on.",
            )


def set_up(settings: HubSettings, models: tuple[str, ...]) -> str:
    """The one that the hub would use: of the settings, or the only one given as `shimawa hub` takes it; empty: several
    were given and none of them is set, so they are only compared."""
    if "model" in settings.model_fields_set or not models:
        return settings.model
    return models[0] if len(models) == 1 else ""


def _name(model: str) -> str:
    """The demo's model by its name, also where its folder was given."""
    return DEMO if model != DEMO and Path(model).expanduser().resolve() == FIXTURE else model


def read(model: str, text: str) -> Tried:
    """What `transcription.trial` says. Raises ValueError and KeyError when it is something else."""
    found = json.loads(text)
    cost = Cost(
        found["talk_s"], found["hearing_s"], found["lines_s"], found["partials_s"], found["peak_bytes"]
    )  # fmt: skip
    candidate = Candidate(model, found["size"], cost)
    return Tried(candidate, found["load_s"], found["lines"], found["in_noise"])


def doubts(model: str, tried: Tried, free: int | None) -> Iterator[Finding]:
    """What beside its speed makes this model a bad choice here. `free`: bytes of memory; None: nobody knows."""
    assert tried.candidate is not None
    peak = tried.candidate.cost.peak_bytes
    if free is not None and peak > free:
        said = f"{model} took {size_in_words(peak)} of memory; now only {size_in_words(free)} are free."
        yield attention("recogniser_memory", said, "End other programs, add memory, or take a smaller model.")
    if tried.in_noise:
        said = f"{model} writes sentences where there is only noise."
        yield attention("recogniser_noise", said, "Take another model, or expect words that nobody said.")
    if not tried.lines:
        said = f"{model} wrote nothing that can be believed of twenty seconds of clear speech in Japanese and English."
        yield attention("recogniser_words", said, "Take another model, unless it is one for another language.")


def rooms_in_words(count: int) -> str:
    return "one room" if count == 1 else f"{count} rooms"


def judge_load(tried: Tried, tracks: int, *, set_up: bool) -> Finding:
    """`set_up`: it is the one that the hub would use."""
    assert tried.candidate is not None
    name, cost = tried.candidate.name, tried.candidate.cost
    said = (
        f"{'The recogniser that is set' if set_up else 'Measured'}, {name}: loads in {tried.load_s:.1f} s, takes "
        f"{size_in_words(cost.peak_bytes)} of memory and {cost.load:.2f} s of work for a second of talk."
    )
    easy, late = at_ease(cost), lines_only(cost)
    if easy >= tracks:
        return well("recogniser", f"{said} It captions up to {rooms_in_words(easy)} that talk at once.")
    if late >= tracks:
        more = f"With {rooms_in_words(tracks)} talking at once there are lines after each sentence, no words before it."
        return attention("recogniser", f"{said} {more}", "Take a smaller model, a faster machine, or a graphics card.")
    more = f"That is too slow for {rooms_in_words(tracks)} talking at once: lines would come later and later."
    judge = wrong if set_up else attention
    return judge("recogniser", f"{said} {more}", "Take a smaller model, a faster machine, or a worker elsewhere.")


def judge_choice(measured: list[Candidate], tracks: int, set_up: str) -> Finding:
    best = largest(measured, tracks)
    if best is None:
        near = nearest(measured)
        said = f"None of these carries {rooms_in_words(tracks)} talking at once"
        said += f"; {near.name} comes nearest." if near else "."
        return attention("recommendation", said, "Give smaller models, or ask for fewer at once: --tracks 1")
    said = f"The largest of these that carries {rooms_in_words(tracks)} talking at once is {best.name}."
    if best.name == set_up:
        return well("recommendation", f"{said} It is the one that is set.")
    folder = Path(best.name).absolute() if Path(best.name).is_dir() else best.name
    return well("recommendation", said, f'Set it: model = "{folder}"')


def judge_estimate(fixture: Cost, tracks: int, free: int) -> Finding:
    """`free`: bytes that a recogniser may take."""
    best = largest_estimated(fixture, tracks, free)
    loads = ", ".join(f"{one.name} {estimate(fixture, one).load:.2f}" for one in PUBLISHED)
    how = f"An estimate from the demo's model, within a factor of two or three; seconds of work a second: {loads}."
    measure = "Measure a real one: shimawa doctor hub --model FOLDER"
    if best is None:
        said = f"Not even {PUBLISHED[0].name} would caption {rooms_in_words(tracks)} that talk at once here. {how}"
        return attention("recommendation", said, f"{measure}, or use a worker on another machine.")
    said = f"Up to {best.name} ({best.parameters} M) should caption {rooms_in_words(tracks)} that talk at once here."
    return well("recommendation", f"{said} {how}", measure)
