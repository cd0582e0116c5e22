"""What the demo measured, from what was said and what was seen. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from session_manager.demo.dialogue import Dialogue, Utterance
from transcription.score import cer


@dataclass(frozen=True, slots=True)
class SeenLine:
    """`arrived_at`: when this process heard of it. All instants are UTC POSIX seconds."""

    site: str
    text: str
    started_at: float
    ended_at: float
    arrived_at: float


@dataclass(frozen=True, slots=True)
class SeenPartial:
    site: str
    text: str
    arrived_at: float


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """`heard`: names of the sites whose sound arrived there above the level."""

    site: str
    heard: tuple[str, ...]
    join_ms: float | None


@dataclass(frozen=True, slots=True)
class SiteReport:
    said: int
    lines: int
    cer: float
    heard: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    sites: Mapping[str, SiteReport]
    cer: float
    coverage: float
    join_ms_p50: float | None
    first_partial_ms_p50: float | None
    final_after_speech_ms_p50: float | None
    forward_p99_ms: float | None

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def build_report(
    dialogue: Dialogue,
    starts_at: float,
    lines: Sequence[SeenLine],
    partials: Sequence[SeenPartial],
    boards: Sequence[BoardFacts],
    coverage: float,
    forward_p99_ms: float | None,
) -> Report:
    sites: dict[str, SiteReport] = {}
    for site in dialogue.sites:
        said = dialogue.of(site.key)
        written = sorted((one for one in lines if one.site == site.name), key=lambda one: one.started_at)
        heard = next((one.heard for one in boards if one.site == site.name), ())
        sites[site.name] = SiteReport(len(said), len(written), round(_cer(said, written), 4), heard)
    by_site = {site.key: site.name for site in dialogue.sites}
    ordered = sorted(lines, key=lambda one: one.started_at)
    firsts = [_first_partial_ms(one, by_site[one.site], starts_at, partials) for one in dialogue.utterances]
    finals = [_final_ms(one, by_site[one.site], starts_at, lines) for one in dialogue.utterances]
    return Report(
        sites=sites,
        cer=round(_cer(dialogue.utterances, ordered), 4),
        coverage=round(coverage, 4),
        join_ms_p50=_median([one.join_ms for one in boards]),
        first_partial_ms_p50=_median(firsts),
        final_after_speech_ms_p50=_median(finals),
        forward_p99_ms=forward_p99_ms,
    )


def _cer(said: Sequence[Utterance], written: Sequence[SeenLine]) -> float:
    return cer("".join(one.text for one in said), "".join(one.text for one in written))


def _median(figures: Sequence[float | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return round(median(known), 1) if known else None


def _first_partial_ms(said: Utterance, site: str, starts_at: float, partials: Sequence[SeenPartial]) -> float | None:
    began, over = starts_at + said.speech_from_s, starts_at + said.speech_to_s + 1.0
    arrived = [one.arrived_at for one in partials if one.site == site and one.text and began <= one.arrived_at <= over]
    return (min(arrived) - began) * 1_000 if arrived else None


def _final_ms(said: Utterance, site: str, starts_at: float, lines: Sequence[SeenLine]) -> float | None:
    began, over = starts_at + said.speech_from_s, starts_at + said.speech_to_s

    def shared(line: SeenLine) -> float:
        return min(over, line.ended_at) - max(began, line.started_at)

    overlapping = [one for one in lines if one.site == site and shared(one) > 0]
    return (max(overlapping, key=shared).arrived_at - over) * 1_000 if overlapping else None
