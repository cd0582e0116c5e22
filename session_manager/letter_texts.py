"""The words of letters about bookings, in Japanese and English: subject and body of each, with `{title}` and `{facts}`.

Rows only. A title is one line; `facts` is the block of lines that `session_manager.facts` makes.
"""

from __future__ import annotations

from collections.abc import Mapping

BOOKING_TEXTS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "requested": {
        "ja": (
            "予約の申込みを受け付けました: {title}",
            "予約の申込みを受け付けました。\n"
            "承認されるまで、場所はまだ確保されていません。結果はメールでお知らせします。\n\n{facts}",
        ),
        "en": (
            "We have your request: {title}",
            "Thank you, we have your request.\n"
            "The place is not yours until it is approved. We will write to you either way.\n\n{facts}",
        ),
    },
    "asked": {
        "ja": (
            "承認をお願いします: {title}",
            "予約の申込みがあります。島話の「承認」の画面で確認してください。\n\n{facts}",
        ),
        "en": (
            "Waiting for approval: {title}",
            "Somebody asks for a place. Please decide on the approvals page of Shimawa.\n\n{facts}",
        ),
    },
    "confirmed": {
        "ja": ("予約が確定しました: {title}", "予約が確定しました。\n\n{facts}"),
        "en": ("Your booking is confirmed: {title}", "Your booking is confirmed.\n\n{facts}"),
    },
    "invited": {
        "ja": ("ご案内: {title}", "「{title}」のご案内です。\n\n{facts}"),
        "en": ("Invitation: {title}", "You are invited to {title}.\n\n{facts}"),
    },
    "queued": {
        "ja": (
            "順番待ちに入りました: {title}",
            "ご希望の場所は、その時間には空いていません。順番待ちに入りました。\n"
            "空きが出たら、順番にメールでお知らせします。\n\n{facts}",
        ),
        "en": (
            "You are on the waiting list: {title}",
            "The place you wished for is taken then, so you are on the waiting list.\n"
            "We will write to you when it is your turn.\n\n{facts}",
        ),
    },
    "offered": {
        "ja": (
            "空きが出ました: {title}",
            "お待ちの場所に空きが出ました。期限まで、あなたのために取ってあります。\n"
            "島話の「わたしの予約」で、使うかどうかを選んでください。期限を過ぎると、次の方にお知らせします。\n\n{facts}",
        ),
        "en": (
            "A place is free for you: {title}",
            "The place you wait for has become free. It is kept for you until the time given below.\n"
            "Please say in Shimawa, under My bookings, whether you take it. After that it goes to the next.\n\n{facts}",
        ),
    },
    "offer_over": {
        "ja": (
            "お返事の期限が過ぎました: {title}",
            "空きのお知らせにお返事がなかったため、次の方にお知らせしました。\n"
            "ご希望でしたら、もう一度お申し込みください。\n\n{facts}",
        ),
        "en": (
            "The offer is over: {title}",
            "We had no answer in time, so the place went to the next.\n"
            "Please ask again if you still wish to have it.\n\n{facts}",
        ),
    },
    "unanswered": {
        "ja": (
            "申込みの期限が過ぎました: {title}",
            "予約の申込みは、承認されないまま期限が過ぎました。申し訳ありません。\n"
            "ご希望でしたら、もう一度お申し込みいただくか、施設にお問い合わせください。\n\n{facts}",
        ),
        "en": (
            "Your request has run out: {title}",
            "We are sorry: nobody decided about your request in time.\n"
            "Please ask again, or speak to the facility.\n\n{facts}",
        ),
    },
    "left_unanswered": {
        "ja": (
            "承認されないまま期限が過ぎました: {title}",
            "次の申込みは、だれも確認しないまま期限が過ぎました。申込者にもお知らせしました。\n\n{facts}",
        ),
        "en": (
            "Nobody decided in time: {title}",
            "This request ran out before anybody decided. The person who asked has been told.\n\n{facts}",
        ),
    },
    "queue_over": {
        "ja": (
            "空きが出ませんでした: {title}",
            "順番待ちのまま、予定の時間になりました。今回はご利用いただけません。\n\n{facts}",
        ),
        "en": ("No place became free: {title}", "The time has come and no place became free.\n\n{facts}"),
    },
    "declined": {
        "ja": (
            "申込みをお受けできませんでした: {title}",
            "申し訳ありませんが、予約の申込みをお受けできませんでした。\n\n{facts}",
        ),
        "en": ("Your request was declined: {title}", "We are sorry, but your request was declined.\n\n{facts}"),
    },
    "cancelled": {
        "ja": ("予約を取り消しました: {title}", "次の予約は取り消されました。\n\n{facts}"),
        "en": ("Your booking is cancelled: {title}", "This booking has been cancelled.\n\n{facts}"),
    },
    "withdrawn": {
        "ja": ("申込みが取り下げられました: {title}", "承認を待っていた申込みが取り下げられました。\n\n{facts}"),
        "en": ("A request was withdrawn: {title}", "A request that waited for approval was withdrawn.\n\n{facts}"),
    },
    "called_off": {
        "ja": ("中止のお知らせ: {title}", "「{title}」は中止になりました。\n\n{facts}"),
        "en": ("Called off: {title}", "{title} will not take place.\n\n{facts}"),
    },
    "left": {
        "ja": (
            "参加の終わりのお知らせ: {title}",
            "「{title}」への参加が終わりました。これからの次の日程は、カレンダーから外れます。\n\n{facts}",
        ),
        "en": (
            "No longer in your calendar: {title}",
            "You no longer take part in {title}. These dates leave your calendar.\n\n{facts}",
        ),
    },
    "released": {
        "ja": (
            "予約を解除しました: {title}",
            "開始の時間を過ぎてもご来場が確認できなかったため、予約を解除しました。\n"
            "場所は、ほかの方がお使いになれます。\n\n{facts}",
        ),
        "en": (
            "Your booking was released: {title}",
            "Nobody had checked in some time after it began, so the place was given free for others.\n\n{facts}",
        ),
    },
    "changed": {
        "ja": ("変更のお知らせ: {title}", "予定が変わりました。新しい予定は次のとおりです。\n\n{facts}"),
        "en": ("Changed: {title}", "{title} has changed. This is how it is now.\n\n{facts}"),
    },
    "change_requested": {
        "ja": (
            "変更の申込みを受け付けました: {title}",
            "変更の申込みを受け付けました。承認されるまで、いまの予約はそのまま使えます。\n\n{facts}",
        ),
        "en": (
            "We have your wish for a change: {title}",
            "We have your wish for a change. Until it is approved, your booking stays as it is.\n\n{facts}",
        ),
    },
    "change_asked": {
        "ja": (
            "変更の承認をお願いします: {title}",
            "予約の変更の申込みがあります。島話の「承認」の画面で確認してください。\n\n{facts}",
        ),
        "en": (
            "A change waits for approval: {title}",
            "Somebody asks to change a booking. Please decide on the approvals page of Shimawa.\n\n{facts}",
        ),
    },
    "change_approved": {
        "ja": ("変更が承認されました: {title}", "予約の変更が承認されました。新しい予定は次のとおりです。\n\n{facts}"),
        "en": ("Your change is approved: {title}", "Your change is approved. This is how it is now.\n\n{facts}"),
    },
    "change_declined": {
        "ja": (
            "変更はお受けできませんでした: {title}",
            "申し訳ありませんが、変更はお受けできませんでした。もとの予約は、そのまま使えます。\n\n{facts}",
        ),
        "en": (
            "Your change was declined: {title}",
            "We are sorry, but the change was declined. Your booking stays as it was.\n\n{facts}",
        ),
    },
    "struck": {
        "ja": (
            "これからもお使いになりますか: {title}",
            "続けて何回か、ご来場が確認できませんでした。\n"
            "これからの日程が要らないときは、島話で取り消してください。お使いになるときは、このままで結構です。\n\n{facts}",
        ),
        "en": (
            "Do you still need it? {title}",
            "Several times in a row nobody came.\n"
            "If you no longer need the coming dates, please cancel them in Shimawa. If you need them, do nothing.\n\n"
            "{facts}",
        ),
    },
    "mode_switched": {
        "ja": (
            "開き方が変わりました: {title}",
            "「{title}」の開き方が変わりました。新しい予定は次のとおりです。\n\n{facts}",
        ),
        "en": (
            "It takes place in another way: {title}",
            "{title} takes place in another way. This is how it is now.\n\n{facts}",
        ),
    },
    "boats_stopped": {
        "ja": (
            "船の欠航による変更: {title}",
            "船が欠航のため、予定を次のように変えました。\n\n{facts}",
        ),
        "en": (
            "No boat today, so it has changed: {title}",
            "No boat is sailing, so this has been changed. This is how it is now.\n\n{facts}",
        ),
    },
    "boats_freed": {
        "ja": (
            "船の欠航による取消し: {title}",
            "船が欠航のため、次の予定を取り消しました。\n\n{facts}",
        ),
        "en": (
            "No boat today, so it is cancelled: {title}",
            "No boat is sailing, so this has been cancelled.\n\n{facts}",
        ),
    },
    "boats_asked": {
        "ja": (
            "船が欠航です。どうなさいますか: {title}",
            "今日は船が出ません。次の予定を、明日に移す・オンラインで行う・取り消す、のどれにするか、予約のページで選んでください。"
            "選ぶまでは、予約はそのままです。\n\n{facts}",
        ),
        "en": (
            "No boat today. What would you like? {title}",
            "No boat is sailing today. Choose on your bookings page: move it to tomorrow, hold it online, or give it "
            "up. Until you choose, the booking stays as it is.\n\n{facts}",
        ),
    },
    "boats_resumed": {
        "ja": (
            "船が出ることになりました: {title}",
            "船が出ることになりました。予定は次のとおりです。\n\n{facts}",
        ),
        "en": (
            "Boats are sailing after all: {title}",
            "Boats are sailing after all. This is how it is now.\n\n{facts}",
        ),
    },
    "webhook_off": {
        "ja": (
            "外部への通知を止めました",
            "次のあて先が5日間受け取らないか、受け取りを断ったため、通知を止めました。\n{url}\n"
            "あて先を直したら、島話の設定でもう一度始めてください。それまでの知らせは取ってあります。",
        ),
        "en": (
            "Messages to another program are switched off",
            "This address took nothing for five days, or wants no more, so messages to it have stopped.\n{url}\n"
            "When it works again, switch it on in Shimawa's settings. What waited is kept.",
        ),
    },
    "reminder": {
        "ja": ("まもなくです: {title}", "「{title}」の日が近づきました。\n\n{facts}"),
        "en": ("Reminder: {title}", "{title} is coming up.\n\n{facts}"),
    },
}
