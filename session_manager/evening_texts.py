"""The words of letters about series and evenings, in Japanese and English: subject and body."""

from __future__ import annotations

from collections.abc import Mapping

EVENING_TEXTS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "place_given": {
        "ja": (
            "参加が決まりました: {title}",
            "「{title}」に参加いただけることになりました。\n"
            "日程はカレンダーとお知らせでご確認ください。来られなくなったときは、島話の「講座・集まり」で「辞退する」を押してください。",
        ),
        "en": (
            "You have a place: {title}",
            "You have a place in {title}.\n"
            "The dates are in your calendar and letters. "
            "If you cannot come any more, give the place up in Shimawa, under Courses.",
        ),
    },
    "place_waiting": {
        "ja": (
            "順番待ちに入りました: {title}",
            "「{title}」はいま満員です。順番待ちに入りました。\n席が空いたら、順番にお知らせします。",
        ),
        "en": (
            "You are on the waiting list: {title}",
            "{title} is full at the moment, so you are on the waiting list.\nWe will write when it is your turn.",
        ),
    },
    "report_draft": {
        "ja": (
            "報告の下書きができました: {title}",
            "「{title}」の報告の下書きができました。載るのは、本人が公開してよいと言ったものだけです。\n"
            "目を通して、公開してください。\n{link}",
        ),
        "en": (
            "A draft report is ready: {title}",
            "The draft report of {title} is ready. It holds only what its speakers agreed to.\n"
            "Please read it and publish it.\n{link}",
        ),
    },
    "report_out": {
        "ja": ("報告を公開しました: {title}", "「{title}」の報告を公開しました。\n{link}"),
        "en": ("The report is out: {title}", "The report of {title} is public now.\n{link}"),
    },
}
