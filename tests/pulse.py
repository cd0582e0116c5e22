"""A PulseAudio of the test's own: null sinks as virtual speakers, their monitors as virtual microphones.

    with pulse_server(("m1", "s1"), microphones={"mic_a": "m1.monitor"}, speakers={"out_a": "s1"}) as pulse:
        subprocess.Popen([...], env={**os.environ, **pulse.environment})

What is played into sink `m1` (by `pulse.environment` and any player, or by a speaker named for it) is what microphone
`mic_a` captures. PortAudio sees the names through ALSA's pulse plugin, from an `.asoundrc` in a home of the test's own.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_LIMIT_S = 20.0


@dataclass(frozen=True)
class Pulse:
    """`environment`: what a process needs so that its PortAudio sees exactly these devices, by these names."""

    environment: Mapping[str, str]
    process: subprocess.Popen[bytes]

    def pactl(self, *arguments: str) -> str:
        return subprocess.run(
            ["pactl", *arguments], env={**os.environ, **self.environment}, check=True, capture_output=True, text=True
        ).stdout


@contextmanager
def pulse_server(
    sinks: Sequence[str], *, microphones: Mapping[str, str], speakers: Mapping[str, str]
) -> Iterator[Pulse]:
    """`sinks`: null sinks to make. `microphones`, `speakers`: device name to Pulse source or sink."""
    # a unix socket's path has about 100 bytes, pytest's folders are longer
    home = Path(tempfile.mkdtemp(prefix="pulse-"))
    try:
        socket = home / "native"
        (home / "default.pa").write_text(_script(sinks, socket), encoding="utf-8")
        (home / ".asoundrc").write_text(_asoundrc(microphones, speakers, socket), encoding="utf-8")
        environment = {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "PULSE_SERVER": f"unix:{socket}",
            "PULSE_COOKIE": str(home / "cookie"),
        }
        with _running(home, environment) as process:
            pulse = Pulse(environment, process)
            _await_answer(pulse)
            yield pulse
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _running(home: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = ["pulseaudio", "-n", "-F", str(home / "default.pa"), "--daemonize=no", "--exit-idle-time=-1"]
    options = ["--use-pid-file=no", "--system=false", "--disable-shm=true", "--high-priority=no", "--realtime=no"]
    server_environment = {key: value for key, value in {**os.environ, **environment}.items() if key != "PULSE_SERVER"}
    log = (home / "log").open("wb")
    process = subprocess.Popen([*command, *options], env=server_environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _await_answer(pulse: Pulse) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while not _answers(pulse):
        log = Path(pulse.environment["HOME"], "log").read_text(errors="replace")
        assert pulse.process.poll() is None, f"pulseaudio ended: {log}"
        assert time.monotonic() < deadline, f"pulseaudio does not answer: {log}"
        time.sleep(0.05)


def _answers(pulse: Pulse) -> bool:
    try:
        pulse.pactl("info")
    except subprocess.CalledProcessError:
        return False
    return True


def _script(sinks: Sequence[str], socket: Path) -> str:
    lines = [f"load-module module-native-protocol-unix auth-anonymous=1 socket={socket}"]
    lines += [f"load-module module-null-sink sink_name={sink} rate=48000 channels=1" for sink in sinks]
    return "\n".join(lines) + "\n"


def _asoundrc(microphones: Mapping[str, str], speakers: Mapping[str, str], socket: Path) -> str:
    entries = []
    for name, device in [*microphones.items(), *speakers.items()]:
        entries.append(
            f'pcm.{name} {{ type pulse\n server "unix:{socket}"\n device "{device}"\n'
            f' hint {{ show on\n description "{name}" }} }}\n'
        )
    return "".join(entries)
