"""The command `python -m transcription FILE...`: sound files in, a transcript out, its errors counted when asked."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from transcription import formats
from transcription.__main__ import add_engine_options
from transcription.engines import Recogniser, load_recogniser
from transcription.errors import LanguageUnknown, NotSound
from transcription.files import open_sound, transcribe
from transcription.lines import Transcript, TranscriptLine
from transcription.score import character_edits, word_edits

Progress = Callable[[float, float], None]

_WRITERS: dict[str, Callable[[Transcript], str]] = {
    "json": formats.to_json,
    "vtt": formats.to_vtt,
    "srt": formats.to_srt,
    "markdown": formats.to_markdown,
}


def run(given: list[str]) -> int:
    """Raises TranscriptionError with a sentence for what is wrong with what was given."""
    chosen = _parser().parse_args(given)
    for path in chosen.files:
        open_sound(path)
    reference = _reference(chosen.score) if chosen.score else None
    recogniser = load_recogniser(
        chosen.engine, chosen.model, chosen.device, chosen.compute, chosen.threads, chosen.full_windows
    )
    _check_languages(chosen.language, recogniser)
    lines = [line for path in chosen.files for line in _file(path, recogniser, chosen)]
    text = _write(chosen.format, tuple(lines), tuple(path.stem for path in chosen.files))
    if chosen.output:
        chosen.output.write_text(text, encoding="utf-8")
    elif chosen.format != "text":
        sys.stdout.write(text)
    if reference is not None:
        sys.stderr.write(_score_sentence(reference, " ".join(line.text for line in lines)) + "\n")
    return 0


def _check_languages(given: str, recogniser: Recogniser) -> None:
    known = recogniser.engine.languages
    unknown = [code for code in given.split(",") if known and code not in known]
    if unknown:
        raise LanguageUnknown(
            f"This model does not know the language {', '.join(unknown)}: give codes like ja or en with --language."
        )


def _file(path: Path, recogniser: Recogniser, chosen: argparse.Namespace) -> Iterator[TranscriptLine]:
    with _progress(path.name) as progress:
        for line in transcribe(path, recogniser, tuple(chosen.language.split(",")), chosen.glossary, progress):
            if chosen.format == "text" and not chosen.output:
                sys.stdout.write(_text_line(line) + "\n")
                sys.stdout.flush()
            yield line


def _write(name: str, lines: tuple[TranscriptLine, ...], sites: tuple[str, ...]) -> str:
    if name == "text":
        return "".join(_text_line(line) + "\n" for line in lines)
    return _WRITERS[name](Transcript(title=" ".join(sites), sites=sites, lines=lines))


def _text_line(line: TranscriptLine) -> str:
    minutes, seconds = divmod(line.started_s, 60)
    return f"{int(minutes):02d}:{seconds:05.2f}  {line.text}"


def _reference(path: Path) -> str:
    """Plain text, or JSON with `text` in it: a list, or a transcript's `lines` or `utterances`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotSound(f"The reference {path} cannot be read as text: {error}.") from error
    if path.suffix != ".json":
        return text
    try:
        return " ".join(_texts(json.loads(text)))
    except ValueError as error:
        raise NotSound(f"The reference {path} is not JSON: {error}.") from error


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for name in ("lines", "utterances"):
            yield from _texts(value.get(name))


def _score_sentence(reference: str, said: str) -> str:
    characters, words = character_edits(reference, said), word_edits(reference, said)
    return (
        f"CER {characters.rate:.2%} ({characters.errors} of {characters.reference})   "
        f"WER {words.rate:.2%} ({words.errors} of {words.reference})"
    )


@contextmanager
def _progress(name: str) -> Iterator[Progress]:
    """A bar on standard error when a person looks at it."""
    if not sys.stderr.isatty():
        yield lambda _done_s, _of_s: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(name, total=None)
        yield lambda done_s, of_s: bars.update(task, completed=done_s, total=of_s or None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m transcription",
        description="Write down what is said in sound files. `python -m transcription worker` serves a hub instead.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--language", default="ja,en", help="ja, en, or several to choose among: ja,en")
    parser.add_argument("--glossary", default="", help="names and terms that occur, as a short text")
    parser.add_argument("--format", default="text", choices=("text", *_WRITERS))
    parser.add_argument("--output", type=Path, metavar="PATH", help="a file instead of standard output")
    parser.add_argument("--score", type=Path, metavar="REFERENCE", help="text or JSON; prints CER and WER")
    add_engine_options(parser)
    return parser
