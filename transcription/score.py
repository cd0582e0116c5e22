"""How far a transcript is from what was said: character and word error rates. Pure.

*Normalised* is what a reader would call an error: width, case, punctuation, blanks and the way numbers are written do
not count (`normalise`). *Raw* counts every character. Rates are errors per unit of the reference, so they can exceed 1;
with an empty reference they are the number of inserted units.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transcription.alignment import DELETE, INSERT, MATCH, SUBSTITUTE, align
from transcription.lines import TranscriptLine

_DIGITS = {character: value for value, character in enumerate("〇一二三四五六七八九")}
_TENS = {"十": 10, "百": 100, "千": 1_000}
_MYRIADS = {"万": 10_000, "億": 100_000_000}
_NUMBER = re.compile(
    "[0-9〇一二三四五六七八九十百千万億]*[0-9〇一二三四五六七八九十][0-9〇一二三四五六七八九十百千万億]*"
)
_APOSTROPHES = re.compile("['’]")
_WORD = re.compile(r"[぀-ヿ㐀-鿿豈-﫿\U00020000-\U0003ffff]|[^\s぀-ヿ㐀-鿿豈-﫿\U00020000-\U0003ffff]+")


@dataclass(frozen=True, slots=True)
class Edits:
    """`reference`: units of the reference. What is not substituted or deleted of it was right."""

    reference: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    @property
    def errors(self) -> int:
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        return self.errors / max(1, self.reference)

    def __add__(self, other: Edits) -> Edits:
        return Edits(
            self.reference + other.reference,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """A stretch that is not the same; one of the two may be empty."""

    reference: str
    hypothesis: str


@dataclass(frozen=True, slots=True)
class SiteScore:
    """Lines of one site, joined in order of time: how they were cut does not count. Differences are normalised text."""

    site: str
    lines_said: int
    lines_written: int
    characters: Edits
    words: Edits
    raw_characters: Edits
    raw_words: Edits
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """All sites together; text under the wrong site is an error at both."""

    sites: tuple[SiteScore, ...]
    characters: Edits
    words: Edits
    raw_characters: Edits
    raw_words: Edits


def cer(reference: str, hypothesis: str, *, raw: bool = False) -> float:
    """Character error rate, normalised unless `raw`."""
    return character_edits(reference, hypothesis, raw=raw).rate


def wer(reference: str, hypothesis: str, *, raw: bool = False) -> float:
    """Word error rate, normalised unless `raw`. Japanese has no blanks: each of its characters counts as a word."""
    return word_edits(reference, hypothesis, raw=raw).rate


def character_edits(reference: str, hypothesis: str, *, raw: bool = False) -> Edits:
    if not raw:
        reference, hypothesis = normalise(reference), normalise(hypothesis)
    return _count(align(reference, hypothesis))


def word_edits(reference: str, hypothesis: str, *, raw: bool = False) -> Edits:
    return _count(align(_words(reference, raw), _words(hypothesis, raw)))


def score_lines(reference_lines: Iterable[TranscriptLine], hypothesis_lines: Iterable[TranscriptLine]) -> Score:
    """Compare site by site; sites in the order in which they first appear, those of the reference first."""
    said, written = _by_site(reference_lines), _by_site(hypothesis_lines)
    sites = tuple(
        _score_site(site, said.get(site, []), written.get(site, [])) for site in dict.fromkeys((*said, *written))
    )
    return Score(
        sites,
        sum((site.characters for site in sites), Edits()),
        sum((site.words for site in sites), Edits()),
        sum((site.raw_characters for site in sites), Edits()),
        sum((site.raw_words for site in sites), Edits()),
    )


def normalise(text: str, *, blanks: bool = False) -> str:
    """NFKC, lower case, numbers in Arabic digits, neither punctuation nor symbols; blanks only when asked for."""
    text = _APOSTROPHES.sub("", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(character if unicodedata.category(character)[0] in "LNM" else " " for character in _joined(text))
    kept = " ".join(_NUMBER.sub(_digits, kept).split())
    return kept if blanks else kept.replace(" ", "")


def _joined(text: str) -> str:
    """`1,000` is one number."""
    return re.sub(r"(?<=\d),(?=\d{3})", "", text)


def _digits(match: re.Match[str]) -> str:
    """`二〇二六` and `二千二十六` are 2026, `3万` is 30000; a run that is no number stays as it is."""
    run = match.group()
    if not any(character in _TENS or character in _MYRIADS for character in run):
        return "".join(str(_DIGITS.get(character, character)) for character in run)
    total, group, digits = 0, 0, ""
    for character in run:
        if character in _TENS:
            group, digits = group + int(digits or 1) * _TENS[character], ""
        elif character in _MYRIADS:
            total, group, digits = total + (group + int(digits or not group)) * _MYRIADS[character], 0, ""
        else:
            digits += str(_DIGITS.get(character, character))
    return str(total + group + int(digits or 0))


def _words(text: str, raw: bool) -> Sequence[str]:
    return _WORD.findall(text if raw else normalise(text, blanks=True))


def _count(steps: str) -> Edits:
    found = {step: steps.count(step) for step in (MATCH, SUBSTITUTE, DELETE, INSERT)}
    in_reference = found[MATCH] + found[SUBSTITUTE] + found[DELETE]
    return Edits(in_reference, found[SUBSTITUTE], found[DELETE], found[INSERT])


def _by_site(lines: Iterable[TranscriptLine]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in sorted(lines, key=lambda line: (line.started_s, line.ended_s)):
        found.setdefault(line.site, []).append(line.text)
    return found


def _score_site(site: str, said: list[str], written: list[str]) -> SiteScore:
    reference, hypothesis = " ".join(said), " ".join(written)
    return SiteScore(
        site,
        len(said),
        len(written),
        character_edits(reference, hypothesis),
        word_edits(reference, hypothesis),
        character_edits(reference, hypothesis, raw=True),
        word_edits(reference, hypothesis, raw=True),
        _differences(normalise(reference), normalise(hypothesis)),
    )


def _differences(reference: str, hypothesis: str) -> tuple[Difference, ...]:
    found: list[Difference] = []
    at, other = 0, 0
    for stretch in re.finditer(f"{MATCH}+|[^{MATCH}]+", align(reference, hypothesis)):
        steps = stretch.group()
        end, other_end = at + len(steps) - steps.count(INSERT), other + len(steps) - steps.count(DELETE)
        if steps[0] != MATCH:
            found.append(Difference(reference[at:end], hypothesis[other:other_end]))
        at, other = end, other_end
    return tuple(found)
