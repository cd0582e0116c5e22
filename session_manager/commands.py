"""`shimawa`: one command for everything. Each part is imported only when it is asked for: a board has no model."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "hub": ("session_manager.__main__", "run a hub: pages, signaling, media, captions, store"),
    "board": ("room_agent.__main__", "run the agent of a meeting board"),
    "worker": ("transcription.__main__", "run a transcription worker for a hub elsewhere"),
    "demo": ("session_manager.demo.__main__", "three sites hold a dialogue on this machine"),
    "devices": ("hardware.__main__", "list this machine's cameras, microphones and loudspeakers, and test them"),
    "doctor": ("session_manager.doctor", "examine this machine: what is well, what is not, what it can carry"),
    "admin": ("session_manager.__main__", "administrators, boards, letters that come in, backup and restore"),
}
FIRST_ARGUMENT = {"hub": ["serve"], "board": ["run"], "worker": ["worker"], "admin": ["admin"]}
EXTRA = {"board": "board", "devices": "board"}


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog="shimawa",
        description="島話: dialogue between an island and the mainland.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"  {name:<8} {text}" for name, (_, text) in COMMANDS.items()),
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    name = parser.parse_args(given[:1]).command
    module, _ = COMMANDS[name]
    try:
        entry = importlib.import_module(module)
    except ModuleNotFoundError as error:
        extra = EXTRA.get(name, "hub")
        print(  # noqa: T201
            f"shimawa {name} needs {error.name}, which is not installed. Install it: pip install 'shimawa[{extra}]'",
            file=sys.stderr,
        )
        return 2
    code: int = entry.main([*_first(name, given), *given[1:]])
    return code


def _first(name: str, given: Sequence[str]) -> list[str]:
    """`shimawa board` runs the board; `shimawa board enrol` asks a hub to take it in."""
    return [] if (name, *given[1:2]) == ("board", "enrol") else FIRST_ARGUMENT.get(name, [])


if __name__ == "__main__":
    raise SystemExit(main())
