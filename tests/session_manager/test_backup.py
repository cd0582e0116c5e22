"""A hub's data taken while it is written, and put back whole or not at all."""

from __future__ import annotations

import argparse
import io
import json
import sqlite3
import stat
import sys
import threading
import time
import zipfile
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path

import pytest
from filelock import FileLock

from session_manager import admin
from session_manager.backup import MANIFEST, back_up, restore
from session_manager.backup_stamp import NOTE, last_backup
from session_manager.errors import NotPossible
from session_manager.ical import Attendee, CalendarEntry, write
from session_manager.notices import Letter
from session_manager.pricing import Holder
from session_manager.store import Store
from session_manager.store.snapshot import checked
from session_manager.tokens import load_secret
from tests.session_manager.fresh import fresh
from tests.session_manager.hall import NOW, QUICK
from tests.session_manager.house import at, build


def quiet(_name: str, _done: int, _whole: int) -> None:
    return None


def run(folder: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    admin.add_arguments(parser.add_subparsers(required=True))
    return admin.run(parser.parse_args(["admin", "--data", str(folder), *words]))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A hub's folder with a secret and some sound."""
    folder = tmp_path / "data"
    fresh(folder / "shimawa.db")
    load_secret(folder)
    sound = folder / "audio" / "s1" / "t1"
    sound.mkdir(parents=True)
    (sound / "1.log").write_bytes(bytes(range(256)) * 500)
    return folder


def test_what_is_written_meanwhile_is_in_it_up_to_one_moment(data: Path, tmp_path: Path) -> None:
    store = Store.open(data / "shimawa.db", QUICK)
    home = store.add_home("壱岐市", "Asia/Tokyo", NOW).municipality_id
    begun, copied = threading.Event(), threading.Event()

    def write_on() -> None:
        for number in range(200):
            store.register_person(home, f"参加者{number}", NOW, mail=f"p{number}@iki.example")
            if number == 40:
                begun.set()
            if number == 120:
                copied.wait(20)

    writing = threading.Thread(target=write_on)
    writing.start()
    assert begun.wait(20)
    seen: list[tuple[str, int]] = []
    back_up(data, tmp_path / "b.zip", NOW, lambda name, done, _whole: seen.append((name, done)))
    copied.set()
    writing.join()
    store.close()
    restore(tmp_path / "b.zip", tmp_path / "new", quiet)
    again = Store.open(tmp_path / "new" / "shimawa.db", QUICK)
    names = {one.name for one in again.people(home)}
    again.close()
    assert names == {f"参加者{number}" for number in range(len(names))}
    assert 40 <= len(names) <= 122
    assert ("shimawa.db", 0) not in seen[:1]
    assert seen[-1][0] == "files"


def test_a_writer_that_never_stops_does_not_make_the_copy_start_again(data: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(data / "shimawa.db")) as filling:
        filling.execute("create table ballast (x blob)")
        filling.executemany("insert into ballast values (?)", [(b"x" * 100_000,) for _ in range(400)])
        filling.commit()
    steps: list[int] = []

    def disturb(name: str, done: int, _whole: int) -> None:
        if name == "shimawa.db":
            steps.append(done)
            with closing(sqlite3.connect(data / "shimawa.db", timeout=20)) as other:
                other.execute("insert into ballast values (x'00')")
                other.commit()

    back_up(data, tmp_path / "b.zip", NOW, disturb)
    assert len(steps) >= 3
    assert steps == sorted(steps)
    restore(tmp_path / "b.zip", tmp_path / "new", quiet)
    with closing(sqlite3.connect(tmp_path / "new" / "shimawa.db")) as read:
        assert read.execute("select count(*) from ballast").fetchone() == (400,)


def test_sound_and_settings_go_along_only_when_asked(data: Path, tmp_path: Path) -> None:
    settings = tmp_path / "hub.toml"
    settings.write_text('model = "none"\n')
    small = back_up(data, tmp_path / "a.zip", NOW, quiet)
    full = back_up(data, tmp_path / "b.zip", NOW, quiet, audio=data / "audio", settings=settings)
    assert small.parts == ("shimawa.db", "secret.key")
    assert set(full.parts) == {"shimawa.db", "secret.key", "settings.toml", "audio/s1/t1/1.log"}
    restore(tmp_path / "b.zip", tmp_path / "new", quiet)
    there = tmp_path / "new"
    assert (there / "audio/s1/t1/1.log").read_bytes() == (data / "audio/s1/t1/1.log").read_bytes()
    assert load_secret(there) == load_secret(data)
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a.zip", "b.zip")} == {0o600}
    assert stat.S_IMODE((there / "shimawa.db").stat().st_mode) == 0o600
    assert not list(there.glob(".shimawa*"))


def test_letters_that_waited_in_a_backup_are_not_sent_again_but_by_hand(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store.open(data / "shimawa.db", QUICK)
    for number in range(3):
        assert store.post(Letter(str(number), "welcome", (("group", "x"),)).to("a@iki.example", "ja", None), NOW)
    sent, claimed = store.claim_notices(NOW, 2)
    store.notice_sent(sent.notice_id, NOW)
    back_up(data, tmp_path / "b.zip", NOW, quiet)
    assert len(store.claim_notices(NOW, 9)) == 1, "the hub goes on with its own"
    store.close()
    assert run(tmp_path / "new", "restore", str(tmp_path / "b.zip")) == 0
    assert "2 letters waited" in capsys.readouterr().out
    again = Store.open(tmp_path / "new" / "shimawa.db", QUICK)
    again.settle_notices((), NOW + 1)
    assert again.claim_notices(NOW + 1e6, 9) == []
    assert {(row.state, row.failure) for row in again.outbox(None)} == {("sent", None), ("dead", "restored")}
    assert again.retry_notice(None, claimed.notice_id, NOW)
    assert [one.message_id for one in again.claim_notices(NOW, 9)] == [claimed.message_id]
    again.close()


def test_a_running_hub_and_a_folder_with_anything_in_it_are_left_alone(data: Path, tmp_path: Path) -> None:
    back_up(data, tmp_path / "b.zip", NOW, quiet)
    with pytest.raises(NotPossible, match="not empty"):
        restore(tmp_path / "b.zip", data, quiet)
    busy = tmp_path / "busy"
    busy.mkdir()
    with FileLock(busy / "hub.lock"), pytest.raises(NotPossible, match="is running"):
        restore(tmp_path / "b.zip", busy, quiet)
    assert checked(data / "shimawa.db")


@pytest.mark.parametrize("spoil", ["bytes", "newer", "outside", "missing", "format", "lies", "database"])
def test_a_damaged_or_foreign_file_puts_nothing_back(data: Path, tmp_path: Path, spoil: str) -> None:
    good, bad = tmp_path / "b.zip", tmp_path / "bad.zip"
    if spoil == "newer":
        with closing(sqlite3.connect(data / "shimawa.db")) as read:
            read.execute("update alembic_version set version_num = '9999'")
            read.commit()
        with pytest.raises(NotPossible, match="newer version"):
            back_up(data, good, NOW, quiet)
        assert not list(tmp_path.glob("b.zip*"))
        return
    back_up(data, good, NOW, quiet)
    if spoil == "bytes":
        content = bytearray(good.read_bytes())
        content[len(content) // 2] ^= 0xFF
        bad.write_bytes(content)
    else:
        _spoilt(good, bad, spoil)
    with pytest.raises(NotPossible):
        restore(bad, tmp_path / "new", quiet)
    assert [one.name for one in (tmp_path / "new").iterdir() if one.name != "hub.lock"] == []
    assert not (tmp_path / "evil").exists()


def _spoilt(good: Path, bad: Path, how: str) -> None:
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
        manifest = json.loads(source.read(MANIFEST))
        for row in manifest["parts"]:
            content = source.read(row["name"])
            if how == "database" and row["name"] == "shimawa.db":
                import hashlib

                content = content[:4096] + b"\0" * (len(content) - 4096)
                row["sha256"] = hashlib.sha256(content).hexdigest()
            if how == "outside" and row["name"] != "shimawa.db":
                row["name"] = "../evil"
            if how == "lies":
                row["size"] -= 1
            if how != "missing":
                target.writestr(row["name"], content)
        if how == "format":
            manifest["format"] = 99
        target.writestr(MANIFEST, json.dumps(manifest))


def test_the_command_says_what_it_did_and_what_to_do_with_postgresql(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "b.zip")
    assert last_backup(data) is None
    assert run(data, "backup", file, "--audio") == 0
    taken = last_backup(data)
    assert taken == pytest.approx(time.time(), abs=600)
    assert "3 files" in capsys.readouterr().out
    assert run(data, "backup", file) == 2
    assert "Choose another name" in capsys.readouterr().err
    assert run(tmp_path / "new", "restore", file) == 0
    assert "shimawa hub --data" in capsys.readouterr().out
    assert last_backup(tmp_path / "new") == taken, "what was put back is in that file"
    assert run(data, "backup", file, "--database", "postgresql://hub@db/shimawa") == 2
    assert "pg_dump --format=custom" in capsys.readouterr().err
    assert last_backup(data) == taken, "what failed is no backup"
    assert run(tmp_path / "nowhere", "backup", str(tmp_path / "c.zip")) == 2


@pytest.mark.parametrize("spoilt", ["", "{}", "[1]", '{"made_at": "soon"}', '{"made_at": NaN}', "\x00"])
def test_a_note_that_is_spoilt_is_none(tmp_path: Path, spoilt: str) -> None:
    (tmp_path / NOTE).write_text(spoilt)
    assert last_backup(tmp_path) is None


def test_a_letter_from_the_mail_servers_pipe_is_read_or_passed_over(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store.open(data / "shimawa.db", QUICK)
    house = build(store)
    person = store.register_person("default", "先生", NOW, mail="a@iki.example")
    booking = house.book(at(1), holder=Holder(person.person_id))
    entry = CalendarEntry(
        f"{booking.booking_id}@shimawa.invalid",
        "x",
        booking.starts,
        booking.ends,
        booking.zone,
        NOW,
        attendees=(Attendee("a@iki.example", status="ACCEPTED"),),
    )
    letter = EmailMessage()
    letter["From"] = "Sensei <A@iki.example>"
    letter.set_content("yes")
    letter.add_alternative(write([entry], "REPLY"), subtype="calendar", params={"method": "REPLY"})
    for content, said in (
        (letter.as_bytes(), "1 of 1 answers taken."),
        (letter.as_bytes(), "0 of 1 answers taken."),
        (b"From: a@iki.example\r\n\r\nI am away.", "Passed over"),
        (b"x" * 3_000_000, "Passed over"),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert run(data, "mail-in") == 0
        assert said in capsys.readouterr().out
    (answer,) = store.booking_answers(booking.booking_id)
    assert answer.status == "ACCEPTED"
    store.close()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(letter.as_bytes())))
    (data / "shimawa.db").write_bytes(b"no database at all" * 400)
    assert run(data, "mail-in") == 75
