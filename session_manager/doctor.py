"""`shimawa doctor hub | board`: what is well on this machine, what is not, and what to do next. It changes nothing.

Each part is imported only when it is asked for, and none of them needs the packages whose lack it tells.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

PARTS = {
    "hub": ("session_manager.doctor_hub", "the machine that is, or is to be, the hub; which recogniser it can carry"),
    "board": ("room_agent.doctor", "a meeting board: its devices, its disk, its way to the hub"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog="shimawa doctor",
        description="Examine this machine. Nothing is changed, sent or downloaded.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"  {name:<6} {text}" for name, (_, text) in PARTS.items())
        + "\n\nExit code 0: well, or worth attention; 1: something is wrong; 2: the settings cannot be read.",
    )
    parser.add_argument("part", choices=PARTS, metavar="hub|board")
    module, _ = PARTS[parser.parse_args(given[:1]).part]
    try:
        code: int = importlib.import_module(module).main(given[1:])
    except KeyboardInterrupt:
        return 130
    return code


if __name__ == "__main__":
    raise SystemExit(main())
