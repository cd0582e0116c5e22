"""`python -m transcription FILE...`: lines of sound files, in every format, scored; clear sentences for the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile
import webvtt

from tests.transcription.sounds import DIALOGUE, dialogue
from transcription.__main__ import main

SAMPLES = Path(__file__).parents[2] / "transcription" / "fixture" / "samples"
ONE = str(DIALOGUE / "18_iki.flac")


def test_lines_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([ONE, "--language", "ja"]) == 0
    assert capsys.readouterr().out == "00:00.00  賛成です。\n"


def test_the_whole_dialogue_scores_zero_errors(capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(DIALOGUE / said.file) for said in dialogue()]
    assert main([*files, "--score", str(DIALOGUE / "dialogue.json")]) == 0
    shown = capsys.readouterr()
    assert "CER 0.00%" in shown.err
    assert [line.split("  ", 1)[1] for line in shown.out.splitlines()] == [said.text for said in dialogue()]


def test_several_sentences_of_one_file_have_their_times(capsys: pytest.CaptureFixture[str]) -> None:
    samples = json.loads((SAMPLES / "samples.json").read_text(encoding="utf-8"))
    reference = next(sample for sample in samples if sample["file"] == "en_several.wav")["segments"]
    assert main([str(SAMPLES / "en_several.wav"), "--format", "json"]) == 0
    lines = json.loads(capsys.readouterr().out)["lines"]
    assert [line["text"] for line in lines] == [segment["text"] for segment in reference]
    for line, segment in zip(lines, reference, strict=True):
        assert line["started_s"] - 0.1 <= segment["start"] <= line["started_s"] + 0.8
        assert line["ended_s"] - 0.8 <= segment["end"] <= line["ended_s"] + 0.1


def test_captions_go_to_a_file(tmp_path: Path) -> None:
    target = tmp_path / "captions.vtt"
    assert main([ONE, "--format", "vtt", "--output", str(target)]) == 0
    [caption] = webvtt.read(str(target))
    assert caption.text == "賛成です。"


def test_the_score_takes_plain_text_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reference = tmp_path / "said.txt"
    reference.write_text("賛成でした。\n", encoding="utf-8")
    assert main([ONE, "--score", str(reference)]) == 0
    assert "CER 40.00%" in capsys.readouterr().err


def test_a_container_that_only_ffmpeg_reads_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import av

    target = tmp_path / "sound.mka"
    sound, rate = soundfile.read(ONE, dtype="int16")
    with av.open(str(target), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(sound[None], format="s16", layout="mono")
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert main([str(target)]) == 0
    assert "賛成です。" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"# not sound\n", bytes(range(256)) * 40])
def test_what_is_not_sound_is_one_sentence_and_exit_code_2(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "notes.wav"
    path.write_bytes(content)
    assert main([str(path)]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"{path} is not a sound file, or of a kind that cannot be read here.\n")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["/nowhere/sound.wav"], "There is no file /nowhere/sound.wav."),
        ([ONE, "--model", "/nowhere/model"], "There is no model at /nowhere/model."),
        ([ONE, "--language", "ja,xx"], "does not know the language xx"),
        ([ONE, "--score", "/nowhere/reference.txt"], "The reference /nowhere/reference.txt cannot be read"),
    ],
)
def test_what_is_missing_is_one_sentence_and_exit_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert words in capsys.readouterr().err
