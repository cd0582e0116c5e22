"""The plane over a real worker process: forwarding, death and return, ports."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys

import psutil
import pytest

from signaling.media.errors import MediaError, PortInUse
from signaling.media.plane import WorkerPlane
from signaling.media.supervision import REPLY_TIMEOUT_S, restart_delay_s
from signaling.ports import MediaRefused
from tests.signaling_media.clients import Publisher, Recorder, Subscriber, until


async def test_audio_goes_through_the_worker_to_the_other_site_and_to_the_log(
    plane: WorkerPlane, events: Recorder
) -> None:
    speaker, listener = Publisher(plane, "a", video=True), Subscriber(plane, "b")
    await listener.subscribe(audio=2, video=2)
    await speaker.publish()
    await until(lambda: listener.payloads() >= 20 and sum(listener.frames.values()) >= 5)
    await events.until(lambda: len(events.packets) >= 20)
    sequences = [packet.sequence for packet in events.packets]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
    assert all(packet.sample == packet.sequence * 960 and packet.epoch == 1 for packet in events.packets)
    await events.until(lambda: any(report.get("a-a") == 20 for report in events.level_reports))
    assert events.count("up", "s1", "b", "subscribe", 0) == 1
    stats = await plane.stats()
    (worker,) = stats["workers"]  # type: ignore[misc]
    assert worker["sessions"]["s1"]["tracks"]["a-a"]["copies"] > 0
    await speaker.close()
    await listener.close()


async def test_a_killed_worker_is_told_and_comes_back_on_its_port(plane: WorkerPlane, events: Recorder) -> None:
    speaker, listener = Publisher(plane, "a"), Subscriber(plane, "b")
    await speaker.publish()
    await listener.subscribe()
    await until(lambda: listener.payloads() >= 5)
    (port,), (pid,) = plane.ports(), plane.pids()
    os.kill(pid, signal.SIGKILL)
    await events.until(lambda: events.count("lost") == 2)
    assert {told[-1] for told in events.told if told[0] == "lost"} == {"worker_died"}
    await until(lambda: bool(plane.pids()))
    assert plane.ports() == [port]
    assert plane.pids() != [pid]
    again, anew = Publisher(plane, "a"), Subscriber(plane, "b")
    again.pump.sequence = speaker.pump.sequence
    await again.publish(1)
    await anew.subscribe(1)
    await until(lambda: anew.payloads() >= 5)
    for client in (speaker, listener, again, anew):
        await client.close()


async def test_commands_are_refused_with_a_sentence_while_the_worker_is_away(
    plane: WorkerPlane, events: Recorder
) -> None:
    os.kill(plane.pids()[0], signal.SIGKILL)
    await until(lambda: not plane.pids())
    with pytest.raises(MediaRefused) as refused:
        await plane.subscribe("s1", "b", 0, 1, 0)
    assert refused.value.code == "no_media"
    await plane.close("s1", "b", None, None)
    await until(lambda: bool(plane.pids()))
    assert (await plane.subscribe("s1", "b", 0, 1, 0)).slots


async def test_a_command_that_was_under_way_when_the_worker_died_is_refused_at_once(plane: WorkerPlane) -> None:
    os.kill(plane.pids()[0], signal.SIGSTOP)  # it will not answer
    waiting = asyncio.get_running_loop().create_task(plane.subscribe("s1", "b", 0, 1, 0))
    await asyncio.sleep(0)
    os.kill(plane.pids()[0], signal.SIGKILL)
    async with asyncio.timeout(REPLY_TIMEOUT_S / 2):
        with pytest.raises(MediaRefused) as refused:
            await waiting
    assert refused.value.code == "no_media"


async def test_a_taken_port_is_one_clear_error_and_leaves_nothing_behind(events: Recorder) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        number = holder.getsockname()[1]
        plane = WorkerPlane(events, workers=1, addresses=["127.0.0.1"], first_port=number)
        with pytest.raises(PortInUse) as error:
            await plane.start()
    assert (error.value.address, error.value.port) == ("127.0.0.1", number)
    assert plane.pids() == []


async def test_an_address_of_another_machine_is_one_clear_error(events: Recorder) -> None:
    plane = WorkerPlane(events, workers=1, addresses=["203.0.113.7"])
    with pytest.raises(MediaError, match=r"203\.0\.113\.7"):
        await plane.start()


async def test_sessions_are_spread_over_workers_and_stay_where_they_are(events: Recorder) -> None:
    plane = WorkerPlane(events, workers=2, addresses=["127.0.0.1"])
    await plane.start()
    try:
        first = await plane.subscribe("s1", "a", 0, 1, 0)
        second = await plane.subscribe("s2", "a", 0, 1, 0)
        third = await plane.subscribe("s1", "b", 0, 1, 0)
        ports = [str(port) for port in plane.ports()]
        homes = [next(port for port in ports if f" {port} typ host" in offer.sdp) for offer in (first, second, third)]
        assert homes[0] == homes[2] != homes[1]
    finally:
        await plane.stop()
    assert plane.pids() == []


HUB = """
import asyncio
from signaling.media.plane import WorkerPlane
from tests.signaling_media.clients import Recorder

async def main():
    plane = WorkerPlane(Recorder(), workers=1, addresses=["127.0.0.1"])
    await plane.start()
    print(plane.pids()[0], flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_a_killed_hub_leaves_no_worker_behind() -> None:
    hub = await asyncio.create_subprocess_exec(sys.executable, "-c", HUB, stdout=asyncio.subprocess.PIPE)
    assert hub.stdout is not None
    pid = int(await hub.stdout.readline())
    assert psutil.pid_exists(pid)
    hub.kill()
    await hub.wait()
    await until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


@pytest.mark.parametrize(("deaths", "delay"), [(1, 0.0), (2, 0.5), (3, 1.0), (4, 2.0), (7, 10.0), (99, 10.0)])
def test_a_worker_that_keeps_dying_is_started_ever_more_slowly(deaths: int, delay: float) -> None:
    assert restart_delay_s(deaths) == delay
