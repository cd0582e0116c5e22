"""What must be true of the repository itself."""

from __future__ import annotations

import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRIVATE = re.compile(r"\._RTC[A-Za-z]+__|\._(tx|rx)_srtp\b|\._send_rtp\b|\._handle_rt|\._set_role\b|\._run_rtp\b")


def tracked(*patterns: str) -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_private_attributes_of_aiortc_are_touched_in_one_file() -> None:
    adapter = ROOT / "signaling/media/aiortc_adapter.py"
    guilty = [
        path.relative_to(ROOT).as_posix()
        for path in tracked("*.py")
        if path != adapter and "tests" not in path.parts and PRIVATE.search(path.read_text(encoding="utf-8"))
    ]
    assert guilty == []


def test_no_source_names_a_path_of_somebodys_machine() -> None:
    pattern = re.compile(r"(?<![\w.])/(?:home/[a-z]|Users/[A-Z]|root/)")
    guilty = [
        path.relative_to(ROOT).as_posix()
        for path in tracked("*.py", "*.md", "*.toml", "Makefile", "*.sh")
        if pattern.search(path.read_text(encoding="utf-8")) and path != Path(__file__)
    ]
    assert guilty == []


def test_every_requirement_is_locked() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for many in project["optional-dependencies"].values() for one in many)]
    names = {re.split(r"[\s<>=;\[]", one, maxsplit=1)[0].lower() for one in wanted}
    locked = {
        line.split("==")[0].strip().lower()
        for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    assert names <= locked


def test_every_file_that_the_architecture_names_is_there() -> None:
    paths = [path.relative_to(ROOT).as_posix() for path in tracked()]
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/*.-]+\.(?:py|js|json|html|css))`", text))
    missing = {name for name in named if not any(fnmatch(f"/{path}", f"*/{name}") for path in paths)}
    assert len(named) > 100
    assert missing == set()
