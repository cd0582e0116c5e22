"""The door of faster-whisper and CTranslate2: a Whisper model behind the engine interface.

faster-whisper loads the model, its tokenizer and its features; encode and generate are called here, on windows cut to
the utterance, in batches over streams, the language decided on the same encoder output. Nothing is ever downloaded.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from transcription.errors import ModelMissing, RecognitionError
from transcription.filters import is_suspicious
from transcription.grid import MODEL_RATE
from transcription.recognition import Recognition, RecognitionRequest
from transcription.windows import FULL_S, WINDOWS_S, batch_key, window_for

FIXTURE = Path(__file__).parent / "fixture" / "model"
GLOSSARY_TOKENS = 64
MAX_TOKENS = 224
"""CTranslate2 stops here (half of Whisper's 448 positions); an answer this long was cut off."""
MAX_INITIAL_TIMESTAMP = 50
"""Whisper's own rule: speech begins in the first second, in steps of 20 ms. The pre-roll is 0.4 s."""
FALLBACK_TEMPERATURES = (0.0, 0.2, 0.4)
SWITCH_LANGUAGE = 0.8
"""A stream keeps its language unless the other is at least this probable."""
_QUOTES = "「」『』"
_NEEDED = ("model.bin", "config.json", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class WhisperSettings:
    """`model`: "fixture", a directory, or a name that is already in the local Hugging Face cache."""

    model: str
    device: str = "auto"
    compute: str = "auto"
    threads: int = 0
    beam: int = 5
    windows_s: tuple[float, ...] = WINDOWS_S


class WhisperEngine:
    name = "whisper"

    def __init__(self, settings: WhisperSettings) -> None:
        """Loads the weights: seconds for a large model. Raises ModelMissing."""
        self._settings = settings
        self._whisper = _load(settings)
        self._extract = self._whisper.feature_extractor
        self.languages = _languages(self._whisper)
        self._suppressed = _suppressed_tokens(self._tokenizer("en"))

    @property
    def model(self) -> str:
        return self._settings.model

    def recognise(self, batch: Sequence[RecognitionRequest]) -> list[Recognition]:
        """Answers in the order of the batch. Raises RecognitionError."""
        answers: dict[int, Recognition] = {}
        indexed = sorted(enumerate(batch), key=lambda pair: repr(batch_key(pair[1])))
        try:
            for _, group in groupby(indexed, key=lambda pair: batch_key(pair[1])):
                members = list(group)
                for (index, _), answer in zip(members, self._together([r for _, r in members]), strict=True):
                    answers[index] = answer
        except (RuntimeError, ValueError, MemoryError) as error:
            raise RecognitionError(f"The model {self.model} failed on a window: {error}") from error
        return [answers[index] for index in range(len(batch))]

    def _together(self, requests: list[RecognitionRequest]) -> list[Recognition]:
        window_s = max(window_for(request.audio_s, self._settings.windows_s) for request in requests)
        answers = self._decode(requests, window_s, 0.0)
        return [
            self._again(request, answer) if request.kind != "partial" and is_suspicious(request, answer) else answer
            for request, answer in zip(requests, answers, strict=True)
        ]

    def _again(self, request: RecognitionRequest, first: Recognition) -> Recognition:
        """Whisper's own way out of loops and doubt: the window it was trained on, then a little temperature."""
        tried = [first]
        for temperature in FALLBACK_TEMPERATURES:
            answer = self._decode([request], FULL_S, temperature)[0]
            if not is_suspicious(request, answer):
                return answer
            tried.append(answer)
        return max(tried, key=lambda answer: (answer.compression <= 2.4, answer.avg_logprob))

    def _decode(self, requests: list[RecognitionRequest], window_s: float, temperature: float) -> list[Recognition]:
        encoded = self._whisper.model.encode(self._features(requests, window_s))
        languages = self._languages(requests, encoded)
        prompts = [self._prompt(request, language) for request, language in zip(requests, languages, strict=True)]
        beam = self._settings.beam if requests[0].kind != "partial" else 1
        search: dict[str, Any] = (
            {"beam_size": 1, "sampling_topk": 0, "sampling_temperature": temperature}
            if temperature
            else {"beam_size": beam}
        )
        results = self._whisper.model.generate(
            encoded,
            prompts,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=self._suppressed,
            max_initial_timestamp_index=MAX_INITIAL_TIMESTAMP,
            **search,
        )
        return [self._recognition(r, language, window_s) for r, language in zip(results, languages, strict=True)]

    def _features(self, requests: list[RecognitionRequest], window_s: float) -> Any:
        length = round(window_s * MODEL_RATE)
        frames = length // self._extract.hop_length
        mels = [
            self._extract(np.pad(request.audio[:length], (0, max(0, length - len(request.audio)))))[..., :frames]
            for request in requests
        ]
        return ctranslate2.StorageView.from_array(np.ascontiguousarray(np.stack(mels), np.float32))

    def _languages(self, requests: list[RecognitionRequest], encoded: Any) -> list[str]:
        if not self._whisper.model.is_multilingual:
            return ["en"] * len(requests)
        allowed = [tuple(code for code in request.languages if code in self.languages) for request in requests]
        if all(len(codes) == 1 for codes in allowed):
            return [codes[0] for codes in allowed]
        found = self._whisper.model.detect_language(encoded)
        return [
            choose_language(codes, request.preferred, dict(scores))
            for codes, request, scores in zip(allowed, requests, found, strict=True)
        ]

    def _prompt(self, request: RecognitionRequest, language: str) -> list[int]:
        tokenizer = self._tokenizer(language)
        glossary = (
            tokenizer.encode(" " + request.glossary.strip())[-GLOSSARY_TOKENS:] if request.glossary.strip() else []
        )
        return [*([tokenizer.sot_prev, *glossary] if glossary else []), *tokenizer.sot_sequence]

    def _recognition(self, result: Any, language: str, window_s: float) -> Recognition:
        tokens = result.sequences_ids[0]
        text = self._tokenizer(language).decode(tokens).replace("\ufffd", "").strip()
        encoded = text.encode()
        return Recognition(
            text=text,
            language=language,
            avg_logprob=result.scores[0] * len(tokens) / (len(tokens) + 1),
            no_speech=result.no_speech_prob,
            compression=len(encoded) / len(zlib.compress(encoded)) if encoded else 1.0,
            truncated=len(tokens) >= MAX_TOKENS - 1,
            window_s=window_s,
        )

    @lru_cache(maxsize=128)  # noqa: B019 - one engine lives as long as its process
    def _tokenizer(self, language: str) -> Any:
        return Tokenizer(self._whisper.hf_tokenizer, self._whisper.model.is_multilingual, "transcribe", language)


def choose_language(allowed: tuple[str, ...], preferred: str, scores: dict[str, float]) -> str:
    """`scores`: probability by token (`<|ja|>`). Among the allowed ones; none allowed: among all."""
    allowed = allowed or tuple(token[2:-2] for token in scores)
    by_language = {language: scores.get(f"<|{language}|>", 0.0) for language in allowed}
    best = max(by_language, key=lambda language: by_language[language])
    total = sum(by_language.values()) or 1.0
    if preferred in by_language and by_language[best] / total < SWITCH_LANGUAGE:
        return preferred
    return best


def _languages(whisper: Any) -> frozenset[str]:
    known = whisper.supported_languages
    return frozenset(
        code for code in known if whisper.hf_tokenizer.token_to_id(f"<|{code}|>") is not None or known == ["en"]
    )


def _suppressed_tokens(tokenizer: Any) -> list[int]:
    """As faster-whisper suppresses by default, but quotation marks stay: they are part of Japanese writing."""
    quotes = {token for mark in _QUOTES for token in (*tokenizer.encode(mark), *tokenizer.encode(" " + mark))}
    t = tokenizer
    special = {t.transcribe, t.translate, t.sot, t.sot_prev, t.sot_lm, t.no_speech}
    return sorted((set(tokenizer.non_speech_tokens) - quotes) | {token for token in special if token is not None})


def _load(settings: WhisperSettings) -> Any:
    folder = model_folder(settings.model)
    on_gpu = settings.device == "cuda" or (settings.device == "auto" and ctranslate2.get_cuda_device_count() > 0)
    compute = settings.compute if settings.compute != "auto" else "float16" if on_gpu else "int8"
    try:
        return WhisperModel(
            str(folder),
            device="cuda" if on_gpu else "cpu",
            compute_type=compute,
            cpu_threads=settings.threads or min(4, os.cpu_count() or 1),
            local_files_only=True,
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelMissing(f"The model in {folder} cannot be used: {error}. Choose another with --model.") from error


def model_folder(model: str) -> Path:
    """Of a setting: `fixture`, a directory, or a name in the local cache. Raises ModelMissing."""
    folder = FIXTURE if model == "fixture" else Path(model).expanduser()
    if not folder.is_dir():
        folder = _cached(model)
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise ModelMissing(
            f"{folder} is not a speech model: {', '.join(missing)} missing. "
            "Give the directory of a Whisper model in CTranslate2 format with --model."
        )
    return folder


def _cached(model: str) -> Path:
    """A name that is in the local cache; never the network."""
    from faster_whisper.utils import download_model

    if model.startswith((".", "/", "~")) or (os.sep in model.rstrip(os.sep) and Path(model).parent.is_dir()):
        raise ModelMissing(f"There is no model at {model}. Give the directory of a Whisper model with --model.")
    try:
        return Path(download_model(model, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, HfHubHTTPError, ValueError, OSError) as error:
        raise ModelMissing(
            f'There is no model "{model}" on this machine, and none is downloaded. '
            "Give the directory of a Whisper model in CTranslate2 format with --model."
        ) from error
