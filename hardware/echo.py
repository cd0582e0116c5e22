"""Echo canceller: the WebRTC audio processing module (AEC3) that the `livekit` wheel carries, used alone.

No server and no socket is involved. Measured offline: 40 dB less echo, about 1 % of a core, 9 ms of delay. It must
hear what goes to the speaker *before* it is played: 80 ms late costs 25 dB. Capture that is missing must be there as
silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from hardware.errors import DeviceMissing
from hardware.level import dbfs
from hardware.ports import SAMPLE_RATE, AudioBlock, Microphone, Render, Samples
from hardware.specs import is_simulated

if TYPE_CHECKING:
    from livekit.rtc.audio_frame import AudioFrame

STEP_SAMPLES = 480
"""The module works in 10 ms."""
SMOOTHING = 0.98
FILL_LIMIT_SAMPLES = SAMPLE_RATE

EchoMode = Literal["auto", "on", "off"]


def echo_wanted(mode: EchoMode, microphone: str, speaker: str) -> bool:
    """`auto`: when both device specs are real ones; a simulated pair has no room between its ends."""
    return mode == "on" or (mode == "auto" and not is_simulated(microphone) and not is_simulated(speaker))


class EchoCanceller:
    """`reverse` from the audio thread with the final mix, `process` with the microphone; each from one thread.

    `erle_db`: how much quieter the microphone became while the speaker sounded, smoothed over about half a second; it
    falls when somebody speaks here at the same time, so look at it as a health light and not as a measurement.
    """

    def __init__(self, *, noise_suppression: bool = True, gain_control: bool = False) -> None:
        try:
            from livekit.rtc.apm import AudioProcessingModule
            from livekit.rtc.audio_frame import AudioFrame
        except (ImportError, OSError) as error:
            raise DeviceMissing(
                "The echo canceller is not installed: `pip install livekit`, or set echo to off for a board that has "
                "its own."
            ) from error
        self._frame_type = AudioFrame
        self._module = AudioProcessingModule(
            echo_cancellation=True,
            noise_suppression=noise_suppression,
            high_pass_filter=True,
            auto_gain_control=gain_control,
        )
        self._left_over: Samples = np.zeros(0, np.float32)
        self._speaker_on = False
        self._power_in = self._power_out = 0.0

    @property
    def erle_db(self) -> float:
        return dbfs(self._power_in) - dbfs(self._power_out) if self._power_in > 0.0 else 0.0

    def set_delay(self, seconds: float) -> None:
        """A hint: from `reverse` to the echo in the microphone. It finds the delay without one, too."""
        self._module.set_stream_delay_ms(max(0, round(seconds * 1000)))

    def reverse(self, render_frame: Samples) -> None:
        """What the speaker is about to play, any number of samples; what does not fill 10 ms waits."""
        samples = np.concatenate([self._left_over, render_frame]) if self._left_over.size else render_frame
        whole = samples.size // STEP_SAMPLES * STEP_SAMPLES
        for start in range(0, whole, STEP_SAMPLES):
            self._module.process_reverse_stream(self._wrap(samples[start : start + STEP_SAMPLES]))
        self._left_over = samples[whole:].copy()
        self._speaker_on = bool(render_frame.size) and float(np.max(np.abs(render_frame))) > 1e-3

    def process(self, mic_frame: Samples) -> Samples:
        """The microphone without the speaker; shape (n,) in and out, n a multiple of 480."""
        if mic_frame.size % STEP_SAMPLES:
            raise ValueError(f"the canceller works in {STEP_SAMPLES} samples, not {mic_frame.size}")
        steps = [
            self._step(mic_frame[start : start + STEP_SAMPLES]) for start in range(0, mic_frame.size, STEP_SAMPLES)
        ]
        return np.concatenate(steps) if steps else mic_frame

    def _step(self, samples: Samples) -> Samples:
        frame = self._wrap(samples)
        self._module.process_stream(frame)
        cleaned = np.frombuffer(frame.data, np.int16).astype(np.float32) / 32768.0
        if self._speaker_on:
            self._power_in = _smooth(self._power_in, samples)
            self._power_out = _smooth(self._power_out, cleaned)
        return cleaned

    def _wrap(self, samples: Samples) -> AudioFrame:
        data = (np.clip(samples, -1.0, 1.0) * 32767.0).astype(np.int16).tobytes()
        return self._frame_type(bytearray(data), SAMPLE_RATE, 1, STEP_SAMPLES)


class EchoFreeMicrophone:
    """A microphone behind a canceller. Short holes in capture reach the canceller as silence, so that it keeps step."""

    def __init__(self, microphone: Microphone, canceller: EchoCanceller) -> None:
        self.name = microphone.name
        self._microphone = microphone
        self._canceller = canceller
        self._next: int | None = None

    async def read(self) -> AudioBlock:
        block = await self._microphone.read()
        hole = 0 if self._next is None else block.sample - self._next
        self._next = block.sample + block.samples.size
        if 0 < hole <= FILL_LIMIT_SAMPLES:
            self._canceller.process(np.zeros(hole // STEP_SAMPLES * STEP_SAMPLES, np.float32))
        return AudioBlock(self._canceller.process(block.samples), block.sample, block.captured_at)

    def close(self) -> None:
        self._microphone.close()


def heard_by(canceller: EchoCanceller, render: Render) -> Render:
    """`render`, with the canceller listening before the speaker does."""

    def render_and_tell(count: int) -> Samples:
        samples = render(count)
        canceller.reverse(samples)
        return samples

    return render_and_tell


def _smooth(power: float, samples: Samples) -> float:
    return SMOOTHING * power + (1.0 - SMOOTHING) * float(np.dot(samples, samples)) / samples.size
