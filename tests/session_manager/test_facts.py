"""Facts as lines: a weekday, the house's clock, a series as a list, nothing where there is nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from session_manager.facts import MOST_DATES, DateFacts, Facts, Notes, lines, title, when
from session_manager.schedule import Wall

STARTS = datetime(2026, 10, 14, 18, 30)
EVENING = Wall(STARTS, STARTS + timedelta(hours=2), "Asia/Tokyo")


def test_a_time_has_its_weekday_and_its_zone_where_it_is_not_the_houses_own() -> None:
    assert when(EVENING, "ja") == "2026年10月14日（水）18:30～20:30"
    assert when(EVENING, "en") == "Wed 14 October 2026, 18:30-20:30"
    seoul = Wall(EVENING.starts, EVENING.ends, "Asia/Seoul")
    assert when(seoul, "ja") == "2026年10月14日（水）18:30～20:30（Asia/Seoulの時刻）"
    assert when(seoul, "en") == "Wed 14 October 2026, 18:30-20:30 (Asia/Seoul time)"
    night = Wall(STARTS, STARTS + timedelta(days=2), "Asia/Tokyo")
    assert when(night, "ja") == "2026年10月14日（水）18:30～2026年10月16日（金）18:30"
    assert when(night, "en") == "Wed 14 October 2026, 18:30 to Fri 16 October 2026, 18:30"


def test_what_is_not_there_is_not_said() -> None:
    one = Facts("夕べ", (DateFacts(EVENING, "壱岐 大会議室", "in_person"),))
    assert lines(one, "ja") == "日時: 2026年10月14日（水）18:30～20:30\n場所: 壱岐 大会議室"


def test_everything_that_is_there_is_said_in_both_languages() -> None:
    at = int(datetime.fromisoformat("2026-10-13T12:00+09:00").timestamp())
    full = Facts(
        "夕べ",
        (DateFacts(EVENING, "壱岐 大会議室", "hybrid"),),
        people=20,
        yen=1200,
        who="先生",
        reason="船が出ません",
        wish=Wall(STARTS + timedelta(days=1), STARTS + timedelta(days=1, hours=2), "Asia/Tokyo"),
        until_at=at,
        notes=Notes("始発は 7:10", "裏の入口", "来客用の無線"),
        page="https://hub.example/mine",
    )
    ja, en = lines(full, "ja").splitlines(), lines(full, "en").splitlines()
    assert len(ja) == len(en) == 13
    assert ja[2:6] == [
        "開き方: 会場とオンライン",
        "人数: 20名",
        "料金: 1,200円",
        "希望する日時: 2026年10月15日（木）18:30～20:30",
    ]
    assert ja[6] == "期限: 2026年10月13日（火）12:00"
    assert en[6] == "Until: Tue 13 October 2026, 12:00"
    assert en[8:] == [
        "Reason: 船が出ません",
        "Boats: 始発は 7:10",
        "Way in: 裏の入口",
        "Network: 来客用の無線",
        "Your bookings: https://hub.example/mine",
    ]


def test_many_dates_are_a_list_with_what_differs_and_a_bound() -> None:
    def date(week: int, place: str, mode: str) -> DateFacts:
        by = timedelta(weeks=week)
        return DateFacts(Wall(EVENING.starts + by, EVENING.ends + by, "Asia/Tokyo"), place, mode)

    same = lines(Facts("夕べ", tuple(date(week, "壱岐 大会議室", "in_person") for week in range(3))), "ja")
    assert same.splitlines()[:2] == ["日程:", "  2026年10月14日（水）18:30～20:30"]
    assert same.splitlines()[-1] == "場所: 壱岐 大会議室"
    course = Facts("講座", (date(0, "壱岐 大会議室", "in_person"), date(1, "", "online")))
    assert lines(course, "ja").splitlines()[2] == "  2026年10月21日（水）18:30～20:30 / オンライン（会場なし）"
    many = lines(Facts("夕べ", tuple(date(week, "", "online") for week in range(MOST_DATES + 5))), "en")
    assert "  and 5 more" in many.splitlines()


def test_a_series_says_in_its_title_how_many_dates_it_has() -> None:
    assert title("夕べ", 12, "ja") == "夕べ（12回）"
    assert title("Evening", 12, "en") == "Evening (12 dates)"
    assert title("夕べ", 1, "ja") == "夕べ"
