"""Device specs: what stands before the colon chooses the driver."""

from __future__ import annotations

import pytest

from hardware.specs import Spec, is_simulated, parse_spec


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("default", Spec("default")),
        ("none", Spec("none")),
        ("name:USB: Speakerphone = A", Spec("name", "USB: Speakerphone ", " A")),
        ("sim:tone=440", Spec("sim", "tone", "440")),
        ("SIM:card=壱岐", Spec("sim", "card", "壱岐")),
        ("opencv:0", Spec("opencv", "0")),
        ("sim:script=C:\\a=b.json", Spec("sim", "script", "C:\\a=b.json")),
    ],
)
def test_a_spec_is_a_driver_a_key_and_a_value(text: str, spec: Spec) -> None:
    assert parse_spec(text) == spec


@pytest.mark.parametrize("name", ["USB: Speakerphone = A", "マイク (USB)", "pulse"])
def test_a_device_name_comes_back_whole(name: str) -> None:
    assert parse_spec(f"name:{name}").rest == name


@pytest.mark.parametrize(("text", "simulated"), [("sim:tone=1", True), ("none", True), ("default", False)])
def test_what_has_no_room_around_it_is_known(text: str, simulated: bool) -> None:
    assert is_simulated(text) is simulated
