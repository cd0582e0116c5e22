"""`shimawa doctor hub`: the whole list, as a person and as a program gets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from session_manager.doctor_hub import examinations, main
from session_manager.settings import HubSettings
from session_manager.store import Store
from signaling.examining.rows import examine
from tests.session_manager.fresh import fresh
from tests.session_manager.hall import QUICK


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(one.relative_to(folder)): (one.read_bytes(), one.stat().st_mtime_ns)
        for one in sorted(folder.rglob("*"))
        if one.is_file()
    }


def test_the_whole_list_has_no_failure_of_its_own_and_changes_nothing(tmp_path: Path) -> None:
    Store.open(fresh(tmp_path / "shimawa.db"), QUICK).close()
    before = snapshot(tmp_path)
    rows = examinations(HubSettings(data=tmp_path, port=0, media_port=0, model="none"), None)
    found = list(examine((one for one in rows if one.code != "recommendation"), sys.stderr))
    codes = [one.code for one in found]
    assert {"packages", "settings", "data", "disk", "writes", "database", "pages", "media"} <= set(codes)
    assert {"address", "mail", "relay", "clock", "machine", "recogniser"} <= set(codes)
    assert not [one for one in found if "failed itself" in one.sentence]
    assert snapshot(tmp_path) == before


def test_settings_that_are_not_right_end_it_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "hub.toml"
    file.write_text("port = 'many'")
    assert main(["--config", str(file)]) == 2
    assert "port:" in capsys.readouterr().err
    assert main(["--config", str(file), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)[0]["code"] == "settings"


def test_a_settings_file_with_a_password_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "hub.toml"
    file.write_text("")
    file.chmod(0o644)
    for password, codes in (("", ["settings"]), ("open sesame", ["settings", "settings_private"])):
        settings = HubSettings(data=tmp_path, smtp_password=password)
        (row,) = [one for one in examinations(settings, file) if one.code == "settings"]
        assert [one.code for one in row.look()] == codes


def test_typed_as_it_is_it_really_measures_the_small_model_and_estimates_others(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "session_manager.commands", "doctor", "hub", "--json", "--port", "0"]
    command += ["--data", str(tmp_path / "none"), "--media-address", "nowhere", "--model", "fixture", "--tracks", "1"]
    environment = {"SHIMAWA_MODEL": str(tmp_path), "SHIMAWA_DEVICE": "cpu"}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    found = json.loads(ran.stdout)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert set(found[0]) == {"code", "level", "sentence", "next"}
    assert [one["code"] for one in found if one["level"] == "wrong"] == ["media", "recogniser"]
    missing, measured, demo, estimate = [one for one in found if one["code"].startswith("reco")]
    assert "is not a speech model" in missing["sentence"]
    assert "Measured, fixture: loads in" in measured["sentence"]
    assert demo["code"] == "recogniser_demo"
    assert "An estimate from the demo's model" in estimate["sentence"]
    assert not (tmp_path / "none").exists()


def test_without_its_packages_that_alone_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "shimawa-99.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        'Metadata-Version: 2.1\nName: shimawa\nVersion: 99\nRequires-Dist: nothing-of-that-name; extra == "hub"\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["--json"]) == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["code"], row["next"]) == ("packages", "Install them: pip install 'shimawa[hub]'")


def test_a_package_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    (tmp_path / "sqlalchemy.py").write_text("raise ImportError('libnothing.so is missing', name='sqlalchemy')")
    code = "import sys; from session_manager.doctor import main; sys.exit(main(['hub', '--json']))"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": str(tmp_path)},
    )
    (row,) = json.loads(ran.stdout)
    assert ran.returncode == 1
    assert "sqlalchemy is installed, but cannot be loaded (libnothing.so is missing)" in row["sentence"]


@pytest.mark.parametrize("words", [["--tracks", "0"], ["--tracks", "many"]])
def test_a_number_of_rooms_is_a_number(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
