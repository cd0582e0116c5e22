"""A PostgreSQL server of our own for tests: an unprivileged user, a socket in a temporary folder, gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

USER = "shimawa"


def binaries() -> Path:
    """Debian keeps the server's programs out of the path, in a folder of its version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else Path(shutil.which("initdb") or "initdb").resolve().parent


@contextmanager
def server() -> Iterator[Path]:
    """The folder of its socket. Nothing is flushed to disk: it lives as long as the tests."""
    nobody = "nobody" if os.getuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="shimawa-pg-") as name:
        folder = Path(name)
        if nobody is not None:
            shutil.chown(folder, nobody)
        data = folder / "data"
        run = {"user": nobody, "cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        options = ["-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions"]
        subprocess.run([binaries() / "initdb", "-D", data, *options], check=True, **run)
        settings = ["listen_addresses=", f"unix_socket_directories={folder}", "fsync=off", "max_connections=120"]
        arguments = [part for one in settings for part in ("-c", one)]
        process = subprocess.Popen([binaries() / "postgres", "-D", data, *arguments], **run)
        try:
            _wait(process, folder)
            yield folder
        finally:
            process.send_signal(signal.SIGINT)  # at once, whoever is connected
            process.wait(20)


def _wait(process: subprocess.Popen[bytes], folder: Path) -> None:
    while process.poll() is None:
        try:
            psycopg.connect(host=str(folder), user=USER, dbname="postgres", connect_timeout=1).close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError("PostgreSQL did not start")


def new_database(folder: Path, name: str, template: str = "template0") -> str:
    """Its address for `Store.open`."""
    with psycopg.connect(host=str(folder), user=USER, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return f"postgresql+psycopg://{USER}@/{name}?host={folder}"
