"""Make or update the project's virtual environment: `python3 tools/make_venv.py .venv board hub dev`.

Standard library only, because it runs before anything is installed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)


def main(folder: str, *extras: str) -> int:
    if sys.version_info < OLDEST:
        print(
            f"Shimawa needs Python {'.'.join(map(str, OLDEST))} or newer; this is {sys.version.split()[0]}.\n"
            "Install a newer one and run: make PYTHON=python3.12 demo",
            file=sys.stderr,
        )
        return 2
    python = ROOT / folder / "bin" / "python"
    if not python.exists():
        print(f"Making {folder} ...", flush=True)
        if subprocess.run([sys.executable, "-m", "venv", str(ROOT / folder)], check=False).returncode:
            print("The venv module is missing. On Debian or Ubuntu: apt-get install python3-venv", file=sys.stderr)
            return 2
    print(f"Installing Shimawa ({', '.join(extras)}) with the versions of requirements.lock ...", flush=True)
    install = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--progress-bar", "on"]
    command = [*install, "-c", str(ROOT / "requirements.lock"), "-e", f"{ROOT}[{','.join(extras)}]"]
    return subprocess.run(command, check=False, cwd=ROOT).returncode


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
