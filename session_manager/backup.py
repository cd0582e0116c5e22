"""A hub's data in one file, taken while it runs, and put back into an empty folder.

A zip file: `manifest.json` (format, revision, when, size and SHA-256 of each part), the database as it was at one
moment, the installation's secret, and when asked for the audio log and the settings file. Sound is copied after the
database, so that everything the database knows of is there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO, Any

from filelock import FileLock, Timeout

from session_manager.backup_stamp import note_backup
from session_manager.errors import NotPossible, StoreFailed
from session_manager.store.snapshot import checked, hold_letters, snapshot
from session_manager.tokens import SECRET_FILE

FORMAT = 1
DATABASE = "shimawa.db"
AUDIO = "audio"
SETTINGS = "settings.toml"
MANIFEST = "manifest.json"
LOCK = "hub.lock"
_BLOCK = 1 << 20
_NO_BACKUP = "This file is no backup of Shimawa, or it is damaged. Choose another one."

Progress = Callable[[str, int, int], None]
"""What is done, how much of it, of how much."""


@dataclass(frozen=True, slots=True)
class Contents:
    """`parts`: names in the archive, in its order. `held`: letters that waited when it was put back."""

    revision: str
    made_at: float
    parts: tuple[str, ...]
    size: int
    held: int = 0


def back_up(
    data: Path, target: Path, now: float, progress: Progress, *, audio: Path | None = None, settings: Path | None = None
) -> Contents:
    """`audio`: folder of the audio log, to be taken along. Raises NotPossible, StoreFailed. No half file is left.

    A whole one is noted beside the data.
    """
    draft = target.with_name(f"{target.name}.part")
    try:
        if target.exists():
            raise NotPossible(f"There is a file {target} already. Choose another name.")
        with TemporaryDirectory(prefix=".shimawa-backup-", dir=data) as folder:
            copy = Path(folder) / DATABASE
            revision = snapshot(data / DATABASE, copy, lambda done, whole: progress(DATABASE, done, whole))
            parts = [(DATABASE, copy), *_secret(data), *_files(audio), *([(SETTINGS, settings)] if settings else [])]
            with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                written = _write(file, parts, revision, now, progress)
                file.flush()
                os.fsync(file.fileno())
        os.replace(draft, target)
        note_backup(data, now)
    except OSError as error:
        raise StoreFailed(f"The backup could not be written ({error.strerror}). Check the disk.") from error
    finally:
        draft.unlink(missing_ok=True)
    return Contents(revision, now, tuple(written), target.stat().st_size)


def restore(source: Path, data: Path, progress: Progress) -> Contents:
    """Into a folder that holds no hub. All of it or nothing. Letters that waited are held. Raises NotPossible,
    StoreFailed."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _nobody_there(data), TemporaryDirectory(prefix=".shimawa-restore-", dir=data) as folder:
            contents = _unpack(source, Path(folder), progress)
            checked(Path(folder) / DATABASE)
            held = hold_letters(Path(folder) / DATABASE)
            _put(Path(folder), data)
    except OSError as error:
        raise StoreFailed(f"The backup could not be put back ({error.strerror}). Check the disk.") from error
    return replace(contents, held=held)


class _nobody_there:
    """Holds the hub's own lock while its folder is filled."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._lock = FileLock(data / LOCK, timeout=0)

    def __enter__(self) -> None:
        try:
            self._lock.acquire()
        except Timeout as error:
            raise NotPossible(f"A hub is running with {self._data}. Stop it and choose an empty folder.") from error
        kept = [one.name for one in self._data.iterdir() if one.name != LOCK]
        if kept:
            self._lock.release()
            raise NotPossible(f"The folder {self._data} is not empty. A backup is put back into an empty folder only.")

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _secret(data: Path) -> list[tuple[str, Path]]:
    path = data / SECRET_FILE
    return [(SECRET_FILE, path)] if path.is_file() else []


def _files(audio: Path | None) -> Iterator[tuple[str, Path]]:
    if audio is None or not audio.is_dir():
        return
    for path in sorted(audio.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield f"{AUDIO}/{path.relative_to(audio).as_posix()}", path


def _write(file: IO[bytes], parts: list[tuple[str, Path]], revision: str, now: float, progress: Progress) -> list[str]:
    """Of a file that grows, as much as it has when its turn comes."""
    rows: list[dict[str, Any]] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, (name, path) in enumerate(parts):
            rows.append({"name": name, **_add(archive, name, path)})
            progress("files", number + 1, len(parts))
        manifest = {"format": FORMAT, "revision": revision, "made_at": now, "parts": rows}
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
    return [str(row["name"]) for row in rows]


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source:
        left = os.fstat(source.fileno()).st_size
        with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as out:
            while left > 0:
                block = source.read(min(_BLOCK, left))
                if not block:
                    break
                out.write(block)
                digest.update(block)
                size, left = size + len(block), left - len(block)
    return {"size": size, "sha256": digest.hexdigest()}


def _unpack(source: Path, folder: Path, progress: Progress) -> Contents:
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            if manifest["format"] != FORMAT:
                raise NotPossible("This backup was written by another version of Shimawa. Install that version first.")
            rows = [(str(row["name"]), int(row["size"]), str(row["sha256"])) for row in manifest["parts"]]
            for number, (name, size, digest) in enumerate(rows):
                _take(archive, name, size, digest, folder)
                progress("files", number + 1, len(rows))
            return Contents(
                str(manifest["revision"]),
                float(manifest["made_at"]),
                tuple(row[0] for row in rows),
                sum(row[1] for row in rows),
            )
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError) as error:
        raise NotPossible(_NO_BACKUP) from error
    except FileNotFoundError as error:
        raise NotPossible(f"There is no file {source}.") from error


def _take(archive: zipfile.ZipFile, name: str, size: int, digest: str, folder: Path) -> None:
    """Never outside of the folder, never more than the manifest says."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or path.parts[0] in {MANIFEST, LOCK}:
        raise NotPossible(_NO_BACKUP)
    target = folder.joinpath(*path.parts)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    found, seen = hashlib.sha256(), 0
    with (
        archive.open(name) as part,
        os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out,
    ):
        while block := part.read(_BLOCK):
            seen += len(block)
            if seen > size:
                raise NotPossible(_NO_BACKUP)
            found.update(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    if (seen, found.hexdigest()) != (size, digest):
        raise NotPossible(_NO_BACKUP)


def _put(folder: Path, data: Path) -> None:
    """The database last: a hub that starts in between finds none of it."""
    for path in sorted(folder.iterdir(), key=lambda one: one.name == DATABASE):
        shutil.move(path, data / path.name)
