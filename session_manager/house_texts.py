"""The words of letters to the office about what happens at a door: faults, and who is missing from a class.

Rows only: subject and body by template and language.
"""

from __future__ import annotations

from collections.abc import Mapping

_FAULTS: Mapping[str, tuple[str, str]] = {
    "camera": ("カメラ", "the camera"),
    "sound": ("音", "the sound"),
    "display": ("画面", "the display"),
    "room": ("部屋", "the room"),
    "other": ("そのほか", "something else"),
}

HOUSE_TEXTS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    **{
        f"fault_{kind}": {
            "ja": (
                f"困りごとの連絡（{ja}）: {{where}}",
                f"{{where}} の入口の画面から、「{ja}」について困っているという連絡がありました。\n"
                "確かめたら、島話の「今日」の画面で「直りました」を押してください。",
            ),
            "en": (
                f"Somebody needs help with {en}: {{where}}",
                f"At the door of {{where}} somebody says that {en} does not work.\n"
                "When you have seen to it, mark it as done on the Today page of Shimawa.",
            ),
        }
        for kind, (ja, en) in _FAULTS.items()
    },
    "absent": {
        "ja": (
            "まだ来ていない生徒: {lesson}",
            "{lesson}（{when}）で、まだ名前に触れていない生徒は{count}人です。\n{names}\n\n"
            "名前に触れ忘れた生徒が含まれることがあります。",
        ),
        "en": (
            "Not there yet: {lesson}",
            "{lesson} ({when}): {count} have not touched their names yet.\n{names}\n\n"
            "Some may have come and forgotten to touch.",
        ),
    },
    "all_here": {
        "ja": ("全員そろいました: {lesson}", "{lesson}（{when}）は、全員そろっています。"),
        "en": ("Everybody is there: {lesson}", "{lesson} ({when}): everybody is there."),
    },
}
