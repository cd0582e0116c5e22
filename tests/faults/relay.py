"""A network that lets no UDP through to the hub: the relay (Debian's coturn) is the only way for sound."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.faults.cuts import HERE, THERE, Undisturbed, talk, transcript_row
from tests.faults.network import HUB_ADDRESS, Network, run
from tests.faults.plays import HUB_ARGUMENTS, Play, Scene
from tests.faults.rows import Row, at_most
from tests.faults.scene import ends_s

TURN_PORT = 3478
SECRET = "a wind from the north"
MISSING_PERCENT = 1.0


def close_udp(network: Network, board: str) -> None:
    """Whatever comes from that board by UDP is dropped, but for what goes to the relay."""
    cable = network.cables[board]
    nft = ("ip", "netns", "exec", network.hub, "nft")
    run(*nft, "add", "table", "inet", "relay")
    run(*nft, "add", "chain", "inet", "relay", "in", "{ type filter hook input priority 0; }")
    rule = f'iifname "{cable.at_hub}" udp dport != {TURN_PORT} counter drop'
    run(*nft, "add", "rule", "inet", "relay", "in", rule)


def start_relay(network: Network, folder: Path, log: Path) -> None:
    """In the hub's namespace, which takes it along when it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    options = [
        "-n", f"--listening-port={TURN_PORT}", f"--listening-ip={HUB_ADDRESS}", f"--relay-ip={HUB_ADDRESS}",
        "--realm=shimawa", "--use-auth-secret", f"--static-auth-secret={SECRET}", "--no-cli", "--no-tls", "--no-dtls",
        "--verbose", "--log-file=stdout", f"--pidfile={folder / 'pid'}", f"--userdb={folder / 'db'}",
    ]  # fmt: skip
    command = (*network.command(), "turnserver", *options)
    with log.open("wb") as out:
        subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=folder, start_new_session=True)


async def relay_only(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    """The board is told nothing: it tries the direct way first, and finds the relay by itself."""
    dialogue = talk(7)
    plain = await undisturbed.of("talk-7", dialogue)
    log = folder / "coturn.log"
    (folder / "turn").mkdir(parents=True)
    (folder / "secret").write_text(SECRET + "\n", encoding="ascii")

    def prepare(network: Network) -> None:
        close_udp(network, HERE)
        start_relay(network, folder / "turn", log)

    async def fault(scene: Scene) -> None:
        scene.mark("begin")
        await scene.at(ends_s(dialogue))
        scene.mark("end")

    relay = ("--turn-url", f"turn:{HUB_ADDRESS}:{TURN_PORT}", "--turn-secret-file", str(folder / "secret"))
    found = await Play(dialogue, folder, fault, hub_arguments=(*HUB_ARGUMENTS, *relay), prepare=prepare).run()
    begin, end, watch = found.scene.marks["begin"], found.scene.marks["end"], found.scene.watch
    missing = max(
        watch.missing_share(HERE, found.sites[THERE], begin, end),
        watch.missing_share(THERE, found.sites[HERE], begin, end),
    )
    allocations = log.read_bytes().count(b"ALLOCATE processed, success")
    form = "no UDP but to coturn for one of two boards"
    return [
        at_most("relay_only: live sound", "missing", MISSING_PERCENT, 100 * missing, "%", form),
        Row("relay_only: path", "through the relay", f"{allocations} allocations", allocations >= 2, form),
        transcript_row("relay_only", found, plain, form),
    ]
